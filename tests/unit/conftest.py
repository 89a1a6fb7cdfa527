from __future__ import annotations

from io import StringIO
from logging import StreamHandler
from typing import TYPE_CHECKING

import pytest

from orders.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All that was written since the last look: log lines, metrics, anything else."""
    lines = StringIO()
    (handler,) = (handler for handler in logger.handlers if isinstance(handler, StreamHandler))
    usual = handler.setStream(lines)

    def read() -> str:
        printed = capsys.readouterr()
        written = lines.getvalue()
        lines.seek(0)
        lines.truncate()
        return written + printed.out + printed.err

    yield read
    handler.setStream(usual)
