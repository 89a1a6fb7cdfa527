"""When which fault strikes."""

from __future__ import annotations

from functools import partial
from itertools import count, product
from typing import TYPE_CHECKING

import pytest

from proof.faults import Fault, Schedule, phases

if TYPE_CHECKING:
    from proof.faults import Phase

CALLS = [("create-order", "TransactWriteItems"), ("publish-order-events", "SendMessageBatch")]
MANY = 2_000


def drawn(seed: int, phase: Phase, times: int = MANY) -> list[list[Fault | None]]:
    schedule = unhurried(seed)
    schedule.begin(phase)
    return [[schedule.draw(*call) for _ in range(times)] for call in CALLS]


def unhurried(seed: int) -> Schedule:
    """A schedule whose outages are over before the next call."""
    return Schedule(seed, partial(next, count(step=3600)))


def everything() -> Phase:
    return phases(10)[-1]


def test_the_seed_decides_which_calls_are_struck() -> None:
    assert drawn(7, everything()) == drawn(7, everything()) != drawn(8, everything())


def test_what_others_call_in_between_changes_nothing_for_a_caller() -> None:
    schedule = unhurried(7)
    schedule.begin(everything())
    mixed: dict[tuple[str, str], list[Fault | None]] = {call: [] for call in CALLS}
    for _, call in product(range(MANY), reversed(CALLS)):
        mixed[call].append(schedule.draw(*call))
    assert [mixed[call] for call in CALLS] == drawn(7, everything())


def test_nothing_goes_wrong_before_the_first_phase_and_after_the_last() -> None:
    schedule = Schedule(7)
    before = [schedule.draw(*CALLS[0]) for _ in range(MANY)]
    schedule.begin(everything())
    schedule.end()
    after = [schedule.draw(*CALLS[0]) for _ in range(MANY)]
    assert set(before + after) == {None}


def test_each_kind_has_a_phase_in_which_it_strikes_alone() -> None:
    alone = phases(10)[:-1]
    assert [phase.faults for phase in alone] == [(fault,) for fault in Fault]
    for phase in alone:
        schedule = unhurried(7)
        schedule.begin(phase)
        calls = [*CALLS, ("publish-order-events", "GetRecords")]
        struck = {schedule.draw(*call) for _ in range(MANY) for call in calls}
        assert struck == {None, *phase.faults}


def test_all_kinds_strike_in_the_last_phase() -> None:
    assert {fault for call in drawn(7, everything()) for fault in call} == {None, *Fault}


def test_the_phases_take_the_time_that_is_given() -> None:
    assert sum(phase.seconds for phase in phases(600)) == pytest.approx(600)


def test_clients_are_not_killed_and_send_no_batches() -> None:
    schedule = unhurried(7)
    schedule.begin(everything())
    struck = {schedule.draw("client", "POST") for _ in range(MANY)}
    assert struck == {
        None,
        Fault.LOST_RESPONSE,
        Fault.SLOW_RESPONSE,
        Fault.LATE_REQUEST,
        Fault.RESET,
        Fault.THROTTLED,
        Fault.SERVER_ERROR,
        Fault.OUTAGE,
    }


def test_what_struck_is_kept_and_from_when_to_when() -> None:
    now = 0.0
    schedule = Schedule(7, lambda: now)
    schedule.begin(everything())
    struck = []
    for _ in range(MANY):
        with schedule.strike(*CALLS[1]) as fault:
            now += 1
        if fault:
            struck.append((fault, now - 1, now))
    assert [(each.fault, each.at, each.until) for each in schedule.strikes] == struck
    assert {(strike.caller, strike.operation) for strike in schedule.strikes} == {CALLS[1]}
    assert schedule.struck.total() == len(struck) > 0


def test_an_outage_lasts_for_seconds_for_its_caller_and_operation() -> None:
    now = 0.0
    schedule = Schedule(7, lambda: now)
    schedule.begin(next(phase for phase in phases(10) if phase.faults == (Fault.OUTAGE,)))
    while schedule.draw(*CALLS[0]) is None:
        pass
    now = 2.0
    assert {schedule.draw(*CALLS[0]) for _ in range(MANY)} == {Fault.OUTAGE}
    assert schedule.draw(*CALLS[1]) is None
    now = 8.1
    assert schedule.draw(*CALLS[0]) is None
