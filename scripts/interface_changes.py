"""What of the interface changed so that clients break: two OpenAPI documents, two JSON Schemas.

docs/versions.md has the rules. OpenAPI documents and schemas are compared after `expanded`.
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_ANNOTATIONS: Final = frozenset(
    {
        "$defs",
        "$id",
        "$schema",
        "bearerFormat",
        "component",
        "deprecated",
        "description",
        "example",
        "examples",
    }
    | {"readOnly", "title", "writeOnly"}
)
_LOWER_LIMITS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_LIMITS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_JUDGED: Final = frozenset(
    {"additionalProperties", "anyOf", "const", "default", "enum", "format", "items", "properties"}
    | {"required", "type", *_LOWER_LIMITS, *_UPPER_LIMITS}
)
_TYPES: Final = {
    str: "string", bool: "boolean", int: "integer", float: "number",
    list: "array", dict: "object", type(None): "null",
}  # fmt: skip


class Way(StrEnum):
    """A request may do all that it could before; a response holds all that it held."""

    REQUEST = "in requests"
    RESPONSE = "in responses"


class Place(NamedTuple):
    """`name` is what the changelog has to name: a route, field, parameter, value ..."""

    where: str
    name: str

    def at(self, name: str) -> Place:
        return self._replace(name=name)


class Finding(NamedTuple):
    """A change that breaks clients, or may: `is_certain` tells."""

    place: Place
    what: str
    is_certain: bool = True

    def __str__(self) -> str:
        return f"{self.place.where}: `{self.place.name}` {self.what}"


def expanded(document: Json) -> Json:
    """Replace each `$ref` by what it refers to, and each `allOf` by what it comes to."""

    def expand(node: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(node, list):
            return [expand(each) for each in node]
        if not isinstance(node, dict):
            return node
        own = {key: value for key, value in node.items() if key not in {"$ref", "allOf"}}
        whole: Json = {key: expand(value) for key, value in own.items()}
        for part in node.get("allOf", ()):
            whole = joined({**expand(part), "component": None}, whole)
        if isinstance(reference := node.get("$ref"), str):
            target: Any = document
            for step in reference.removeprefix("#/").split("/"):
                target = target[step]
            component = {"component": step} if "/schemas/" in reference else {}
            whole = {**expand(target), **component, **whole}
        return whole

    result: Json = expand(document)
    return result


def joined(first: Json, second: Json) -> Json:
    """Return the schema of what fits both; the second one's keywords win."""
    properties = dict(first.get("properties", {}))
    for name, schema in second.get("properties", {}).items():
        properties[name] = properties.get(name, {}) | schema
    required = {*first.get("required", ()), *second.get("required", ())}
    return first | second | {"properties": properties, "required": sorted(required)}


def changes_of_api(old_document: Json, new_document: Json) -> Iterator[Finding]:
    """Compare two OpenAPI documents, but for their webhooks, which are schemas/events."""
    urls = [each["url"] for each in new_document.get("servers", ())]
    for server in old_document.get("servers", ()):
        if server["url"] not in urls:
            yield Finding(Place("servers", server["url"]), "is gone")
    old, new = operations(expanded(old_document)), operations(expanded(new_document))
    for route, operation in old.items():
        if route in new:
            yield from changes_of_operation(operation, new[route], route)
        else:
            yield Finding(Place("routes", route), "is gone")


