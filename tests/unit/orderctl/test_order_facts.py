"""What is read about one order, whoever wrote it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from examples import event_of, placed_order
from orderctl.order_facts import read_rows
from orders.adapters.dynamodb import keys, rows

Json = dict[str, Any]

ORDER: Final = placed_order(payment_token="tok_secret")
DETAIL: Final = rows.detail_row(ORDER)
EVENT: Final = rows.event_row(event_of(ORDER))
CHARGE: Final = keys.charge(ORDER.order_id) | {"state": "CHARGED", "chargeId": "ch_1"}
RESERVATION: Final = keys.reservation(ORDER.order_id) | {"state": "RESERVED"}


def test_rows_of_every_kind_are_read() -> None:
    found = read_rows([CHARGE, DETAIL, EVENT, RESERVATION])

    assert found.order == ORDER
    assert found.events == [event_of(ORDER)]
    assert found.charge is not None
    assert (found.charge.state, found.charge.charge_id) == ("CHARGED", "ch_1")
    assert found.reservation == "RESERVED"
    assert found.unreadable == []


@pytest.mark.parametrize(
    "damaged",
    [
        DETAIL | {"metadata": "none"},
        DETAIL | {"items": ["a"]},
        DETAIL | {"status": 5},
        DETAIL | {"schemaVersion": rows.SCHEMA_VERSION + 1},
        EVENT | {"version": 7},
        CHARGE | {"state": 5},
        keys.reservation(ORDER.order_id),
    ],
)
def test_a_damaged_row_is_named_without_its_values(damaged: Json) -> None:
    intact = [one for one in (DETAIL, EVENT) if one["sk"] != damaged["sk"]]

    found = read_rows([*intact, damaged])

    (unreadable,) = found.unreadable
    assert unreadable.sort_key == damaged["sk"]
    assert unreadable.attributes == sorted(damaged)
    assert "tok_secret" not in str(unreadable)
    assert bool(found.order) is (DETAIL in intact)
