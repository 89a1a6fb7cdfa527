"""Errors of DynamoDB transactions."""

from __future__ import annotations


class ConditionFailed(Exception):
    """The transaction was canceled; `failed` holds the indices of its unmet conditions."""

    def __init__(self, failed: frozenset[int]) -> None:
        super().__init__(f"conditions not met: {sorted(failed)}")
        self.failed = failed


class Contended(Exception):
    """Another transaction holds a row; nothing was written by this one."""
