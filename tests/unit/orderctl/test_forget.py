"""`orderctl forget`, as far as it asks nobody."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from orderctl.__main__ import run
from orderctl.commands.forget import _access_log


@pytest.mark.parametrize("customer", ["", "a#b", "a b", "x" * 129])
def test_what_cannot_be_a_customers_id_is_wrong_usage(
    customer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["forget", customer]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("groups", "kept"),
    [
        ({"/aws/http-api/orders-dev": 14, "/aws/http-api/orders-dev-2": 90}, [timedelta(days=14)]),
        ({"/aws/http-api/orders-dev": None}, [None]),
        ({"/aws/http-api/orders-dev-2": 90}, []),
        ({}, []),
    ],
)
def test_what_the_access_log_keeps_is_told_if_there_is_one(
    groups: dict[str, int | None], kept: list[timedelta | None]
) -> None:
    described = [
        {"logGroupName": name} | ({"retentionInDays": days} if days else {})
        for name, days in groups.items()
    ]
    logs = SimpleNamespace(describe_log_groups=lambda **_: {"logGroups": described})
    stage: Any = SimpleNamespace(stack="orders-dev", client=lambda _: logs)

    assert [time for time, _ in _access_log(stage).values()] == kept
