"""No input makes a 500: every part of a request filled with anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from gateway import (
    MERGE_PATCH,
    OTHER_CLAIMS,
    REQUEST_ID,
    STAFF_CLAIMS,
    order_body,
    request,
    token_of,
)
from orders.http.bodies import NewOrderBody, StatusChangeBody
from sample_requests import KEYS, api_with_samples, parameters, sample_request

if TYPE_CHECKING:
    from gateway import Event

# Also what Python's own text can hold and UTF-8 can't.
texts = st.text(st.characters(codec=None, categories=None), max_size=40)
numbers = st.integers() | st.floats() | st.sampled_from([0, 1, 2**63, 10**400, -1, 1e308])
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(
    NewOrderBody.__struct_encode_fields__ + StatusChangeBody.__struct_encode_fields__
)
bodies = (
    st.dictionaries(fields, json_values, max_size=3).map(lambda some: order_body(**some))
    | st.dictionaries(fields, json_values, max_size=3)
    | json_values
).map(json.dumps)
described = [each for key in KEYS for each in parameters(key)]
names = st.sampled_from(sorted({each["name"] for each in described if each["in"] == "query"}))
header_names = {each["name"].lower() for each in described if each["in"] == "header"}
headers = st.dictionaries(
    st.sampled_from(sorted(header_names | {"content-type", "content-encoding"})),
    texts | st.sampled_from(["application/json", MERGE_PATCH, '"1"', "*"]),
    max_size=3,
)
claims = st.dictionaries(
    st.sampled_from(["sub", "token_use", "cognito:groups"]), json_values, max_size=3
)
payloads = st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode())


@st.composite
def events(draw: st.DrawFn) -> Event:
    key = draw(st.sampled_from([*KEYS, "$default"]))
    who = draw(st.sampled_from([STAFF_CLAIMS, OTHER_CLAIMS]) | claims)
    if key == "$default":
        event = request("PUT", "/nowhere", claims=who)
    else:
        event = sample_request(key, claims=who)
    if key.startswith("GET "):
        event["requestContext"]["http"]["method"] = draw(st.sampled_from(["GET", "HEAD"]))
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
def test_any_request_gets_a_success_or_a_problem_that_is_its_own_fault(event: Event) -> None:
    response = api_with_samples().send(event)
    assert response.status < 500
    if event["requestContext"]["http"]["method"] == "HEAD":
        assert not response.text
    elif response.status >= 400:
        assert response.json["instance"] == REQUEST_ID
        assert response.problem
