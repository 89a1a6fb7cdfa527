"""`orderctl forget`: afterwards nothing that it reaches names the person."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from local_stack import orderctl_environment
from orderctl.__main__ import run
from orderctl.aws import BotoClient
from orderctl.stage import find_stage
from orders.adapters.aws.client import Unreachable
from orders.telemetry import logger
from proof.oracle import ITEM, KEYS_ARE_KEPT, STATUSES, path_to, required
from system.deployment import TABLE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Caller, Deployment, Json

FORGOTTEN: Final = "CUSTOMER_FORGOTTEN"
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


def events_of(staff: Caller, orders: list[str], since: datetime) -> list[Json]:
    """The orders' events in the feed."""
    events: list[Json] = []
    parameters = {"recordedFrom": f"{since:%Y-%m-%dT%H:%M:%SZ}", "limit": "1000"}
    while True:
        page = staff.http.get("/events", params=parameters).raise_for_status().json()
        if not page["items"]:
            return [event for event in events if event["subject"] in orders]
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


def dead_letters(deployment: Deployment) -> list[int]:
    queues = ("OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl")
    return [*map(deployment.queue_depth, queues)]


class Forgotten(NamedTuple):
    """What there was before and what forgetting did. `messages` are those it caused, by order."""

    person: Person
    since: datetime
    orders: dict[str, Json]
    timelines: dict[str, list[Json]]
    events: list[Json]
    charged: str
    printed: list[Json]
    operations: list[Json]
    messages: dict[str, list[Json]]
    dead_letters: list[int]


@pytest.fixture(scope="module")
def forgotten(deployment: Deployment) -> Forgotten:
    """A person with orders at every status, plain and keyed, one charged and refunded."""
    staff, person, since = deployment.staff, new_person(deployment), datetime.now(UTC)
    orders = []
    for status in STATUSES:
        for key in (None, deployment.mark("idempotency-key")):
            orders.append(person.place(key))
            for by, step in zip((staff, person.caller), path_to(status), strict=False):
                by.patch(orders[-1], step, reason=person.marks[-1], key=key).raise_for_status()
    charged = person.place(paymentToken="tok_approve")
    assert staff.settled(charged)["status"] == "PAID"
    staff.patch(charged, "CANCELED", reason=person.marks[-1]).raise_for_status()
    orders += [charged, person.place()]
    events = eventually(
        lambda: events_of(staff, orders, since),
        lambda found: orders[-1] in {event["subject"] for event in found},
    )
    deployment.settle()
    known, dead = len(operations(deployment)), dead_letters(deployment)
    before = {order_id: staff.get(order_id).json() for order_id in orders}
    timelines = {order_id: staff.timeline(order_id) for order_id in orders}
    with deployment.held_queue() as queue:
        done = forget(deployment, person, "--yes", "--json")
        assert done.returncode == 0, done.stderr
        messages = {order_id: deployment.published(queue, order_id) for order_id in orders}
    return Forgotten(
        person,
        since,
        before,
        timelines,
        events,
        charged,
        [json.loads(line) for line in done.stdout.splitlines()],
        operations(deployment)[known:],
        messages,
        dead,
    )


def test_the_order_stays_for_the_books(
    deployment: Deployment, staff: Caller, forgotten: Forgotten
) -> None:
    for order_id, before in forgotten.orders.items():
        after = staff.get(order_id).raise_for_status().json()
        assert after == before | {
            "customerId": f"forgotten-{order_id}",
            "items": [item | {"name": "erased"} for item in before["items"]],
            "metadata": {},
            "version": before["version"] + 1,
            "updatedAt": after["updatedAt"],
        }
    states = deployment.states(forgotten.charged)
    assert states == {"CHARGE": "REFUNDED", "RESERVATION": "RELEASED"}


def test_the_timeline_stays_and_says_since_when(staff: Caller, forgotten: Forgotten) -> None:
    person = {"actorId": forgotten.person.caller.id}
    for order_id, before in forgotten.timelines.items():
        *entries, last = staff.timeline(order_id)
        for entry in before:
            entry["reason"] = None
            if person.items() <= entry.items():
                del entry["actorId"]
        assert entries == before
        assert last == {
            "version": len(before) + 1,
            "status": before[-1]["status"],
            "previousStatus": None,
            "actor": "system:orderctl",
            "reason": None,
            "changedAt": staff.get(order_id).json()["updatedAt"],
        }


