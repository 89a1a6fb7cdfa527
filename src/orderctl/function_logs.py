"""What the functions' log lines tell of faults, where no alarm watches: on the local stack."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orders.domain import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orderctl.stage import Stage

    Line = Mapping[str, Any]

WINDOW: Final = timedelta(minutes=15)
"""How far back the lines are read. The longest pause before an event is settled again."""

_MOST_EVENTS: Final = 10_000
"""In a response of FilterLogEvents."""
_SERVER_ERROR: Final = 500


class FunctionLog(NamedTuple):
    """What one function's lines say.

    `failures` are the lines of errors, of responses 5xx, and of warnings that no later success took
    back. Of all `invocations`, the `silent` ones logged nothing: they crashed.
    """

    counts: Counter[str]
    failures: list[Line]
    invocations: int
    silent: int


NOTHING: Final = FunctionLog(Counter(), [], 0, 0)


def read_log(stage: Stage, function: str) -> FunctionLog:
    """Of the function's last lines; of the very last, where it logged thousands."""
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
            warnings = [one for one in warnings if not _takes_back(line, one)]
    failures = sorted(failed + warnings, key=lambda line: line["timestamp"])
    return FunctionLog(counts, failures, len(spoke), list(spoke.values()).count(False))


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


def _takes_back(line: Line, warning: Line) -> bool:
    """A success of the same order, or of a later invocation if the warning is about none."""
    if "order_id" in warning:
        return bool(line.get("order_id") == warning["order_id"])
    return bool(line.get("request_id") != warning.get("request_id"))


def _events(stage: Stage, group: str) -> Sequence[Mapping[str, Any]]:
    """The latest that one response holds: the emulator has no token for more."""
    client, window = stage.client("logs"), WINDOW
    while True:
        start = timestamps.to_milliseconds(datetime.now(UTC) - window)
        events: Sequence[Mapping[str, Any]] = client.filter_log_events(
            logGroupName=group, startTime=start
        )["events"]
        if len(events) < _MOST_EVENTS or window < timedelta(seconds=1):
            return events
        window /= 2
