"""One deployed stack for all system tests."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from local_stack import EMULATOR_PYTHON, OSLS, LocalStack
from offline import free_port
from prerequisites import missing
from system.deployment import Deployment, RecordedStack
from system.log_hygiene import check_run
from system.marked_traffic import MarkedTraffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from system.deployment import Caller


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Rights are compared with calls after all other tests have caused theirs."""
    items.sort(key=lambda item: item.path.name == "test_least_privilege.py")


@pytest.fixture(scope="session")
def _installed() -> None:
    """Skip, or fail in CI, without the programs that an emulated AWS needs."""
    if shutil.which("node") is None:
        missing("Node.js is not installed.")
    if not OSLS.exists():
        missing("osls is not installed: make test installs it.")
    if not EMULATOR_PYTHON.exists():
        missing("The emulated AWS is not installed: make test installs it.")


@pytest.fixture(scope="session")
def deployment(_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The platform on an emulated AWS, whose logs are searched for secrets at the end."""
    stack = RecordedStack(tmp_path_factory.mktemp("stack"), free_port())
    with stack.proxy:
        try:
            deployment = Deployment(stack, stack.up())
            yield deployment
            check_run(deployment)
        finally:
            stack.down()


@pytest.fixture(scope="session")
def traffic(deployment: Deployment) -> MarkedTraffic:
    """Marks have been sent wherever a text is taken."""
    traffic = MarkedTraffic(deployment)
    traffic.send_all()
    return traffic


@pytest.fixture
def stack_of_its_own(_installed: None, tmp_path: Path) -> Iterator[LocalStack]:
    """Another emulated AWS, for a test that changes everything."""
    stack = LocalStack(tmp_path, free_port())
    try:
        stack.up()
        yield stack
    finally:
        stack.down()


@pytest.fixture(scope="session")
def customer(deployment: Deployment) -> Caller:
    return deployment.customer


@pytest.fixture(scope="session")
def other_customer(deployment: Deployment) -> Caller:
    return deployment.new_customer()


@pytest.fixture(scope="session")
def staff(deployment: Deployment) -> Caller:
    return deployment.staff
