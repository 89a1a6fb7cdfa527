"""The document's schemas, from the types that the functions decode and encode."""

from __future__ import annotations

import inspect
from typing import Any, Final

import msgspec

from orders.http import bodies
from orders.http.problems import Problem

Node = dict[str, Any]

_BODIES: Final = (
    *(kind for name, kind in vars(bodies).items() if name.endswith("Body")),
    Problem,
)
_GATEWAY_ERROR: Final[Node] = {
    "description": "Returned by API Gateway itself, before a function sees the request.",
    "type": "object",
    "properties": {"message": {"type": "string"}},
    "required": ["message"],
}
_PREFIX: Final = "#/components/schemas/"


def schema_components() -> Node:
    """By their names in the document: `OrderBody` is `Order` there."""
    _, schemas = msgspec.json.schema_components(_BODIES, ref_template=_PREFIX + "{name}")
    named = {_public_name(name): _as_published(schema) for name, schema in schemas.items()}
    return {name: named[name] for name in sorted(named)} | {"GatewayError": _GATEWAY_ERROR}


def reference(name: str) -> Node:
    return {"$ref": _PREFIX + name}


def _public_name(name: str) -> str:
    return name.removesuffix("Body")


def _as_published(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(schema, list):
        return [_as_published(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _keyword(key, value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }


def _keyword(key: str, value: Any) -> Any:  # noqa: ANN401 - any part of a schema
    match key, value:
        case "$ref", str():
            return _PREFIX + _public_name(value.removeprefix(_PREFIX))
        case "description", str():
            return inspect.cleandoc(value)
        case "pattern", str():
            return value.removesuffix(r"(?!\n)")  # JSON Schema's `$` is the end and nothing else
        case _:
            return _as_published(value)
