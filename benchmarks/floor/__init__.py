"""The least that could answer: what no function can do without.

`bare` answers without asking anything; `bare_call` sends our functions' own calls through our
DynamoDB client; `signed_request` sends them with the standard library alone. None of them checks
anything: no validation, no rights, no retries, no log. All take one fixed order, `rows.REQUEST`.
"""
