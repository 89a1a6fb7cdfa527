"""Each function has a role of its own, with every right that it needs, and no other.

All calls of a session's tests are recorded; these tests come last. They also make each function
do what it needs each of its rights for, so that they pass alone.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from infrastructure.templates import compiled
from local_stack import STACK
from orders.domain.status import OrderStatus
from system.deployment import FunctionFailed, HeldQueue, eventually, stream_record
from system.past_orders import PastOrders
from system.rights import Right, granted, used_by_lambda

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infrastructure.templates import Template
    from system.deployment import Deployment, Json
    from system.recorded_calls import Call

Attempt = Callable[[], object]
"""Answers, or raises FunctionFailed."""
Prepare = Callable[["Deployment"], Attempt]


def works(attempt: Attempt) -> bool:
    try:
        response = attempt()
    except FunctionFailed:
        return False
    if isinstance(response, httpx.Response):
        assert response.is_success or response.status_code == 500, response.text
        return response.is_success
    return response != {"batchItemFailures": [{"itemIdentifier": "the-only-one"}]}


def create(deployment: Deployment) -> Attempt:
    return lambda: deployment.customer.post(deployment.customer.order())


def create_again(deployment: Deployment) -> Attempt:
    customer, key = deployment.customer, secrets.token_hex(8)
    order = customer.order()
    customer.post(order, key=key).raise_for_status()
    return lambda: customer.post(order, key=key)


def get(path: str) -> Prepare:
    def prepare(deployment: Deployment) -> Attempt:
        order_id = deployment.customer.place()["orderId"]
        address = path.format(order=order_id, customer=deployment.customer.id)
        return lambda: deployment.staff.http.get(address)

    return prepare


def update(status: str, *, keyed: bool = False) -> Prepare:
    def prepare(deployment: Deployment) -> Attempt:
        order_id, key = deployment.customer.place()["orderId"], secrets.token_hex(8)
        return lambda: deployment.staff.patch(order_id, status, key=key if keyed else None)

    return prepare


def read_stream(function: str, **changes: Json) -> Prepare:
    def prepare(deployment: Deployment) -> Attempt:
        change = stream_record(deployment.customer.place()["orderId"], **changes)
        change["dynamodb"]["SequenceNumber"] = "the-only-one"
        return lambda: deployment.invoke(function, {"Records": [change]})

    return prepare


def consume(deployment: Deployment) -> Attempt:
    order_id = deployment.customer.place(paymentToken="tok_approve")["orderId"]
    message = {
        "messageId": "the-only-one",
        "receiptHandle": "none",
        "body": json.dumps({"subject": order_id}),
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
    return lambda: deployment.invoke("settle-payments", {"Records": [message]})


def settle_nothing(deployment: Deployment) -> Attempt:
    message = {"messageId": "the-only-one", "receiptHandle": "none", "body": "no event"}
    more: Json = {"attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs"}
    return lambda: deployment.invoke("settle-payments", {"Records": [message | more]})


def put_off(deployment: Deployment) -> Attempt:
    """The message would come again after 2 seconds, and is put off for 5 at least."""
    order_id = deployment.customer.place(paymentToken="tok_unavailable")["orderId"]
    queue = HeldQueue(deployment.aws("sqs"), deployment.outputs["OrderEventsQueueUrl"])
    (message,) = eventually(lambda: queue.messages(order_id), lambda found: len(found) == 1)
    del queue.received[message["MessageId"]]
    record = {
        "messageId": "1",
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }

    def attempt() -> None:
        queue.client.change_message_visibility(
            QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=2
        )
        deployment.invoke("settle-payments", {"Records": [record]})
        until = time.monotonic() + 4
        while time.monotonic() < until:
            if queue.messages(order_id):
                raise FunctionFailed
        queue.give_back()

    return attempt


def report(deployment: Deployment) -> Attempt:
    made = datetime.now(UTC) - timedelta(days=5)
    PastOrders(deployment).place(made, OrderStatus.CANCELED)
    return lambda: deployment.invoke("daily-report", {"date": made.date().isoformat()})


def read_report(deployment: Deployment) -> Attempt:
    deployment.invoke("daily-report", {"date": "2026-01-01"})
    return lambda: deployment.staff.http.get("/reports/daily/2026-01-01")


def expire(deployment: Deployment) -> Attempt:
    PastOrders(deployment).place(datetime.now(UTC) - timedelta(days=15))
    return lambda: deployment.invoke("expire-stale-orders", {})


TABLE, INDEX = "table/orders_app", "table/orders_app/index/gsi1"
EVENTS, DEAD_LETTERS, ASIDE = "order-events-queue", "order-events-dlq", "order-stream-dlq"
PUBLISH = "publish-order-events"
CUSTOMER = "/customers/{customer}/orders"
UNREADABLE = {"S": "one"}

NEEDED_FOR: Final[dict[Right, Prepare]] = {
    Right("create-order", "dynamodb:PutItem", TABLE): create,
    Right("create-order", "dynamodb:GetItem", TABLE): create_again,
    Right("get-order", "dynamodb:GetItem", TABLE): get("/orders/{order}"),
    Right("list-customer-orders", "dynamodb:Query", TABLE): get(f"{CUSTOMER}?consistent=true"),
    Right("list-customer-orders", "dynamodb:Query", INDEX): get(CUSTOMER),
    Right("update-order", "dynamodb:GetItem", TABLE): update("PAID"),
    Right("update-order", "dynamodb:BatchGetItem", TABLE): update("PAID", keyed=True),
    Right("update-order", "dynamodb:UpdateItem", TABLE): update("PAID"),
    Right("update-order", "dynamodb:PutItem", TABLE): update("PENDING", keyed=True),
    Right("get-order-timeline", "dynamodb:GetItem", TABLE): get("/orders/{order}/timeline"),
    Right("get-order-timeline", "dynamodb:Query", TABLE): get("/orders/{order}/timeline"),
    Right("list-orders-by-status", "dynamodb:Query", INDEX): get("/orders?status=PENDING"),
    Right("list-events", "dynamodb:Query", INDEX): get("/events"),
    Right("get-daily-report", "dynamodb:GetItem", TABLE): read_report,
    Right(PUBLISH, "sqs:SendMessage", EVENTS): read_stream(PUBLISH),
    Right(PUBLISH, "sqs:SendMessage", ASIDE): read_stream(PUBLISH, version=UNREADABLE),
    Right("settle-payments", "sqs:ChangeMessageVisibility", EVENTS): put_off,
    Right("settle-payments", "sqs:SendMessage", DEAD_LETTERS): settle_nothing,
    Right("settle-payments", "dynamodb:GetItem", TABLE): consume,
    Right("settle-payments", "dynamodb:PutItem", TABLE): consume,
    Right("settle-payments", "dynamodb:UpdateItem", TABLE): consume,
    Right("daily-report", "dynamodb:Query", INDEX): report,
    Right("daily-report", "dynamodb:PutItem", TABLE): report,
    Right("expire-stale-orders", "dynamodb:Query", INDEX): expire,
    Right("expire-stale-orders", "dynamodb:GetItem", TABLE): expire,
    Right("expire-stale-orders", "dynamodb:UpdateItem", TABLE): expire,
    Right("expire-stale-orders", "dynamodb:PutItem", TABLE): expire,
}
"""What each right is needed for: without it, the call does not work."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`right` is each one that the compiled template gives to a function for itself."""
    if "right" in metafunc.fixturenames:
        template = compiled("local")
        on_behalf = used_by_lambda(template)
        rights = [one for one in granted(template) if one not in on_behalf or one in NEEDED_FOR]
        metafunc.parametrize("right", rights, ids=str)


