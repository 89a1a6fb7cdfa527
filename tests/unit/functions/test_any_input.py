"""No input makes a 500: every part of a request filled with anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from api import Api
from examples import placed_order
from gateway import (
    MERGE_PATCH,
    OTHER_CLAIMS,
    REQUEST_ID,
    STAFF_CLAIMS,
    order_body,
    request,
    token_of,
)

if TYPE_CHECKING:
    from gateway import Event

ORDER = placed_order()

# Also what Python's own text can hold and UTF-8 can't.
texts = st.text(st.characters(codec=None, categories=None), max_size=40)
numbers = st.integers() | st.floats() | st.sampled_from([0, 1, 2**63, 10**400, -1, 1e308])
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(
    ["customerId", "currency", "items", "metadata", "amount", "paymentToken", "status", "reason"]
)
bodies = (
    st.dictionaries(fields, json_values, max_size=3).map(lambda some: order_body(**some))
    | st.dictionaries(fields, json_values, max_size=3)
    | json_values
).map(json.dumps)
names = st.sampled_from(
    [
        *("limit", "cursor", "sort", "createdFrom", "createdTo", "status", "consistent"),
        *("type", "recordedFrom", "recordedTo"),
    ]
)
headers = st.dictionaries(
    st.sampled_from(
        ["idempotency-key", "if-match", "if-none-match", "content-type", "content-encoding"]
    ),
    texts | st.sampled_from(["application/json", MERGE_PATCH, '"1"', "*"]),
    max_size=3,
)
claims = st.dictionaries(
    st.sampled_from(["sub", "token_use", "cognito:groups"]), json_values, max_size=3
)
payloads = st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode())
targets = st.sampled_from(
    [
        ("POST", "/orders"),
        ("GET", "/orders"),
        ("GET", f"/orders/{ORDER.order_id}"),
        ("HEAD", f"/orders/{ORDER.order_id}"),
        ("PATCH", f"/orders/{ORDER.order_id}"),
        ("GET", f"/orders/{ORDER.order_id}/timeline"),
        ("GET", "/customers/cus_42/orders"),
        ("GET", "/reports/daily/2026-11-23"),
        ("GET", "/events"),
        ("GET", "/health"),
        ("PUT", "/nowhere"),
    ]
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    method, target = draw(targets)
    who = draw(st.sampled_from([STAFF_CLAIMS, OTHER_CLAIMS]) | claims)
    event = request(method, target, {}, claims=who)
    event["headers"] |= draw(headers)
    if draw(st.booleans()):
        event["headers"]["authorization"] = draw(texts | payloads.map(token_of))
    event["body"] = draw(bodies | texts)
    event["isBase64Encoded"] = draw(st.booleans())
    event["queryStringParameters"] = draw(st.dictionaries(names | texts, texts, max_size=3))
    if "pathParameters" in event and draw(st.booleans()):
        event["pathParameters"] = {name: draw(texts) for name in event["pathParameters"]}
    return event


@given(events())
def test_any_request_is_answered_with_what_is_wrong_with_it(event: Event) -> None:
    api = Api()
    api.orders.orders[ORDER.order_id] = ORDER
    response = api.send(event)
    assert response.status < 500
    if event["requestContext"]["http"]["method"] == "HEAD":
        assert not response.text
    elif response.status >= 400:
        assert response.json["instance"] == REQUEST_ID
        assert response.problem
