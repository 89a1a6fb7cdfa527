"""The key of a request, its scope, and the response that its record keeps."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import CUSTOMER_42, STAFF
from gateway import item_body, order_body, request
from orders.application.idempotency import IdempotencyKey, Outcome
from orders.domain.status import OrderStatus
from orders.http.bodies import NewOrderBody, StatusChangeBody
from orders.http.idempotency import outcome_response, parse_key, scoped_key, stored
from orders.http.problems import InvalidIdempotencyKey
from orders.http.request import Request
from orders.http.response import JSON_HEADERS, Response
from orders.http.validation import validated
from proof.oracle import ITEM, ORDER

if TYPE_CHECKING:
    from orders.application.caller import Caller

CHANGE = StatusChangeBody(OrderStatus.PAID)


def parsed(header: str) -> str | None:
    return parse_key(Request(request("POST", "/orders", {}, headers={"idempotency-key": header})))


def key_of(
    key: str = "k", caller: Caller = CUSTOMER_42, operation: str = "create", about: str = ""
) -> IdempotencyKey:
    found = scoped_key(key, caller, operation, CHANGE, about)
    assert found
    return found


def fingerprint_of(**changes: object) -> str:
    """Of an order with these fields."""
    body = validated(order_body(**changes), NewOrderBody)
    found = scoped_key("k", CUSTOMER_42, "create", body)
    assert found
    return found.fingerprint


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class TestHeader:
    @given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255))
    def test_a_key_is_the_same_bare_and_quoted(self, key: str) -> None:
        escaped = key.replace("\\", "\\\\").replace('"', '\\"')
        assert parsed(f'"{escaped}"') == key
        if not key.startswith('"') and "," not in key:
            assert parsed(f"  {key}\t") == key

    @given(st.text(max_size=300))
    def test_any_header_is_a_key_or_refused(self, header: str) -> None:
        try:
            key = parsed(header)
        except InvalidIdempotencyKey:
            return
        assert key is not None
        assert 1 <= len(key) <= 255
        assert all("!" <= character <= "~" for character in key)

    @pytest.mark.parametrize(
        ("header", "key"),
        [
            *(("k" * 255, "k" * 255), (f'"{"k" * 255}"', "k" * 255), ('a"b', 'a"b')),
            *((r"a\b", r"a\b"), ("'single'", "'single'"), (r'"\"\\"', '"\\'), ('","', ",")),
        ],
    )
    def test_a_key_has_up_to_255_visible_characters(self, header: str, key: str) -> None:
        assert parsed(header) == key

    @pytest.mark.parametrize(
        "header",
        [
            *("", '""', "   ", "k" * 256, f'"{"k" * 256}"', "two words", '"two words"'),
            *("schlüssel", '"schlüssel"', "a\x7f", "a\x00b", "a\x0b", "a\nb"),
            *('"', '"open', '"closed" too early', '"with";parameter=1'),
            *(r'"bad \escape"', '"ends in \\"', '"a""b"'),
            *("k,k", "k, k", ",k", "k,", ","),
            *('"k","k"', '"k", "k"', 'k,"k"', '"k",k', '"k",'),
        ],
    )
    def test_any_other_header_is_refused(self, header: str) -> None:
        with pytest.raises(InvalidIdempotencyKey):
            parsed(header)

    def test_a_request_without_the_header_has_no_key(self) -> None:
        assert parse_key(Request(request("POST", "/orders", {}))) is None
        assert scoped_key(None, CUSTOMER_42, "create", CHANGE) is None


class TestScope:
    def test_a_key_belongs_to_one_caller_and_one_operation(self) -> None:
        scopes = {
            key_of(key, caller, operation).record_id
            for caller in (CUSTOMER_42, STAFF)
            for operation in ("create", "update")
            for key in ("k", "l", "create", "update")
        }
        assert len(scopes) == 16

    def test_a_record_is_found_by_the_caller_and_a_digest_that_hides_the_key(self) -> None:
        caller, _, digest = key_of("secret-key").record_id.partition("#")
        assert (caller, len(digest)) == ("cus_42", 64)
        assert "secret-key" not in digest

    def test_the_record_of_an_earlier_release_is_still_found(self) -> None:
        """Records live for a day: what they are made of may not change from one day to the next."""
        order = order_body()
        in_turn = {n: order[n] for n in NewOrderBody.__struct_encode_fields__ if n in order}
        sent = json.dumps(in_turn, separators=(",", ":"))
        assert fingerprint_of() == sha256(f" {sent}"), "a field that was not sent leaves no trace"
        assert key_of(operation="update", about="1") == IdempotencyKey(
            f"cus_42#{sha256('update k')}", sha256('1 {"status":"PAID"}')
        )


class TestFingerprint:
    @pytest.mark.parametrize(
        "change",
        [
            *({name: value} for name, field in ORDER.items() for value in field.sent),
            *({"items": [item_body(**{n: v})]} for n, f in ITEM.items() for v in f.sent),
            *({"amount": 5997}, {"paymentToken": "tok"}, {"customerId": "cus_43"}),
            {"items": [item_body(), item_body()]},
        ],
    )
    def test_another_body_is_another_request(self, change: dict[str, object]) -> None:
        is_other = validated(order_body(**change), NewOrderBody) != validated(
            order_body(), NewOrderBody
        )
        assert (fingerprint_of(**change) != fingerprint_of()) == is_other

    def test_the_same_body_about_another_order_is_another_request(self) -> None:
        assert key_of(about="1").fingerprint != key_of(about="2").fingerprint

    def test_the_order_of_members_does_not_matter(self) -> None:
        assert fingerprint_of(metadata={"a": "1", "b": "2"}) == fingerprint_of(
            metadata={"b": "2", "a": "1"}
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
