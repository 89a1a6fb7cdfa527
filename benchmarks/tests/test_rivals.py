"""The rivals do what ours does, by the release of the contract that they implement."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.figures import ROOT
from benchmarks.functions import OF_THE_FLOOR, over_tls
from benchmarks.operations import measure
from benchmarks.process import Code, execute
from benchmarks.scenarios import COMPARED
from benchmarks.systems import FLOOR, OURS, TYPICAL, Running
from gateway import CUSTOMER_CLAIMS, order_body, request
from orders.adapters.aws.connection import AMAZON_ROOTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.scenarios import Operation
    from benchmarks.systems import System
    from gateway import Event

HEADERS = {"Cache-Control", "Content-Type", "ETag", "Idempotent-Replayed", "Location"}
CHANGING = {"allowedTransitions", "nextCursor"}
"""Rules may have changed since the release, and a cursor is each system's own."""
CHANCE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
)
"""Ids and times."""

LOADED = """
import importlib, json, sys
before = set(sys.modules)
assert importlib.import_module(sys.argv[1]).handler
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(loaded - sys.stdlib_module_names)))
"""


@pytest.fixture(scope="module")
def ours() -> Iterator[Running]:
    with Running(OURS) as running:
        yield running


@pytest.fixture(scope="module")
def typical() -> Iterator[Running]:
    with Running(TYPICAL) as running:
        yield running


@pytest.fixture(scope="module")
def floor() -> Iterator[Running]:
    with Running(FLOOR) as running:
        yield running


@pytest.mark.parametrize("operation", COMPARED, ids=lambda operation: operation.name)
def test_typical_responds_as_ours_does(
    ours: Running, typical: Running, operation: Operation
) -> None:
    own, theirs = (response(running, operation) for running in (ours, typical))

    assert theirs["status"] == own["status"]
    assert theirs["headers"] == own["headers"]
    assert theirs["body"] == released(own["body"], theirs["body"])


@pytest.mark.parametrize("operation", OF_THE_FLOOR)
def test_the_floor_makes_the_calls_that_ours_makes(
    ours: Running, floor: Running, operation: str
) -> None:
    calls = []
    for running in (ours, floor):
        order_id = running.send(create(key="a-key"))["orderId"]
        get = request("GET", f"/orders/{order_id}")
        with running.database.measuring() as made:
            running.send(get if operation == "get" else create(key="another"))
        calls.append([call.operation for call in made])

    assert calls[0] == calls[1] != []


def test_typical_pays_for_a_key_with_two_more_calls(typical: Running) -> None:
    found = {one.name: measure(typical, one) for one in COMPARED[:2]}

    assert found["create"].calls == {"PutItem": 1}
    assert found["create with key"].calls == {"PutItem": 2, "UpdateItem": 1}
    assert found["create with key"].write_units == 4


@pytest.mark.parametrize("system", [OURS, TYPICAL, FLOOR], ids=lambda system: system.name)
def test_all_speak_tls_with_whom_they_trust_and_nobody_else(system: System) -> None:
    event = system.event(create(key="over-tls"))
    with ExitStack() as block:
        running = block.enter_context(Running(system))
        aws = over_tls(block, running, Path(AMAZON_ROOTS))
        handler = system.handler_of("create-order")

        (response,) = execute(Code(running.environment | aws), handler, [event]).responses
        assert response["statusCode"] == 201
        stranger = aws | {"AWS_CA_BUNDLE": AMAZON_ROOTS}
        with pytest.raises(AssertionError):
            execute(Code(running.environment | stranger), handler, [event])


@pytest.mark.parametrize(
    ("module", "needed", "unwanted"),
    [
        ("floor", {"pycurl"}, {"orders", "msgspec", "aws_lambda_powertools"}),
        ("typical.app", {"boto3", "pydantic", "aws_xray_sdk"}, {"orders", "msgspec", "pycurl"}),
    ],
)
def test_a_rival_imports_nothing_of_ours(module: str, needed: set[str], unwanted: set[str]) -> None:
    settings = {
        "TABLE_NAME": "orders",
        "IDEMPOTENCY_TABLE_NAME": "keys",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "PYTHONPATH": ".",
    }
    shown = subprocess.check_output(
        [sys.executable, "-c", LOADED, f"benchmarks.{module}"], cwd=ROOT, env=os.environ | settings
    )

    loaded = set(json.loads(shown))
    assert needed <= loaded
    assert not unwanted & loaded


def test_a_rival_gets_no_field_that_came_after_its_release() -> None:
    newer = order_body(giftMessage="Happy birthday") | {"metadata": {"channel": "web"}}
    event = request("POST", "/orders", newer, claims=CUSTOMER_CLAIMS)

    assert json.loads(TYPICAL.event(event)["body"]) == order_body(metadata={"channel": "web"})
    assert OURS.event(event) is event


def create(*, key: str) -> Event:
    return request("POST", "/orders", order_body(), headers={"idempotency_key": key})


def response(running: Running, operation: Operation) -> dict[str, Any]:
    """Status, headers and body, without what differs from order to order."""
    event = operation.prepare(running)
    (found,) = running.invoke(operation.function, event).responses
    shown = {name: value for name, value in found["headers"].items() if name in HEADERS}
    headers, body = (CHANCE.sub("?", json.dumps(one)) for one in (shown, json.loads(found["body"])))
    return {
        "status": found["statusCode"],
        "headers": json.loads(headers),
        "body": {k: v for k, v in json.loads(body).items() if k not in CHANGING},
    }


def released(ours: Any, theirs: Any) -> Any:  # noqa: ANN401 - JSON
    """Of our body the fields that the rival has too."""
    match ours, theirs:
        case dict(), dict():
            return {name: released(ours[name], theirs[name]) for name in theirs if name in ours}
        case list(), [first, *_]:
            return [released(one, first) for one in ours]
        case _:
            return ours
