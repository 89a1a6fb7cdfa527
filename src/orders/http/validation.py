"""msgspec's validation errors as JSON Pointers (RFC 6901) and sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from orders.domain.status import OrderStatus
from orders.http.bodies import SKU_PATTERN, SKU_RULE, Metadata
from orders.http.problems import FieldError, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

Body = TypeVar("Body", bound=msgspec.Struct)

_MAX_NAME: Final = 100
_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$([^`]*)`\Z")
_WHOLE: Final = r"(?!\\n)"
"""What `bodies` adds to every pattern, as a message quotes it; not shown to clients."""
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_FIELD: Final = re.compile(
    r"Object (?P<error>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL
)
_UNKNOWN: Final = "Object contains unknown field"
_IN_METADATA: Final = ("`$.metadata[...]`", "`key` in `$.metadata`")
_OF_A_KEY: Final = "`key` in `$`"
_PLAIN: Final = {f"Expected str matching regex {SKU_PATTERN!r}": SKU_RULE}
"""Rules that a sentence explains better than their pattern."""


def validated(parsed: object, kind: type[Body]) -> Body:
    """A parsed body as `kind`. Raises ValidationFailed."""
    try:
        return msgspec.convert(parsed, kind)
    except msgspec.ValidationError as error:
        raise ValidationFailed(_error_in(parsed, kind, str(error))) from error


def field_error(message: str) -> FieldError:
    """From a message like "Expected `int`, got `float` - at `$.items[0].quantity`"."""
    what, *place = _PLACE.split(message)
    pointer = "".join(f"/{name or index}" for name, index in _STEP.findall("".join(place)))
    field = _FIELD.fullmatch(what)
    if field is None:
        return FieldError(pointer, _sentence(what))
    detail = "Unknown field." if "unknown" in field["error"] else "This field is required."
    return FieldError(_member(pointer, field["name"]), detail)


def _error_in(parsed: object, kind: type[Body], message: str) -> FieldError:
    """The message's error, unless the message is incomplete or quotes the client."""
    if isinstance(parsed, dict):
        if message.startswith(_UNKNOWN):
            # The client chose the name, which may end in what looks like a place.
            for name in parsed:
                if name not in kind.__struct_encode_fields__:
                    return FieldError(_member("", name), "Unknown field.")
        if message.endswith(_IN_METADATA):
            return _metadata_error(parsed["metadata"]) or field_error(message)
    return field_error(message)


def _metadata_error(metadata: Mapping[str, object]) -> FieldError | None:
    """Checks each entry, because msgspec doesn't say which one is invalid."""
    for key, value in metadata.items():
        try:
            msgspec.convert({key: value}, Metadata)
        except msgspec.ValidationError as error:
            message = str(error)
            what = _PLACE.split(message)[0]
            if message.endswith(_OF_A_KEY):
                what = what.replace("`str`", "a key")
            return FieldError(_member("/metadata", key), _sentence(what))
    return None


def _sentence(what: str) -> str:
    if what.startswith("Invalid enum value"):  # which it would quote, however long
        return f"Expected one of {', '.join(OrderStatus)}."
    plain = what.replace("`", "").replace(_WHOLE, "")
    return _PLAIN.get(plain, f"{plain}.")


def _member(pointer: str, name: str) -> str:
    """The pointer to an object's member; a long name is truncated."""
    escaped = name[:_MAX_NAME].replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{escaped}"
