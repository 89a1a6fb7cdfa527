"""`orderctl forget`: afterwards nothing that it reaches names the person."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from orderctl.__main__ import run
from orderctl.aws import BotoClient
from orders.telemetry import logger
from proof.oracle import ITEM, KEYS_ARE_KEPT, STATUSES, path_to, required
from system.deployment import TABLE, eventually, orderctl_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from system.deployment import Caller, Deployment, Json

FORGOTTEN: Final = "CUSTOMER_FORGOTTEN"
REASON: Final = "out of stock, says "
PLACES: Final = {
    "idempotency records",
    "stream",
    "queues",
    "dead-letter queues",
    "point-in-time recovery",
    "access log",
}


class Person(NamedTuple):
    """A customer, and the texts by which they can be found."""

    caller: Caller
    marks: tuple[str, ...]

    def found_in(self, where: object) -> set[str]:
        text = json.dumps(where)
        return {mark for mark in (self.caller.id, *self.marks) if mark in text}

    def order(self, **changes: object) -> Json:
        name, key, value, _ = self.marks
        item = required(ITEM) | {"name": name}
        return self.caller.order(items=[item, item], metadata={key: value}) | changes

    def place(self, key: str | None = None, **changes: object) -> str:
        response = self.caller.post(self.order(**changes), key)
        return str(response.raise_for_status().json()["orderId"])


def new_person(deployment: Deployment) -> Person:
    """One who is staff, too, so that events name them as whoever made the change."""
    marks = ("name", "metadata-key", "metadata-value", "reason")
    return Person(deployment.new_customer("staff"), tuple(map(deployment.mark, marks)))


@pytest.fixture
def person(deployment: Deployment) -> Person:
    return new_person(deployment)


def forget(deployment: Deployment, person: Person, *options: str, **how: Any) -> Any:  # noqa: ANN401 - of subprocess
    return deployment.orderctl("forget", person.caller.id, *options, **how)


def everything_stored(deployment: Deployment, **index: str) -> Iterator[Json]:
    pages = deployment.aws("dynamodb").get_paginator("scan").paginate(TableName=TABLE, **index)
    for page in pages:
        yield from page["Items"]


def feed(staff: Caller, since: str) -> list[Json]:
    """All events recorded from then until now."""
    events: list[Json] = []
    parameters = {"recordedFrom": since, "limit": "1000"}
    while True:
        page = staff.http.get("/events", params=parameters).raise_for_status().json()
        if not page["items"]:
            return events
        events += page["items"]
        parameters["cursor"] = page["nextCursor"]


def anonymized(event: Json) -> Json:
    data = event["data"] | {"customerId": f"forgotten-{event['subject']}"}
    data.pop("reason", None)
    return event | {"data": data}


def operations(deployment: Deployment) -> list[Json]:
    events = deployment.aws("logs").filter_log_events(
        logGroupName=deployment.outputs["OperationsLogGroupName"]
    )["events"]
    return [json.loads(event["message"]) for event in events]


def test_nothing_that_forget_reaches_names_the_person_and_the_books_stay(
    deployment: Deployment, staff: Caller, person: Person
) -> None:
    since = datetime.now(UTC)
    orders = []
    for status in STATUSES:
        for key in (None, deployment.mark("idempotency-key")):
            orders.append(person.place(key))
            for by, step in zip((staff, person.caller), path_to(status), strict=False):
                by.patch(orders[-1], step, reason=REASON + person.marks[-1], key=key)
    charged = person.place(paymentToken="tok_approve")
    orders.append(charged)
    assert person.caller.settled(charged)["status"] == "PAID"
    staff.patch(charged, "CANCELED", reason=person.marks[-1]).raise_for_status()
    deployment.settle()
    last = person.place()
    orders.append(last)
    shown = [
        event
        for event in eventually(
            lambda: feed(staff, f"{since.isoformat()[:19]}Z"),
            lambda events: last in {event["subject"] for event in events},
        )
        if event["subject"] in orders
    ]
    before = {order_id: staff.get(order_id).json() for order_id in orders}
    timelines = {order_id: staff.timeline(order_id) for order_id in orders}
    recorded_before = len(operations(deployment))

    refused = forget(deployment, person, answer="n\n")
    assert refused.returncode == 3
    assert f"Forget the customer of {len(orders)} orders on local?" in refused.stderr
    assert person.found_in([*everything_stored(deployment)])

    deployment.settle()
    with deployment.held_queue() as queue:
        done = forget(deployment, person, "--yes", "--json")
        messages = {order_id: deployment.published(queue, order_id) for order_id in orders}

    assert done.returncode == 0, done.stderr
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["orderId"] for one in printed if "orderId" in one} == {*orders}
    assert {one["place"] for one in printed if "place" in one} == PLACES
    assert forget(deployment, person, "--yes").returncode == 3, "nothing is left to do"

    for order_id, order in before.items():
        after = staff.get(order_id).raise_for_status().json()
        assert after == order | {
            "customerId": f"forgotten-{order_id}",
            "items": [item | {"name": "erased"} for item in order["items"]],
            "metadata": {},
            "version": order["version"] + 1,
            "updatedAt": after["updatedAt"],
        }
        (message,) = messages[order_id]
        event = json.loads(message["Body"])
        assert message["MessageAttributes"]["type"]["StringValue"] == event["type"] == FORGOTTEN
        assert event["data"]["version"] == after["version"]
        *entries, told = staff.timeline(order_id)
        mine = {"actorId": person.caller.id}
        assert entries == [
            {
                name: entry[name]
                for name in entry.keys() - {*(mine if mine.items() <= entry.items() else ())}
            }
            | {"reason": None}
            for entry in timelines[order_id]
        ]
        assert (told["actor"], told["status"]) == ("system:orderctl", order["status"])
    assert deployment.states(charged) == {"CHARGE": "REFUNDED", "RESERVATION": "RELEASED"}

    events = eventually(
        lambda: [
            one for one in feed(staff, f"{since.isoformat()[:19]}Z") if one["subject"] in orders
        ],
        lambda found: len(found) == len(shown) + len(orders),
    )
    assert [one for one in events if one["type"] != FORGOTTEN] == [*map(anonymized, shown)]
    page = staff.http.get(f"/customers/{person.caller.id}/orders").raise_for_status().json()
    assert page["items"] == []

    kept = datetime.now(UTC) + KEYS_ARE_KEPT
    for row in everything_stored(deployment):
        if row["pk"]["S"].startswith("IDEMPOTENCY#"):
            assert int(row["purgeAt"]["N"]) <= kept.timestamp()
        else:
            assert not person.found_in(row), row["pk"]
    assert not person.found_in([*everything_stored(deployment, IndexName="gsi1")])
    deployment.invoke("daily-report", {"date": f"{since:%Y-%m-%d}"})
    report = staff.http.get(f"/reports/daily/{since:%Y-%m-%d}").raise_for_status().text
    assert not person.found_in([report, messages, events, deployment.everything_logged()])
    assert deployment.queue_depth("OrderEventsDeadLetterQueueUrl") == 0
    assert deployment.queue_depth("OrderStreamDeadLetterQueueUrl") == 0
    record = [(one["operation"], one["state"]) for one in operations(deployment)[recorded_before:]]
    assert record == [("forget", "began"), ("forget", "done")]
    assert operations(deployment)[-1]["forgotten"] == len(orders)


def test_an_order_that_waits_for_its_payment_is_settled_and_shipped_all_the_same(
    deployment: Deployment, staff: Caller, person: Person
) -> None:
    deployment.settle()
    with deployment.held_queue():
        order_id = person.place(paymentToken="tok_approve")
        done = forget(deployment, person, "--yes", "--json")

        assert "payment tokens of 1 orders" in done.stdout
        assert deployment.rows(order_id)["DETAIL"]["paymentToken"] == {"S": "tok_approve"}

    assert staff.settled(order_id)["status"] == "PAID"
    assert staff.patch(order_id, "SHIPPED").json()["version"] == 4
    rows = deployment.rows(order_id)
    assert "paymentToken" not in rows["DETAIL"]
    listed = staff.http.get(f"/customers/forgotten-{order_id}/orders?consistent=true").json()
    assert [(one["status"], one["version"]) for one in listed["items"]] == [("SHIPPED", 4)]
    assert not person.found_in(rows)


class Killed(BaseException):
    """In place of a signal that no program can catch."""


@pytest.fixture
def in_process(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """`run` operates the deployment."""
    for name, value in orderctl_environment(deployment.stack).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(logger, "stream", None)
    return monkeypatch


def test_it_can_be_killed_at_any_call_and_repeated(
    deployment: Deployment, staff: Caller, in_process: pytest.MonkeyPatch
) -> None:
    """Before the call has had its effect, and after."""
    call = BotoClient.call
    for last in count(1):
        for takes_effect in (False, True):
            person = new_person(deployment)
            orders = [person.place() for _ in range(2)]
            staff.patch(orders[0], "PAID", reason=person.marks[-1]).raise_for_status()
            made = count(1)

            def killed(
                client: BotoClient,
                operation: str,
                parameters: Mapping[str, Any],
                made: Iterator[int] = made,
                last: int = last,
                takes_effect: bool = takes_effect,  # noqa: FBT001 - bound early
            ) -> Json:
                is_last = next(made) == last
                if is_last and not takes_effect:
                    raise Killed
                response = call(client, operation, parameters)
                if is_last:
                    raise Killed
                return response

            in_process.setattr(BotoClient, "call", killed)
            try:
                assert run(["forget", person.caller.id, "--yes"]) == 0
            except Killed:
                is_killed = True
            else:
                is_killed = False
            in_process.setattr(BotoClient, "call", call)
            assert run(["forget", person.caller.id, "--yes"]) in {0, 3}

            for order_id, version in zip(orders, (3, 2), strict=True):
                assert not person.found_in(deployment.rows(order_id))
                assert staff.get(order_id).json()["version"] == version, "forgotten once"
            listed = staff.http.get(f"/customers/{person.caller.id}/orders?consistent=true")
            assert listed.json()["items"] == []
        if not is_killed:
            assert last > 6
            return


def test_an_order_that_changes_at_the_same_time_loses_neither(
    deployment: Deployment, staff: Caller, person: Person, in_process: pytest.MonkeyPatch
) -> None:
    """It is paid while its rows are read, and shipped once they are."""
    order_id = person.place()
    steps = iter(path_to("SHIPPED"))
    call = BotoClient.call

    def raced(client: BotoClient, operation: str, parameters: Mapping[str, Any]) -> Json:
        is_read = operation == "GetItem"
        response = call(client, operation, parameters) if is_read else None
        if operation in {"GetItem", "TransactWriteItems"} and (step := next(steps, None)):
            staff.patch(order_id, step, reason=person.marks[-1]).raise_for_status()
        return response or call(client, operation, parameters)

    in_process.setattr(BotoClient, "call", raced)

    assert run(["forget", person.caller.id, "--yes"]) == 0
    assert next(steps, None) is None
    statuses = [(one["version"], one["status"], one["reason"]) for one in staff.timeline(order_id)]
    assert statuses == [
        (1, "PENDING", None), (2, "PAID", None), (3, "SHIPPED", None), (4, "SHIPPED", None)
    ]  # fmt: skip
    assert not person.found_in(deployment.rows(order_id))


def test_two_runs_at_the_same_time_forget_each_order_once(
    deployment: Deployment, staff: Caller, person: Person, in_process: pytest.MonkeyPatch
) -> None:
    order_id = person.place()
    call = BotoClient.call

    def raced(client: BotoClient, operation: str, parameters: Mapping[str, Any]) -> Json:
        if operation == "GetItem":
            in_process.setattr(BotoClient, "call", call)
            assert run(["forget", person.caller.id, "--yes"]) == 0
        return call(client, operation, parameters)

    in_process.setattr(BotoClient, "call", raced)

    assert run(["forget", person.caller.id, "--yes"]) == 0
    assert len(staff.timeline(order_id)) == 2


@pytest.mark.parametrize("damage", ["is missing", "is another customer's", "can't be read"])
def test_an_order_that_cannot_be_forgotten_is_named_and_the_others_are_forgotten(
    deployment: Deployment, person: Person, damage: str
) -> None:
    table = deployment.aws("dynamodb")
    damaged, whole = person.place(), person.place()
    detail = deployment.rows(damaged)["DETAIL"]
    if damage == "is missing":
        table.delete_item(TableName=TABLE, Key={name: detail[name] for name in ("pk", "sk")})
    else:
        name = "amount" if damage == "can't be read" else "customerId"
        table.put_item(TableName=TABLE, Item=detail | {name: {"S": "cus_7"}})

    failed = forget(deployment, person, "--yes")

    assert failed.returncode == 1
    assert damaged in failed.stderr
    assert damage in failed.stderr
    assert "1 orders can't be forgotten" in failed.stderr
    assert not person.found_in(failed.stderr + failed.stdout)
    assert not person.found_in(deployment.rows(whole))
    table.put_item(TableName=TABLE, Item=detail)
    assert forget(deployment, person, "--yes").returncode == 0, "once it is mended"
    assert not person.found_in(deployment.rows(damaged))


def test_a_pseudonym_is_nobody_to_forget(deployment: Deployment, person: Person) -> None:
    order_id = person.place()
    assert forget(deployment, person, "--yes").returncode == 0

    again = deployment.orderctl("forget", f"forgotten-{order_id}", "--yes")

    assert again.returncode == 3
    assert "nothing to forget" in again.stderr


def test_what_lists_an_order_after_a_restore_is_forgotten_again(
    deployment: Deployment, staff: Caller, person: Person
) -> None:
    """The row of the customer's list and an event are as they were; the order is not."""
    order_id = person.place()
    table = deployment.aws("dynamodb")
    key = {"pk": {"S": f"CUSTOMER#{person.caller.id}"}, "sk": {"S": f"ORDER#{order_id}"}}
    listed = table.get_item(TableName=TABLE, Key=key)["Item"]
    event = deployment.rows(order_id)["EVENT#0000000001"]
    assert forget(deployment, person, "--yes").returncode == 0
    for row in (listed, event):
        table.put_item(TableName=TABLE, Item=row)

    assert forget(deployment, person, "--yes").returncode == 0

    assert not person.found_in(deployment.rows(order_id))
    assert "Item" not in table.get_item(TableName=TABLE, Key=key)
    assert len(staff.timeline(order_id)) == 3
