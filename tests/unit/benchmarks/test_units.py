"""Units by AWS's rules, on the examples of its documentation and on the platform's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.units import (
    Index,
    Table,
    Units,
    item_size,
    read_units,
    units_of_read,
    units_of_write,
    write_units,
    writes_of,
)
from servers import table_definition

if TYPE_CHECKING:
    from benchmarks.units import Item

KB = 1024
PLAIN = Table(("pk",))
INDEXED = Table(("pk",), (Index(("status",), frozenset({"amount"})),))


def item(size: int = 0, **attributes: str) -> Item:
    """An item of texts; filled up to a size in bytes."""
    made = {"pk": {"S": "1"}} | {name: {"S": value} for name, value in attributes.items()}
    if size:
        made["fill"] = {"S": "x" * (size - item_size(made) - len("fill"))}
    return made


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"S": "Zürich 杯"}, 11),
        ({"N": "5"}, 2),
        ({"N": "1999"}, 3),
        ({"N": "19990000"}, 3),
        ({"N": "0.0012"}, 2),
        ({"N": "12345"}, 4),
        ({"N": "0"}, 1),
        ({"N": "12345678901234567890123456789012345678"}, 20),
        ({"B": "AAECAw=="}, 4),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"NS": ["1", "1999"]}, 5),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + 2 * 1 + 2 + 2),
        ({"M": {"sku": {"S": "ab"}}}, 3 + 1 + 3 + 2),
        ({"L": [{"M": {"a": {"BOOL": True}}}]}, 3 + 1 + (3 + 1 + 1 + 1)),
    ],
)
def test_a_value_has_the_documented_size(value: dict[str, Any], size: int) -> None:
    assert item_size({"größe": value}) == len("größe".encode()) + size


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="X"):
        item_size({"name": {"X": "1"}})


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
@pytest.mark.parametrize(
    ("size", "consistent", "eventually"),
    [(0, 1, 0.5), (3500, 1, 0.5), (4 * KB, 1, 0.5), (4 * KB + 1, 2, 1), (8 * KB, 2, 1)],
)
def test_reads_round_up_to_four_kilobytes(size: int, consistent: float, eventually: float) -> None:
    found: dict[str, Any] = {"Item": item(size)} if size else {}

    assert read_units(size) == consistent
    assert read_units(size, consistent=False) == eventually
    request = {"TableName": "orders"}
    assert units_of_read("GetItem", request, found) == Units(eventually)
    assert units_of_read("GetItem", request | {"ConsistentRead": True}, found) == Units(consistent)


def test_a_batch_rounds_each_item_up_and_charges_for_missing_ones() -> None:
    """The documentation's own: 1.5 KB and 6.5 KB are 4 KB and 8 KB, not 8 KB."""
    request = {"RequestItems": {"orders": {"Keys": [{}, {}, {}], "ConsistentRead": True}}}
    response = {"Responses": {"orders": [item(1536), item(6656)]}}

    assert units_of_read("BatchGetItem", request, response) == Units(1 + 2 + 1)


@pytest.mark.parametrize(("count", "size", "units"), [(10, 4178, 11), (1500, 64, 24), (0, 0, 1)])
def test_a_query_rounds_its_items_up_together(count: int, size: int, units: int) -> None:
    """The documentation's own: 10 items of 40.8 KB are 44 KB, 1,500 of 64 bytes are 96 KB."""
    response = {"Items": [item(size)] * count}

    assert units_of_read("Query", {"TableName": "orders"}, response) == Units(units / 2)


@pytest.mark.parametrize("parameter", ["FilterExpression", "ProjectionExpression"])
def test_a_read_that_returns_less_than_it_reads_is_refused(parameter: str) -> None:
    with pytest.raises(NotImplementedError):
        units_of_read("Query", {"TableName": "orders", parameter: "amount"}, {"Items": []})


@pytest.mark.parametrize(("size", "units"), [(1, 1), (500, 1), (KB, 1), (KB + 1, 2)])
def test_writes_round_up_to_one_kilobyte(size: int, units: int) -> None:
    assert write_units(size) == units


@pytest.mark.parametrize(
    ("before", "after", "put", "units"),
    [
        (None, item(3 * KB), None, 3),
        (item(2 * KB), None, None, 2),  # deleted
        (item(3 * KB), item(), None, 3),  # the larger image
        (item(), item(3 * KB), None, 3),
        (item(1500), item(1500), None, 2),  # a condition checked
        (item(), item(), item(1500), 2),  # refused
        (item(3 * KB), item(3 * KB), item(1500), 3),  # refused
    ],
)
def test_a_write_costs_the_largest_image_and_twice_that_in_a_transaction(
    before: Item | None, after: Item | None, put: Item | None, units: int
) -> None:
    assert units_of_write(before, after, PLAIN, put=put) == Units(write=units)
    assert units_of_write(before, after, PLAIN, put=put, transaction=True).write == 2 * units


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
@pytest.mark.parametrize(
    ("before", "after", "entries"),
    [
        (None, item(status="PENDING"), 1),  # an entry is put
        (item(status="PENDING"), None, 1),  # an entry is deleted
        (item(status="PENDING"), item(status="PAID"), 2),  # its key changes: both
        (item(status="PENDING"), item(), 1),  # it loses its key
        (item(status="PAID", amount="1"), item(status="PAID", amount="2"), 1),
        (item(status="PAID", note="1"), item(status="PAID", note="2"), 0),  # not projected
        (item(note="1"), item(note="2"), 0),  # not in the index
    ],
)
@pytest.mark.parametrize("transaction", [True, False])
def test_index_entries_are_charged_beside_the_row_and_never_doubled(
    before: Item | None, after: Item | None, entries: int, *, transaction: bool
) -> None:
    units = units_of_write(before, after, INDEXED, transaction=transaction)

    assert units == Units(write=1 + transaction + entries)


def test_an_entry_costs_the_size_of_what_it_projects() -> None:
    large, small = item(status="PAID", amount="x" * 3000), item(status="PAID", amount="1")
    moved = item(status="PENDING", amount="x" * 3000)
    whole = Table(("pk",), (Index(("status",), None),))

    assert units_of_write(None, item(9 * KB, status="PENDING"), INDEXED) == Units(write=9 + 1)
    assert units_of_write(None, item(9 * KB, status="PENDING"), whole) == Units(write=9 + 9)
    assert units_of_write(large, small, INDEXED) == Units(write=3 + 3)
    assert units_of_write(large, moved, INDEXED) == Units(write=3 + 6)


def test_every_part_of_a_transaction_is_a_write() -> None:
    put, key = {"Item": item()}, {"Key": {"pk": {"S": "2"}}}
    named = {"TableName": "orders"}
    transaction = {"TransactItems": [{"Put": put | named}, {"ConditionCheck": key | named}]}

    writes = list(writes_of("TransactWriteItems", transaction))

    assert [(write.table, write.item) for write in writes] == [("orders", item()), ("orders", None)]
    with pytest.raises(NotImplementedError, match="Scan"):
        list(writes_of("Scan", {}))


def test_the_tables_shape_is_read_from_the_template() -> None:
    table = Table.declared(table_definition())
    (index,) = table.indexes
    row: Item = {name: {"S": name} for name in (*table.key, *index.key, "status", "items")}

    assert (table.key, index.key) == (("pk", "sk"), ("gsi1pk", "gsi1sk"))
    entry = table.entry(index, row)
    assert entry is not None
    assert row.keys() - entry.keys() == {"items"}
    assert table.entry(index, {"pk": {"S": "1"}}) is None