@pytest.fixture(autouse=True, scope="module")
def held(deployment: Deployment) -> Iterator[None]:
    """The function that consumes events is invoked by these tests alone."""
    with deployment.held_queue():
        yield


@pytest.fixture(scope="module")
def template() -> Template:
    """The deployed one."""
    return compiled("local")


@pytest.fixture(scope="module")
def calls(deployment: Deployment, template: Template) -> list[Call]:
    """Those of the whole session; whatever needs a right was tried at least once."""
    for prepare in NEEDED_FOR.values():
        works(prepare(deployment))
    calls = deployment.calls.since(0)
    allowed, themselves = granted(template), used(calls)
    print(
        f"\nRights: {len(allowed)} of {len(template.functions)} functions, {len(themselves)} used"
        f" by themselves, {len(used_by_lambda(template) - themselves)} by Lambda alone"
    )
    return calls


def called(calls: Iterable[Call]) -> set[Right]:
    return {right for call in calls for right in call.needs}


def used(calls: Iterable[Call]) -> set[Right]:
    return called(call for call in calls if not call.denied)


def test_functions_call_nothing_that_their_roles_do_not_allow(
    calls: list[Call], template: Template
) -> None:
    assert called(calls) - set(granted(template)) == set()


def test_roles_allow_nothing_that_neither_the_function_nor_lambda_for_it_uses(
    calls: list[Call], template: Template
) -> None:
    assert set(granted(template)) - used(calls) - used_by_lambda(template) == set()


def test_lambda_may_do_what_it_does_on_a_functions_behalf(template: Template) -> None:
    assert used_by_lambda(template) - set(granted(template)) == set()


def test_all_that_is_said_to_need_a_right_is_about_rights_that_are_given(
    template: Template,
) -> None:
    assert NEEDED_FOR.keys() - set(granted(template)) == set()


def test_a_function_fails_without_a_right_and_works_with_it(
    deployment: Deployment, right: Right
) -> None:
    assert right in NEEDED_FOR, "NEEDED_FOR does not say which call needs this"
    prepare = NEEDED_FOR[right]
    attempt = prepare(deployment)
    with deployment.role_without(*right):
        before = len(deployment.calls)
        assert not works(attempt)
        denied = [made for made in deployment.calls.since(before) if made.denied]
    assert denied
    assert all(right in made.needs for made in denied), "it failed for another reason"
    assert works(prepare(deployment))


def test_no_two_functions_share_a_role(deployment: Deployment, template: Template) -> None:
    functions = deployment.aws("lambda").list_functions(MaxItems=50)["Functions"]
    roles = {function["FunctionName"]: function["Role"] for function in functions}
    assert roles.keys() == {f"{STACK}-{function}" for function in template.functions}
    assert len(set(roles.values())) == len(roles)