def operations(document: Json) -> dict[str, Json]:
    """Return the operations by route, each with what the document and its path say for all."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    found = {}
    for path, item in document["paths"].items():
        for method in (one for one in _METHODS if one in item):
            operation: Json = {"security": document.get("security", []), **item[method]}
            shared = item.get("parameters", [])
            operation["parameters"] = [*shared, *operation.get("parameters", ())]
            operation["security"] = [
                {credential(name, schemes): scopes for name, scopes in each.items()}
                for each in operation["security"]
            ]
            found[f"{method.upper()} {path}"] = operation
    return found


def credential(name: str, schemes: Json) -> str:
    """Return what a scheme asks for: its name may change."""
    scheme = schemes.get(name, {})
    return str(sorted((key, scheme[key]) for key in scheme.keys() - _ANNOTATIONS))


def changes_of_operation(old: Json, new: Json, route: str) -> Iterator[Finding]:
    wanted = new["security"] or [{}]
    for had in old["security"] or [{}]:
        if not any(fits(had, each) for each in wanted):
            yield Finding(Place("routes", route), "needs another token" if had else "needs a token")
    yield from changes_of_parameters(old, new, route)
    yield from changes_of_request_body(old.get("requestBody"), new.get("requestBody"), route)
    for code, response in old["responses"].items():
        if code in new["responses"]:
            yield from changes_of_response(response, new["responses"][code], f"{route}, {code}")
        else:
            yield Finding(Place(route, code), "is no longer a response")
    for code in new["responses"].keys() - old["responses"].keys():
        if code.startswith("2"):
            yield Finding(Place(route, code), "is a new success")


def fits(had: Json, wanted: Json) -> bool:
    """Tell whether the credentials that a client had, with their scopes, are all that it needs."""
    return all(name in had and {*scopes} <= {*had[name]} for name, scopes in wanted.items())


def changes_of_parameters(
    old_operation: Json, new_operation: Json, route: str
) -> Iterator[Finding]:
    old, new = (
        {(each["in"], each["name"]): each for each in operation.get("parameters", ())}
        for operation in (old_operation, new_operation)
    )
    for key in old.keys() - new.keys():
        yield Finding(Place(route, key[1]), f"is gone from the {key[0]} parameters")
    for key, parameter in new.items():
        place = Place(route, key[1])
        if parameter.get("required") and not old.get(key, {}).get("required"):
            yield Finding(place, "must be sent")
        if key in old:
            yield from changes_of(old[key]["schema"], parameter["schema"], place, Way.REQUEST)


def changes_of_request_body(old: Json | None, new: Json | None, route: str) -> Iterator[Finding]:
    if new and new.get("required") and not (old and old.get("required")):
        yield Finding(Place("routes", route), "needs a body")
    if old:
        yield from changes_of_content(old, new or {}, route, Way.REQUEST)


def changes_of_response(old: Json, new: Json, where: str) -> Iterator[Finding]:
    headers = new.get("headers", {})
    for name, header in old.get("headers", {}).items():
        place = Place(where, name)
        if name not in headers:
            yield Finding(place, "is gone from the headers")
            continue
        if header.get("required") and not headers[name].get("required"):
            yield Finding(place, "may be absent")
        yield from changes_of(header["schema"], headers[name]["schema"], place, Way.RESPONSE)
    yield from changes_of_content(old, new, where, Way.RESPONSE)


def changes_of_content(old: Json, new: Json, where: str, way: Way) -> Iterator[Finding]:
    content = new.get("content", {})
    for media_type, described in old.get("content", {}).items():
        place = Place(where, media_type)
        if media_type in content:
            yield from changes_of(described["schema"], content[media_type]["schema"], place, way)
        else:
            yield Finding(place, f"is gone {way}")


def changes_of(old: Json, new: Json, place: Place, way: Way) -> Iterator[Finding]:
    """Compare two schemas."""
    if old == new:
        return
    if component := old.get("component"):
        place = Place(f"{component} {way}", place.name)
    olds, news = old.get("anyOf", [old]), new.get("anyOf", [new])
    if olds == [old] and news == [new]:
        yield from changes_of_one(old, new, place, way)
        return
    # In a request every old alternative must still be good, in a response every new one have been.
    for each in olds if way is Way.REQUEST else news:
        attempts = [
            [*changes_of(each, other, place, way)]
            if way is Way.REQUEST
            else [*changes_of(other, each, place, way)]
            for other in (news if way is Way.REQUEST else olds)
        ]
        yield from min(attempts, key=len)


def changes_of_one(old: Json, new: Json, place: Place, way: Way) -> Iterator[Finding]:
    """Compare two schemas without alternatives."""
    is_request = way is Way.REQUEST
    changed = types(old) - types(new) if is_request else types(new) - types(old)
    if changed:
        kinds = " or ".join(sorted(changed))
        yield Finding(place, f"can no longer be {kinds}" if is_request else f"can now be {kinds}")
        return
    yield from changes_of_values(old, new, place, way)
    if is_request:
        yield from changes_of_limits(old, new, place)
    before, after = (old, new) if is_request else (new, old)
    if before.get("format") != after.get("format") is not None:
        yield Finding(place, f"{'must be' if is_request else 'is no longer'} {after['format']}")
    yield from changes_of_members(old, new, place, way)
    yield from changes_of(old.get("items", {}), new.get("items", {}), place, way)
    for keyword in (old.keys() | new.keys()) - _JUDGED - _ANNOTATIONS:
        # What only narrows a response or widens a request is fine.
        if before.get(keyword) != after.get(keyword) is not None:
            what = f"had {old.get(keyword)!r} as its {keyword}, and has {new.get(keyword)!r}"
            yield Finding(place, what, is_certain=False)


def types(schema: Json) -> frozenset[str]:
    """Return the types that a value can have."""
    declared = schema.get("type", [])
    found = {declared} if isinstance(declared, str) else {*declared}
    found = found or {_TYPES[type(value)] for value in values(schema) or ()}
    found = found or {*_TYPES.values()}
    return frozenset(found | ({"integer"} if "number" in found else set()))


def values(schema: Json) -> list[Any] | None:
    """Return the only values that there are; None if there are others."""
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def changes_of_values(old: Json, new: Json, place: Place, way: Way) -> Iterator[Finding]:
    """New values in a response are to be expected: statuses, problem types."""
    before, after = values(old), values(new)
    if after is None:
        return
    if before is None:
        if way is Way.REQUEST:
            yield Finding(place, f"takes only {', '.join(map(str, after))}")
        return
    for value in before:
        if value not in after:
            yield Finding(Place(f"{place.where}, {place.name}", str(value)), "is gone")


def changes_of_limits(old: Json, new: Json, place: Place) -> Iterator[Finding]:
    for limit in _LOWER_LIMITS:
        if new.get(limit, -inf) > old.get(limit, -inf):
            yield Finding(place, f"has {new[limit]} as its {limit}, not {old.get(limit)}")
    for limit in _UPPER_LIMITS:
        if new.get(limit, inf) < old.get(limit, inf):
            yield Finding(place, f"has {new[limit]} as its {limit}, not {old.get(limit)}")
    if "default" in old and old["default"] != new.get("default"):
        what = f"means {new.get('default')!r} where it isn't sent, not {old['default']!r}"
        yield Finding(place, what)


def changes_of_members(old: Json, new: Json, place: Place, way: Way) -> Iterator[Finding]:
    """Compare what is in two objects."""
    members = new.get("properties", {})
    for name, schema in old.get("properties", {}).items():
        if name in members:
            yield from changes_of(schema, members[name], place.at(name), way)
        else:
            yield Finding(place.at(name), "is gone")
    old_required, new_required = {*old.get("required", ())}, {*new.get("required", ())}
    if way is Way.REQUEST:
        for name in sorted(new_required - old_required):
            yield Finding(place.at(name), "must be sent")
    else:
        for name in sorted(old_required - new_required):
            if name in members:
                yield Finding(place.at(name), "may be absent")
    before, after = (
        {} if each is True else each
        for each in (one.get("additionalProperties", True) for one in (old, new))
    )
    if before is not False and after is not False:
        yield from changes_of(before, after, place, way)
    elif way is Way.REQUEST and before is not False:
        yield Finding(place, "refuses unknown members")
