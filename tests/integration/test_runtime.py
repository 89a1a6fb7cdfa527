"""Every function of the artefact under Lambda's own runtime client.

It is started by the handler that the template names. Where Lambda's Python is installed, that runs
the artefact's bytecode.
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import trees
from benchmarks.process import Code, Failed, Process
from benchmarks.runtime_api import REQUEST_ID
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import HTTP_FUNCTIONS, OURS, Running, deployed
from build_artifact import is_lambda_python
from gateway import REQUEST_ID as GATEWAYS_ID
from gateway import request
from prerequisites import missing
from servers import ministack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.process import Handled
    from gateway import Event


@pytest.fixture(scope="module")
def ours() -> Iterator[Running]:
    with Running(OURS) as running:
        yield running


@cache
def path() -> tuple[Path, ...]:
    """Where Lambda's Python imports from: the artefact, and the runtime client."""
    if shutil.which("node") is None:
        missing("Node.js is not installed, which builds the pages in the artefact.")
    libraries, code = trees.artifact()
    if is_lambda_python(trees.PYTHON):
        for source in code.glob("orders/**/*.py"):
            source.write_text("raise SystemExit('This was not imported from its bytecode.')")
    return libraries, code, trees.runtime()


def event_for(ours: Running, function: str) -> Event:
    for operation in OPERATIONS:
        if operation.function == function:
            return operation.prepare(ours)
    if function in HTTP_FUNCTIONS:
        return request("GET", "/nowhere")
    return {"time": "2026-11-24T01:00:00Z"}


def handle(ours: Running, function: str, event: Event, *, without: str = "") -> Handled:
    """In a process of its own, with no other settings than the template gives the function."""
    given = deployed()[function].environment.keys() - {without}
    addresses = {"AWS_ENDPOINT_URL": ours.upstream, "AWS_ENDPOINT_URL_SQS": ministack()}
    settings = {name: ours.environment[name] for name in given} | addresses
    code = Code(settings, path(), trees.PYTHON)
    with Process(code, deployed()[function].handler) as process:
        return process.handle([event])


def test_every_function_responds_and_its_log_lines_name_the_request(ours: Running) -> None:
    for function in deployed():
        handled = handle(ours, function, event_for(ours, function))

        (response,) = handled.responses
        assert is_as_expected(response, function), f"{function}: {response}"
        lines = [json.loads(line) for line in handled.log.splitlines()]
        entries = [line for line in lines if "message" in line]
        own_id = GATEWAYS_ID if function in HTTP_FUNCTIONS else REQUEST_ID
        assert {entry["request_id"] for entry in entries} == {own_id}, f"{function}: {entries}"
        assert {entry["level"] for entry in entries} == {"INFO"}, f"{function}: {entries}"


def is_as_expected(response: dict[str, Any], function: str) -> bool:
    if function not in HTTP_FUNCTIONS:
        return not response.get("batchItemFailures")
    status: int = response["statusCode"]
    expected = {HTTPStatus.NOT_FOUND} if function == "not-found" else range(200, 300)
    return status in expected and bool(response["headers"]["X-Request-Id"] == GATEWAYS_ID)


def test_an_exception_of_a_background_function_is_reported(ours: Running) -> None:
    with pytest.raises(Failed, match="the event has neither a date nor a time") as failed:
        handle(ours, "daily-report", {})

    assert failed.value.outcome.what == "error"
    assert failed.value.outcome.content["errorType"] == "ValueError"
    assert failed.value.outcome.content["requestId"] == REQUEST_ID


def test_a_function_without_a_required_setting_does_not_start_and_says_why(ours: Running) -> None:
    with pytest.raises(Failed, match="TABLE_NAME is not set") as failed:
        handle(ours, "create-order", {}, without="TABLE_NAME")

    assert failed.value.outcome.what == "init error"
    assert failed.value.outcome.content["errorType"] == "InvalidSetting"
