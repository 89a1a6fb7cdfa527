"""`orderctl restore`: a drill, on a table that point-in-time recovery restored."""

from __future__ import annotations

import json
import secrets
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import pytest

from orderctl.aws import BotoClient
from orderctl.commands.restore import _Tables
from orders.adapters.dynamodb.table import Table
from orders.domain.order_id import OrderId
from proof.checks.event_rows import check_event_rows
from proof.checks.evidence import Evidence
from proof.checks.lives import check_lives
from proof.checks.payments import check_payments
from proof.checks.rows import check_rows
from proof.history import History
from proof.stack import Platform, _commit, plain
from system.deployment import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from system.deployment import Caller, Deployment, Json

CHECKS: Final = (check_rows, check_lives, check_event_rows, check_payments)

Rows = dict[tuple[str, str], "Json"]
"""In DynamoDB's JSON, by key."""

DETAIL: Final = "DETAIL"
CUSTOMER: Final = "the customer's"
FIRST, SECOND, THIRD = (f"EVENT#{version:010d}" for version in (1, 2, 3))


@pytest.fixture
def beside(deployment: Deployment) -> Iterator[Callable[[], str]]:
    """Restores the table as it is now under another name, and deletes it in the end."""
    dynamodb, made = deployment.aws("dynamodb"), []

    def restored() -> str:
        deployment.settle()
        name = f"{TABLE}-restored-{secrets.token_hex(4)}"
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=TABLE, TargetTableName=name, UseLatestRestorableTime=True
        )
        made.append(name)
        return name

    yield restored
    for name in made:
        dynamodb.delete_table(TableName=name)


class Accident:
    """What happens to rows of orders of one customer."""

    def __init__(self, deployment: Deployment, customer_id: str, backup: str) -> None:
        self._dynamodb = deployment.aws("dynamodb")
        self._customer_id = customer_id
        self._backup = backup

    def key(self, order_id: str, row: str) -> Json:
        own = {"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": row}}
        listed = {"pk": {"S": f"CUSTOMER#{self._customer_id}"}, "sk": {"S": f"ORDER#{order_id}"}}
        return listed if row == CUSTOMER else own

    def lose(self, order_id: str, *lost: str) -> None:
        for row in lost:
            self._dynamodb.delete_item(TableName=TABLE, Key=self.key(order_id, row))

    def damage(self, order_id: str, row: str, expression: str, *names: str) -> None:
        self._dynamodb.update_item(
            TableName=TABLE,
            Key=self.key(order_id, row),
            UpdateExpression=expression,
            ExpressionAttributeNames={f"#{name}": name for name in names},
            **({"ExpressionAttributeValues": {":x": {"N": "1.5"}}} if ":x" in expression else {}),
        )

    def roll_back(self, order_id: str, *rows: str) -> None:
        """Write over them with their rows of the backup."""
        for row in rows:
            key = self.key(order_id, row)
            saved = self._dynamodb.get_item(TableName=self._backup, Key=key)["Item"]
            self._dynamodb.put_item(TableName=TABLE, Item=saved)


