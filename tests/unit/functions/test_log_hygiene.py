"""Nothing that a request, a row or a message contains is ever written, but order ids."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from examples import changed_order, event_of, placed_order
from fakes import FakeClock, FakeInventory, FakePayments, FakePublisher, InMemoryOrders
from gateway import bearer, item_body, order_body, request
from orders.adapters import sqs
from orders.adapters.dynamodb import rows
from orders.application.errors import PaymentDeclined, PaymentUnavailable, TryAgain
from orders.application.settle_payment import SettlePayment
from orders.domain.actor import Actor
from orders.domain.customer_id import CustomerId
from orders.domain.order import OrderItem
from orders.domain.status import OrderStatus
from orders.functions import publish_order_events, settle_payments
from orders.telemetry import background
from stream_records import (
    FakeConsumedQueue,
    FakeDeadLetterQueue,
    batch,
    created,
    message,
    recorded,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.domain.order import Order

MARKER = "sEcReT"
WHO = CustomerId(f"cus_{MARKER}")
CLAIMS = {
    "sub": WHO,
    "username": f"jane-{MARKER}",
    "email": f"jane@{MARKER}.example",
    "cognito:groups": [MARKER],
    "token_use": "access",
}
STAFF = CLAIMS | {"cognito:groups": [MARKER, "staff"]}
SECRETS = {
    "customerId": WHO,
    "items": [item_body(sku=MARKER, name=MARKER)],
    "metadata": {MARKER: MARKER},
    "paymentToken": f"tok_{MARKER}",
}
HEADERS = {
    "user_agent": MARKER,
    "x_forwarded_for": MARKER,
    "cookie": MARKER,
}
CONTEXT = SimpleNamespace(aws_request_id="5f2c6e1a", get_remaining_time_in_millis=lambda: 60_000)


def secret_order() -> Order:
    """Full of what must not be written."""
    order = placed_order(
        customer_id=WHO,
        items=(OrderItem(MARKER, MARKER, 1, 1),),
        metadata={MARKER: MARKER},
        payment_token=f"tok_{MARKER}",
    )
    return replace(order, reason=MARKER)


def headers_of(claims: dict[str, Any]) -> dict[str, str]:
    """Also with the mark in the token, whose payload is not readable in a log."""
    return HEADERS | {"authorization": bearer(claims) + MARKER}


def check(written: str) -> None:
    assert '"level"' in written, "something was logged"
    assert MARKER.lower() not in written.lower()


Case = tuple[int, str, str, object, dict[str, str]]
REQUESTS: list[Case] = [
    (201, "POST", "/orders", order_body(**SECRETS), {"idempotency_key": MARKER}),
    (200, "GET", "/orders/ID", None, {}),
    (304, "GET", "/orders/ID", None, {"if_none_match": f'"1", "{MARKER}"'}),
    (200, "GET", f"/customers/{WHO}/orders?limit=1", None, {}),
    (200, "GET", "/orders?status=PENDING&limit=1", None, {}),
    (200, "GET", "/orders/ID/timeline", None, {}),
    (200, "GET", "/events?limit=1", None, {}),
    (200, "PATCH", "/orders/ID", {"status": "PAID", "reason": MARKER}, {}),
    (400, "POST", "/orders", f"{{{MARKER}", {}),
    (400, "POST", "/orders", order_body(**SECRETS), {"idempotency_key": f"{MARKER} {MARKER}"}),
    (400, "POST", f"/orders?{MARKER}={MARKER}", order_body(**SECRETS), {}),
    (400, "PATCH", "/orders/ID", {"status": "PAID"}, {"if_match": MARKER}),
    (400, "GET", f"/orders/ID?{MARKER}={MARKER}", None, {}),
    (400, "GET", f"/customers/{MARKER}%23/orders", None, {}),
    (400, "GET", f"/customers/{WHO}/orders?cursor={MARKER}", None, {}),
    (400, "GET", f"/customers/{WHO}/orders?createdFrom={MARKER}", None, {}),
    (400, "GET", f"/orders?status={MARKER}", None, {}),
    (400, "GET", f"/events?type={MARKER}", None, {}),
    (400, "GET", f"/events?cursor={MARKER}", None, {}),
    (404, "GET", f"/orders/{MARKER}", None, {}),
    (404, "GET", f"/orders/{MARKER}/timeline", None, {}),
    (404, "PATCH", f"/orders/{MARKER}", {"status": "PAID"}, {}),
    (404, "GET", f"/reports/daily/{MARKER}", None, {}),
    (404, "GET", f"/{MARKER}?{MARKER}", None, {}),
    (405, "DELETE", f"/orders/{MARKER}", None, {}),
    (409, "PATCH", "/orders/ID", {"status": "SHIPPED", "reason": MARKER}, {}),
    (412, "PATCH", "/orders/ID", {"status": "PAID"}, {"if_match": f'"{MARKER}"'}),
    (413, "POST", "/orders", MARKER * 50_000, {}),
    (415, "POST", "/orders", order_body(**SECRETS), {"content_type": MARKER}),
    (422, "POST", "/orders", order_body(**SECRETS) | {MARKER: MARKER}, {}),
    (422, "POST", "/orders", order_body(**SECRETS, amount=MARKER), {}),
    (422, "POST", "/orders", order_body(**SECRETS, currency=MARKER), {}),
    (422, "PATCH", "/orders/ID", {"status": MARKER}, {}),
]


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: f"{case[0]} {case[1]} {case[2]}")
def test_no_request_is_written(output: Callable[[], str], case: Case) -> None:
    status, method, target, body, headers = case
    api, order = Api(), secret_order()
    api.orders.orders[order.order_id] = order
    target = target.replace("ID", order.order_id)
    event = request(method, target, body, claims=STAFF, headers=headers_of(STAFF) | headers)
    assert api.send(event).status == status
    check(output())


@pytest.mark.parametrize(
    ("status", "claims"),
    [(403, CLAIMS), (401, CLAIMS | {"token_use": MARKER}), (401, CLAIMS | {"sub": f"#{MARKER}"})],
)
def test_no_token_is_written(
    output: Callable[[], str], *, status: int, claims: dict[str, Any]
) -> None:
    assert Api().get("/orders?status=PAID", claims, **headers_of(claims)).status == status
    check(output())


def test_a_request_that_is_repeated_is_not_written(output: Callable[[], str]) -> None:
    api = Api()
    body = order_body(**SECRETS)
    again = [body, body, body | {"amount": 5997}]
    responses = [api.post(body, CLAIMS, idempotency_key=MARKER) for body in again]
    assert [response.status for response in responses] == [201, 201, 422]
    check(output())


def test_a_row_that_cannot_be_read_is_not_written(output: Callable[[], str]) -> None:
    def read(found: rows.Row) -> None:
        rows.order_from(found)

    row = rows.detail_row(secret_order())
    corrupt = [row | {name: MARKER} for name in ("version", "updatedAt", "items")]
    corrupt += [{key: row[key] for key in row if key != name} for name in ("items", "currency")]

    for found in corrupt:
        api = Api()
        api.orders.before_write = partial(read, found)
        assert api.post(order_body(**SECRETS), CLAIMS).status == 500
    written = output()
    check(written)
    assert '"exception":"MalformedRow"' in written
    assert '"detail":"order ORDER#' in written


def test_a_store_out_of_reach_is_not_quoted(output: Callable[[], str]) -> None:
    def fail() -> None:
        raise TryAgain from RuntimeError(MARKER)

    api = Api()
    api.orders.before_write = fail
    assert api.post(order_body(**SECRETS), CLAIMS).status == 503
    written = output()
    check(written)
    assert '"cause":"RuntimeError"' in written


@pytest.mark.parametrize("fault", [None, sqs.QueueUnavailable(MARKER)])
def test_no_record_of_the_stream_is_written(
    output: Callable[[], str], fault: Exception | None
) -> None:
    dead_letter_queue = FakeDeadLetterQueue()
    dead_letter_queue.fault = fault
    order = secret_order()
    moved = changed_order(order, OrderStatus.CANCELED, reason=MARKER)
    told = [created(order), recorded(event_of(moved, order, Actor("staff", MARKER)))]
    relay = publish_order_events.Relay(FakePublisher(), dead_letter_queue)  # type: ignore[arg-type]  # as much as it needs
    background(relay)(batch(*told), CONTEXT)
    background(relay)(batch(unreadable(order, MARKER)), CONTEXT)
    written = output()
    check(written)
    assert f"{order.order_id}/2" in written
    assert ("stream record set aside" in written) == (fault is None)


@pytest.mark.parametrize("refusal", [None, PaymentDeclined(MARKER), PaymentUnavailable(MARKER)])
def test_no_message_of_the_queue_is_written(
    output: Callable[[], str], refusal: Exception | None
) -> None:
    orders, payments = InMemoryOrders(), FakePayments()
    payments.refusal = refusal
    settle = SettlePayment(orders, payments, FakeInventory(), FakeClock())
    handler = background(settle_payments.consumer(settle, FakeConsumedQueue))
    order = secret_order()
    orders.orders[order.order_id] = order
    event = message(event_of(order))
    handler(batch(event, message(MARKER), message(f'{{"subject": "{MARKER}"}}')), CONTEXT)
    written = output()
    check(written)
    assert f'"order_id":"{order.order_id}"' in written


class TestWhatIsWritten:
    def test_names_the_request_the_route_the_order_and_the_outcome(
        self, output: Callable[[], str]
    ) -> None:
        api = Api()
        order = api.post().json
        order_id = order["orderId"]
        output()
        api.get(f"/orders/{order_id}")
        line = output()
        for part in (
            '"request_id":"JKJaXmPLvHcESHA="',
            '"message":"GET /orders/{orderId}"',
            f'"order_id":"{order_id}"',
            f'"order_number":"{order["orderNumber"]}"',
            '"status":200',
            '"cold_start":false',
            '"duration_ms":',
        ):
            assert part in line

    def test_each_line_names_the_deployed_version(self, output: Callable[[], str]) -> None:
        Api().post()
        lines = output().splitlines()
        assert len(lines) == 2, "a log line and the metrics"
        assert all('"version":"unknown"' in line for line in lines)

    def test_does_not_carry_an_order_over_to_the_next_request(
        self, output: Callable[[], str]
    ) -> None:
        api = Api()
        order = api.post().json
        output()
        api.get("/health")
        line = output()
        assert order["orderId"] not in line
        assert order["orderNumber"] not in line

    @pytest.mark.parametrize(
        ("metric", "act"),
        [
            ("OrdersCreated", lambda api, _: api.post()),
            ("StatusChanges", lambda api, order_id: api.patch(order_id, {"status": "PAID"})),
            ("Conflicts", lambda api, order_id: api.patch(order_id, {"status": "SHIPPED"})),
            ("Replays", lambda api, _: api.post(idempotency_key="used")),
        ],
    )
    def test_counts_what_happened(
        self, output: Callable[[], str], metric: str, act: Callable[[Api, str], object]
    ) -> None:
        api = Api()
        order_id = api.post(idempotency_key="used").json["orderId"]
        output()
        act(api, order_id)
        assert f'"{metric}":1' in output()
        api.get(f"/orders/{order_id}")
        assert "_aws" not in output(), "nothing is counted twice"

    def test_counts_no_change_where_nothing_changed(self, output: Callable[[], str]) -> None:
        api = Api()
        order_id = api.post().json["orderId"]
        output()
        api.patch(order_id, {"status": "PENDING"})
        assert "StatusChanges" not in output()
