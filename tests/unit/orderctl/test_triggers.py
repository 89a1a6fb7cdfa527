"""The triggers of a stage, and no other's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from orderctl.__main__ import run
from orderctl.commands import triggers
from orderctl.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTION: Final = "arn:aws:lambda:eu-west-1:123456789012:function:orders-dev-"


class Lambda:
    """boto3's client of an account in which `dev` has three triggers, and `dev-2` one."""

    def __init__(self) -> None:
        self.mappings: dict[str, dict[str, Any]] = {
            uuid: {
                "UUID": uuid,
                "FunctionArn": f"{FUNCTION}{function}",
                "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:queue",
                "State": "Enabled",
            }
            for uuid, function in (
                *(("a", "settle-payments"), ("b", "notify"), ("c", "notify")),
                ("d", "2-settle-payments"),
            )
        }

    def get_paginator(self, _name: str) -> Any:  # noqa: ANN401 - boto3's
        return SimpleNamespace(paginate=self._pages)

    def _pages(self) -> Iterator[dict[str, Any]]:
        yield {"EventSourceMappings": [dict(one) for one in self.mappings.values()]}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803 - AWS's
        self.mappings[UUID]["State"] = "Enabled" if Enabled else "Disabled"

    @property
    def off(self) -> list[str]:
        return [uuid for uuid, one in self.mappings.items() if one["State"] == "Disabled"]


class Logs:
    """boto3's client; what is recorded doesn't matter here."""

    def create_log_stream(self, **_parameters: object) -> None:
        pass

    def put_log_events(self, **_parameters: object) -> dict[str, object]:
        return {}


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    functions = Lambda()
    stage = Stage("dev", boto3.Session(region_name="eu-west-1"))
    stage._clients |= {"lambda": functions, "logs": Logs()}
    vars(stage).update(
        operator="somebody",
        outputs={"OperationsLogGroupName": "orders-dev-operations"},
        resources={"AWS::Lambda::EventSourceMapping": ["a", "b", "c"]},
    )
    monkeypatch.setattr(triggers, "find_stage", lambda _name: stage)
    return functions


def test_all_triggers_of_a_function_are_switched(functions: Lambda) -> None:
    functions.mappings["b"]["State"] = "Disabled"

    assert run(["pause", "notify", "--yes"]) == 0
    assert functions.off == ["b", "c"]
    assert run(["pause", "notify", "--yes"]) == 3
    assert run(["resume", "notify", "--yes"]) == 0
    assert functions.off == []


def test_a_stage_whose_name_begins_alike_is_out_of_reach(
    functions: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["pause", "2-settle-payments", "--yes"]) == 1
    assert functions.off == []
    assert capsys.readouterr().err.strip().endswith("These have: notify, settle-payments.")
