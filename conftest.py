"""The environment that a function reads when its module is imported; no test reaches AWS."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from emulator import reach_this_machine_directly

if TYPE_CHECKING:
    from collections.abc import Callable

    from xdist.remote import Producer

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
reach_this_machine_directly()
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_DEFAULT_REGION="ap-southeast-1",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_REGION="ap-southeast-1",
    AWS_SECRET_ACCESS_KEY="testing",  # noqa: S106 - no secret
    DEAD_LETTER_QUEUE_URL="http://127.0.0.1:1/000000000000/order-events-dlq",
    PAYMENTS="mock",
    QUEUE_URL="http://127.0.0.1:1/000000000000/order-events-queue",
    TABLE_NAME="orders_app",
)
pytest.register_assert_rewrite("proof.model")  # so that a failure shows what differs
for path in Path(__file__).parent.glob("infra/*.yml"):
    for name in re.findall(r"^ +([A-Z_]+): !", path.read_text(), re.MULTILINE):
        os.environ.setdefault(name, f"the {name} of tests")  # what the template refers to
_OF_TERMINALS = (
    *("COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "LINES", "NO_COLOR", "PY_COLORS"),
    *("TERMINAL_WIDTH", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
)
for name in ("LOG_LEVEL", "PUBLIC_BASE_URL", "SSLKEYLOGFILE", "VERSION", *_OF_TERMINALS):
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
def output(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that was written since the last look: log lines, metrics, anything else."""

    def read() -> str:
        printed = capsys.readouterr()
        return printed.out + printed.err

    return read


LONGEST: Final = ("tests/system/", "proof/tests/test_model.py")
PROVE: Final = "tests/system/test_prove.py"
STACKS: Final = (
    "tests/system/test_deploy",
    "tests/system/test_desk_",
    "tests/system/test_machine_",
    "tests/system/test_orderctl_",
)
"""Tests that deploy a stack of their own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """Gives a worker a file at a time; the tests that share a deployed stack are one file.

    Besides the one of tests/system, each of STACKS has its own.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        shares_a_stack = file.startswith("tests/system/") and file != PROVE
        if not shares_a_stack:
            return file
        return next((stack for stack in STACKS if file.startswith(stack)), "tests/system")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Distribute the tests of `pytest -n` in their order."""
    config.option.loadscopereorder = False  # by default, what has most tests comes first
    return ByFile(config, log)
