"""How the rows of an order are written back: together, and only while they are as compared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from fakes import NOON, FakeIds
from orderctl.app import Problem
from orderctl.aws import BotoClient
from orderctl.commands.restore import _find_backup, _Tables
from orderctl.restoring import Comparison, Found, Kind, Plan
from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.table import Table
from orders.adapters.dynamodb.values import to_typed
from orders.domain.customer_id import CustomerId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders.adapters.dynamodb.rows import Row

ID: Final = FakeIds().order_id(NOON)
DETAIL: Final = keys.detail(ID)
OLD: Final[Row] = DETAIL | {"status": "PENDING", "version": 1}


class Recording(BotoClient):
    """Takes every write."""

    def __init__(self) -> None:
        self.transactions: list[list[dict[str, Any]]] = []

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        assert operation == "TransactWriteItems"
        self.transactions.append(parameters["TransactItems"])
        return {}


def written(*found: Comparison) -> list[list[dict[str, Any]]]:
    """The transactions."""
    client = Recording()
    table = Table(client, "orders_app")
    _Tables(None, table, table)._write(Plan(found, ()))
    return client.transactions


def event(version: int) -> Comparison:
    key = keys.event(ID, version)
    return Comparison(Kind.EVENT, key, Found.MISSING, None, key | {"version": version})


def own(restored: Row | None, live: Row | None = OLD) -> Comparison:
    return Comparison(Kind.DETAIL, DETAIL, Found.OLDER, live, restored)


def test_what_is_written_is_as_it_was_compared() -> None:
    live = OLD | {"amount": 1.5, "extra": ["x"]}
    ((put,),) = written(own(OLD | {"reason": "x"}, live))

    names, values = (put["Put"][f"ExpressionAttribute{kind}"] for kind in ("Names", "Values"))
    condition = put["Put"]["ConditionExpression"]
    for short, name in sorted(names.items(), reverse=True):
        condition = condition.replace(short, name)
    for short, value in sorted(values.items(), reverse=True):
        condition = condition.replace(short, next(iter(map(str, value.values()))))
    assert condition.split(" AND ") == [
        "attribute_exists(amount)",
        "extra = [{'S': 'x'}]",
        f"pk = {DETAIL['pk']}",
        "attribute_not_exists(reason)",
        "sk = DETAIL",
        "status = PENDING",
        "version = 1",
    ]


@pytest.mark.parametrize("live", [OLD, None])
def test_other_rows_are_written_only_while_the_order_itself_is_as_compared(
    live: Row | None,
) -> None:
    ((put, check),) = written(event(1), own(None, live))

    assert put["Put"]["ConditionExpression"] == "attribute_not_exists(pk)"
    assert check["ConditionCheck"]["Key"]["sk"] == {"S": "DETAIL"}
    absent = check["ConditionCheck"]["ConditionExpression"] == "attribute_not_exists(pk)"
    assert absent is (live is None)


def test_more_rows_than_a_transaction_takes_end_with_the_order_itself() -> None:
    transactions = written(*map(event, range(1, 151)), own(OLD | {"version": 150}))

    assert [len(operations) for operations in transactions] == [100, 52]
    assert [next(iter(operations[-1])) for operations in transactions] == ["ConditionCheck", "Put"]
    assert transactions[-1][-1]["Put"]["Item"]["version"] == {"N": "150"}


def test_a_row_is_deleted_only_while_it_is_as_compared() -> None:
    listed = keys.customer_order(CustomerId("cus_42"), ID)
    row = Comparison(Kind.CUSTOMER, listed, Found.DAMAGED, listed | {"version": 1}, {})

    ((delete, _),) = written(row, own(None))

    assert delete["Delete"]["Key"] == to_typed(listed)
    assert delete["Delete"]["ConditionExpression"] == "#0 = :0 AND #1 = :1 AND #2 = :2"
    assert delete["Delete"]["ExpressionAttributeNames"]["#2"] == "version"


LIVE_ARN: Final = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders_app"


@pytest.mark.parametrize(
    ("name", "restored_from", "accepted"),
    [
        ("orders_app-restored", LIVE_ARN, True),
        ("any", LIVE_ARN, True),
        ("orders_app-restored-1", None, True),
        ("any", None, False),
        ("orders_app-restored", f"{LIVE_ARN}-dev", False),
        ("orders_app-dev", None, False),
        ("orders_app-dev-restored", f"{LIVE_ARN}-dev", False),
        ("orders_app-restored", LIVE_ARN.replace("eu-west-1", "us-east-1"), False),
    ],
)
def test_only_a_table_that_was_restored_from_the_stages_own_is_a_backup(
    name: str, restored_from: str | None, *, accepted: bool
) -> None:
    described = {
        "TableName": name,
        "TableArn": LIVE_ARN.replace("orders_app", name),
        "TableStatus": "ACTIVE",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    } | ({"RestoreSummary": {"SourceTableArn": restored_from}} if restored_from else {})
    dynamodb = SimpleNamespace(describe_table=lambda **_: {"Table": described})
    stack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/orders-prod/1"
    stage: Any = SimpleNamespace(
        name="prod",
        table=Table(Recording(), "orders_app"),
        client=lambda _: dynamodb,
        description={"StackId": stack},
    )

    if accepted:
        assert _find_backup(stage, name).name == name
    else:
        with pytest.raises(Problem, match="was not restored from orders_app, the table of prod"):
            _find_backup(stage, name)