def test_the_feed_shows_every_event_as_before_but_for_the_person(
    staff: Caller, forgotten: Forgotten
) -> None:
    before, orders = forgotten.events, [*forgotten.orders]
    events = eventually(
        lambda: events_of(staff, orders, forgotten.since),
        lambda found: len(found) == len(before) + len(orders),
    )
    assert [one for one in events if one["type"] != FORGOTTEN] == [*map(anonymized, before)]
    assert not forgotten.person.found_in(events)


def test_an_export_has_every_order_and_no_mark_of_the_person(
    deployment: Deployment, forgotten: Forgotten
) -> None:
    since = ("--since", forgotten.since.isoformat(), "--until", "now")

    exported = deployment.orderctl("export", *since, "--lines", "--format", "jsonl").stdout

    assert {*forgotten.orders} <= {json.loads(one)["orderId"] for one in exported.splitlines()}
    assert not forgotten.person.found_in(exported)


def test_consumers_are_told_once_of_each_order_and_of_nothing_else(
    staff: Caller, forgotten: Forgotten
) -> None:
    for order_id, messages in forgotten.messages.items():
        (message,) = messages
        event = json.loads(message["Body"])
        assert message["MessageAttributes"]["type"]["StringValue"] == event["type"] == FORGOTTEN
        assert event["id"] == f"{order_id}/{staff.get(order_id).json()['version']}"
        assert not forgotten.person.found_in(message)


def test_no_row_and_no_index_entry_names_the_person_but_idempotency_records_for_a_day(
    deployment: Deployment, staff: Caller, forgotten: Forgotten
) -> None:
    person, kept = forgotten.person, datetime.now(UTC) + KEYS_ARE_KEPT
    day = f"{forgotten.since:%Y-%m-%d}"
    deployment.invoke("daily-report", {"date": day})
    assert staff.http.get(f"/reports/daily/{day}").json()["cancellationReasons"]
    naming = [row for row in everything_stored(deployment) if person.found_in(row)]
    assert {row["pk"]["S"].partition("#")[0] for row in naming} == {"IDEMPOTENCY"}
    assert all(int(row["purgeAt"]["N"]) <= kept.timestamp() for row in naming)
    assert not person.found_in([*everything_stored(deployment, IndexName="gsi1")])
    page = staff.http.get(f"/customers/{person.caller.id}/orders").raise_for_status().json()
    assert page["items"] == []


def test_no_log_line_and_no_dead_letter_names_the_person(
    deployment: Deployment, forgotten: Forgotten
) -> None:
    assert not forgotten.person.found_in(deployment.everything_logged())
    assert dead_letters(deployment) == forgotten.dead_letters, "no new ones"


def test_it_says_and_records_what_it_did_and_what_it_cannot_reach(forgotten: Forgotten) -> None:
    printed = forgotten.printed
    assert {one["orderId"] for one in printed if "orderId" in one} == forgotten.orders.keys()
    assert {one["place"] for one in printed if "place" in one} == PLACES
    assert all(one["until"] > f"{datetime.now(UTC):%Y-%m-%d}" for one in printed if "place" in one)
    began, done = forgotten.operations
    assert (began["operation"], began["state"], done["state"]) == ("forget", "began", "done")
    assert done["forgotten"] == len(forgotten.orders)
    assert not forgotten.person.found_in([printed, began, done])


def test_nothing_is_forgotten_without_a_yes_or_twice(
    deployment: Deployment, person: Person
) -> None:
    order_id = person.place()

    refused = forget(deployment, person, answer="n\n")

    assert refused.returncode == 3
    assert "Forget this customer on local (orders: 1, open: 1)?" in refused.stderr
    assert person.found_in(deployment.rows(order_id)) == {person.caller.id, *person.marks[:-1]}
    assert forget(deployment, person, answer="y\n").returncode == 0
    again = forget(deployment, person, "--yes")
    assert again.returncode == 3
    assert "nothing to forget" in again.stderr
    assert deployment.orderctl("forget", f"forgotten-{order_id}", "--yes").returncode == 3


def test_an_order_that_waits_for_its_payment_is_settled_and_shipped_all_the_same(
    deployment: Deployment, staff: Caller, person: Person
) -> None:
    deployment.settle()
    with deployment.held_queue():
        order_id = person.place(paymentToken="tok_approve")
        done = forget(deployment, person, "--yes", "--json")

        assert "payment tokens, until paid or canceled: 1" in done.stdout
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


Call = Callable[[BotoClient, str, Mapping[str, Any]], Any]
CALL: Final[Call] = BotoClient.call


