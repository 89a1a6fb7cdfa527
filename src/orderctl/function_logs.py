"""What the functions' log lines tell of faults, where no alarm watches: on the local stack."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orderctl.stage import Stage

    Line = Mapping[str, Any]

WINDOW: Final = timedelta(minutes=15)
"""How far back the lines are read. The longest pause before an event is settled again."""

_READ_SECONDS: Final = 3
_MOST_EVENTS: Final = 10_000
"""In a response of FilterLogEvents. The emulator gives no token for more."""
_SERVER_ERROR: Final = 500


class FunctionLog(NamedTuple):
    """What one function's lines say.

    `failures` are those that are no success's forerunner: errors, responses 5xx, and warnings that
    nothing later settled. `silent` invocations of all `invocations` logged nothing: they crashed.
    """

    counts: Counter[str]
    failures: list[Line]
    invocations: int
    silent: int


NOTHING: Final = FunctionLog(Counter(), [], 0, 0)


def read_log(stage: Stage, function: str) -> FunctionLog:
    """Of the function's last lines, for as long as a person waits."""
    return judge(_events(stage, f"/aws/lambda/{function}"))


def judge(events: Iterable[Mapping[str, Any]]) -> FunctionLog:
    """Of CloudWatch's log events, in time's order. Each invocation has a log stream of its own."""
    counts: Counter[str] = Counter()
    failed: list[Line] = []
    warnings: list[Line] = []
    spoke: dict[str, bool] = {}
    for event in events:
        line = _parsed(event["message"])
        spoke[event["logStreamName"]] = spoke.get(event["logStreamName"], False) or line is not None
        if line is None:
            continue
        counts.update(_metrics(line))
        if line.get("level") == "ERROR" or line.get("status", 0) >= _SERVER_ERROR:
            failed.append(line)
        elif line.get("level") == "WARNING":
            warnings.append(line)
        elif line.get("level") == "INFO":
            warnings = [one for one in warnings if not _settles(line, one)]
    return FunctionLog(counts, failed + warnings, len(spoke), list(spoke.values()).count(False))


def _parsed(message: str) -> Line | None:
    """None for a line of Lambda's own."""
    with suppress(ValueError):
        line = json.loads(message)
        if isinstance(line, dict):
            return line
    return None


def _metrics(line: Line) -> dict[str, int]:
    directives = line.get("_aws", {}).get("CloudWatchMetrics", ())
    return {one["Name"]: line[one["Name"]] for all_ in directives for one in all_["Metrics"]}


def _settles(line: Line, warning: Line) -> bool:
    """A success of the same order, or of a later invocation if the warning is about none."""
    if "order_id" in warning:
        return bool(line.get("order_id") == warning["order_id"])
    return bool(line.get("request_id") != warning.get("request_id"))


def _events(stage: Stage, group: str) -> Iterator[Mapping[str, Any]]:
    client = stage.client("logs")
    start = (time.time_ns() // 1_000_000) - int(WINDOW.total_seconds() * 1000)
    deadline = time.monotonic() + _READ_SECONDS
    while time.monotonic() < deadline:
        events = client.filter_log_events(logGroupName=group, startTime=start)["events"]
        if len(events) < _MOST_EVENTS:
            yield from events
            return
        start = events[-1]["timestamp"]
        yield from (event for event in events if event["timestamp"] < start)
