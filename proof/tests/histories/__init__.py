"""Runs for the history checker: one in which nothing is wrong, and many that break one promise."""
