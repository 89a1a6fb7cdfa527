"""The API's document, as it is served."""

from __future__ import annotations

import json
from typing import Any, Final

from jsonschema import Draft202012Validator

from orders.openapi.document import openapi_document

Node = dict[str, Any]

PROBLEM: Final = "application/problem+json"
DOCUMENT: Final[Node] = json.loads(json.dumps(openapi_document("/")))
OPERATIONS: Final[dict[str, Node]] = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


def resolved(node: Node) -> Node:
    while "$ref" in node:
        found: Any = DOCUMENT
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def responses_of(key: str) -> dict[str, Node]:
    """The operation's, by their status."""
    responses = OPERATIONS[key]["responses"].items()
    return {status: resolved(response) for status, response in responses}


def check(value: object, schema: Node) -> None:
    """Raises ValidationError. References point into the components."""
    Draft202012Validator(
        schema | {"components": DOCUMENT["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    ).validate(value)
