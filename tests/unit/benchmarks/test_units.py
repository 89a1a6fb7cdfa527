"""Units by AWS's rules, on the examples of its documentation and on rows of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.units import (
    Call,
    Index,
    Table,
    Units,
    item_size,
    read_units,
    units_of,
    units_of_write,
    write_units,
)
from servers import table_definition

if TYPE_CHECKING:
    from benchmarks.units import Item

KB = 1024
PLAIN = Table(("pk",), {})
INDEXED = Table(("pk",), {"by-status": Index(("status",), frozenset({"amount"}))})


def item(key: str = "1", size: int = 0, **attributes: str) -> Item:
    """Of texts; filled up to a size in bytes."""
    made = {"pk": {"S": key}} | {name: {"S": value} for name, value in attributes.items()}
    if size:
        made["fill"] = {"S": "x" * (size - item_size(made) - len("fill"))}
        assert item_size(made) == size
    return made


def rows(*items: Item) -> dict[str, dict[tuple[str, ...], Item]]:
    return {"orders": {PLAIN.key_of(one): one for one in items}}


def cost(
    operation: str,
    request: dict[str, Any],
    *held: Item,
    left: tuple[Item, ...] = (),
    response: dict[str, Any] | None = None,
    table: Table = PLAIN,
) -> Units:
    """What a call costs on a table that held some items and was left with others."""
    return units_of(Call(operation, request, response), rows(*held), rows(*left), {"orders": table})


class TestSizes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html."""

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
            ({"B": b"1234"}, 4),
            ({"BOOL": True}, 1),
            ({"NULL": True}, 1),
            ({"SS": ["ab", "c"]}, 3),
            ({"NS": ["1", "1999"]}, 5),
            ({"BS": ["AAECAw=="]}, 4),
            ({"L": []}, 3),
            ({"M": {}}, 3),
            ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + 2 * 1 + 2 + 2),
            ({"M": {"sku": {"S": "ab"}}}, 3 + 1 + 3 + 2),
            ({"L": [{"M": {"a": {"BOOL": True}}}]}, 3 + 1 + (3 + 1 + 1 + 1)),
        ],
    )
    def test_a_value_has_the_documented_size(self, value: dict[str, Any], size: int) -> None:
        assert item_size({"name": value}) == len("name") + size

    def test_names_count_in_bytes(self) -> None:
        assert item_size({"größe": {"S": ""}}) == 7

    def test_an_unknown_type_is_refused(self) -> None:
        with pytest.raises(NotImplementedError, match="X"):
            item_size({"name": {"X": "1"}})


class TestReads:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html."""

    @pytest.mark.parametrize(
        ("size", "consistent", "eventually"),
        [(0, 1, 0.5), (3500, 1, 0.5), (4 * KB, 1, 0.5), (4 * KB + 1, 2, 1), (8 * KB, 2, 1)],
    )
    def test_a_read_is_of_four_kilobytes(
        self, size: int, consistent: float, eventually: float
    ) -> None:
        assert read_units(size) == consistent
        assert read_units(size, consistent=False) == eventually

    def test_a_get_reads_the_whole_item_whatever_it_asks_for(self) -> None:
        request = {"TableName": "orders", "Key": {"pk": {"S": "1"}}, "ProjectionExpression": "pk"}
        held = item(size=10 * KB)
        assert cost("GetItem", request, held) == Units(read=1.5)
        assert cost("GetItem", request | {"ConsistentRead": True}, held) == Units(read=3)

    def test_a_get_of_nothing_costs_one_read(self) -> None:
        request = {"TableName": "orders", "Key": {"pk": {"S": "1"}}, "ConsistentRead": True}
        assert cost("GetItem", request) == Units(read=1)

    def test_a_batch_rounds_each_item_up(self) -> None:
        """The documentation's own: 1.5 KB and 6.5 KB are 4 KB and 8 KB, not 8 KB."""
        keys = [{"pk": {"S": "1"}}, {"pk": {"S": "2"}}]
        asked = {"orders": {"Keys": keys, "ConsistentRead": True}}
        held = item("1", 1536), item("2", 6656)
        assert cost("BatchGetItem", {"RequestItems": asked}, *held) == Units(read=3)

    @pytest.mark.parametrize(("count", "size", "units"), [(10, 4178, 11), (1500, 64, 24)])
    def test_a_query_rounds_its_items_up_together(self, count: int, size: int, units: int) -> None:
        """The documentation's own: 10 items of 40.8 KB are 44 KB, 1,500 of 64 bytes are 96 KB."""
        held = [item(f"{n:04}", size) for n in range(count)]
        request: dict[str, Any] = {"TableName": "orders"}
        response = {"Items": held}
        eventually = cost("Query", request, *held, response=response)
        consistent = cost("Query", request | {"ConsistentRead": True}, *held, response=response)
        assert (eventually, consistent) == (Units(read=units / 2), Units(read=units))

    def test_a_query_of_an_index_reads_its_entries(self) -> None:
        held = [item(str(n), 10 * KB, status="PENDING", amount="5") for n in range(20)]
        request = {"TableName": "orders", "IndexName": "by-status"}
        units = cost("Query", request, *held, response={"Items": held}, table=INDEXED)
        assert units == Units(read=0.5)

    def test_a_query_that_finds_nothing_costs_one_read(self) -> None:
        assert cost("Query", {"TableName": "orders"}, response={"Items": []}) == Units(read=0.5)

    def test_a_transaction_doubles_the_reads_also_of_what_is_not_there(self) -> None:
        gets = [{"Get": {"TableName": "orders", "Key": {"pk": {"S": key}}}} for key in "12"]
        held = item("1", 5 * KB)
        assert cost("TransactGetItems", {"TransactItems": gets}, held) == Units(read=6)

    def test_a_query_with_a_filter_is_refused(self) -> None:
        request = {"TableName": "orders", "FilterExpression": "amount > :a"}
        with pytest.raises(NotImplementedError):
            cost("Query", request, response={"Items": []})

    def test_a_scan_is_refused(self) -> None:
        with pytest.raises(NotImplementedError, match="Scan"):
            cost("Scan", {"TableName": "orders"}, response={"Items": []})