@pytest.fixture
def calling(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Callable[[Call], None]:
    """Makes `run` operate the deployment, with this in place of each call to the table."""
    for name, value in orderctl_environment(deployment.stack).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(logger, "stream", None)
    stage = find_stage(None)
    monkeypatch.setattr("orderctl.commands.forget.find_stage", lambda _: stage)
    return lambda call: monkeypatch.setattr(BotoClient, "call", call)


class KilledAt:
    """Dies of one of the calls: before it has had its effect, or after."""

    def __init__(self, last: int, *, takes_effect: bool) -> None:
        self.calls_left = last
        self.takes_effect = takes_effect

    def __call__(self, client: BotoClient, operation: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - boto3's
        self.calls_left -= 1
        if self.calls_left == 0 and not self.takes_effect:
            raise Killed
        response = CALL(client, operation, parameters)
        if self.calls_left == 0:
            raise Killed
        return response


def test_it_can_be_killed_at_any_call_and_repeated(
    deployment: Deployment, staff: Caller, person: Person, calling: Callable[[Call], None]
) -> None:
    for death in count():
        orders = [person.place() for _ in range(2)]
        staff.patch(orders[0], "PAID", reason=person.marks[-1]).raise_for_status()
        killer = KilledAt(1 + death // 2, takes_effect=bool(death % 2))
        calling(lambda *of, killer=killer: killer(*of))

        with contextlib.suppress(Killed):
            assert run(["forget", person.caller.id, "--yes"]) == 0
            break
        calling(CALL)
        assert run(["forget", person.caller.id, "--yes"]) in {0, 3}

        for order_id, version in zip(orders, (3, 2), strict=True):
            assert not person.found_in(deployment.rows(order_id))
            assert staff.get(order_id).json()["version"] == version, "forgotten once"
        listed = staff.http.get(f"/customers/{person.caller.id}/orders?consistent=true")
        assert listed.json()["items"] == []
    assert death > 12


def test_an_order_that_changes_at_the_same_time_loses_neither(
    deployment: Deployment, staff: Caller, person: Person, calling: Callable[[Call], None]
) -> None:
    """It is paid once its row is read, and shipped before it is written."""
    order_id = person.place()
    steps = iter(path_to("SHIPPED"))

    def raced(client: BotoClient, operation: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - boto3's
        read = CALL(client, operation, parameters) if operation == "GetItem" else None
        if operation in {"GetItem", "TransactWriteItems"} and (step := next(steps, None)):
            staff.patch(order_id, step, reason=person.marks[-1]).raise_for_status()
        return read or CALL(client, operation, parameters)

    calling(raced)

    assert run(["forget", person.caller.id, "--yes"]) == 0
    assert next(steps, None) is None
    shown = [(one["version"], one["status"], one["reason"]) for one in staff.timeline(order_id)]
    assert shown == [
        (1, "PENDING", None), (2, "PAID", None), (3, "SHIPPED", None), (4, "SHIPPED", None)
    ]  # fmt: skip
    assert not person.found_in(deployment.rows(order_id))


def test_two_runs_at_the_same_time_forget_an_order_once(
    staff: Caller, person: Person, calling: Callable[[Call], None]
) -> None:
    order_id = person.place()

    def raced(client: BotoClient, operation: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - boto3's
        if operation == "GetItem":
            calling(CALL)
            assert run(["forget", person.caller.id, "--yes"]) == 0
        return CALL(client, operation, parameters)

    calling(raced)

    assert run(["forget", person.caller.id, "--yes"]) == 0
    assert len(staff.timeline(order_id)) == 2


DAMAGED: Final[Mapping[str, tuple[str, str, Json]]] = {
    "is missing": ("DETAIL", "", {}),
    "can't be read": ("DETAIL", "amount", {"S": "x"}),
    "can't be read: ": ("DETAIL", "metadata", {"L": []}),
    "is another customer's": ("DETAIL", "customerId", {"S": "cus_7"}),
    "is behind its events": ("DETAIL", "version", {"N": "1"}),
    "differs from its events": ("DETAIL", "amount", {"N": "-5"}),
    "differs from its events: ": ("DETAIL", "currency", {"S": "ZZZ"}),
    "differs from its events: restore": ("DETAIL", "status", {"S": "SHIPPED"}),
    "lacks its event 1": ("EVENT#0000000001", "", {}),
    "lacks its event 2": ("EVENT#0000000002", "", {}),
}
"""What is said of an order of which this attribute of this row has this value, or no such row."""


def test_orders_that_cannot_be_forgotten_are_named_and_the_others_are_forgotten(
    deployment: Deployment, staff: Caller, person: Person
) -> None:
    table = deployment.aws("dynamodb")
    *orders, whole = [person.place() for _ in range(len(DAMAGED) + 1)]
    for order_id in orders:
        staff.patch(order_id, "PAID").raise_for_status()
    saved = [
        deployment.rows(one)[row] for one, (row, *_) in zip(orders, DAMAGED.values(), strict=True)
    ]
    for row, (_, name, value) in zip(saved, DAMAGED.values(), strict=True):
        if name:
            table.put_item(TableName=TABLE, Item=row | {name: value})
        else:
            table.delete_item(TableName=TABLE, Key={key: row[key] for key in ("pk", "sk")})
    damaged = [deployment.rows(order_id) for order_id in orders]

    failed = forget(deployment, person, "--yes")

    assert failed.returncode == 1
    *named, last = failed.stderr.splitlines()[-len(orders) - 1 :]
    for line, order_id, why in zip(named, orders, DAMAGED, strict=True):
        assert line.startswith("Not forgotten: order ")
        assert order_id in line
        assert why in line
    assert last.startswith(f"Orders not forgotten: {len(orders)}.")
    assert not person.found_in(failed.stderr + failed.stdout)
    assert not person.found_in(deployment.rows(whole))
    assert [deployment.rows(order_id) for order_id in orders] == damaged
    recorded = operations(deployment)[-1]
    assert (recorded["state"], recorded["forgotten"], recorded["left"]) == (
        "failed",
        1,
        len(orders),
    )
    for row in saved:
        table.put_item(TableName=TABLE, Item=row)
    assert forget(deployment, person, "--yes").returncode == 0, "once they are mended"
    assert not person.found_in([deployment.rows(order_id) for order_id in orders])


def test_an_order_that_cannot_be_written_in_time_holds_up_no_other(
    deployment: Deployment,
    person: Person,
    calling: Callable[[Call], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    contended, whole = person.place(), person.place()

    def unreachable(client: BotoClient, operation: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - boto3's
        if operation == "TransactWriteItems" and contended in json.dumps(parameters):
            raise Unreachable("ReadTimeoutError")
        return CALL(client, operation, parameters)

    calling(unreachable)

    assert run(["forget", person.caller.id, "--yes"]) == 1
    assert f"Not forgotten: order {contended} kept changing, or" in capsys.readouterr().err
    assert person.found_in(deployment.rows(contended))
    assert not person.found_in(deployment.rows(whole))
    calling(CALL)
    assert run(["forget", person.caller.id, "--yes"]) == 0


def test_an_order_that_the_customers_list_lost_is_forgotten_all_the_same(
    deployment: Deployment, person: Person
) -> None:
    listed, unlisted = person.place(), person.place()
    key = {"pk": {"S": f"CUSTOMER#{person.caller.id}"}, "sk": {"S": f"ORDER#{unlisted}"}}
    deployment.aws("dynamodb").delete_item(TableName=TABLE, Key=key)

    done = forget(deployment, person, answer="y\n")

    assert done.returncode == 0, done.stderr
    assert "(orders: 2, open: 2)?" in done.stderr
    assert not person.found_in([deployment.rows(listed), deployment.rows(unlisted)])
    assert forget(deployment, person, "--yes").returncode == 3


@pytest.mark.parametrize("brought_back", [{"list", "event"}, {"list"}, {"event"}])
def test_what_a_restore_brings_back_is_forgotten_again(
    deployment: Deployment, staff: Caller, person: Person, brought_back: set[str]
) -> None:
    """The row of the customer's list, or an event; the order itself was still there."""
    order_id = person.place()
    table = deployment.aws("dynamodb")
    key = {"pk": {"S": f"CUSTOMER#{person.caller.id}"}, "sk": {"S": f"ORDER#{order_id}"}}
    rows = {
        "list": table.get_item(TableName=TABLE, Key=key)["Item"],
        "event": deployment.rows(order_id)["EVENT#0000000001"],
    }
    assert forget(deployment, person, "--yes").returncode == 0
    for name in brought_back:
        table.put_item(TableName=TABLE, Item=rows[name])

    assert forget(deployment, person, "--yes").returncode == 0

    assert not person.found_in(deployment.rows(order_id))
    assert "Item" not in table.get_item(TableName=TABLE, Key=key)
    assert len(staff.timeline(order_id)) == 3
