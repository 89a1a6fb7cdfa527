"""Each function has a role of its own, with no right that it could do without.

One right at a time is taken away, and the function fails at what it needs the right for. That no
role has a right beyond these is a test of the compiled template.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from orders.domain.status import OrderStatus
from system.deployment import FunctionFailed, stream_record
from system.past_orders import PastOrders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Deployment, Json

Call = Callable[[], object]
"""Answers, or raises FunctionFailed."""


@pytest.fixture(autouse=True, scope="module")
def held(deployment: Deployment) -> Iterator[None]:
    """The function that consumes events is invoked by these tests alone."""
    with deployment.held_queue():
        yield


def works(call: Call) -> bool:
    try:
        answer = call()
    except FunctionFailed:
        return False
    if isinstance(answer, httpx.Response):
        assert answer.is_success or answer.status_code == 500, answer.text
        return answer.is_success
    return answer != {"batchItemFailures": [{"itemIdentifier": "the-only-one"}]}


def create(deployment: Deployment) -> Call:
    return lambda: deployment.customer.post(deployment.customer.order())


def create_again(deployment: Deployment) -> Call:
    customer, key = deployment.customer, secrets.token_hex(8)
    order = customer.order()
    customer.post(order, key=key).raise_for_status()
    return lambda: customer.post(order, key=key)


def get(path: str) -> Callable[[Deployment], Call]:
    def prepare(deployment: Deployment) -> Call:
        order_id = deployment.customer.place()["orderId"]
        address = path.format(order=order_id, customer=deployment.customer.id)
        return lambda: deployment.staff.http.get(address)

    return prepare


def update(status: str, key: str | None = None) -> Callable[[Deployment], Call]:
    def prepare(deployment: Deployment) -> Call:
        order_id = deployment.customer.place()["orderId"]
        return lambda: deployment.staff.patch(order_id, status, key=key and secrets.token_hex(8))

    return prepare


def read_stream(function: str, **changes: Json) -> Callable[[Deployment], Call]:
    def prepare(deployment: Deployment) -> Call:
        change = stream_record(deployment.customer.place()["orderId"], **changes)
        change["dynamodb"]["SequenceNumber"] = "the-only-one"
        return lambda: deployment.invoke(function, {"Records": [change]})

    return prepare


def consume(deployment: Deployment) -> Call:
    order_id = deployment.customer.place(paymentToken="tok_approve")["orderId"]
    message = {
        "messageId": "the-only-one",
        "receiptHandle": "none",
        "body": json.dumps({"subject": order_id}),
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
    return lambda: deployment.invoke("process-order-events", {"Records": [message]})


def report(deployment: Deployment) -> Call:
    made = datetime.now(UTC) - timedelta(days=5)
    PastOrders(deployment).place(made, OrderStatus.CANCELED)
    return lambda: deployment.invoke("daily-report", {"date": made.date().isoformat()})


def read_report(deployment: Deployment) -> Call:
    deployment.invoke("daily-report", {"date": "2026-01-01"})
    return lambda: deployment.staff.http.get("/reports/daily/2026-01-01")


def expire(deployment: Deployment) -> Call:
    PastOrders(deployment).place(datetime.now(UTC) - timedelta(days=15))
    return lambda: deployment.invoke("expire-stale-orders", {})


def reconcile(deployment: Deployment) -> Call:
    made = datetime.now(UTC) - timedelta(hours=1)
    lost = PastOrders(deployment).place(made, OrderStatus.PAID)
    deployment.staff.complete_timeline(lost.order_id, 2)
    deployment.forget_entry(lost.order_id, 2)
    return lambda: deployment.invoke("reconcile-order-events", {})


TABLE, INDEX = "table/orders_app", "index/gsi1"
EVENTS, ASIDE = ":order-events-queue", ":order-stream-dlq"
UNREADABLE = {"S": "one"}


@pytest.mark.parametrize(
    ("function", "action", "resource", "prepare"),
    [
        ("create-order", "dynamodb:PutItem", TABLE, create),
        ("create-order", "dynamodb:GetItem", TABLE, create_again),
        ("get-order", "dynamodb:GetItem", TABLE, get("/orders/{order}")),
        ("list-customer-orders", "dynamodb:Query", INDEX, get("/customers/{customer}/orders")),
        (
            "list-customer-orders",
            "dynamodb:Query",
            TABLE,
            get("/customers/{customer}/orders?consistent=true"),
        ),
        ("update-order", "dynamodb:GetItem", TABLE, update("PAID")),
        ("update-order", "dynamodb:UpdateItem", TABLE, update("PAID")),
        ("update-order", "dynamodb:BatchGetItem", TABLE, update("PAID", key="a new one")),
        ("update-order", "dynamodb:PutItem", TABLE, update("PENDING", key="a new one")),
        ("get-order-timeline", "dynamodb:GetItem", TABLE, get("/orders/{order}/timeline")),
        ("get-order-timeline", "dynamodb:Query", TABLE, get("/orders/{order}/timeline")),
        ("list-orders-by-status", "dynamodb:Query", INDEX, get("/orders?status=PENDING")),
        ("get-daily-report", "dynamodb:GetItem", TABLE, read_report),
        # On AWS the right to send one message is the right to send a batch.
        (
            "publish-order-events",
            "sqs:SendMessageBatch",
            EVENTS,
            read_stream("publish-order-events"),
        ),
        (
            "publish-order-events",
            "sqs:SendMessage",
            ASIDE,
            read_stream("publish-order-events", version=UNREADABLE),
        ),
        ("record-audit-trail", "dynamodb:PutItem", TABLE, read_stream("record-audit-trail")),
        (
            "record-audit-trail",
            "sqs:SendMessage",
            ASIDE,
            read_stream("record-audit-trail", version=UNREADABLE),
        ),
        ("process-order-events", "dynamodb:GetItem", TABLE, consume),
        ("process-order-events", "dynamodb:PutItem", TABLE, consume),
        ("process-order-events", "dynamodb:UpdateItem", TABLE, consume),
        ("daily-report", "dynamodb:Query", INDEX, report),
        ("daily-report", "dynamodb:BatchGetItem", TABLE, report),
        ("daily-report", "dynamodb:PutItem", TABLE, report),
        ("expire-stale-orders", "dynamodb:Query", INDEX, expire),
        ("expire-stale-orders", "dynamodb:GetItem", TABLE, expire),
        ("expire-stale-orders", "dynamodb:UpdateItem", TABLE, expire),
        ("reconcile-order-events", "dynamodb:Query", INDEX, reconcile),
        ("reconcile-order-events", "dynamodb:BatchGetItem", TABLE, reconcile),
        ("reconcile-order-events", "dynamodb:GetItem", TABLE, reconcile),
        ("reconcile-order-events", "dynamodb:Query", TABLE, reconcile),
        ("reconcile-order-events", "dynamodb:PutItem", TABLE, reconcile),
        ("reconcile-order-events", "sqs:SendMessageBatch", EVENTS, reconcile),
    ],
)
def test_a_function_fails_without_any_of_its_rights(
    deployment: Deployment,
    function: str,
    action: str,
    resource: str,
    prepare: Callable[[Deployment], Call],
) -> None:
    call = prepare(deployment)
    with deployment.role_without(function, action, resource):
        assert not works(call)
    assert works(prepare(deployment))


def test_no_two_functions_share_a_role(deployment: Deployment) -> None:
    functions = deployment.aws("lambda").list_functions(MaxItems=50)["Functions"]
    roles = {function["FunctionName"]: function["Role"] for function in functions}
    assert len(roles) == 16
    assert len(set(roles.values())) == len(roles)
