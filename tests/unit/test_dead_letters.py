"""What scripts/dead_letters.py does where AWS fails: a message goes only after its event went."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dead_letters import EVENTS, OUTPUTS, STREAM, DeadLetters, Refused, arrival

ORDER_ID = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
EVENT = {"subject": ORDER_ID, "type": "ORDER_CREATED", "data": {"version": 1}}
ASIDE = {"keys": {"pk": f"ORDER#{ORDER_ID}", "sk": "EVENT#0000000001"}}
ROW = {
    "pk": {"S": f"ORDER#{ORDER_ID}"},
    "sk": {"S": "EVENT#0000000001"},
    "type": {"S": "ORDER_CREATED"},
    "orderId": {"S": ORDER_ID},
    "customerId": {"S": "cus_42"},
    "status": {"S": "PENDING"},
    "amount": {"N": "5997"},
    "currency": {"S": "USD"},
    "version": {"N": "1"},
    "recordedAt": {"S": "2026-11-23T04:36:00.123Z"},
}


class Aws:
    """Queues by URL, one event row, and whether the events' queue takes what is sent."""

    def __init__(self, *, takes: bool) -> None:
        self.takes = takes
        self.row = ROW
        self.queues: dict[str, dict[str, str]] = {EVENTS: {}, STREAM: {}}
        self.sent: list[str] = []
        self.released: list[str] = []

    def client(self, _service: str) -> Any:  # noqa: ANN401 - stands for botocore's
        outputs = dict(zip(OUTPUTS.values(), OUTPUTS, strict=True)) | {
            "OrderEventsQueueUrl": "queue",
            "OrdersTableName": "orders_app",
            "OrdersIndexName": "gsi1",
        }
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return SimpleNamespace(
            describe_stacks=lambda **_: {"Stacks": [{"Outputs": listed}]},
            receive_message=self._receive,
            send_message=lambda **call: self._send(call["MessageBody"]),
            send_message_batch=self._send_batch,
            delete_message=lambda **call: self.queues[call["QueueUrl"]].pop(call["ReceiptHandle"]),
            change_message_visibility=lambda **call: self.released.append(call["ReceiptHandle"]),
            get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Items": [self.row]}]),
        )

    def _receive(self, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - as botocore's
        messages = self.queues[call["QueueUrl"]]
        system = {"SentTimestamp": "1795435200000", "ApproximateReceiveCount": "6"}
        return {
            "Messages": [
                {"MessageId": one, "ReceiptHandle": one, "Body": body, "Attributes": system}
                for one, body in messages.items()
            ]
        }

    def _send(self, body: str) -> None:
        if not self.takes:
            raise ClientError({"Error": {"Code": "Throttled", "Message": ""}}, "SendMessage")
        self.sent.append(body)

    def _send_batch(self, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - as botocore's
        for entry in call["Entries"]:
            self._send(entry["MessageBody"])
        return {}


@pytest.mark.parametrize(("queue", "body"), [(EVENTS, EVENT), (STREAM, ASIDE)])
def test_a_message_stays_until_its_event_is_sent(queue: str, body: dict[str, Any]) -> None:
    aws = Aws(takes=False)
    aws.queues[queue]["m-1"] = json.dumps(body)
    letters = DeadLetters("orders-prod", aws.client)

    with pytest.raises(Refused, match="1 message stayed"):
        letters.redrive()
    assert (list(aws.queues[queue]), aws.released) == (["m-1"], ["m-1"])

    aws.takes = True
    letters.redrive()
    assert aws.queues[queue] == {}
    assert [json.loads(one)["subject"] for one in aws.sent] == [ORDER_ID]


def test_a_record_whose_row_still_cannot_be_read_stays() -> None:
    aws = Aws(takes=True)
    aws.queues[STREAM]["m-1"] = json.dumps(ASIDE)
    aws.row = ROW | {"amount": {"S": "a lot"}}

    with pytest.raises(Refused, match="1 message stayed"):
        DeadLetters("orders-prod", aws.client).redrive()

    assert (list(aws.queues[STREAM]), aws.sent) == (["m-1"], [])


@pytest.mark.parametrize("recorded", ["2026-11-23T04:35:10.000Z", "2026-11-23T04:36:03.000Z"])
def test_an_event_of_a_batch_is_found_though_its_write_was_slow_or_its_clock_fast(
    recorded: str,
) -> None:
    arrived = "2026-11-23T04:36:00Z"
    first, last = arrival(
        {"approximateArrivalOfFirstRecord": arrived, "approximateArrivalOfLastRecord": arrived}
    )
    assert first <= f"{recorded}#{ORDER_ID}#0000000001" <= last
