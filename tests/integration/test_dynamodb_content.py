"""What the platform reads of DynamoDB's responses, as both emulators give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orders.adapters.aws.client import ATTEMPTS, Refused
from orders.adapters.dynamodb import table as table_module
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.adapters.dynamodb.values import to_typed
from orders.application.errors import TryAgain
from orders.telemetry import cause_of
from servers import dynamodb_local, ministack, new_table
from wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.table import Table
    from wire import Recorder

OLD: Row = {"pk": "a", "sk": "old", "n": 7, "map": {"list": ["x", None, True]}}
NEW: Row = {"pk": "a", "sk": "new"}
each_emulator = pytest.mark.parametrize("endpoint", [dynamodb_local, ministack])


@each_emulator
def test_a_failed_condition_shows_the_row_in_its_place_where_it_is_asked_to(
    endpoint: Callable[[], str],
) -> None:
    table = new_table(endpoint())
    table.write(table.put(OLD))
    absent = "attribute_not_exists(pk)"

    with pytest.raises(ConditionFailed) as failed:
        table.write(
            table.put(NEW, absent),
            table.put(OLD | {"n": 8}, absent, show_old=True),
            table.put(OLD | {"sk": "third"}, "attribute_exists(pk)", show_old=True),
        )

    assert failed.value.failed == {1: OLD, 2: None}
    assert table.get({"pk": "a", "sk": "new"}) is None


@each_emulator
def test_a_canceled_transaction_says_why_for_each_operation(endpoint: Callable[[], str]) -> None:
    table = new_table(endpoint())
    table.write(table.put(OLD))
    puts = [table.put(row, "attribute_not_exists(pk)") for row in (NEW, OLD)]

    with pytest.raises(Refused, match="TransactionCanceledException") as refused:
        table.client.call("TransactWriteItems", {"TransactItems": puts})

    codes = [reason.get("Code", "None") for reason in refused.value.reasons]
    assert codes == ["None", "ConditionalCheckFailed"]
    assert "Item" not in refused.value.reasons[1]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("PutItem", {"Item": to_typed(OLD)}),
        ("GetItem", {"Key": to_typed({"pk": "a", "sk": "old"}), "ConsistentRead": True}),
    ],
)
def test_consumed_capacity_comes_where_it_is_asked_for(
    table: Table, operation: str, parameters: dict[str, object]
) -> None:
    asked = {"TableName": table.name, "ReturnConsumedCapacity": "TOTAL"}
    capacity = table.client.call(operation, parameters | asked)["ConsumedCapacity"]
    assert capacity == {"TableName": table.name, "CapacityUnits": 1.0}


def test_what_a_batch_left_out_is_asked_for_after_a_pause(
    table: Table, wire: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[int] = []
    monkeypatch.setattr(table_module, "pause", pauses.append)
    table.write(table.put(OLD), table.put(NEW))
    keys = [{"pk": "a", "sk": sk} for sk in ("old", "new")]
    left = {table.name: {"Keys": [to_typed(keys[1])], "ConsistentRead": True}}
    some = Response({"Responses": {table.name: [to_typed(OLD)]}, "UnprocessedKeys": left})
    none = Response({"Responses": {}, "UnprocessedKeys": left})

    wire.forget()
    wire.inject([some, none])
    assert table.get_many(keys) == [OLD, NEW]
    assert pauses == [1, 2]
    assert [call.parameters["RequestItems"] for call in wire.calls][1:] == [left, left]

    wire.inject([some, none, none])
    with pytest.raises(TryAgain) as unread:
        table.get_many(keys)
    assert cause_of(unread.value.__cause__ or unread.value) == "Refused: UnprocessedKeys"
    assert wire.counts == {"BatchGetItem": 2 * ATTEMPTS}
