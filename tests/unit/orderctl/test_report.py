"""Days that `report` and `make-report` can't take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from orderctl.__main__ import run
from orderctl.commands import report

NOW = datetime(2026, 11, 23, 0, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is NOW, whatever the operator's clock says."""
    monkeypatch.setattr(report, "find_stage", lambda _: SimpleNamespace(now=lambda: NOW))


@pytest.mark.parametrize("day", [NOW.date() + timedelta(days=1), "9999-12-31"])
def test_no_report_is_made_of_a_day_that_has_not_begun(
    day: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["make-report", str(day), "--yes"]) == 2
    assert "has not begun" in capsys.readouterr().err


def test_there_are_no_days_before_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "0001-01-04", "--days", "5"]) == 2
    assert "no 5 days up to 0001-01-04" in capsys.readouterr().err
