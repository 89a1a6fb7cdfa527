"""The document's webhooks: the events, each with the schema of its type in schemas/events."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orders.openapi.examples import EVENTS

if TYPE_CHECKING:
    from orders.openapi.schemas import Node

_SCHEMAS: Final = Path(__file__).with_name("events")
_DEFINITION: Final = "#/$defs/"


@cache
def webhooks() -> Node:
    """By their types."""
    return {
        path.stem: {"post": _operation(path.stem, msgspec.json.decode(path.read_bytes()))}
        for path in sorted(_SCHEMAS.iterdir())
    }


def _operation(event_type: str, schema: Node) -> Node:
    content: Node = {"schema": _as_published(schema)}
    if event_type in EVENTS:
        content["examples"] = {"event": {"value": EVENTS[event_type]}}
    return {
        "summary": schema["description"].partition(". ")[0],
        "description": "A CloudEvent in structured mode. It may come again, with the same `id`.",
        "tags": ["Events"],
        "security": [],
        "requestBody": {"required": True, "content": {"application/cloudevents+json": content}},
        "responses": {"2XX": {"description": "Received. After anything else it comes again."}},
    }


def _as_published(schema: Node) -> Node:
    """Without `$defs`, which not every tool finds inside of a document."""
    definitions = schema.get("$defs", {})

    def expanded(node: Any) -> Any:  # noqa: ANN401 - any part of a schema
        if isinstance(node, list):
            return [expanded(one) for one in node]
        if not isinstance(node, dict):
            return node
        rest = {name: expanded(value) for name, value in node.items() if name != "$ref"}
        if "$ref" not in node:
            return rest
        return expanded(definitions[node["$ref"].removeprefix(_DEFINITION)]) | rest

    left_out = {"$defs", "$id", "$schema"}
    return {name: expanded(value) for name, value in schema.items() if name not in left_out}
