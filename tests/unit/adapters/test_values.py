from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.adapters.dynamodb.values import from_typed, to_typed
from orders.domain.status import OrderStatus

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers(-(10**38), 10**38) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20
)


@given(st.dictionaries(texts, values))
def test_a_row_returns_from_dynamodbs_json_as_it_was(row: dict[str, Any]) -> None:
    sent = msgspec.json.decode(msgspec.json.encode(to_typed(row)))
    found = from_typed(sent)
    assert found == row
    # 1 == True, which equality lets pass.
    assert repr(found) == repr(row)


def test_values_have_dynamodbs_types() -> None:
    row = {"s": "", "n": -7, "yes": True, "nothing": None, "list": ["x", 1], "map": {"n": 0}}
    assert to_typed(row) == {
        "s": {"S": ""},
        "n": {"N": "-7"},
        "yes": {"BOOL": True},
        "nothing": {"NULL": True},
        "list": {"L": [{"S": "x"}, {"N": "1"}]},
        "map": {"M": {"n": {"N": "0"}}},
    }


def test_a_member_of_a_str_enum_is_its_value() -> None:
    typed = to_typed({"status": OrderStatus.PAID})
    assert msgspec.json.encode(typed) == b'{"status":{"S":"PAID"}}'


@pytest.mark.parametrize("value", [1.0, Decimal(1), b"x", {"x"}, ("x",), object()])
def test_a_type_that_no_row_has_is_refused(value: object) -> None:
    for row in ({"a": value}, {"a": [value]}, {"a": {"b": value}}):
        with pytest.raises(TypeError, match=type(value).__name__):
            to_typed(row)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"N": "1.5"}, 1.5),
        ({"N": "1E+3"}, 1000.0),
        ({"N": "-0"}, 0),
        ({"B": "eA=="}, ("B", "eA==")),
        ({"SS": ["x"]}, ("SS", ["x"])),
        ({"NS": ["1"]}, ("NS", ["1"])),
        ({"BS": ["eA=="]}, ("BS", ["eA=="])),
    ],
)
def test_what_others_may_have_written_is_read_too(typed: dict[str, Any], value: object) -> None:
    """As something that equals no value of ours, so that the row's reader can refuse it."""
    for row, expected in (
        ({"a": typed}, {"a": value}),
        ({"a": {"L": [typed]}}, {"a": [value]}),
        ({"a": {"M": {"b": typed}}}, {"a": {"b": value}}),
    ):
        found = from_typed(row)
        assert found == expected
