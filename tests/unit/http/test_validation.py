"""Where msgspec's message becomes a pointer and a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.http.bodies import NewOrderBody, StatusChangeBody
from orders.http.problems import ValidationFailed
from orders.http.validation import field_error, validated


@pytest.mark.parametrize(
    ("message", "pointer", "detail"),
    [
        ("Expected `int`, got `str` - at `$.items[3].quantity`", "/items/3/quantity", None),
        ("Expected `object`, got `array`", "", "Expected object, got array."),
        ("Expected `str` - at `$.metadata[...]`", "/metadata", "Expected str."),
        ("Expected `str` - at `key` in `$.metadata`", "/metadata", "Expected str."),
        ("Object contains unknown field `x` - at `$.items[0]`", "/items/0/x", "Unknown field."),
        ("Object contains unknown field `a/b~c`", "/a~1b~0c", "Unknown field."),
        ("Object missing required field `status`", "/status", "This field is required."),
    ],
)
def test_a_message_becomes_a_pointer_and_a_sentence(
    message: str, pointer: str, detail: str | None
) -> None:
    error = field_error(message)
    assert error.pointer == pointer
    assert detail in {None, error.detail}


def test_a_pattern_is_shown_as_the_document_has_it() -> None:
    with pytest.raises(ValidationFailed) as refused:
        validated({"customerId": "cus_42", "currency": "usd", "items": []}, NewOrderBody)
    assert refused.value.error.detail == "Expected str matching regex '^[A-Z]{3}$'."


def test_the_name_of_an_unknown_field_is_cut_to_100_characters() -> None:
    with pytest.raises(ValidationFailed) as refused:
        validated({"x" * 10_000: 1}, StatusChangeBody)
    assert refused.value.error.pointer == "/" + "x" * 100


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_no_arbitrary_json_is_a_valid_body(value: object) -> None:
    for kind in (NewOrderBody, StatusChangeBody):
        with pytest.raises(ValidationFailed):
            validated(value, kind)


@given(st.text())
def test_every_unknown_field_is_pointed_at(name: str) -> None:
    known = {"status", "reason"}
    with pytest.raises(ValidationFailed) as refused:
        validated({"status": "PAID", "reason": 1, name: None}, StatusChangeBody)
    if name not in known:
        escaped = name[:100].replace("~", "~0").replace("/", "~1")
        assert refused.value.error.pointer in {f"/{escaped}", "/reason"}
