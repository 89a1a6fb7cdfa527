"""Attribute values: DynamoDB's JSON, which names each value's type, and Python's.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Typed = dict[str, Any]


def to_typed(row: Mapping[str, object]) -> dict[str, Typed]:
    """Raises TypeError for a value of a type that no row has."""
    return {
        # Most are strings.
        name: {"S": value} if type(value) is str else _to_typed(value)
        for name, value in row.items()
    }


def from_typed(typed: Mapping[str, Typed]) -> dict[str, Any]:
    """Binary values and sets, which our rows don't have, become tuples: no reader accepts them."""
    return {
        name: value["S"] if "S" in value else _from_typed(value) for name, value in typed.items()
    }


def _to_typed(value: object) -> Typed:
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case dict():
            return {"M": to_typed(value)}
        case list():
            return {"L": [_to_typed(element) for element in value]}
    raise TypeError(f"no row has a {type(value).__name__}")


def _from_typed(typed: Typed) -> Any:  # noqa: ANN401 - whatever the row has
    if "N" in typed:
        return _number(typed["N"])
    ((kind, value),) = typed.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "M":
            return from_typed(value)
        case "L":
            return [_from_typed(element) for element in value]
        case "NULL":
            return None
    return kind, value


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
