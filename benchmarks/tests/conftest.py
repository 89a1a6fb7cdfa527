"""The systems that are compared, each on tables of its own in DynamoDB Local."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from benchmarks.function_process import LAMBDA_ENVIRONMENT
from benchmarks.systems import OURS, TYPICAL, Running
from benchmarks.tests.rivals import sender
from servers import dynamodb_local
from wire import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from benchmarks.tests.rivals import Send


@pytest.fixture(scope="session")
def ours() -> Iterator[Running]:
    with Running(OURS) as running:
        yield running


@pytest.fixture(scope="session")
def typical_running() -> Iterator[Running]:
    with Running(TYPICAL) as running:
        yield running


@pytest.fixture(scope="session")
def _proxy() -> Iterator[Recorder]:
    with Recorder(dynamodb_local()) as recorder:
        yield recorder


@pytest.fixture
def wire(_proxy: Recorder) -> Iterator[Recorder]:
    """Counts the calls of what runs in this process, and breaks them."""
    _proxy.forget()
    yield _proxy
    _proxy.inject(())


@pytest.fixture(scope="session")
def typical_environment(_proxy: Recorder, typical_running: Running) -> dict[str, str]:
    kept = {name: LAMBDA_ENVIRONMENT[name] for name in LAMBDA_ENVIRONMENT if "_KEY" in name}
    return (
        typical_running.environment
        | kept
        | {
            "AWS_DEFAULT_REGION": LAMBDA_ENVIRONMENT["AWS_DEFAULT_REGION"],
            "AWS_ENDPOINT_URL": _proxy.endpoint,
        }
    )


@pytest.fixture(scope="session")
def typical_app(typical_environment: dict[str, str]) -> Iterator[ModuleType]:
    """In this process, for tests that reach into it."""
    with pytest.MonkeyPatch.context() as changes:
        for name, value in typical_environment.items():
            changes.setenv(name, value)
        yield importlib.import_module("benchmarks.typical.app")


@pytest.fixture
def typical(typical_app: ModuleType, wire: Recorder) -> Send:
    assert wire.endpoint, "calls are counted from here on"
    return sender(typical_app.handler)
