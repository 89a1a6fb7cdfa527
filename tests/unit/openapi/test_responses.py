"""What the API responds with is what its document says, and the other way round.

Each route gets its sample request, as it is and varied in every way in which it can be wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api_document import PROBLEM, check, resolved, responses_of
from examples import event_of, placed_order
from gateway import CUSTOMER_CLAIMS, OTHER_CLAIMS, STAFF_CLAIMS, order_body, request
from orders.application.errors import TryAgain
from sample_requests import KEYS, api_with_samples, sample_body, sample_request, sample_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api import Response

FAULTS = {"429", "500", "503"}
"""Responses to a fault, here or in the gateway."""
UNDOCUMENTED = {"Cache-Control", "Content-Security-Policy", "Content-Type"} | {
    *("Referrer-Policy", "Vary", "X-Content-Type-Options")
}
"""Headers for browsers and caches."""

VARIATIONS: list[dict[str, Any]] = [
    {},
    *({"claims": claims} for claims in (None, CUSTOMER_CLAIMS, OTHER_CLAIMS)),
    *({"query": query} for query in ("limit=1", "cursor=x", "unheardOf=1")),
    *({"values": {"orderId": "none"}}, {"values": {"date": "2000-01-01"}}),
    *({"headers": {"if_match": tag}} for tag in ("1", '"7"', "*")),
    *({"headers": {"if_none_match": tag}} for tag in ('"1"', "*")),
    *({"headers": {"content_type": "text/plain"}}, {"headers": {"content_encoding": "gzip"}}),
    *({"body": body} for body in ("{", '"' + "x" * 300_000 + '"', {"unheardOf": 1})),
    {"body": {"status": "SHIPPED"}},
    {"body": order_body(paymentToken="tok_approve"), "takes_tokens": False},
    {"headers": {"idempotency_key": "a b"}},
    {"used_key": "k"},
    *({"used_key": "k", "body": b} for b in (order_body(currency="EUR"), {"status": "CANCELED"})),
]


def respond(  # noqa: PLR0913 - each is a way to vary the request
    key: str,
    *,
    claims: dict[str, Any] | None = STAFF_CLAIMS,
    query: str = "",
    values: Mapping[str, str] | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    takes_tokens: bool = True,
    used_key: str | None = None,
) -> Response:
    api = api_with_samples(takes_tokens=takes_tokens)
    other = placed_order()
    api.orders.orders[other.order_id] = other
    api.orders.events[other.order_id, other.version] = event_of(other)
    api.clock.advance(minutes=2)
    sent = dict(headers or {})
    if used_key:
        sent["idempotency_key"] = used_key
        api.send(sample_request(key, claims=claims, headers=sent))
    target = sample_target(key, **values or {})
    if query:
        target += ("&" if "?" in target else "?") + query
    sample = sample_body(key)
    content = None if sample is None else body or sample
    return api.send(request(key.partition(" ")[0], target, content, claims=claims, headers=sent))


def check_response(response: Response, key: str) -> None:
    """Against the document: its headers, all that are required and no others, and its body."""
    described = responses_of(key)[str(response.status)]
    headers = {name: resolved(header) for name, header in described["headers"].items()}
    required = {name for name, header in headers.items() if header.get("required")}
    assert required <= response.headers.keys() <= headers.keys() | UNDOCUMENTED
    for name in response.headers.keys() & headers.keys():
        value = response.headers[name]
        is_number = headers[name]["schema"]["type"] == "integer"
        check(int(value) if is_number else value, headers[name]["schema"])
    if response.status == 304:
        assert (response.text, "content" in described) == ("", False)
        return
    media_type = response.headers["Content-Type"].partition(";")[0]
    body = response.text if media_type == "text/html" else response.json
    check(body, described["content"][media_type]["schema"])


@pytest.mark.parametrize("key", KEYS)
def test_the_responses_are_those_of_the_document(key: str) -> None:
    """All that are documented are given, and all that are given are documented."""
    given = set()
    for variation in VARIATIONS:
        response = respond(key, **variation)
        given.add((response.status, response.problem if response.status >= 400 else ""))
        check_response(response, key)
    assert given == {
        (int(status), problem)
        for status, response in responses_of(key).items()
        for problem in response.get("content", {}).get(PROBLEM, {"examples": [""]})["examples"]
        if status not in FAULTS
    }, "a response that is missing needs a variation of the sample request that leads to it"


def test_a_503_is_as_documented() -> None:
    api = api_with_samples()

    def unreachable(_: object) -> None:
        raise TryAgain

    api.orders.get = unreachable  # type: ignore[method-assign, assignment]  # a store that fails
    response = api.send(sample_request("GET /orders/{orderId}"))
    assert response.problem == "try-again"
    assert "Retry-After" in response.headers
    check_response(response, "GET /orders/{orderId}")
