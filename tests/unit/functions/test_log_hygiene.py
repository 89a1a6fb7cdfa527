"""Nothing that a request, a row or a message contains is ever written, but order ids."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from examples import changed_order, event_of
from fakes import FakeClock, FakeInventory, FakePayments, FakePublisher, InMemoryOrders
from gateway import bearer, item_body, order_body, request
from orders.adapters import sqs
from orders.adapters.dynamodb import rows
from orders.application.errors import PaymentDeclined, PaymentUnavailable, TryAgain
from orders.application.settle_payment import SettlePayment
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.status import OrderStatus
from orders.functions import publish_order_events, settle_payments
from orders.http.bodies import NewOrderBody
from orders.http.problems import ValidationFailed
from orders.http.validation import validated
from orders.telemetry import background
from sample_requests import (
    EXAMPLE_ORDER_ID,
    KEYS,
    api_with_samples,
    parameters,
    sample_body,
    sample_target,
)
from stream_records import (
    FakeConsumedQueue,
    FakeDeadLetterQueue,
    batch,
    created,
    message,
    recorded,
    unreadable,
)
from written import log_lines, metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway import Event
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
CONTEXT = SimpleNamespace(aws_request_id="5f2c6e1a", get_remaining_time_in_millis=lambda: 60_000)


def takes_any_text(field: str) -> bool:
    try:
        return bool(validated(order_body(**{field: MARKER}), NewOrderBody))
    except ValidationFailed:
        return False


SECRETS: dict[str, Any] = {
    **{name: MARKER for name in NewOrderBody.__struct_encode_fields__ if takes_any_text(name)},
    "customerId": WHO,
    "items": [item_body(sku=MARKER, name=MARKER)],
    "metadata": {MARKER: MARKER},
}


def secret_order() -> Order:
    """Full of what must not be written."""
    new = validated(order_body(**SECRETS), NewOrderBody).to_domain()
    order, _ = new.placed(EXAMPLE_ORDER_ID, by=CUSTOMER)
    return replace(order, reason=MARKER)


def marked(method: str, target: str, body: object = None, **headers: str) -> Event:
    """By staff, with the mark in all that a client sends about itself, and in the token."""
    own = {"user_agent": MARKER, "x_forwarded_for": MARKER, "cookie": MARKER}
    sent = own | {"authorization": bearer(STAFF) + MARKER} | headers
    return request(method, target, body, claims=STAFF, headers=sent)


def check(written: str) -> None:
    assert '"level"' in written, "something was logged"
    assert MARKER.lower() not in written.lower()


def requests_of(key: str) -> Iterator[Event]:
    """As it should be; then with the mark in each place, one after the other, known or unknown."""
    target, body = sample_target(key, customerId=WHO), sample_body(key)
    more = target + ("&" if "?" in target else "?")
    ask = partial(marked, key.partition(" ")[0])
    yield ask(target, body)
    yield ask(f"{more}{MARKER}={MARKER}", body)
    for each in parameters(key):
        match each["in"]:
            case "path":
                yield ask(sample_target(key, **{each["name"]: f"{MARKER}#"}), body)
            case "query":
                yield ask(f"{more}{each['name']}={MARKER}", body)
            case "header":
                for value in (MARKER, f'"{MARKER}"'):
                    yield ask(target, body, **{each["name"].lower(): value})
    if isinstance(body, dict):
        for field in (*body, *SECRETS, "reason", MARKER):
            yield ask(target, body | {field: MARKER})
        yield from (ask(target, text) for text in (MARKER, MARKER * 50_000))
        yield ask(target, body, content_type=MARKER)


def api_of_the_secret_order() -> Api:
    api, order = api_with_samples(), secret_order()
    api.orders.orders[order.order_id] = order
    api.orders.events[order.order_id, order.version] = event_of(order)
    return api


@pytest.mark.parametrize("key", KEYS)
def test_no_part_of_a_request_is_written(output: Callable[[], str], key: str) -> None:
    first, *others = (api_of_the_secret_order().send(event).status for event in requests_of(key))
    assert first < 300
    assert all(status < 500 for status in others)
    check(output())


def test_no_unknown_path_is_written(output: Callable[[], str]) -> None:
    assert Api().send(marked("GET", f"/{MARKER}?{MARKER}")).status == 404
    assert Api().send(marked("DELETE", f"/orders/{MARKER}")).status == 405
    check(output())


@pytest.mark.parametrize(
    ("status", "claims"),
    [(403, CLAIMS), (401, CLAIMS | {"token_use": MARKER}), (401, CLAIMS | {"sub": f"#{MARKER}"})],
)
def test_no_token_is_written(
    output: Callable[[], str], *, status: int, claims: dict[str, Any]
) -> None:
    header = bearer(claims) + MARKER
    assert Api().get("/orders?status=PAID", claims, authorization=header).status == status
    check(output())


def test_no_retry_is_written(output: Callable[[], str]) -> None:
    api = Api()
    body = order_body(**SECRETS)
    again = [body, body, body | {"amount": 5997}]
    responses = [api.post(body, CLAIMS, idempotency_key=MARKER) for body in again]
    assert [response.status for response in responses] == [201, 201, 422]
    check(output())


def test_no_unreadable_row_is_written(output: Callable[[], str]) -> None:
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


def test_no_error_of_the_store_is_quoted(output: Callable[[], str]) -> None:
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
    handler = background(settle_payments.consumer(settle, FakeConsumedQueue()))
    order = secret_order()
    orders.orders[order.order_id] = order
    event = message(event_of(order))
    handler(batch(event, message(MARKER), message(f'{{"subject": "{MARKER}"}}')), CONTEXT)
    written = output()
    check(written)
    assert f'"order_id":"{order.order_id}"' in written


def test_the_line_of_a_request_names_request_route_order_and_outcome(
    output: Callable[[], str],
) -> None:
    api = Api()
    order = api.post().json
    output()
    api.get(f"/orders/{order['orderId']}")
    (line,) = log_lines(output())
    assert (
        line.items()
        >= {
            "request_id": "JKJaXmPLvHcESHA=",
            "message": "GET /orders/{orderId}",
            "order_id": order["orderId"],
            "order_number": order["orderNumber"],
            "status": 200,
            "cold_start": False,
        }.items()
    )
    assert line["duration_ms"] >= 0
    api.get("/health")
    (next_line,) = log_lines(output())
    assert not {"order_id", "order_number"} & next_line.keys(), "it is about no order"


def test_each_line_names_the_deployed_version(output: Callable[[], str]) -> None:
    Api().post()
    (line,) = output().splitlines()
    assert '"version":"unknown"' in line
    assert '"_aws"' in line, "the line of a request has its metrics"


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("OrdersCreated", lambda api, _: api.post()),
        ("StatusChanges", lambda api, order_id: api.patch(order_id, {"status": "PAID"})),
        ("Conflicts", lambda api, order_id: api.patch(order_id, {"status": "SHIPPED"})),
        ("Replays", lambda api, _: api.post(idempotency_key="used")),
    ],
)
def test_what_happened_is_counted_once(
    output: Callable[[], str], name: str, act: Callable[[Api, str], object]
) -> None:
    api = Api()
    order_id = api.post(idempotency_key="used").json["orderId"]
    output()
    api.patch(order_id, {"status": "PENDING"})
    assert "_aws" not in output(), "a no-op is no change"
    act(api, order_id)
    assert metric(output(), name) == 1
    api.get(f"/orders/{order_id}")
    assert "_aws" not in output(), "nothing is counted twice"
