"""The environment that a function reads when its module is imported; no test reaches AWS."""

from __future__ import annotations

import logging
import os
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_DEFAULT_REGION="ap-southeast-1",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_REGION="ap-southeast-1",
    AWS_SECRET_ACCESS_KEY="testing",  # noqa: S106 - no secret
    DEAD_LETTER_QUEUE_URL="http://127.0.0.1:1/000000000000/order-events-dlq",
    PAYMENTS="mock",
    POWERTOOLS_METRICS_NAMESPACE="Orders",
    POWERTOOLS_SERVICE_NAME="orders",
    QUEUE_URL="http://127.0.0.1:1/000000000000/order-events-queue",
    TABLE_NAME="orders_app",
)
for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "PUBLIC_BASE_URL", "TRACER_ENABLED", "VERSION"):
    os.environ.pop(name, None)

# A busy machine is no failure; half of the usual examples keep `make test-fast` fast.
settings.register_profile(
    "orders", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "repeatable", settings.get_profile("orders"), max_examples=25, derandomize=True, database=None
)
settings.load_profile("orders")


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All that was written since the last look: log lines, metrics, anything else."""
    lines = StringIO()
    handlers = logging.getLogger("orders").handlers
    (handler,) = (each for each in handlers if isinstance(each, logging.StreamHandler))
    usual = handler.setStream(lines)

    def read() -> str:
        printed = capsys.readouterr()
        written = lines.getvalue()
        lines.seek(0)
        lines.truncate()
        return written + printed.out + printed.err

    yield read
    handler.setStream(usual)
