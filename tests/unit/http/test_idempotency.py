from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import CUSTOMER_42, STAFF
from gateway import item_body, order_body, request
from orders.application.idempotency import IdempotencyKey, Outcome
from orders.http.bodies import NewOrderBody
from orders.http.idempotency import outcome_response, parse_key, scoped_key, stored
from orders.http.problems import InvalidIdempotencyKey
from orders.http.request import Request
from orders.http.response import JSON_HEADERS, Response
from orders.http.validation import validated

visible = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
keys = st.text(visible, min_size=1, max_size=255)
BODY = validated(order_body(), NewOrderBody)


def parsed(header: str) -> str | None:
    return parse_key(Request(request("POST", "/orders", {}, headers={"idempotency-key": header})))


def quoted(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(keys)
def test_bare_and_quoted_a_key_is_the_same_key(key: str) -> None:
    assert parsed(quoted(key)) == key
    if not key.startswith('"') and "," not in key:
        assert parsed(key) == key


def test_a_request_without_the_header_has_no_key() -> None:
    assert parse_key(Request(request("POST", "/orders", {}))) is None


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("a", "a"),
        ("k" * 255, "k" * 255),
        (f'"{"k" * 255}"', "k" * 255),
        ("  padded\t", "padded"),
        ('a"b', 'a"b'),
        (r"a\b", r"a\b"),
        ("'single'", "'single'"),
        (r'"\"\\"', '"\\'),
        ('"a,b"', "a,b"),
        ('","', ","),
    ],
)
def test_a_key_may_be(header: str, key: str) -> None:
    assert parsed(header) == key


@pytest.mark.parametrize(
    "header",
    [
        "",
        '""',
        "   ",
        "k" * 256,
        f'"{"k" * 256}"',
        "two words",
        '"two words"',
        "schlüssel",
        '"schlüssel"',
        "a\x7f",
        "a\x00b",
        "a\x0b",
        '"',
        '"open',
        '"closed" too early',
        '"with";parameter=1',
        r'"bad \escape"',
        '"ends in \\"',
        '"a""b"',
        "k,k",
        "k, k",
        ",k",
        "k,",
        ",",
        '"k","k"',
        '"k", "k"',
        'k,"k"',
        '"k",k',
        '"k",',
        "a\nb",
    ],
)
def test_a_key_may_not_be(header: str) -> None:
    with pytest.raises(InvalidIdempotencyKey):
        parsed(header)


@given(st.text(max_size=300))
def test_any_header_is_a_key_or_refused(header: str) -> None:
    try:
        key = parsed(header)
    except InvalidIdempotencyKey:
        return
    assert key is not None
    assert 1 <= len(key) <= 255
    assert all("!" <= character <= "~" for character in key)


def test_without_a_key_nothing_is_scoped() -> None:
    assert scoped_key(None, CUSTOMER_42, "create", BODY) is None


def test_a_key_is_the_callers_own_and_of_one_operation() -> None:
    scopes = {
        key.record_id
        for caller in (CUSTOMER_42, STAFF)
        for operation in ("create", "update")
        for text in ("k", "l")
        if (key := scoped_key(text, caller, operation, BODY))
    }
    assert len(scopes) == 8


def test_a_record_is_found_by_caller_and_a_digest_which_hides_the_key() -> None:
    key = scoped_key("secret-key", CUSTOMER_42, "create", BODY)
    assert key
    caller, _, digest = key.record_id.partition("#")
    assert caller == "cus_42"
    assert len(digest) == 64
    assert "secret-key" not in key.record_id


def test_the_record_of_an_earlier_release_is_still_found() -> None:
    """Records live for a day: what they are made of may not change from one day to the next."""
    assert scoped_key("k", CUSTOMER_42, "create", BODY) == IdempotencyKey(
        "cus_42#50487f0420b6c1fafff273845bf297faf506c26c039934a83d9dc5c81823b561",
        "42040ace2ad6047e138e202de13847cb1d5abf41de44c54f1a41eeb0f793cc48",
    )


def test_operation_and_key_cannot_be_confused() -> None:
    records = {
        key.record_id
        for operation, text in (("create", "update"), ("update", "create"), ("create", "x"))
        if (key := scoped_key(text, CUSTOMER_42, operation, BODY))
    }
    assert len(records) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "SGD"},
        {"amount": 5997},
        {"metadata": {"a": "1"}},
        {"paymentToken": "tok"},
        {"customerId": "cus_43"},
        {"items": [item_body(), item_body()]},
        {"items": [item_body(quantity=4)]},
        {"items": [item_body(name="Cup")]},
    ],
)
def test_another_body_is_another_request(change: dict[str, object]) -> None:
    other = validated(order_body(**change), NewOrderBody)
    assert scoped_key("k", CUSTOMER_42, "create", other) != scoped_key(
        "k", CUSTOMER_42, "create", BODY
    )


def test_the_same_body_about_another_order_is_another_request() -> None:
    assert scoped_key("k", STAFF, "update", BODY, about="1") != scoped_key(
        "k", STAFF, "update", BODY, about="2"
    )


def test_the_order_of_members_does_not_matter() -> None:
    metadata = {"a": "1", "b": "2"}
    other = order_body(metadata=dict(reversed(metadata.items())))
    assert scoped_key(
        "k", CUSTOMER_42, "create", validated(dict(reversed(other.items())), NewOrderBody)
    ) == scoped_key(
        "k", CUSTOMER_42, "create", validated(order_body(metadata=metadata), NewOrderBody)
    )


@pytest.mark.parametrize("location", [{}, {"Location": "https://api.example.com/orders/1"}])
@given(status=st.integers(200, 299), version=st.integers(1), body=st.text())
def test_a_stored_response_is_replayed_byte_for_byte(
    location: dict[str, str], status: int, version: int, body: str
) -> None:
    headers = {"ETag": f'"{version}"'} | location
    kept = stored(Response(status, body, headers))
    first = Response(status, body, JSON_HEADERS | headers)
    replay = Response(status, body, first.headers | {"Idempotent-Replayed": "true"})
    assert outcome_response(Outcome(kept)) == first
    assert outcome_response(Outcome(kept, replayed=True)) == replay
