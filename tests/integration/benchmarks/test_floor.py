"""The floor sends what our functions send, leaves the rows they leave, and answers as they do."""

from __future__ import annotations

import importlib
import json
import re
import runpy
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from api import Api
from benchmarks.floor import bare, rows
from fakes import FakeClock
from gateway import STAFF_CLAIMS, request
from local_stack import ROOT
from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.domain import timestamps
from orders.domain.order_id import OrderId
from rivals import Names, comparable, sender
from servers import INDEX, aws_client, client_of, dynamodb_local
from wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from api import Answer
    from gateway import Event
    from rivals import Send
    from wire import Recorder

BOTH = pytest.mark.parametrize("floor", ["bare_call", "signed_request"], indirect=True)
BARE_CALL = pytest.mark.parametrize("floor", ["bare_call"], indirect=True)

KEYED = pytest.mark.parametrize("keyed", [False, True], ids=["plain", "keyed"])

DIFFERENT = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "an order"),
    (re.compile(r"STATUS#(PENDING|PAID)#\d"), "a shard"),
    (re.compile(r"[0-9a-f]{64}"), "a digest"),
    (re.compile(r'(?<="ClientRequestToken": ")[0-9a-f]{32}'), "a token"),
)


@pytest.fixture
def floor(request: pytest.FixtureRequest, floor_table: str) -> Send:
    """One of the floor's modules, by its name."""
    assert floor_table
    return sender(importlib.import_module(f"benchmarks.floor.{request.param}").handler)


@pytest.fixture
def ours(floor_table: str, wire: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Send]:
    """Our routes, over the floor's table, in the millisecond in which the floor was loaded."""
    table = Table(client_of(wire.endpoint), floor_table)
    repository = DynamoDbOrders(table, INDEX)
    monkeypatch.setattr("api.InMemoryOrders", lambda: repository)
    monkeypatch.setattr("api.InMemoryReports", lambda: DynamoDbReports(table))
    monkeypatch.setattr("api.FakeClock", lambda: FakeClock(timestamps.from_text(rows.NOW)))
    yield Api().send
    repository._threads.shutdown()


def post(*, keyed: bool = False) -> Event:
    """With a key that was never used, or without one."""
    headers = {"idempotency_key": secrets.token_hex(8)} if keyed else {}
    return request("POST", "/orders", rows.REQUEST, headers=headers)


def get(order_id: str) -> Event:
    return request("GET", f"/orders/{order_id}")


def pay(order_id: str) -> Event:
    return request("PATCH", f"/orders/{order_id}", {"status": "PAID"}, claims=STAFF_CLAIMS)


PAGE = request("GET", f"/customers/{rows.CUSTOMER}/orders")


def sent(wire: Recorder, send: Send, event: Event) -> tuple[Answer, list[tuple[str, object, int]]]:
    """The answer, and the calls that were made for it: operation, parameters, length."""
    wire.forget()
    answer = send(event)
    calls = [(call.operation, _alike(call.parameters), len(call.body)) for call in wire.calls]
    return answer, calls


class TestCalls:
    @BOTH
    @KEYED
    def test_a_create_is_our_transaction(
        self, wire: Recorder, ours: Send, floor: Send, *, keyed: bool
    ) -> None:
        expected, calls = sent(wire, ours, post(keyed=keyed))
        answer, made = sent(wire, floor, post(keyed=keyed))

        assert made == calls
        assert [operation for operation, *_ in made] == ["TransactWriteItems"]
        assert comparable(answer, Names({})) == comparable(expected, Names({}))

    @BOTH
    def test_a_get_is_our_call(self, wire: Recorder, ours: Send, floor: Send) -> None:
        order_id = floor(post()).json["orderId"]

        expected, calls = sent(wire, ours, get(order_id))
        answer, made = sent(wire, floor, get(order_id))

        assert made == calls
        assert comparable(answer, Names({})) == comparable(expected, Names({}))

    @BARE_CALL
    def test_a_page_is_our_query(self, wire: Recorder, ours: Send, floor: Send) -> None:
        expected, calls = sent(wire, ours, PAGE)
        answer, made = sent(wire, floor, PAGE)

        assert made == calls
        assert answer.status == expected.status
        assert set(answer.json) == set(expected.json)

    @BARE_CALL
    def test_an_update_is_our_two_calls(self, wire: Recorder, ours: Send, floor: Send) -> None:
        expected, calls = sent(wire, ours, pay(ours(post()).json["orderId"]))
        answer, made = sent(wire, floor, pay(floor(post()).json["orderId"]))

        assert made == calls
        assert [operation for operation, *_ in made] == ["GetItem", "TransactWriteItems"]
        assert comparable(answer, Names({})) == comparable(expected, Names({}))


