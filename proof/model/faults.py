"""What can be wrong with a request, whatever the platform holds, and the response to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from gateway import MERGE_PATCH
from proof.model.draft import JANE
from proof.model.expected import problem
from proof.oracle import (
    FIRST_STATUS,
    ITEM,
    MOST_ON_A_FEED_PAGE,
    MOST_ON_A_PAGE,
    ORDER,
    PLATFORM_REASONS,
    amount_of,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy
    from hypothesis.vendor.pretty import RepresentationPrinter

    from gateway import Event
    from proof.model.draft import Draft
    from proof.model.expected import Expected

MAX_BODY: Final = 256 * 1024

CHECKS: Final = (401, 415, 413, 400, 422)
"""The order in which faults are looked for: the response is about the first."""


@dataclass(frozen=True)
class Fault:
    """Something wrong with a request, and the response to it."""

    name: str
    response: Expected
    spoil: Callable[[Draft], object]

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:  # noqa: FBT001 - as hypothesis calls it
        printer.text(repr(self))


def refusal(faults: Sequence[Fault]) -> Expected | None:
    responses = sorted((fault.response for fault in faults), key=lambda a: CHECKS.index(a.status))
    return responses[0] if responses else None


def sometimes(faults: Sequence[Fault]) -> SearchStrategy[list[Fault]]:
    """Mostly none; never two of one status, between which the contract knows no order."""
    some = st.lists(
        st.sampled_from(faults),
        min_size=1,
        max_size=2,
        unique_by=lambda fault: fault.response.status,
    )
    none: SearchStrategy[list[Fault]] = st.just([])
    return st.one_of(none, none, none, none, some)


def _claims(name: str, claims: Event | None) -> Fault:
    response = problem(401, "unauthenticated", {"WWW-Authenticate": "Bearer"})
    return Fault(name, response, lambda draft: setattr(draft, "claims", claims))


def _text(text: str | bytes) -> Fault:
    response = problem(400, "malformed-request")
    return Fault(f"body {text[:9]!r}", response, lambda draft: setattr(draft, "text", text))


def _header(name: str, text: str, response: Expected) -> Fault:
    return Fault(f"{name}: {text[:20]}", response, lambda draft: draft.headers.update({name: text}))


def _headers(name: str, texts: Sequence[str], response: Expected) -> list[Fault]:
    return [_header(name, text, response) for text in texts]


def _not_taken(header: str, allowed: str) -> Expected:
    """`header` says what is taken instead."""
    return problem(415, "unsupported-media-type", {header: allowed})


def _tags(header: str, texts: Sequence[str]) -> list[Fault]:
    return _headers(header, texts, problem(400, "malformed-request"))


def _query(name: str, *values: str) -> list[Fault]:
    """No cursor beside it: either could be reported."""

    def fault(value: str) -> Fault:
        def spoil(draft: Draft) -> None:
            draft.query.pop("cursor", None)
            draft.query[name] = value

        return Fault(f"{name}={value}", problem(400, "malformed-request"), spoil)

    return [fault(value) for value in values]


def _field(pointer: str, change: Callable[[Any], object], reported: str | None = None) -> Fault:
    """`change` returns the value to put at the pointer, from the content that would be right."""

    def spoil(draft: Draft) -> None:
        draft.content = _changed(draft.content, pointer.split("/")[1:], change(draft.content))

    at_fault = pointer if reported is None else reported
    response = problem(422, "validation-failed", errors=[{"pointer": at_fault}])
    return Fault(f"{at_fault} wrong", response, spoil)


def _at(pointer: str, *values: object, reported: str | None = None) -> list[Fault]:
    return [_field(pointer, partial(_constant, value), reported) for value in values]


def _missing(pointer: str) -> Fault:
    return _field(pointer, partial(_constant, _GONE))


def _constant(value: object, _content: object) -> object:
    return value


_GONE: Final = object()
_NO_TAGS: Final = ("1", '"1" "2"', "", ",", '*, "1"')


def _changed(content: Any, path: list[str], value: object) -> Any:  # noqa: ANN401 - JSON
    """A copy with another value, or none, at the path."""
    if not path:
        return value
    if isinstance(content, list):
        return [_changed(content[0], path[1:], value), *content[1:]]
    if path[1:]:
        return content | {path[0]: _changed(content[path[0]], path[1:], value)}
    without = {name: item for name, item in content.items() if name != path[0]}
    return without if value is _GONE else without | {path[0]: value}


ANYWHERE: Final = [
    _claims("no token", None),
    _claims("an ID token", {"sub": JANE.id, "token_use": "id"}),
    _claims("a subject with #", {"sub": "cus#42", "token_use": "access"}),
    _claims("no subject", {"cognito:groups": ["staff"]}),
    *_query("colour", "red"),
]
_ANY_WRITE: Final = [
    *ANYWHERE,
    Fault(
        "a body too large",
        problem(413, "payload-too-large"),
        lambda draft: setattr(draft, "padding", MAX_BODY),
    ),
    _text(b'"\xff"'),
    *map(_text, ("{", "NaN", '{"status": "PAID"} {}', "[" * 20_000)),
    *_headers(
        "idempotency-key",
        ("", "a b", "kéy", '"open', '"a"b"', "x" * 256, "k1,k1"),
        problem(400, "invalid-idempotency-key"),
    ),
    *_headers(
        "content-encoding", ("gzip", "identity, BR"), _not_taken("Accept-Encoding", "identity")
    ),
]
CREATE_FAULTS: Final = [
    *_ANY_WRITE,
    *_headers(
        "content-type", ("text/plain", "", MERGE_PATCH), _not_taken("Accept", "application/json")
    ),
    *(_missing(f"/{name}") for name in ("items", "customerId", *required(ORDER))),
    *(_missing(f"/items/0/{name}") for name in required(ITEM)),
    *_at("/items/0/quantity", 0, 1_000_001, 3.0, "3", True, None),  # noqa: FBT003 - JSON
    *_at("/items/0/unitAmount", -1, 10**12 + 1, 100.0, "1999", 10**400),
    *_at("/items/0/sku", "", " a", "MUG\u3000", "x" * 65, "MUG\n", "M\x85G"),
    *_at("/items/0/name", "", "x" * 201),
    *_at("/items/0/colour", "red"),
    *_at("/items", []),
    _field("/items", lambda content: content["items"][:1] * 101),
    _field(
        "/items", lambda content: [content["items"][0] | {"quantity": 1001, "unitAmount": 10**12}]
    ),
    _field("/amount", lambda content: amount_of(content["items"]) + 1),
    _field("/amount", lambda content: amount_of(content["items"]) - 1),
    _field("/amount", lambda content: float(amount_of(content["items"]))),
    *_at("/currency", "usd", "XXX", "US", 840, None),
    *_at("/customerId", "", "cus#42", "x" * 129),
    *_at("/metadata", {str(number): "" for number in range(21)}),
    *_at("/metadata", *({"a/b": v} for v in (1, None, "x" * 501)), reported="/metadata/a~1b"),
    *_at("/metadata", {"z": "", "k" * 41: ""}, reported="/metadata/" + "k" * 41),
    *_at("/paymentToken", "", "x" * 201, None),
    *_at("/status", "PAID"),
    *_at("", []),
]
CHANGE_FAULTS: Final = [
    *_ANY_WRITE,
    *_headers(
        "content-type",
        ("text/plain", ""),
        _not_taken("Accept-Patch", f"{MERGE_PATCH}, application/json"),
    ),
    *_tags("if-match", _NO_TAGS),
    *_tags("if-none-match", _NO_TAGS),
    _missing("/status"),
    *_at("/status", None, "paid", "REFUNDED", 1),
    *_at("/reason", None, "x" * 501, ["a"], *sorted(PLATFORM_REASONS)),
    *_at("/amount", 1),
    *_at("", ["PAID"]),
]
GET_FAULTS: Final = [*ANYWHERE, *_tags("if-match", ("1", "*,"))]
_NO_LIMITS: Final = ("0", "-1", "1.5", "", "٣")
PAGE_FAULTS: Final = [*ANYWHERE, *_query("limit", *_NO_LIMITS, f"{MOST_ON_A_PAGE + 1}")]
_LIST_FAULTS: Final = [
    *PAGE_FAULTS,
    *_query("sort", "amount"),
    *_query("createdFrom", "2026-11-23", "2026-11-23T12:00:00", "now"),
    *_query("createdTo", "2026-02-30T00:00:00Z", "2026-11-23T12:00:00 00:00"),
]
CUSTOMER_LIST_FAULTS: Final = [
    *_LIST_FAULTS,
    *_query("consistent", "yes"),
    *_query("status", "paid"),
]
STATUS_LIST_FAULTS: Final = [
    *_LIST_FAULTS,
    *_query("consistent", "true"),
    *_query("status", "paid", ""),
]
FEED_FAULTS: Final = [
    *ANYWHERE,
    *_query("limit", *_NO_LIMITS, f"{MOST_ON_A_FEED_PAGE + 1}"),
    *_query("type", "", "order_paid", f"ORDER_{FIRST_STATUS}"),
    *_query("sort", "createdAt"),
    *_query("recordedFrom", "2026-11-23"),
    *_query("recordedTo", "2026-02-30T00:00:00Z"),
]
