"""The platform against a model of its contract, over thousands of steps.

By default they are the same at each run: what makes this fail is a change of the code, and it
fails again when it is run again. With `MODEL_STEPS=50000` there are about as many, and others at
each run. A failure prints the shortest sequence of steps that shows it, and a decorator that, put
on `PlatformMachine`, takes these steps again.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from proof.model.machine import STEPS, PlatformMachine
from proof.model.side_by_side import FILTERED_READ

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_STEPS_AN_EXAMPLE: Final = 60
USUAL_STEPS_AN_EXAMPLE: Final = 50
"""Hypothesis ends some examples early, when they have drawn much."""

STEPS_ASKED_FOR: Final = os.environ.get("MODEL_STEPS")
DEFAULT_STEPS: Final = 4_500


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Log lines of thousands of steps would hide the failing ones."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_quiet")
def test_every_response_is_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.application.list_customer_orders.FILTERED_READ_SIZE", FILTERED_READ)
    STEPS.clear()
    steps = int(STEPS_ASKED_FOR or DEFAULT_STEPS)
    run_state_machine_as_test(
        PlatformMachine,
        settings=settings(
            max_examples=max(1, steps // USUAL_STEPS_AN_EXAMPLE),
            stateful_step_count=MOST_STEPS_AN_EXAMPLE,
            derandomize=STEPS_ASKED_FOR is None,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"\nModel: {STEPS.total():,} steps")
    for rule, times in STEPS.most_common():
        print(f"{times:6} {rule}")