def test_the_drill(deployment: Deployment, staff: Caller, beside: Callable[[], str]) -> None:
    customer = deployment.new_customer()
    by_token = [customer.place(paymentToken="tok_approve")["orderId"] for _ in range(7)]
    by_hand = [customer.place()["orderId"] for _ in range(4)]
    declined = customer.place(paymentToken="tok_decline")["orderId"]
    backup = beside()
    whole, unread, unpaid, shipped, rolled_back, canceled, charged = by_token
    paid, gone, unlisted, kept = by_hand
    for order_id in (paid, unlisted):
        staff.patch(order_id, "PAID").raise_for_status()
    for order_id in (shipped, rolled_back, charged):
        staff.patch(order_id, "SHIPPED").raise_for_status()
    staff.patch(canceled, "CANCELED", reason="of two minds").raise_for_status()
    fresh = customer.place()["orderId"]
    deployment.settle()
    mine = {*by_token, *by_hand, declined, fresh}
    before = rows_of(deployment, mine)
    bodies = {order_id: customer.get(order_id).json() for order_id in mine}
    quiet = len(changes(deployment, mine))

    happens = Accident(deployment, customer.id, backup)
    happens.lose(whole, DETAIL, CUSTOMER, FIRST, SECOND, "CHARGE", "RESERVATION")
    happens.damage(unread, DETAIL, "REMOVE #items", "items")
    happens.damage(unread, CUSTOMER, "SET #version = :x", "version")
    happens.lose(unpaid, "CHARGE", "RESERVATION", SECOND)
    happens.lose(shipped, DETAIL, CUSTOMER, FIRST, "CHARGE")
    happens.roll_back(rolled_back, DETAIL, CUSTOMER)
    happens.lose(canceled, DETAIL, "CHARGE", "RESERVATION")
    happens.damage(charged, "CHARGE", "SET #amount = :x REMOVE #state", "amount", "state")
    happens.roll_back(paid, DETAIL)
    happens.lose(gone, DETAIL, CUSTOMER, FIRST)
    happens.lose(unlisted, CUSTOMER)
    happens.damage(declined, DETAIL, "REMOVE #gsi1pk", "gsi1pk")
    assert customer.get(whole).status_code == 404
    assert staff.patch(rolled_back, "CANCELED").status_code == 503

    result = deployment.orderctl("restore", "--from", backup, "--all", "--yes", "--json")

    assert result.returncode in {0, 1}, "other tests may leave orders that can't be read"
    said = {line["orderId"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert {said[order_id]["state"] for order_id in mine & said.keys()} == {"restored"}
    assert mine - said.keys() == {kept, fresh}
    assert {"row": "event 2", "found": "missing"} in said[unpaid]["rows"]
    assert [row["found"] for row in said[rolled_back]["rows"]] == ["older", "older"]
    assert rows_of(deployment, mine) == before
    restored = len(changes(deployment, mine))
    again = deployment.orderctl("restore", "--from", backup, "--customer", customer.id)
    assert again.returncode == 3, again.stderr
    check_that_they_live_on(customer, staff, bodies)
    deployment.settle()
    evidence = evidence_of(rows_of(deployment, mine), changes(deployment, mine), quiet, restored)
    assert [violation for check in CHECKS for violation in check(evidence)] == []
    assert evidence.lives.keys() == mine


def check_that_they_live_on(customer: Caller, staff: Caller, bodies: Mapping[str, Json]) -> None:
    """All orders of the customer are as they were, are listed, and can be changed."""
    listed = customer.http.get(f"/customers/{customer.id}/orders", params={"limit": 100})
    assert {order["orderId"] for order in listed.json()["items"]} == bodies.keys()
    for order_id, body in bodies.items():
        assert customer.get(order_id).json() == body
        versions = [entry["version"] for entry in customer.timeline(order_id)]
        assert versions == list(range(1, body["version"] + 1))
        for status in body["allowedTransitions"][:1]:
            staff.patch(order_id, status).raise_for_status()


def test_without_a_yes_it_shows_what_it_found_and_writes_nothing(
    deployment: Deployment, customer: Caller, beside: Callable[[], str]
) -> None:
    order = customer.place()
    backup = beside()
    accident = Accident(deployment, customer.id, backup)
    accident.lose(order["orderId"], FIRST)
    accident.damage(order["orderId"], DETAIL, "REMOVE #items", "items")
    before = deployment.rows(order["orderId"])
    command = ("restore", "--from", backup, "--order", order["orderNumber"])

    result = deployment.orderctl(*command, answer="n\n")

    assert result.returncode == 3
    assert f"{order['orderId']}: event 1 missing, order damaged" in result.stdout
    assert "Events to be published again, under their ids: 1." in result.stderr
    question = f"Restore from {backup} to {TABLE} on local (rows: 2, orders: 1)? [y/N]"
    assert question in result.stderr
    assert deployment.rows(order["orderId"]) == before
    assert deployment.orderctl(*command, answer="y\n").returncode == 0
    assert customer.get(order["orderId"]).json() == order
    began, done = operations(deployment)[-2:]
    assert (began["from"], began["what"], began["state"]) == (backup, order["orderId"], "began")
    assert (done["state"], done["orders"], done["rows"]) == ("done", 1, 2)


def test_what_the_backup_does_not_have_is_said(
    deployment: Deployment, customer: Caller, staff: Caller, beside: Callable[[], str]
) -> None:
    order_id = customer.place()["orderId"]
    backup = beside()
    staff.patch(order_id, "PAID").raise_for_status()
    Accident(deployment, customer.id, backup).lose(order_id, DETAIL, SECOND)
    command = ("restore", "--from", backup, "--order", order_id, "--yes")
    left = deployment.rows(order_id)

    result = deployment.orderctl(*command)

    assert result.returncode == 1
    assert result.stdout == (
        f"{order_id}: it is at version 2, but no table has a readable event 2\n"
    )
    assert deployment.rows(order_id) == left


def test_a_person_who_was_forgotten_stays_forgotten(
    deployment: Deployment, staff: Caller, beside: Callable[[], str]
) -> None:
    person = deployment.new_customer()
    order_id = person.place()["orderId"]
    backup = beside()
    assert deployment.orderctl("forget", person.id, "--yes").returncode == 0
    before = rows_of(deployment, {order_id})
    Accident(deployment, person.id, backup).lose(order_id, DETAIL, FIRST)

    result = deployment.orderctl("restore", "--from", backup, "--customer", person.id, "--yes")

    assert result.returncode == 0, result.stderr
    assert rows_of(deployment, {order_id}) == before
    assert [entry["version"] for entry in staff.timeline(order_id)] == [1, 2]
    deployment.settle()


def test_a_person_who_was_brought_back_by_hand_is_forgotten_again(
    deployment: Deployment, beside: Callable[[], str]
) -> None:
    person = deployment.new_customer()
    order_id = person.place()["orderId"]
    backup = beside()
    assert deployment.orderctl("forget", person.id, "--yes").returncode == 0
    before = rows_of(deployment, {order_id})
    Accident(deployment, person.id, backup).roll_back(order_id, DETAIL, CUSTOMER, FIRST)

    result = deployment.orderctl("restore", "--from", backup, "--order", order_id, "--yes")

    assert result.returncode == 0, result.stderr
    assert rows_of(deployment, {order_id}) == before
    deployment.settle()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--from", "orders_app-dev", "--all"], 1, "orders_app-dev was not restored from"),
        (["--from", "nowhere", "--all"], 1, 'There is no table "nowhere" in this account'),
        (["--from", TABLE, "--all"], 1, f"{TABLE} is the live table itself"),
        (["--from", "other_keys", "--all"], 1, "other_keys does not hold orders"),
        (["--from", "x", "--all", "--order", "y"], 2, "Give one of --order, --customer and --all."),
        (["--from", "x", "--customer", "a#b"], 2, "A customer's id matches"),
    ],
)
def test_only_a_table_of_orders_can_be_restored_from(
    deployment: Deployment, arguments: list[str], code: int, says: str
) -> None:
    dynamodb = deployment.aws("dynamodb")
    tables = {"other_keys": {"id": "HASH"}, "orders_app-dev": {"pk": "HASH", "sk": "RANGE"}}
    for name, key in tables.items():
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in key],
            KeySchema=[{"AttributeName": one, "KeyType": kind} for one, kind in key.items()],
        )
    try:
        result = deployment.orderctl("restore", *arguments, "--yes")
    finally:
        for name in tables:
            dynamodb.delete_table(TableName=name)

    assert result.returncode == code
    assert says in result.stderr
    assert result.stdout == ""


