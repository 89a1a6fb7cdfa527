"""What the typical rival promises by itself, and what its calls are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.operations import measure
from benchmarks.scenarios import OPERATIONS
from benchmarks.tests.rivals import sender
from benchmarks.typical.models import timestamp
from benchmarks.units import Units
from gateway import (
    CUSTOMER_CLAIMS,
    CUSTOMERS_ORDERS,
    MERGE_PATCH,
    STAFF_CLAIMS,
    order_body,
    request,
)
from local_stack import ROOT
from orders.domain import timestamps
from servers import aws_client, dynamodb_local
from wire import Refusal

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from benchmarks.systems import Running
    from benchmarks.tests.rivals import Response, Send
    from benchmarks.typical.models import Order
    from gateway import Event
    from wire import Recorder

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

PAID = {"status": "PAID"}
THROTTLED = Refusal("ProvisionedThroughputExceededException")

WORKER = """
import json, sys
from benchmarks.typical.app import handler
from benchmarks.function_process import Context
event = json.load(sys.stdin)
print("ready", flush=True)
open(sys.argv[1]).close()  # a pipe: whoever opens it waits until it is opened for writing
response = handler(event, Context())
print(json.dumps({"response": response}), flush=True)
"""


def post(customer: str, key: str | None = None, **changes: object) -> Event:
    claims = CUSTOMER_CLAIMS | {"sub": customer}
    headers = {} if key is None else {"idempotency_key": key}
    body = order_body(customerId=customer) | changes
    return request("POST", "/orders", body, claims=claims, headers=headers)


def patch(order_id: str, body: object, **headers: str) -> Event:
    return request("PATCH", f"/orders/{order_id}", body, claims=STAFF_CLAIMS, headers=headers)


def create(typical: Send, customer: str) -> str:
    return str(typical(post(customer)).json["orderId"])


def orders_of(customer: str, environment: dict[str, str]) -> list[str]:
    database = aws_client("dynamodb", dynamodb_local())
    found = database.query(
        TableName=environment["TABLE_NAME"],
        IndexName="byCustomer",
        KeyConditionExpression="customerId = :customer",
        ExpressionAttributeValues={":customer": {"S": customer}},
    )
    return [item["orderId"]["S"] for item in found["Items"]]


class TestCalls:
    def test_a_create_is_one_call(self, typical: Send, wire: Recorder) -> None:
        assert typical(post("cus_calls")).status == 201
        assert wire.counts == {"PutItem": 1}

    def test_a_key_adds_two_calls(self, typical: Send, wire: Recorder) -> None:
        assert typical(post("cus_calls_key", "a-key")).status == 201
        assert wire.counts == {"PutItem": 2, "UpdateItem": 1}

    def test_a_replay_is_one_call(self, typical: Send, wire: Recorder) -> None:
        typical(post("cus_calls_replay", "a-key"))
        wire.forget()

        assert typical(post("cus_calls_replay", "a-key")).headers["Idempotent-Replayed"] == "true"
        assert wire.counts == {"PutItem": 1}

    def test_a_get_is_one_call(self, typical: Send, wire: Recorder) -> None:
        order_id = create(typical, "cus_calls_get")
        wire.forget()

        typical(request("GET", f"/orders/{order_id}", claims=STAFF_CLAIMS))
        assert wire.counts == {"GetItem": 1}

    def test_a_page_is_one_call(self, typical: Send, wire: Recorder) -> None:
        typical(request("GET", "/customers/cus_calls_page/orders", claims=STAFF_CLAIMS))
        assert wire.counts == {"Query": 1}

    def test_an_update_is_two_calls(self, typical: Send, wire: Recorder) -> None:
        order_id = create(typical, "cus_calls_update")
        wire.forget()

        assert typical(patch(order_id, PAID)).status == 200
        assert wire.counts == {"GetItem": 1, "UpdateItem": 1}

    def test_its_units_are_those_that_dynamodb_local_reports(
        self, typical_running: Running
    ) -> None:
        operation = next(one for one in OPERATIONS["typical"] if one.name == "create with key")

        measured = measure(typical_running, operation)

        assert measured.calls == {"PutItem": 2, "UpdateItem": 1}
        assert measured.units == Units(write=4)


class TestRaces:
    def test_two_creates_with_one_key_at_once_make_one_order(
        self, typical_environment: dict[str, str], typical: Send, tmp_path: Path
    ) -> None:
        """In two processes, as Lambda runs them; the loser is told to come again."""
        event = post("cus_race", "a-key")
        start = tmp_path / "start"
        os.mkfifo(start)
        workers = [_worker(event, str(start), typical_environment) for _ in range(2)]
        with start.open("w"):
            responses = [_response(worker) for worker in workers]

        (order_id,) = orders_of("cus_race", typical_environment)
        fresh = [response for response in responses if _is_fresh(response)]
        assert [json.loads(response["body"])["orderId"] for response in fresh] == [order_id]
        for response in responses:
            if response not in fresh:
                assert response["statusCode"] in {201, 409}
        replay = typical(event)
        assert replay.headers["Idempotent-Replayed"] == "true"
        assert replay.json["orderId"] == order_id

    def test_a_request_that_comes_while_the_first_is_in_progress_is_refused(
        self,
        typical: Send,
        typical_app: ModuleType,
        typical_environment: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        customer = "cus_in_progress"
        add = typical_app.orders.repository.add
        second: list[Response] = []

        def add_while_another_comes(order: Order, **others: str | None) -> None:
            monkeypatch.setattr(typical_app.orders.repository, "add", add)
            with monkeypatch.context() as changes:
                # The resolver keeps the event in its class: a process answers one at a time.
                changes.setattr(typical_app.app, "clear_context", lambda: None)
                second.append(sender(typical_app.handler)(post(customer, "a-key")))
            add(order, **others)

        monkeypatch.setattr(typical_app.orders.repository, "add", add_while_another_comes)
        first = typical(post(customer, "a-key"))

        assert [(response.status, response.problem) for response in second] == [
            (409, "request-in-progress")
        ]
        assert first.status == 201
        assert orders_of(customer, typical_environment) == [first.json["orderId"]]

    def test_a_change_decided_on_an_old_version_is_refused(
        self, typical: Send, typical_app: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order_id = create(typical, "cus_stale")
        stale = typical_app.orders.repository.find(order_id)
        typical(patch(order_id, {"status": "CANCELED"}))
        monkeypatch.setattr(typical_app.orders.repository, "find", lambda _: stale)

        refused = typical(patch(order_id, PAID))
        monkeypatch.undo()

        assert (refused.status, refused.problem) == (409, "order-changed")
        found = typical(request("GET", f"/orders/{order_id}", claims=STAFF_CLAIMS))
        assert (found.json["status"], found.json["version"]) == ("CANCELED", 2)


class TestFaults:
    def test_a_throttled_table_is_a_503(self, typical: Send, wire: Recorder) -> None:
        wire.inject(repeat(THROTTLED))

        response = typical(request("GET", "/orders/any", claims=STAFF_CLAIMS))

        assert (response.status, response.problem) == (503, "try-again")
        assert response.headers["Retry-After"] == "1"

    def test_a_throttled_key_is_a_503(self, typical: Send, wire: Recorder) -> None:
        wire.inject(repeat(THROTTLED))

        response = typical(post("cus_throttled", "a-key"))

        assert (response.status, response.problem) == (503, "try-again")

    def test_any_other_fault_is_a_500_that_says_no_more(
        self, typical: Send, wire: Recorder
    ) -> None:
        wire.inject([Refusal("AccessDeniedException")])

        response = typical(request("GET", "/orders/any", claims=STAFF_CLAIMS))

        assert (response.status, response.problem) == (500, "internal-error")
        assert "AccessDenied" not in response.text


class TestRows:
    @pytest.mark.parametrize("reason", [{}, {"reason": "transfer"}], ids=["plain", "reason"])
    def test_a_payment_token_is_kept_until_the_status_changes(
        self, typical: Send, typical_environment: dict[str, str], reason: dict[str, str]
    ) -> None:
        created = typical(post("cus_token", paymentToken="tok_approve"))
        order_id = created.json["orderId"]

        before = _item(order_id, typical_environment)
        typical(patch(order_id, PAID | reason))
        after = _item(order_id, typical_environment)

        assert "tok_approve" not in created.text
        assert before["paymentToken"] == {"S": "tok_approve"}
        assert "paymentToken" not in after

    def test_who_changed_the_order_and_why_is_there_for_the_stream(
        self, typical: Send, typical_environment: dict[str, str]
    ) -> None:
        order_id = create(typical, "cus_reason")
        assert _item(order_id, typical_environment)["changedBy"] == {"S": "customer"}

        typical(patch(order_id, {"status": "PAID", "reason": "transfer"}))
        paid = _item(order_id, typical_environment)
        typical(patch(order_id, {"status": "SHIPPED"}))
        shipped = _item(order_id, typical_environment)

        assert (paid["changedBy"], paid["reason"]) == ({"S": "staff"}, {"S": "transfer"})
        assert "reason" not in shipped

    def test_instants_are_rfc_3339_to_the_millisecond(self) -> None:
        now = timestamp()

        assert timestamps.to_text(timestamps.from_text(now)) == now


class TestDifferences:
    """What the README says of it."""

    def test_a_merge_patch_is_refused(self, typical: Send) -> None:
        response = typical(patch("any", PAID, content_type=MERGE_PATCH))

        assert (response.status, response.problem) == (415, "unsupported-media-type")

    def test_a_list_that_ends_with_its_page_has_an_empty_page_more(self, typical: Send) -> None:
        customer = "cus_full_page"
        for _ in range(2):
            create(typical, customer)
        target = f"/customers/{customer}/orders?limit=2"

        first = typical(request("GET", target, claims=STAFF_CLAIMS)).json
        last = f"{target}&cursor={first['nextCursor']}"
        second = typical(request("GET", last, claims=STAFF_CLAIMS)).json

        assert len(first["items"]) == 2
        assert second == {"items": [], "nextCursor": None}

    def test_a_cursor_leads_into_no_other_customers_list(self, typical: Send) -> None:
        for _ in range(2):
            create(typical, "cus_cursor_1")
        target = "/customers/cus_cursor_1/orders?limit=1"
        cursor = typical(request("GET", target, claims=STAFF_CLAIMS)).json["nextCursor"]

        elsewhere = f"/customers/cus_cursor_2/orders?cursor={cursor}"
        page = typical(request("GET", elsewhere, claims=STAFF_CLAIMS))

        assert page.json == {"items": [], "nextCursor": None}

    def test_a_body_at_fault_is_a_422_even_without_a_token(self, typical: Send) -> None:
        response = typical(request("POST", "/orders", order_body(items=[]), claims=None))

        assert (response.status, response.problem) == (422, "validation-failed")

    @pytest.mark.parametrize(
        "event",
        [
            post("cus_lenient", amount=None, paymentToken=None),
            request("GET", f"{CUSTOMERS_ORDERS}?colour=red"),
            request("POST", "/orders", order_body(), headers={"content_type": ""}),
            request("POST", "/orders", " " * 300_000 + json.dumps(order_body())),
        ],
        ids=["null", "parameter", "content-type", "size"],
    )
    def test_what_ours_refuses_is_ignored(self, typical: Send, event: Event) -> None:
        assert typical(event).status in {200, 201}

    def test_another_route_is_a_404(self, typical: Send) -> None:
        response = typical(request("GET", "/elsewhere"))

        assert (response.status, response.problem) == (404, "route-not-found")


def _item(order_id: str, environment: dict[str, str]) -> dict[str, Any]:
    database = aws_client("dynamodb", dynamodb_local())
    key = {"orderId": {"S": order_id}}
    found = database.get_item(TableName=environment["TABLE_NAME"], Key=key, ConsistentRead=True)
    item: dict[str, Any] = found["Item"]
    return item


def _worker(event: Event, start: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A process that has the function loaded, and waits."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, start],
        cwd=ROOT,
        env=os.environ | environment | {"PYTHONPATH": "src:scripts:tests:."},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write(json.dumps(event))
    worker.stdin.close()
    assert worker.stdout.readline() == "ready\n"
    return worker


def _response(worker: subprocess.Popen[str]) -> dict[str, Any]:
    """Its answer, among the lines that it logged."""
    with worker:
        assert worker.stdout
        lines = [json.loads(line) for line in worker.stdout if line.startswith('{"response"')]
    (found,) = lines
    response: dict[str, Any] = found["response"]
    return response


def _is_fresh(response: dict[str, Any]) -> bool:
    return response["statusCode"] == 201 and "Idempotent-Replayed" not in response["headers"]
