"""A short run of the history checker; `make prove` makes long ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator import ROOT
from proof.checker import check
from proof.faults import Fault
from proof.report import report
from proof.run import Run

if TYPE_CHECKING:
    from local_stack import LocalStack

SEED = 20261125
SECONDS = 20
HISTORY = ROOT / "build" / "prove" / "history-of-the-test.json"


def test_nothing_is_lost_and_nothing_doubled_while_everything_fails(
    stack_of_its_own: LocalStack,
) -> None:
    history = Run(stack_of_its_own, SEED)(SECONDS)
    violations = check(history)
    if violations:
        history.save(HISTORY)
    assert not violations, report(history, violations)
    assert {strike.fault for strike in history.strikes} == set(Fault)
    assert any(row["sk"] == "DETAIL" for row in history.rows)
    assert history.published
    assert any(call.path == "/events" and '"id":' in call.text for call in history.calls)
