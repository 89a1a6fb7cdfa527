"""Read and write units of DynamoDB calls, from the sizes of items, by the rules that AWS publishes.

Sizes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
Reads and writes: .../developerguide/read-write-operations.html
Indexes: .../developerguide/GSI.html#GSI.ThroughputConsiderations
Transactions: .../developerguide/transaction-apis.html#transaction-capacity-handling
(read in October 2026).

What these pages leave open was measured on AWS by https://github.com/paritysuite/dynamodb-conformance
(issue 149, August 2026) and https://github.com/nubo-db/dynoxide (pull request 188, the same month):
a transaction doubles what the table's rows cost and not what index entries cost, a row and an entry
that stays in its place are charged by the larger of their two images, and an entry that moves is
charged as one deleted and one put, each rounded by itself.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item: TypeAlias = Mapping[str, Mapping[str, Any]]
"""A row in DynamoDB's JSON: `{"pk": {"S": "ORDER#1"}, "version": {"N": "1"}}`."""

Key: TypeAlias = tuple[str, ...]
Rows: TypeAlias = Mapping[Key, Item]
"""What a table held, by the values of its key."""

_READ_BYTES: Final = 4096
_WRITE_BYTES: Final = 1024
_CONTAINER_BYTES: Final = 3
_ELEMENT_BYTES: Final = 1


@dataclass(frozen=True, slots=True)
class Units:
    """Of a call, or of several. Halves are of eventually consistent reads."""

    read: float = 0
    write: int = 0

    def __add__(self, other: Units) -> Units:
        return Units(self.read + other.read, self.write + other.write)


@dataclass(frozen=True, slots=True)
class Index:
    """`projected` are the attributes that its entries have beside the keys; None means all."""

    key: Key
    projected: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Table:
    """What units depend on: the attributes of the key, and the global indexes by name."""

    key: Key
    indexes: Mapping[str, Index]

    @classmethod
    def declared(cls, properties: Mapping[str, Any]) -> Self:
        """From the words of CloudFormation or of DescribeTable, which are the same."""
        return cls(
            _key_attributes(properties),
            {
                index["IndexName"]: Index(_key_attributes(index), _projected(index["Projection"]))
                for index in properties.get("GlobalSecondaryIndexes", ())
            },
        )

    def key_of(self, item: Item) -> Key:
        """The values of the key, of an item or of the key alone."""
        return tuple(str(next(iter(item[name].values()))) for name in self.key)

    def entry(self, index: Index, item: Item | None) -> Item | None:
        """What the index holds of the item; None where it has no entry."""
        if item is None or not all(name in item for name in index.key):
            return None
        if index.projected is None:
            return item
        kept = index.projected.union(index.key, self.key)
        return {name: value for name, value in item.items() if name in kept}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of DynamoDB. `response` is None where it was refused, by a condition or else."""

    operation: str
    request: Mapping[str, Any]
    response: Mapping[str, Any] | None


def item_size(item: Item) -> int:
    """In bytes: the names and the values of all attributes."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def read_units(size: int, *, consistent: bool = True) -> float:
    """Of one read of so many bytes; what is not there costs as much as the smallest item."""
    return max(1, ceil(size / _READ_BYTES)) * (1 if consistent else 0.5)


def write_units(size: int) -> int:
    return max(1, ceil(size / _WRITE_BYTES))


def units_of_write(
    before: Item | None, after: Item | None, table: Table, *, transaction: bool
) -> Units:
    """Of a write that turned one image of a row into the other."""
    rows = write_units(max(_size(before), _size(after)))
    return Units(write=rows * (2 if transaction else 1) + _index_units(before, after, table))


def units_of(call: Call, before: Mapping[str, Rows], after: Mapping[str, Rows],
             tables: Mapping[str, Table]) -> Units:  # fmt: skip
    """What a call costs; `before` and `after` it the tables held these rows, by table.

    A write that is refused costs what its row costs, and moves no index entry. AWS says so of
    single writes and nothing of a cancelled transaction: all of its rows are counted, which is
    the most that it can cost.

    Raises:
        NotImplementedError: it is no call of the platform, or a Query with a filter, whose answer
            does not name the items that were read.
    """
    request = call.request
    match call.operation:
        case "GetItem":
            name = request["TableName"]
            consistent = request.get("ConsistentRead", False)
            return _read_one(request["Key"], before[name], tables[name], consistent=consistent)
        case "BatchGetItem":
            return _total(
                _read_one(key, before[name], tables[name],
                          consistent=asked.get("ConsistentRead", False))
                for name, asked in request["RequestItems"].items()
                for key in asked["Keys"]
            )  # fmt: skip
        case "TransactGetItems":
            gets = [part["Get"] for part in request["TransactItems"]]
            once = _total(
                _read_one(get["Key"], before[get["TableName"]], tables[get["TableName"]],
                          consistent=True)
                for get in gets
            )  # fmt: skip
            return once + once
        case "Query":
            return _query(call, before[request["TableName"]], tables[request["TableName"]])
    return _total(
        _write_one(kind, part, call, before, after, tables) for kind, part in _writes(call)
    )


