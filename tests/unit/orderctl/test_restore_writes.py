"""How the rows of an order are written back: together, and only while they are as compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from fakes import NOON, FakeIds
from orderctl.aws import BotoClient
from orderctl.commands.restore import _Tables
from orderctl.restoring import Comparison, Found, Kind, Plan
from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.table import Table

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