class TestWrites:
    @pytest.mark.parametrize(("size", "units"), [(1, 1), (500, 1), (KB, 1), (KB + 1, 2)])
    def test_a_write_is_of_one_kilobyte(self, size: int, units: int) -> None:
        assert write_units(size) == units

    @pytest.mark.parametrize(("old", "new"), [(3 * KB, 100), (100, 3 * KB)])
    def test_an_update_is_charged_by_the_larger_image(self, old: int, new: int) -> None:
        request = {"TableName": "orders", "Key": {"pk": {"S": "1"}}}
        before, after = item(size=old), item(size=new)
        assert cost("UpdateItem", request, before, left=(after,), response={}) == Units(write=3)

    def test_a_transaction_doubles_each_row(self) -> None:
        """The pricing page's own: a transactional write of a 3 KB item takes six."""
        new = item(size=3 * KB)
        put = {"Put": {"TableName": "orders", "Item": new}}
        assert cost(
            "TransactWriteItems", {"TransactItems": [put]}, left=(new,), response={}
        ) == Units(write=6)

    def test_a_check_in_a_transaction_is_a_write(self) -> None:
        check = {"ConditionCheck": {"TableName": "orders", "Key": {"pk": {"S": "1"}}}}
        held = item(size=1500)
        request = {"TransactItems": [check]}
        assert cost("TransactWriteItems", request, held, left=(held,), response={}) == Units(
            write=4
        )

    def test_a_deletion_is_charged_by_what_it_deletes(self) -> None:
        request = {"TableName": "orders", "Key": {"pk": {"S": "1"}}}
        assert cost("DeleteItem", request, item(size=2 * KB), response={}) == Units(write=2)

    def test_each_row_of_a_batch_is_a_write(self) -> None:
        first, second = item("1", 1500), item("2")
        parts = [
            {"PutRequest": {"Item": first}},
            {"DeleteRequest": {"Key": {"pk": {"S": "2"}}}},
        ]
        request = {"RequestItems": {"orders": parts}}
        assert cost("BatchWriteItem", request, second, left=(first,), response={}) == Units(write=3)

    @pytest.mark.parametrize(("held", "units"), [(100, 2), (3 * KB, 3)])
    def test_a_refused_write_costs_the_larger_of_what_is_there_and_what_was_to_be(
        self, held: int, units: int
    ) -> None:
        request = {"TableName": "orders", "Item": item(size=1500)}
        there = item(size=held)
        assert cost("PutItem", request, there, left=(there,)) == Units(write=units)

    def test_a_cancelled_transaction_costs_all_of_its_rows_and_no_entry(self) -> None:
        there = item("1", status="PENDING")
        parts = [
            {"Put": {"TableName": "orders", "Item": there}},
            {"Put": {"TableName": "orders", "Item": item("2", status="PENDING")}},
        ]
        units = cost(
            "TransactWriteItems", {"TransactItems": parts}, there, left=(there,), table=INDEXED
        )
        assert units == Units(write=4)


class TestIndexes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html."""

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
    def test_entries_are_charged_beside_the_row_and_never_doubled(
        self, before: Item | None, after: Item | None, entries: int, *, transaction: bool
    ) -> None:
        units = units_of_write(before, after, INDEXED, transaction=transaction)
        assert units == Units(write=(2 if transaction else 1) + entries)

    def test_an_entry_is_as_large_as_what_it_projects(self) -> None:
        large = item(size=9 * KB, status="PENDING")
        assert units_of_write(None, large, INDEXED, transaction=False) == Units(write=9 + 1)
        whole = Table(("pk",), {"all": Index(("status",), None)})
        assert units_of_write(None, large, whole, transaction=False) == Units(write=9 + 9)

    def test_an_entry_that_shrinks_is_charged_by_its_larger_image(self) -> None:
        before, after = item(status="PAID", amount="x" * 3000), item(status="PAID", amount="1")
        assert units_of_write(before, after, INDEXED, transaction=False) == Units(write=3 + 3)

    def test_an_entry_that_moves_is_rounded_on_both_sides(self) -> None:
        before = item(status="PENDING", amount="x" * 1500)
        after = item(status="PAID", amount="x" * 1500)
        assert units_of_write(before, after, INDEXED, transaction=False) == Units(write=2 + 4)


def test_the_tables_shape_is_read_from_the_template() -> None:
    table = Table.declared(table_definition())

    assert table.key == ("pk", "sk")
    assert table.indexes["gsi1"].key == ("gsi1pk", "gsi1sk")
    row: Item = {name: {"S": name} for name in ("pk", "sk", "gsi1pk", "gsi1sk", "status", "items")}
    assert table.key_of(row) == ("pk", "sk")
    entry = table.entry(table.indexes["gsi1"], row)
    assert entry is not None
    assert row.keys() - entry.keys() == {"items"}
    without_key = {name: value for name, value in row.items() if name != "gsi1pk"}
    assert table.entry(table.indexes["gsi1"], without_key) is None