def _writes(call: Call) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each write of the call: its kind, and its part of the request."""
    request = call.request
    match call.operation:
        case "PutItem" | "UpdateItem" | "DeleteItem":
            yield call.operation.removesuffix("Item"), request
        case "BatchWriteItem":
            for name, parts in request["RequestItems"].items():
                for part in parts:
                    ((kind, content),) = part.items()
                    yield kind.removesuffix("Request"), {"TableName": name, **content}
        case "TransactWriteItems":
            for part in request["TransactItems"]:
                yield from part.items()
        case _:
            raise NotImplementedError(call.operation)


def _write_one(  # noqa: PLR0913, PLR0917 - what a write's units depend on
    kind: str,
    part: Mapping[str, Any],
    call: Call,
    before: Mapping[str, Rows],
    after: Mapping[str, Rows],
    tables: Mapping[str, Table],
) -> Units:
    name = part["TableName"]
    table = tables[name]
    key = table.key_of(part["Item"] if kind == "Put" else part["Key"])
    old, new = before[name].get(key), after[name].get(key)
    if call.response is None and kind == "Put":
        refused = max(_size(old), item_size(part["Item"]))
        rows = Units(write=write_units(refused))
        return rows + rows if call.operation == "TransactWriteItems" else rows
    return units_of_write(old, new, table, transaction=call.operation == "TransactWriteItems")


def _index_units(before: Item | None, after: Item | None, table: Table) -> int:
    units = 0
    for index in table.indexes.values():
        old, new = table.entry(index, before), table.entry(index, after)
        if old == new:
            continue
        if old and new and all(old[name] == new[name] for name in index.key):
            units += write_units(max(_size(old), _size(new)))
        else:
            units += sum(write_units(item_size(entry)) for entry in (old, new) if entry)
    return units


def _read_one(key: Item, rows: Rows, table: Table, *, consistent: bool) -> Units:
    return Units(read=read_units(_size(rows.get(table.key_of(key))), consistent=consistent))


def _query(call: Call, rows: Rows, table: Table) -> Units:
    """All of its items together, rounded up once."""
    if "FilterExpression" in call.request:
        raise NotImplementedError("a Query with a filter")
    name = call.request.get("IndexName")
    items = [rows[table.key_of(item)] for item in (call.response or {}).get("Items", ())]
    if name is not None:
        items = [entry for item in items if (entry := table.entry(table.indexes[name], item))]
    size = sum(item_size(item) for item in items)
    return Units(read=read_units(size, consistent=call.request.get("ConsistentRead", False)))


def _total(units: Iterable[Units]) -> Units:
    return sum(units, Units())


def _size(item: Item | None) -> int:
    return 0 if item is None else item_size(item)


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind in _SCALAR_SIZES:
        return _SCALAR_SIZES[kind](content)
    if kind in {"SS", "NS", "BS"}:
        return sum(_SCALAR_SIZES[kind[0]](element) for element in content)
    if kind == "L":
        elements = sum(map(_value_size, content))
    elif kind == "M":
        elements = item_size(content)
    else:
        raise NotImplementedError(kind)
    return _CONTAINER_BYTES + elements + _ELEMENT_BYTES * len(content)


def _number_size(number: str) -> int:
    """A byte for two significant digits and one more; zeroes at either end don't count."""
    digits = "".join(map(str, Decimal(number).as_tuple().digits)).strip("0")
    return ceil(len(digits) / 2) + 1


def _binary_size(content: str | bytes) -> int:
    return len(content if isinstance(content, bytes) else base64.b64decode(content))


_SCALAR_SIZES: Final[Mapping[str, Callable[[Any], int]]] = {
    "S": lambda text: len(text.encode()),
    "N": _number_size,
    "B": _binary_size,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
}


def _key_attributes(properties: Mapping[str, Any]) -> Key:
    return tuple(part["AttributeName"] for part in properties["KeySchema"])


def _projected(projection: Mapping[str, Any]) -> frozenset[str] | None:
    if projection["ProjectionType"] == "ALL":
        return None
    return frozenset(projection.get("NonKeyAttributes", ()))
