from __future__ import annotations

import pytest

from orders.telemetry import logger


@pytest.fixture(autouse=True)
def _logger_of_the_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the stream back that `run` takes: pytest closes it."""
    monkeypatch.setattr(logger, "stream", None)
