"""msgspec's complaints as JSON Pointers (RFC 6901) and sentences."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

from orders.http.problems import FieldProblem, ValidationFailed

Body = TypeVar("Body")

_MAX_NAME: Final = 100
_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$([^`]*)`\Z")
_WHOLE: Final = r"(?!\\n)"
"""What `bodies` adds to every pattern, in the words of the message; no business of the client's."""
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_FIELD: Final = re.compile(
    r"Object (?P<fault>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL
)


def validated(parsed: object, kind: type[Body]) -> Body:
    """A parsed body as `kind`, a msgspec type. Raises ValidationFailed."""
    try:
        return msgspec.convert(parsed, kind)
    except msgspec.ValidationError as error:
        raise ValidationFailed(field_error(str(error))) from error


def field_error(message: str) -> FieldProblem:
    """From a message like "Expected `int`, got `float` - at `$.items[0].quantity`"."""
    what, *place = _PLACE.split(message)
    pointer = "".join(f"/{name or index}" for name, index in _STEP.findall("".join(place)))
    field = _FIELD.fullmatch(what)
    if field is None:
        return FieldProblem(pointer, f"{what.replace('`', '').replace(_WHOLE, '')}.")
    name = field["name"][:_MAX_NAME]
    escaped = name.replace("~", "~0").replace("/", "~1")
    detail = "Unknown field." if "unknown" in field["fault"] else "This field is required."
    return FieldProblem(f"{pointer}/{escaped}", detail)
