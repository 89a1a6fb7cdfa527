"""What is read about one order, whoever wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest
from botocore.exceptions import ClientError

from examples import event_of, placed_order
from orderctl.order_facts import gather_facts, read_rows
from orders.adapters.dynamodb import keys, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderctl.order_facts import Facts

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


class FailingStage:
    """Of which the table responds alone."""

    def __init__(self, *found: Json) -> None:
        self.found = found
        self.table = self

    def query(self, *_: object, **__: object) -> Sequence[Json]:
        return self.found

    def __getattr__(self, name: str) -> NoReturn:
        response: Any = {"Error": {"Code": "AccessDenied", "Message": name}}
        raise ClientError(response, "Any")


def facts(*found: Json) -> Facts | None:
    stage: Any = FailingStage(*found)
    return gather_facts(stage, ORDER.order_id)


def test_the_order_is_told_although_all_else_can_not_be_read() -> None:
    told = facts(DETAIL, EVENT)

    assert told is not None
    assert (told.rows.order, told.rows.events) == (ORDER, [event_of(ORDER)])
    assert told.unread.keys() == {"dead letters", "log", "triggers"}
    assert all("You lack a right" in why for why in told.unread.values())
    assert not told.log.is_complete


def test_an_order_is_not_called_unknown_while_dead_letters_can_not_be_read() -> None:
    with pytest.raises(ClientError):
        facts()
