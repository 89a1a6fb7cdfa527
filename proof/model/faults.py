"""What can be wrong with a request, whatever the platform holds, and the response to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from gateway import MERGE_PATCH
from proof.model.expected import problem
from proof.model.inputs import JANE
from proof.oracle import amount_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

    from gateway import Event
    from proof.model.expected import Expected
    from proof.model.inputs import Draft

MAX_BODY: Final = 256 * 1024

CHECKS: Final = (401, 415, 413, 400, 422)
"""The order in which faults are looked for: the first is answered."""


@dataclass(frozen=True)
class Fault:
    """Something wrong with a request, and the response to it."""

    name: str
    response: Expected
    spoil: Callable[[Draft], object]

    def __repr__(self) -> str:
        return f"<{self.name}>"


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


def _media_type(text: str, header: str, allowed: str) -> Fault:
    response = problem(415, "unsupported-media-type", {header: allowed})
    return Fault(
        f"Content-Type: {text}",
        response,
        lambda draft: draft.headers.update({"content-type": text}),
    )


def _text(text: str | bytes) -> Fault:
    response = problem(400, "malformed-request")
    return Fault(f"body {text[:9]!r}", response, lambda draft: setattr(draft, "text", text))


def _key(text: str) -> Fault:
    response = problem(400, "invalid-idempotency-key")
    return Fault(
        f"key {text[:9]!r}",
        response,
        lambda draft: draft.headers.update({"idempotency-key": text}),
    )


def _tags(header: str, text: str) -> Fault:
    response = problem(400, "malformed-request")
    return Fault(f"{header}: {text}", response, lambda draft: draft.headers.update({header: text}))


def _content_coding(text: str) -> Fault:
    response = problem(415, "unsupported-media-type", {"Accept-Encoding": "identity"})
    return Fault(
        f"Content-Encoding: {text}",
        response,
        lambda draft: draft.headers.update({"content-encoding": text}),
    )


def _query(name: str, value: str) -> Fault:
    """No cursor beside it: either could be reported."""

    def spoil(draft: Draft) -> None:
        draft.query.pop("cursor", None)
        draft.query[name] = value

    return Fault(f"{name}={value}", problem(400, "malformed-request"), spoil)


def _field(pointer: str, change: Callable[[Any], object]) -> Fault:
    """`change` returns the value to put at the pointer, from the content that would be right."""

    def spoil(draft: Draft) -> None:
        draft.content = _changed(draft.content, pointer.split("/")[1:], change(draft.content))

    response = problem(422, "validation-failed", errors=[{"pointer": pointer}])
    return Fault(f"{pointer} wrong", response, spoil)


def _entry(pointer: str, metadata: dict[str, object]) -> Fault:
    """Of metadata with one entry at fault."""

    def spoil(draft: Draft) -> None:
        draft.content = draft.content | {"metadata": metadata}

    response = problem(422, "validation-failed", errors=[{"pointer": pointer}])
    return Fault(f"{pointer} wrong", response, spoil)


def _missing(pointer: str) -> Fault:
    def spoil(draft: Draft) -> None:
        draft.content = _changed(draft.content, pointer.split("/")[1:], _GONE)

    response = problem(422, "validation-failed", errors=[{"pointer": pointer}])
    return Fault(f"{pointer} missing", response, spoil)


def _at(pointer: str, value: object) -> Fault:
    return _field(pointer, lambda _: value)


_GONE: Final = object()


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
    _query("colour", "red"),
]
_ANY_WRITE: Final = [
    *ANYWHERE,
    Fault(
        "a body too large",
        problem(413, "payload-too-large"),
        lambda draft: setattr(draft, "padding", MAX_BODY),
    ),
    _text("{"),
    _text("NaN"),
    _text('{"status": "PAID"} {}'),
    _text("[" * 20_000),
    _text(b'"\xff"'),
    _key(""),
    _key("a b"),
    _key("kéy"),
    _key('"open'),
    _key('"a"b"'),
    _key("x" * 256),
    _key("k1,k1"),
    _content_coding("gzip"),
    _content_coding("identity, BR"),
]
_UNIT_AMOUNT: Final = "/items/0/unitAmount"
_QUANTITY: Final = "/items/0/quantity"
CREATE_FAULTS: Final = [
    *_ANY_WRITE,
    _media_type("text/plain", "Accept", "application/json"),
    _media_type("", "Accept", "application/json"),
    _media_type(MERGE_PATCH, "Accept", "application/json"),
    *(_at(_QUANTITY, value) for value in (0, 1_000_001, 3.0, "3", True, None)),
    *(_at(_UNIT_AMOUNT, value) for value in (-1, 10**12 + 1, 100.0, "1999", 10**400)),
    *(_at("/items/0/sku", value) for value in ("", " a", "MUG\u3000", "x" * 65, "MUG\n", "M\x85G")),
    *(_at("/items/0/name", value) for value in ("", "x" * 201)),
    _at("/items/0/colour", "red"),
    _missing("/items/0/name"),
    _at("/items", []),
    _field("/items", lambda content: content["items"][:1] * 101),
    _field(
        "/items", lambda content: [content["items"][0] | {"quantity": 1001, "unitAmount": 10**12}]
    ),
    _missing("/items"),
    _field("/amount", lambda content: amount_of(content["items"]) + 1),
    _field("/amount", lambda content: amount_of(content["items"]) - 1),
    _field("/amount", lambda content: float(amount_of(content["items"]))),
    *(_at("/currency", value) for value in ("usd", "XXX", "US", 840, None)),
    *(_at("/customerId", value) for value in ("", "cus#42", "x" * 129)),
    _at("/metadata", {str(number): "" for number in range(21)}),
    *(_entry("/metadata/a~1b", {"a/b": value}) for value in (1, None, "x" * 501)),
    _entry("/metadata/" + "k" * 41, {"z": "", "k" * 41: ""}),
    *(_at("/paymentToken", value) for value in ("", "x" * 201, None)),
    _at("/status", "PAID"),
    _at("", []),
]
CHANGE_FAULTS: Final = [
    *_ANY_WRITE,
    _media_type("text/plain", "Accept-Patch", f"{MERGE_PATCH}, application/json"),
    _media_type("", "Accept-Patch", f"{MERGE_PATCH}, application/json"),
    *(
        _tags(header, text)
        for header in ("if-match", "if-none-match")
        for text in ("1", '"1" "2"', "", ",", '*, "1"')
    ),
    *(_at("/status", value) for value in (None, "paid", "REFUNDED", 1)),
    *(_at("/reason", value) for value in (None, "x" * 501, ["a"], "expired", "out-of-stock")),
    _at("/amount", 1),
    _missing("/status"),
    _at("", ["PAID"]),
]
GET_FAULTS: Final = [*ANYWHERE, _tags("if-match", "1"), _tags("if-match", "*,")]
PAGE_FAULTS: Final = [
    *ANYWHERE,
    *(_query("limit", value) for value in ("0", "101", "-1", "1.5", "", "٣")),
]
_LIST_FAULTS: Final = [
    *PAGE_FAULTS,
    _query("sort", "amount"),
    *(_query("createdFrom", value) for value in ("2026-11-23", "2026-11-23T12:00:00", "now")),
    *(
        _query("createdTo", value)
        for value in ("2026-02-30T00:00:00Z", "2026-11-23T12:00:00 00:00")
    ),
]
CUSTOMER_LIST_FAULTS: Final = [
    *_LIST_FAULTS,
    _query("consistent", "yes"),
    _query("status", "paid"),
]
FEED_FAULTS: Final = [
    *ANYWHERE,
    *(_query("limit", value) for value in ("0", "1001", "-1", "1.5", "", "٣")),
    *(_query("type", value) for value in ("", "order_paid", "ORDER_PENDING")),
    _query("sort", "createdAt"),
    _query("recordedFrom", "2026-11-23"),
    _query("recordedTo", "2026-02-30T00:00:00Z"),
]
STATUS_LIST_FAULTS: Final = [
    *_LIST_FAULTS,
    _query("consistent", "true"),
    _query("status", "paid"),
    _query("status", ""),
]
