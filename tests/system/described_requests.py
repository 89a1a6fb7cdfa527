"""Requests made from the API's description: whatever operation, parameter or field it has."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from api_document import OPERATIONS, resolved
from orders.http.routes import ROUTES
from sample_requests import parameters, sample_body

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
Mark: TypeAlias = Callable[[str], str]
"""Makes a text that says where it was sent."""

FUNCTIONS: Final = {route.key: route.function for route in ROUTES}


class Operation(NamedTuple):
    """What the description says about one."""

    method: str
    path: str
    parameters: list[Json]
    content: Json

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def function(self) -> str:
        return FUNCTIONS[self.key]

    def body(self, mark: Mark) -> Json | None:
        """The described example, with every field there is, and a mark wherever one fits."""
        if not self.content:
            return None
        schema = next(iter(self.content.values()))["schema"]
        body: Json = marked(schema, mark, sample_body(self.key))
        return body

    @property
    def content_type(self) -> str:
        return next(iter(self.content))


def operations() -> Iterator[Operation]:
    for key, described in OPERATIONS.items():
        method, path = key.split()
        content = described.get("requestBody", {}).get("content", {})
        yield Operation(method, path, parameters(key), content)


def marked(schema: Json, mark: Mark, example: Any = None, name: str = "value") -> Any:  # noqa: ANN401 - JSON
    """What the schema describes, with a mark for each text that may be any."""
    schema = resolved(schema)
    if "properties" in schema:
        example = example or {}
        return {
            name: marked(field, mark, example.get(name), name)
            for name, field in schema["properties"].items()
        }
    if "additionalProperties" in schema:
        return {mark(name): marked(schema["additionalProperties"], mark, name=name)}
    if schema.get("type") == "array":
        first = example[0] if example else None
        return [marked(schema["items"], mark, first, name)]
    if takes(schema, text := mark(name)):
        return text
    return valid(schema) if example is None else example


def takes(schema: Json, text: str) -> bool:
    """Whether it can be this text."""
    return (
        schema.get("type") == "string"
        and not schema.keys() & {"enum", "format"}
        and len(text) <= schema.get("maxLength", len(text))
        and re.search(schema.get("pattern", ""), text) is not None
    )


def valid(schema: Json) -> Any:  # noqa: ANN401 - JSON
    """A value that the schema allows, by what it says of itself; not what a flag is anyway."""
    schema = resolved(schema)
    if schema.get("type") == "boolean":
        return not schema.get("default", False)
    known = [*schema.get("examples", ()), *schema.get("enum", ())]
    known += [schema[key] for key in ("minimum", "default") if key in schema]
    assert known, f"give this an example in the API's description: {schema}"
    return known[0]


def spoiled(body: Any, mark: Mark) -> Iterator[Any]:  # noqa: ANN401 - JSON
    """The body with a mark in place of each value in turn, in ways that no field takes."""
    yield [mark("list")]
    yield {mark("field"): mark("value")}
    if isinstance(body, str):
        yield mark("too long") * 100
    elif isinstance(body, dict):
        yield body | {mark("field"): mark("value")}
        for name, value in body.items():
            yield from (body | {name: other} for other in spoiled(value, mark))
    elif isinstance(body, list):
        for value in body:
            yield from ([other] for other in spoiled(value, mark))
    else:
        yield mark("no number")
