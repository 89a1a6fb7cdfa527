from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from orders.adapters.aws.client import pause

if TYPE_CHECKING:
    import pytest


def test_a_pause_is_drawn_up_to_a_bound_that_doubles_to_one_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Full jitter, as the AWS Architecture Blog's "Exponential Backoff and Jitter" has it."""
    bounds: list[tuple[float, float]] = []
    slept: list[float] = []

    def draw(low: float, high: float) -> float:
        bounds.append((low, high))
        return low + (high - low) / 3

    monkeypatch.setattr(random, "uniform", draw)
    monkeypatch.setattr(time, "sleep", slept.append)
    for attempt in range(1, 8):
        pause(attempt)

    assert bounds == [(0, longest) for longest in (0.1, 0.2, 0.4, 0.8, 1, 1, 1)]
    assert slept == [longest / 3 for _, longest in bounds]
