"""Why a transaction did not happen."""

from __future__ import annotations


class ConditionFailed(Exception):
    """The transaction did not happen; `failed` are the indices of its unmet conditions."""

    def __init__(self, failed: frozenset[int]) -> None:
        super().__init__(f"conditions not met: {sorted(failed)}")
        self.failed = failed


class Contended(Exception):
    """Another transaction holds a row; nothing was written by this one."""
