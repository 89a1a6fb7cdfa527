"""Errors of DynamoDB transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders.adapters.dynamodb.rows import Row


class ConditionFailed(Exception):
    """The transaction was canceled.

    `failed` has the indices of its unmet conditions, each with the row in place if that was asked
    for and there is one.
    """

    def __init__(self, failed: Mapping[int, Row | None]) -> None:
        super().__init__(f"conditions not met: {sorted(failed)}")
        self.failed = failed
