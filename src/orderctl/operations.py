"""The record of what operators changed: who, when, what, how many."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from orderctl.app import Problem
from orderctl.aws import EXPLAINED, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderctl.stage import Stage


RECORDS: Final = {
    "logs:CreateLogStream": "the operations' log group",
    "logs:PutLogEvents": "the operations' log group",
}
"""The rights for it."""


@contextmanager
def recorded(stage: Stage, operation: str, **what: object) -> Iterator[dict[str, Any]]:
    """Writes a line to the log group `orders-{stage}-operations` before, and one after.

    Yields what the second line shows, counts above all; it is also written if the operation fails
    or is interrupted. Neither may name a customer: the record outlives the right to be forgotten.
    Without the first line nothing is done. Without the last one the operation ends all the same.
    """
    log = _Log(stage, {"operation": operation, "operator": stage.operator, **what})
    counts: dict[str, Any] = {}
    log.write(state="began")
    state = "failed"
    try:
        yield counts
        state = "done"
    except (KeyboardInterrupt, BrokenPipeError):
        state = "interrupted"
        raise
    finally:
        try:
            log.write(state=state, **counts)
        except EXPLAINED as error:
            sys.stderr.write(f"The record lacks that the operation is {state}. {explain(error)}\n")


class _Log:
    def __init__(self, stage: Stage, entry: dict[str, object]) -> None:
        self._client: Any = stage.client("logs")
        self._group = stage.outputs["OperationsLogGroupName"]
        self._entry = entry
        self._stream = f"{datetime.now(UTC):%Y/%m/%d}/{time.time_ns()}"
        self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)

    def write(self, **fields: object) -> None:
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds")} | self._entry
        line = {
            "timestamp": time.time_ns() // 1_000_000,
            "message": json.dumps(entry | fields, ensure_ascii=False, default=str),
        }
        rejected = self._client.put_log_events(
            logGroupName=self._group, logStreamName=self._stream, logEvents=[line]
        ).get("rejectedLogEventsInfo")
        if rejected:
            raise Problem(
                f"CloudWatch rejected the record of the operation ({', '.join(rejected)}): check "
                "this machine's clock."
            )
