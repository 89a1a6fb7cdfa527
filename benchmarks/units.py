"""Read and write units of DynamoDB calls, from the sizes of items, by the rules that AWS publishes.

Sizes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
Reads and writes: .../developerguide/read-write-operations.html
Indexes: .../developerguide/GSI.html#GSI.ThroughputConsiderations
Transactions: .../developerguide/transaction-apis.html#transaction-capacity-handling
(read in October 2026).

What these pages leave open was measured on AWS by https://github.com/paritysuite/dynamodb-conformance
(issue 149, August 2026) and https://github.com/nubo-db/dynoxide (pull request 188, the same month):
a transaction doubles the cost of rows but not of index entries; a row, and an entry that stays in
its place, is charged by the larger of its two images; an entry that moves is charged as one
deletion and one put, each rounded up separately.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item: TypeAlias = Mapping[str, Mapping[str, Any]]
"""A row in DynamoDB's JSON: `{"pk": {"S": "ORDER#1"}, "version": {"N": "1"}}`."""

Key: TypeAlias = tuple[str, ...]

READS: Final = frozenset({"GetItem", "BatchGetItem", "Query"})

_READ_BYTES: Final = 4096
_WRITE_BYTES: Final = 1024
_CONTAINER_BYTES: Final = 3
_ELEMENT_BYTES: Final = 1


class Units(NamedTuple):
    """Units of one or more calls. Eventually consistent reads count half."""

    read: float = 0
    write: int = 0


def total(units: Iterable[Units]) -> Units:
    found = list(units)
    return Units(sum(one.read for one in found), sum(one.write for one in found))


@dataclass(frozen=True, slots=True)
class Index:
    """`projected`: the attributes of an entry beside the keys; None means all."""

    key: Key
    projected: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Table:
    """What units depend on: the key's attributes, and the global indexes."""

    key: Key
    indexes: tuple[Index, ...] = ()

    @classmethod
    def declared(cls, properties: Mapping[str, Any]) -> Self:
        """Read a table as CloudFormation declares it, or as DescribeTable returns it."""
        indexes = properties.get("GlobalSecondaryIndexes", ())
        return cls(
            _key_attributes(properties),
            tuple(Index(_key_attributes(one), _projected(one["Projection"])) for one in indexes),
        )

    def key_of(self, item: Item) -> dict[str, Any]:
        return {name: item[name] for name in self.key}

    def entry(self, index: Index, item: Item | None) -> Item | None:
        """What the index holds of the item; None where it has no entry."""
        if item is None or not all(name in item for name in index.key):
            return None
        if index.projected is None:
            return item
        kept = index.projected.union(index.key, self.key)
        return {name: value for name, value in item.items() if name in kept}


class Write(NamedTuple):
    """One row that a call writes. `item` is the whole row where the call puts one."""

    table: str
    content: Mapping[str, Any]

    @property
    def item(self) -> Item | None:
        return self.content.get("Item")


def item_size(item: Item | None) -> int:
    """Bytes: the names and values of all attributes; 0 for no item."""
    return sum(len(name.encode()) + _value_size(value) for name, value in (item or {}).items())


def read_units(size: int, *, consistent: bool = True) -> float:
    """Units of one read of `size` bytes. A missing item costs as much as the smallest."""
    return max(1, ceil(size / _READ_BYTES)) * (1 if consistent else 0.5)


def write_units(size: int) -> int:
    return max(1, ceil(size / _WRITE_BYTES))


def units_of_read(operation: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> Units:
    """Units of one of READS.

    Raises NotImplementedError for a filter or a projection: such a response lacks bytes that were
    read and are charged.
    """
    asked = request.get("RequestItems", {"": request})
    for one in asked.values():
        if {"FilterExpression", "ProjectionExpression"} & set(one):
            # A wrong figure is worse than none: no operation of ours reads so.
            raise NotImplementedError(f"{operation} that returns less than it reads")
    consistent = bool(request.get("ConsistentRead", False))
    if operation == "GetItem":
        return Units(read_units(item_size(response.get("Item")), consistent=consistent))
    if operation == "Query":  # rounded up once, for all items together
        return Units(read_units(sum(map(item_size, response["Items"])), consistent=consistent))
    return total(
        Units(read_units(size, consistent=bool(one.get("ConsistentRead", False))))
        for table, one in asked.items()
        for size in _sizes(response["Responses"][table], len(one["Keys"]))
    )


def writes_of(operation: str, request: Mapping[str, Any]) -> Iterator[Write]:
    """Each row that the call writes. Raises NotImplementedError for any other call."""
    match operation:
        case "PutItem" | "UpdateItem" | "DeleteItem":
            yield Write(request["TableName"], request)
        case "TransactWriteItems":
            for part in request["TransactItems"]:
                (content,) = part.values()
                yield Write(content["TableName"], content)
        case _:
            raise NotImplementedError(operation)  # reads go to units_of_read


def units_of_write(
    before: Item | None,
    after: Item | None,
    table: Table,
    *,
    put: Item | None = None,
    transaction: bool = False,
) -> Units:
    """Units of a write that left the row as `after`.

    A refused write, which leaves the row as it was, costs what its row costs: the larger of what
    is there and what it was to `put`. AWS says this of single writes and nothing about a cancelled
    transaction: counting all of its rows gives the most that it can cost.
    """
    rows = write_units(max(map(item_size, (before, after, put))))
    return Units(write=rows * (1 + transaction) + _index_units(before, after, table))


def _sizes(items: Iterable[Item], asked_for: int) -> list[int]:
    """Sizes of the items; 0 for each one that was not found."""
    found = [item_size(item) for item in items]
    return found + [0] * (asked_for - len(found))


def _index_units(before: Item | None, after: Item | None, table: Table) -> int:
    units = 0
    for index in table.indexes:
        old, new = table.entry(index, before), table.entry(index, after)
        if old == new:
            continue
        if old and new and all(old[name] == new[name] for name in index.key):
            units += write_units(max(item_size(old), item_size(new)))
        else:
            units += sum(write_units(item_size(entry)) for entry in (old, new) if entry)
    return units


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
        raise NotImplementedError(kind)  # DynamoDB has no other kind of value
    return _CONTAINER_BYTES + elements + _ELEMENT_BYTES * len(content)


def _number_size(number: str) -> int:
    """One byte for two significant digits, and one more; outer zeros don't count."""
    digits = "".join(map(str, Decimal(number).as_tuple().digits)).strip("0")
    return ceil(len(digits) / 2) + 1


_SCALAR_SIZES: Final[Mapping[str, Callable[[Any], int]]] = {
    "S": lambda text: len(text.encode()),
    "N": _number_size,
    "B": lambda text: len(base64.b64decode(text)),
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
}


def _key_attributes(properties: Mapping[str, Any]) -> Key:
    return tuple(part["AttributeName"] for part in properties["KeySchema"])


def _projected(projection: Mapping[str, Any]) -> frozenset[str] | None:
    if projection["ProjectionType"] == "ALL":
        return None
    return frozenset(projection.get("NonKeyAttributes", ()))
