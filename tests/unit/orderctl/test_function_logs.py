"""What the functions' log lines tell, where no alarm watches."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from orderctl.function_logs import judge, read_log

if TYPE_CHECKING:
    from orderctl.function_logs import FunctionLog
    from orderctl.stage import Stage


def invocation(stream: str, *lines: object) -> list[dict[str, Any]]:
    """Its log events, Lambda's own lines included."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    messages = [f"START RequestId: {stream}", *texts, f"REPORT RequestId: {stream}"]
    return [{"logStreamName": stream, "message": message} for message in messages]


def line(level: str, request: str, **fields: object) -> dict[str, object]:
    """Requests are in time's order of their ids."""
    return {"level": level, "timestamp": request, "request_id": request, **fields}


def judged(*invocations: list[dict[str, Any]]) -> FunctionLog:
    return judge([event for one in invocations for event in one])


def test_errors_and_server_errors_are_failures_whatever_succeeds_later() -> None:
    error, refused = line("ERROR", "a"), line("INFO", "b", status=503)

    log = judged(
        invocation("a", error),
        invocation("b", refused, line("INFO", "b", status=404)),
        invocation("c", line("INFO", "c", status=201)),
    )

    assert log.failures == [error, refused]


def test_a_warning_stands_until_its_order_succeeds() -> None:
    first, second = (line("WARNING", "a", order_id=one) for one in ("o1", "o2"))

    log = judged(
        invocation("a", first, second),
        invocation("b", line("INFO", "b", order_id="o1"), line("INFO", "b", order_id="o3")),
    )

    assert log.failures == [second]


def test_a_warning_about_no_order_stands_until_a_later_invocation_succeeds() -> None:
    warning, success = line("WARNING", "a"), line("INFO", "a", order_id="o1")

    assert judged(invocation("a", warning, success)).failures == [warning]
    assert judged(invocation("a", warning), invocation("b", line("INFO", "b"))).failures == []


def test_an_invocation_that_logged_nothing_of_its_own_crashed() -> None:
    log = judged(invocation("a"), invocation("b", "{not JSON", "[]"), invocation("c", {"_aws": {}}))

    assert (log.invocations, log.silent) == (3, 2)


def test_metrics_are_summed() -> None:
    directive = {"Namespace": "Orders", "Metrics": [{"Name": "OrdersUnreadable"}]}
    counted = {"_aws": {"CloudWatchMetrics": [directive]}, "OrdersUnreadable": 2, "Other": 9}

    assert judged(invocation("a", counted), invocation("b", counted)).counts == {
        "OrdersUnreadable": 4
    }


def test_of_a_busy_function_the_very_last_lines_are_read() -> None:
    """It logged ten thousand lines in each minute, and fails since half of one ago."""

    def filter_log_events(*, startTime: int, **_group: str) -> Any:  # noqa: ANN401, N803 - AWS's
        age = datetime.now(UTC).timestamp() - startTime / 1000
        if age > 60:
            return {"events": invocation("old", line("INFO", "a")) * 4_000}
        return {"events": invocation("new", line("ERROR", "b"))}

    client = SimpleNamespace(filter_log_events=filter_log_events)
    stage = cast("Stage", SimpleNamespace(client=lambda _service: client))

    assert len(read_log(stage, "create-order").failures) == 1