class Racing(BotoClient):
    """Something else happens between comparing and writing, once."""

    def __init__(self, client: Any, act: Callable[[], object]) -> None:  # noqa: ANN401 - as BotoClient
        super().__init__(client)
        self._acts = [act]

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems" and self._acts:
            self._acts.pop()()
        return super().call(operation, parameters)


@pytest.mark.parametrize(("lost", "status"), [(CUSTOMER, "SHIPPED"), ("CHARGE", "CANCELED")])
def test_a_change_between_comparing_and_writing_wins(  # noqa: PLR0913, PLR0917 - the callers and the race
    deployment: Deployment,
    customer: Caller,
    staff: Caller,
    beside: Callable[[], str],
    lost: str,
    status: str,
) -> None:
    order_id = OrderId(customer.place(paymentToken="tok_approve")["orderId"])
    backup, client = beside(), deployment.aws("dynamodb")
    Accident(deployment, customer.id, backup).lose(order_id, lost)
    racing = Racing(client, lambda: staff.patch(order_id, status).raise_for_status())
    tables = _Tables(client, Table(racing, TABLE), Table(BotoClient(client), backup))

    tables.restore(order_id)

    deployment.settle()
    assert customer.get(order_id).json()["status"] == status
    held = {"CHARGE": "CHARGED", "RESERVATION": "RESERVED"}
    assert (deployment.states(order_id) == held) is (status == "SHIPPED")
    rows = rows_of(deployment, {order_id})
    own = rows[f"ORDER#{order_id}", DETAIL]
    listed = rows[f"CUSTOMER#{customer.id}", f"ORDER#{order_id}"]
    assert own["version"] == listed["version"] == {"N": "3"}


def rows_of(deployment: Deployment, orders: Collection[str]) -> Rows:
    """Their rows, of all kinds."""
    pages = (
        deployment.aws("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=TABLE, ConsistentRead=True)
    )
    return {
        (row["pk"]["S"], row["sk"]["S"]): row
        for row in chain.from_iterable(page["Items"] for page in pages)
        if is_of(orders, row["pk"]["S"], row["sk"]["S"])
    }


def is_of(orders: Collection[str], pk: str, sk: str) -> bool:
    return any(key.removeprefix("ORDER#") in orders for key in (pk, sk))


def changes(deployment: Deployment, orders: Collection[str]) -> list[Json]:
    """All changes of their rows, from the table's stream."""
    platform = Platform(deployment.stack)
    found: list[Json] = []
    last = None
    while records := platform.records(last, 1000):
        found += (record["dynamodb"] for record in records)
        last = records[-1]["dynamodb"]["SequenceNumber"]
    return [one for one in found if is_of(orders, one["Keys"]["pk"]["S"], one["Keys"]["sk"]["S"])]


def evidence_of(rows: Rows, changes: list[Json], quiet: int, restored: int) -> Evidence:
    """What the checker sees, without what happened from `quiet` to `restored`: no accident."""
    return Evidence(
        History(
            seed=0,
            began=0,
            feed_delay=0,
            calls=[],
            rows=[plain({"M": row}) for row in rows.values()],
            commits=[_commit(change) for change in [*changes[:quiet], *changes[restored:]]],
            published=[],
            dead_letters=[],
            reports=[],
        )
    )


def operations(deployment: Deployment) -> list[Json]:
    events = deployment.aws("logs").filter_log_events(
        logGroupName=deployment.outputs["OperationsLogGroupName"]
    )["events"]
    return [json.loads(event["message"]) for event in events]
