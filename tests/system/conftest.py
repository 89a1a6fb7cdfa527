"""One stack for all system tests: started, deployed to, driven over HTTP, and stopped."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from local_stack import EMULATOR_PYTHON, OSLS, LocalStack
from offline import free_port
from system.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Caller


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The platform on an emulated AWS of its own."""
    require("Node.js is not installed.", present=shutil.which("node") is not None)
    require("osls is not installed: make test installs it.", present=OSLS.exists())
    require(
        "The emulated AWS is not installed: make test installs it.",
        present=EMULATOR_PYTHON.exists(),
    )
    stack = LocalStack(tmp_path_factory.mktemp("stack"), free_port())
    try:
        yield Deployment(stack, stack.up())
    finally:
        stack.down()


def require(otherwise: str, *, present: bool) -> None:
    """Skip on a laptop; fail where CI=true says that everything is there."""
    if not present:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(otherwise)


@pytest.fixture(scope="session")
def customer(deployment: Deployment) -> Caller:
    return deployment.customer


@pytest.fixture(scope="session")
def other_customer(deployment: Deployment) -> Caller:
    return deployment.new_customer()


@pytest.fixture(scope="session")
def staff(deployment: Deployment) -> Caller:
    return deployment.staff
