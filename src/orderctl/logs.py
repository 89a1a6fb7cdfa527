"""Lines of the stage's logs, read by CloudWatch Logs Insights.

One query reads all log groups. `FilterLogEvents` takes a call for each group and each megabyte, and
AWS allows an account five a second.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orders.domain import timestamps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderctl.stage import Stage

READS_LOGS: Final = {
    "cloudformation:ListStackResources": "the stack",
    "logs:StartQuery": "the functions' log groups",
    "logs:GetQueryResults": "*",
    "logs:StopQuery": "*",
}
"""The rights for it, on all functions' groups. StopQuery is called when a query takes too long."""

MOST_LINES: Final = 1000
_LAMBDA: Final = "/aws/lambda/"
_RUNNING: Final = frozenset({"Scheduled", "Running"})
_POLL_SECONDS: Final = 0.2
_CLOCK_SKEW: Final = timedelta(minutes=5)


class LogLine(NamedTuple):
    """`source` is the function, such as `settle-payments`, or `operations`.

    `fields` is the line's JSON object, or `{"message": …}` if it is none.
    """

    at: datetime
    source: str
    fields: Mapping[str, Any]


class LogLines(NamedTuple):
    """In time's order. If not complete, there are more: older ones, or any if time ran out."""

    lines: Sequence[LogLine]
    is_complete: bool


def function_groups(stage: Stage) -> list[str]:
    """The log groups of all functions."""
    return [one for one in stage.resources["AWS::Logs::LogGroup"] if one.startswith(_LAMBDA)]


def read_lines(
    stage: Stage, groups: Sequence[str], pattern: str, since: datetime, *, seconds: float = 10
) -> LogLines:
    """The latest MOST_LINES lines since an instant that match a regular expression.

    That must not contain a slash. Reads 50 log groups at most, and gives up after `seconds`.
    """
    deadline = time.monotonic() + seconds
    client = stage.client("logs")
    query = client.start_query(
        logGroupNames=groups,
        startTime=int(since.timestamp()),
        endTime=int((datetime.now(UTC) + _CLOCK_SKEW).timestamp()),
        queryString=(
            f"fields @timestamp, @log, @message | filter @message like /{pattern}/ "
            "| sort @timestamp desc"
        ),
        limit=MOST_LINES,
    )["queryId"]
    while (found := client.get_query_results(queryId=query))["status"] in _RUNNING:
        if time.monotonic() > deadline:
            _stop(client, query)
            break
        time.sleep(_POLL_SECONDS)
    lines = [_line(stage, result) for result in reversed(found["results"])]
    lines.sort(key=lambda line: line.at)
    return LogLines(lines, found["status"] == "Complete" and len(lines) < MOST_LINES)


def _stop(client: Any, query: str) -> None:  # noqa: ANN401 - boto3 makes its clients at run time
    try:
        client.stop_query(queryId=query)
    except client.exceptions.InvalidParameterException:
        return  # it has just ended


def _line(stage: Stage, result: Sequence[Mapping[str, str]]) -> LogLine:
    values = {one["field"]: one["value"] for one in result}
    _, _, source = values["@log"].rpartition(f"{stage.stack}-")
    try:
        fields = json.loads(values["@message"])
    except (RecursionError, ValueError):
        fields = None
    if not isinstance(fields, dict):
        fields = {"message": values["@message"].rstrip("\n")}
    return LogLine(_instant(fields, values["@timestamp"]), source, fields)


def _instant(fields: Mapping[str, Any], arrived: str) -> datetime:
    """When the line was written; or else when it arrived, by Insights: UTC without an offset."""
    try:
        return timestamps.from_text(fields["timestamp"])
    except (KeyError, TypeError, ValueError):
        return datetime.fromisoformat(arrived).replace(tzinfo=UTC)
