"""What scripts/dead_letters.py does where AWS fails: a message goes only after its event went."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dead_letters import EVENTS, OUTPUTS, STREAM, DeadLetters, Refused

ORDER_ID = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
EVENT = {"subject": ORDER_ID, "type": "ORDER_CREATED", "data": {"version": 1}}
ASIDE = {"keys": {"pk": f"ORDER#{ORDER_ID}", "sk": "EVENT#0000000001"}}
BATCH = {
    "DDBStreamBatchInfo": {
        "approximateArrivalOfFirstRecord": "2026-11-23T04:36:00Z",
        "approximateArrivalOfLastRecord": "2026-11-23T04:36:01Z",
    }
}
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
    """Queues by URL, event rows, and whether the events' queue takes what is sent."""

    def __init__(self, *, takes: bool) -> None:
        self.takes = takes
        self.rows = [ROW]
        self.queries: list[dict[str, Any]] = []
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
            get_paginator=lambda _: SimpleNamespace(paginate=self._query),
        )

    def _query(self, **call: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as botocore's
        """The first query finds all rows."""
        self.queries.append(call)
        return [{"Items": self.rows if len(self.queries) == 1 else []}]

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
    aws.queries.clear()
    letters.redrive()
    assert aws.queues[queue] == {}
    assert [json.loads(one)["subject"] for one in aws.sent] == [ORDER_ID]


@pytest.mark.parametrize("body", [ASIDE, BATCH], ids=["record", "batch"])
def test_a_row_that_still_cannot_be_read_keeps_its_message_and_holds_up_no_other_event(
    body: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    aws = Aws(takes=True)
    aws.queues[STREAM]["m-1"] = json.dumps(body)
    aws.rows = [ROW | {"amount": {"S": "a lot"}}, ROW]

    with pytest.raises(Refused, match="1 message stayed"):
        DeadLetters("orders-prod", aws.client).redrive()

    assert list(aws.queues[STREAM]) == ["m-1"]
    assert [json.loads(one)["subject"] for one in aws.sent] == [ORDER_ID]
    assert f"order event ORDER#{ORDER_ID} EVENT#0000000001 can't be read" in capsys.readouterr().out


def test_an_event_that_the_queue_never_takes_holds_up_no_other() -> None:
    aws = Aws(takes=True)
    aws.queues[STREAM]["m-1"] = json.dumps(BATCH)
    aws.rows = [ROW | {"reason": {"S": "x" * 5000}}, *[ROW] * 10]

    with pytest.raises(Refused, match="1 message stayed"):
        DeadLetters("orders-prod", aws.client).redrive()

    assert (list(aws.queues[STREAM]), len(aws.sent)) == (["m-1"], 10)


def test_the_events_of_a_batch_are_those_of_a_minute_around_it() -> None:
    """For a write takes a while, and clocks differ."""
    aws = Aws(takes=True)
    aws.queues[STREAM]["m-1"] = json.dumps(BATCH)

    DeadLetters("orders-prod", aws.client).redrive()

    bounds = [query["ExpressionAttributeValues"] for query in aws.queries]
    assert {(one[":first"]["S"], one[":last"]["S"]) for one in bounds} == {
        ("2026-11-23T04:35:00.000Z", "2026-11-23T04:37:01.000Z")
    }
    assert aws.queues[STREAM] == {}
