"""What is read about one order, whoever wrote it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, Final

import pytest

from examples import event_of, placed_order
from orderctl.order_facts import dead_letters_of, read_rows
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


class Queue:
    """boto3's client: the queue `events` hands out its messages once, in parts."""

    def __init__(self, *bodies: str) -> None:
        self.messages = [
            {
                "MessageId": str(number),
                "ReceiptHandle": f"r{number}",
                "Body": body,
                "Attributes": {"SentTimestamp": "0", "ApproximateReceiveCount": "2"},
            }
            for number, body in enumerate(bodies)
        ]
        self.given_back: list[str] = []

    def receive_message(self, **parameters: object) -> Json:
        if parameters["QueueUrl"] != "events":
            return {}
        handed, self.messages = self.messages[:3], self.messages[3:]
        return {"Messages": handed} if handed else {}

    def change_message_visibility(self, **parameters: object) -> None:
        assert parameters["VisibilityTimeout"] == 0
        self.given_back.append(str(parameters["ReceiptHandle"]))


def test_only_messages_that_name_the_order_are_told_and_all_are_given_back() -> None:
    other = placed_order().order_id
    queue = Queue(
        "", "[]", "null", "[" * 100_000, '{"keys": 5, "data": []}', json.dumps({"subject": other}),
        json.dumps({"subject": ORDER.order_id, "type": "\x1b[2J", "data": "x"}),
        json.dumps({"keys": {"pk": f"ORDER#{ORDER.order_id}", "sk": "EVENT#0000000001"}}),
    )  # fmt: skip
    stage: Any = SimpleNamespace(
        client=lambda _service: queue,
        outputs={
            "OrderEventsDeadLetterQueueUrl": "events",
            "OrderStreamDeadLetterQueueUrl": "stream",
        },
    )

    letters = dead_letters_of(stage, ORDER.order_id)

    assert sorted(one.about for one in letters) == ["? None", "EVENT#0000000001"]
    assert {one.cause for one in letters} == {"no cause given"}
    assert sorted(queue.given_back) == [f"r{number}" for number in range(8)]
