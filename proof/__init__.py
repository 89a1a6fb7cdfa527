"""The history checker: clients act on a real local stack while faults strike, then all is counted.

`make prove` runs it. docs/reliability.md says what it proves and what it doesn't.
"""