class TestRows:
    @BOTH
    @KEYED
    def test_a_create_leaves_the_rows_that_ours_leaves(
        self,
        wire: Recorder,
        ours: Send,
        floor: Send,
        floor_table: str,
        *,
        keyed: bool,
    ) -> None:
        left = [rows_written(wire, send, post(keyed=keyed), floor_table) for send in (ours, floor)]

        assert left[1] == left[0]
        assert len(left[1]) == (3 if keyed else 2)

    @BARE_CALL
    def test_an_update_leaves_the_rows_that_ours_leaves(
        self, wire: Recorder, ours: Send, floor: Send, floor_table: str
    ) -> None:
        left = [
            rows_written(wire, send, pay(send(post()).json["orderId"]), floor_table)
            for send in (ours, floor)
        ]

        assert left[1] == left[0]
        assert len(left[1]) == 2

    @BOTH
    def test_each_create_makes_another_order(self, floor: Send, ours: Send) -> None:
        ids = {floor(post()).json["orderId"] for _ in range(3)}

        assert len(ids) == 3
        for order_id in ids:
            assert ours(get(order_id)).json["orderId"] == order_id

    def test_orders_are_spread_over_the_shards_that_ours_would_choose(self) -> None:
        ids = [rows.order_id(number) for number in range(20)]

        assert [rows.shard(order_id) for order_id in ids] == [
            keys.status_shard(OrderId(order_id)) for order_id in ids
        ]


class TestSignature:
    @pytest.mark.parametrize("token", ["", "FwoGZXIvYXdzEXAMPLE"])
    def test_it_is_the_one_that_botocore_makes(
        self, monkeypatch: pytest.MonkeyPatch, token: str
    ) -> None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        body, target = b'{"TableName":"orders"}', "DynamoDB_20120810.GetItem"
        credentials = Credentials("testing", "testing", token or None)
        expected = AWSRequest("POST", "https://example.com/", {"X-Amz-Target": target}, data=body)
        SigV4Auth(credentials, "dynamodb", "ap-southeast-1").add_auth(expected)
        instant = timestamps.from_text(expected.headers["X-Amz-Date"])

        headers = runpy.run_path(str(ROOT / "benchmarks" / "floor" / "sigv4.py"))["headers"]
        lines = headers("example.com", target, body, instant.timestamp()).splitlines()
        signed = dict(line.split(":", 1) for line in lines)

        ours = signed["authorization"].replace(",", ", ")
        assert ours == expected.headers["Authorization"]
        assert signed.get("x-amz-security-token", "") == token

    def test_a_refused_call_is_an_error(self, wire: Recorder, signed_request: ModuleType) -> None:
        wire.inject([Refusal("AccessDeniedException")])

        with pytest.raises(Exception, match="AccessDeniedException"):
            signed_request.handler(get("any"), None)


@pytest.fixture
def signed_request(floor_table: str) -> ModuleType:
    assert floor_table
    return importlib.import_module("benchmarks.floor.signed_request")


def test_the_bare_handler_answers_always_the_same() -> None:
    assert sender(bare.handler)(PAGE) == sender(bare.handler)(post())


def rows_written(wire: Recorder, send: Send, event: Event, table: str) -> list[object]:
    """What is in the table, by the keys of the transaction that the event led to."""
    wire.forget()
    send(event)
    operations = wire.calls[-1].parameters["TransactItems"]
    keys = [
        operation["Update"]["Key"]
        if "Update" in operation
        else {name: operation["Put"]["Item"][name] for name in ("pk", "sk")}
        for operation in operations
    ]
    database = aws_client("dynamodb", dynamodb_local())
    return [
        _alike(database.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"])
        for key in keys
    ]


def _alike(content: dict[str, Any]) -> object:
    """Without what differs from one order to the next; never in its length."""
    text = json.dumps(content)
    for pattern, name in DIFFERENT:
        text = pattern.sub(name, text)
    return json.loads(text)
