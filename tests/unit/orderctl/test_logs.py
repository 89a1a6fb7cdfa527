"""Log lines that CloudWatch Logs Insights finds."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from fakes import NOON
from orderctl.logs import MOST_LINES, read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderctl.logs import LogLines

Json = dict[str, Any]


class Insights:
    """boto3's client. Its query stays Running until it was asked for results `polls` times."""

    exceptions = SimpleNamespace(InvalidParameterException=KeyError)

    def __init__(self, results: Sequence[Json], polls: int = 0, ends: str = "Complete") -> None:
        self.results = results
        self.polls = polls
        self.ends = ends
        self.stopped: list[str] = []

    def start_query(self, **_query: object) -> Json:
        return {"queryId": "q"}

    def get_query_results(self, *, queryId: str) -> Json:  # noqa: N803 - AWS's name
        assert queryId == "q"
        self.polls -= 1
        return {
            "status": "Running" if self.polls >= 0 else self.ends,
            "results": [
                [{"field": name, "value": value} for name, value in one.items()]
                for one in self.results
            ],
        }

    def stop_query(self, *, queryId: str) -> None:  # noqa: N803 - AWS's name
        self.stopped.append(queryId)


def read(insights: Insights, seconds: float = 10) -> LogLines:
    stage: Any = SimpleNamespace(client=lambda _service: insights, stack="orders-prod")
    return read_lines(stage, ["/aws/lambda/orders-prod-x"], "id", NOON, seconds=seconds)


def result(message: str, arrived: str = "2026-11-23 12:00:09.000") -> Json:
    log = "123456789012:/aws/lambda/orders-prod-settle-payments"
    return {"@timestamp": arrived, "@log": log, "@message": message}


LATER: Final = json.dumps({"timestamp": "2026-11-23T12:00:02.000+00:00", "message": "b"})
EARLIER: Final = json.dumps({"timestamp": "2026-11-23T12:00:01.000+00:00", "message": "a"})


def test_lines_are_in_the_order_in_which_they_were_written() -> None:
    found = read(Insights([result(EARLIER), result("Task timed out\n"), result(LATER)], polls=1))

    assert [one.fields["message"] for one in found.lines] == ["a", "b", "Task timed out"]
    assert {one.source for one in found.lines} == {"settle-payments"}
    assert found.is_complete


@pytest.mark.parametrize(
    "text", ["[1]", "null", "{", "[" * 100_000, '{"timestamp": 5}', '{"timestamp": "x"}']
)
def test_whatever_a_line_holds_it_has_a_time(text: str) -> None:
    (line,) = read(Insights([result(text, "2026-11-23 12:00:00.123")])).lines

    assert line.at == NOON


def test_a_query_that_takes_too_long_is_stopped_and_not_complete() -> None:
    insights = Insights([result(EARLIER)], polls=1_000_000)

    found = read(insights, seconds=0)

    assert [one.fields["message"] for one in found.lines] == ["a"]
    assert not found.is_complete
    assert insights.stopped == ["q"]


@pytest.mark.parametrize(
    "insights", [Insights([], ends="Failed"), Insights([result(EARLIER)] * MOST_LINES)]
)
def test_there_may_be_more_lines_after_a_failure_or_the_most_lines(insights: Insights) -> None:
    assert not read(insights).is_complete
