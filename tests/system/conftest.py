"""One deployed stack for all system tests."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest

from emulator import EMULATOR_PYTHON
from local_stack import OSLS, LocalStack
from offline import free_port
from prerequisites import missing
from system.browser import Tab, chromium
from system.deployment import Deployment, RecordedStack
from system.marked_traffic import MarkedTraffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

    from system.deployment import Caller


LAST: Final = [
    "test_least_privilege.py",
    "test_log_hygiene.py",
    "test_dynamodb_local.py",
    "test_orderctl_dynamodb_local.py",
]
"""They look at the calls and the logs of all tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests last that judge what all others caused."""
    places = {name: place for place, name in enumerate(LAST, start=1)}
    items.sort(key=lambda item: places.get(item.path.name, 0))


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
    """The platform on an emulated AWS."""
    stack = RecordedStack(tmp_path_factory.mktemp("stack"), free_port())
    with stack.proxy:
        try:
            yield Deployment(stack, stack.up())
        finally:
            stack.stop()


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
        stack.stop()


@pytest.fixture(scope="session")
def customer(deployment: Deployment) -> Caller:
    return deployment.customer


@pytest.fixture(scope="session")
def other_customer(deployment: Deployment) -> Caller:
    return deployment.new_customer()


@pytest.fixture(scope="session")
def staff(deployment: Deployment) -> Caller:
    return deployment.staff


@pytest.fixture(scope="session")
def browser() -> Iterator[WebDriver]:
    with chromium() as started:
        yield started


@pytest.fixture
def tab(browser: WebDriver) -> Iterator[Tab]:
    """A new tab."""
    opened = Tab(browser)
    yield opened
    opened.close()
