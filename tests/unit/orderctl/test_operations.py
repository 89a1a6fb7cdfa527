"""The record of what operators changed, where CloudWatch fails."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orderctl.app import Problem
from orderctl.operations import recorded

Json = dict[str, Any]


class Logs:
    """boto3's client, which takes this many lines."""

    def __init__(self, takes: int = 2, *, rejects: bool = False) -> None:
        self.lines: list[Json] = []
        self._takes = takes
        self._rejects = rejects

    def create_log_stream(self, **_: object) -> None:
        pass

    def put_log_events(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        if len(self.lines) < self._takes:
            self.lines.append(json.loads(call["logEvents"][0]["message"]))
            return {}
        if self._rejects:
            return {"rejectedLogEventsInfo": {"tooNewLogEventStartIndex": 0}}
        error: Any = {"Error": {"Code": "ThrottlingException", "Message": "slow"}}
        raise ClientError(error, "PutLogEvents")


def stage(logs: Logs) -> Any:  # noqa: ANN401 - what stands in for a Stage
    outputs = {"OperationsLogGroupName": "operations"}
    return SimpleNamespace(client=lambda _: logs, outputs=outputs, operator="me")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (KeyboardInterrupt, "interrupted"),
        (BrokenPipeError, "interrupted"),
        (Problem, "failed"),
    ],
)
def test_how_an_operation_ended_is_recorded(error: type[BaseException], state: str) -> None:
    logs = Logs()

    def operate() -> None:
        with recorded(stage(logs), "redrive") as counts:
            counts["sent"] = 1
            raise error

    with pytest.raises(error):
        operate()

    assert [(one["state"], one.get("sent")) for one in logs.lines] == [("began", None), (state, 1)]


@pytest.mark.parametrize("logs", [Logs(1), Logs(1, rejects=True)])
def test_an_end_that_is_not_recorded_is_told_and_changes_no_result(
    logs: Logs, capsys: pytest.CaptureFixture[str]
) -> None:
    with recorded(stage(logs), "redrive"):
        pass
    assert "The record lacks that the operation is done. " in capsys.readouterr().err

    with pytest.raises(ZeroDivisionError), recorded(stage(Logs(1)), "redrive"):
        raise ZeroDivisionError
    assert "is failed. AWS refused PutLogEvents" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("logs", "error"), [(Logs(0), ClientError), (Logs(0, rejects=True), Problem)]
)
def test_nothing_is_done_unrecorded(logs: Logs, error: type[Exception]) -> None:
    with pytest.raises(error), recorded(stage(logs), "redrive"):
        pytest.fail("done, but not recorded")
