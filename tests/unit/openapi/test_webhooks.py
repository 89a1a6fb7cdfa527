"""The events in the document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from jsonschema import Draft202012Validator

from api_document import DOCUMENT
from orders.openapi.examples import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS: Final = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parents[3] / "schemas" / "events").iterdir()
}


def described(event_type: str) -> dict[str, Any]:
    operation = DOCUMENT["webhooks"][event_type]["post"]
    content: dict[str, Any] = operation["requestBody"]["content"]["application/cloudevents+json"]
    return content


def variants(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The value, and the same without each member in turn, and with something else in its place."""
    yield value
    for name, inner in value.items():
        yield {key: other for key, other in value.items() if key != name}
        others: list[object] = [None, 0, -1, "", "X" * 600, {}]
        yield from (value | {name: other} for other in others)
        if isinstance(inner, dict):
            yield from (value | {name: variant} for variant in variants(inner))


def test_every_type_of_event_is_a_webhook() -> None:
    assert DOCUMENT["webhooks"].keys() == SCHEMAS.keys()


@pytest.mark.parametrize("event_type", EVENTS)
def test_a_webhook_accepts_what_the_schema_of_its_type_accepts(event_type: str) -> None:
    original = Draft202012Validator(SCHEMAS[event_type])
    published = Draft202012Validator(described(event_type)["schema"])
    verdicts = set()
    for event in variants(json.loads(json.dumps(EVENTS[event_type]))):
        verdicts.add(original.is_valid(event))
        assert published.is_valid(event) == original.is_valid(event), event
    assert verdicts == {True, False}


@pytest.mark.parametrize("event_type", SCHEMAS)
def test_no_tool_needs_to_resolve_a_reference_in_an_event(event_type: str) -> None:
    assert "$" not in "".join(names(described(event_type)["schema"]))


def names(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
        for inner in node.values():
            yield from names(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from names(inner)
