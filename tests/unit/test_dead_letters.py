"""What scripts/dead_letters.py does where AWS fails, or has what the emulator lacks."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

import dead_letters
from dead_letters import EVENTS, STREAM, DeadLetters, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

ORDER_ID = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
EVENT = json.dumps({"subject": ORDER_ID, "type": "ORDER_PAID", "data": {"version": 2}})
KEYS = {"pk": {"S": f"ORDER#{ORDER_ID}"}, "sk": {"S": "DETAIL"}}
RECORD = {"eventID": "e-1", "dynamodb": {"Keys": KEYS}}
BATCH = {
    "requestContext": {"functionArn": "arn:aws:lambda:r:1:function:orders-prod-record-audit-trail"},
    "DDBStreamBatchInfo": {
        "shardId": "shardId-1",
        "startSequenceNumber": "100",
        "endSequenceNumber": "104",
        "streamArn": "arn:aws:dynamodb:r:1:table/orders_app/stream/x",
    },
}


def fault(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class Aws:
    """The services of one stack: queues by URL, a stream of numbers, and what was invoked."""

    def __init__(self) -> None:
        self.queues: dict[str, dict[str, Json]] = {EVENTS: {}, STREAM: {}, "queue": {}}
        self.ids = itertools.count()
        self.hidden: set[str] = set()
        self.tasks: list[Json | None] = []
        self.started: list[Json] = []
        self.move_faults: list[Exception] = []
        self.send_fault: Callable[[str], Exception | None] = lambda _: None
        self.numbers: list[int] = []
        self.trimmed = False
        self.invoked: list[tuple[str, list[Json]]] = []
        self.result: Callable[[str], Json] = lambda _: {"batchItemFailures": []}
        self.crash = False
        self.lines: list[Json] = []

    def client(self, _service: str) -> Any:  # noqa: ANN401 - stands for botocore's
        return SimpleNamespace(
            describe_stacks=self._describe_stacks,
            receive_message=self._receive,
            change_message_visibility=self._show,
            delete_message=self._delete,
            send_message=self._send,
            get_queue_attributes=self._attributes,
            start_message_move_task=self._start_task,
            list_message_move_tasks=self._list_tasks,
            get_shard_iterator=self._iterator,
            get_records=self._records,
            invoke=self._invoke,
            get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"events": self.lines}]),
        )

    def put(self, queue: str, body: Json | str, **attributes: str) -> str:
        """A message with these attributes, all of them texts; its id."""
        typed = {
            name: {"StringValue": value, "DataType": "String"} for name, value in attributes.items()
        }
        return self._put(queue, body if isinstance(body, str) else json.dumps(body), typed)

    def bodies(self, queue: str) -> list[str]:
        return [message["Body"] for message in self.queues[queue].values()]

    def _put(self, queue: str, body: str, attributes: Json) -> str:
        message_id = f"m-{next(self.ids)}"
        self.queues[queue][message_id] = {
            "MessageId": message_id,
            "ReceiptHandle": message_id,
            "Body": body,
            "Attributes": {"SentTimestamp": "1795435200000", "ApproximateReceiveCount": "6"},
            "MessageAttributes": attributes,
        }
        return message_id

    def _describe_stacks(self, **call: str) -> Json:
        assert call == {"StackName": "orders-prod"}
        urls = {"OrderEventsQueueUrl": "queue"} | {
            output: queue for queue, output in dead_letters.OUTPUTS.items()
        }
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in urls.items()]
        return {"Stacks": [{"Outputs": outputs}]}

    def _attributes(self, **call: Any) -> Json:  # noqa: ANN401 - as botocore's
        queue = call["QueueUrl"]
        known = {
            "QueueArn": f"arn:{queue}",
            "ApproximateNumberOfMessagesNotVisible": str(
                len(self.hidden & self.queues[queue].keys())
            ),
        }
        return {"Attributes": {name: known[name] for name in call["AttributeNames"]}}

    def _receive(self, **call: Any) -> Json:  # noqa: ANN401 - as botocore's
        messages = self.queues[call["QueueUrl"]]
        there = [message for key, message in messages.items() if key not in self.hidden]
        received = there[: call["MaxNumberOfMessages"]]
        self.hidden |= {message["MessageId"] for message in received}
        return {"Messages": received} if received else {}

    def _show(self, **call: Any) -> None:  # noqa: ANN401 - as botocore's
        assert call["VisibilityTimeout"] == 0
        self.hidden.discard(call["ReceiptHandle"])

    def _delete(self, **call: str) -> None:
        del self.queues[call["QueueUrl"]][call["ReceiptHandle"]]

    def _send(self, **call: Any) -> None:  # noqa: ANN401 - as botocore's
        if error := self.send_fault(call["MessageBody"]):
            raise error
        self._put(call["QueueUrl"], call["MessageBody"], call["MessageAttributes"])

    def _start_task(self, **call: str) -> Json:
        self.started.append(call)
        if self.move_faults:
            raise self.move_faults.pop(0)
        return {"TaskHandle": "t"}

    def _list_tasks(self, **_: str) -> Json:
        """The task at this look; None for one that isn't listed."""
        task = self.tasks.pop(0) if self.tasks else None
        return {"Results": [task] if task else []}

    def _iterator(self, **call: str) -> Json:
        if call["ShardIteratorType"] == "TRIM_HORIZON":
            return {"ShardIterator": "0"}
        if self.trimmed:
            raise fault("TrimmedDataAccessException")
        return {"ShardIterator": str(self.numbers.index(int(call["SequenceNumber"])))}

    def _records(self, **call: str) -> Json:
        """Every other page of an open shard is empty."""
        start, _, half = call["ShardIterator"].partition(".")
        if not half:
            return {"Records": [], "NextShardIterator": f"{start}.5"}
        end = int(start) + 2
        records = [
            {"eventID": str(number), "dynamodb": {"SequenceNumber": str(number)}}
            for number in self.numbers[int(start) : end]
        ]
        return {"Records": records, "NextShardIterator": str(end)}

    def _invoke(self, **call: str) -> Json:
        function = call["FunctionName"]
        self.invoked.append((function, json.loads(call["Payload"])["Records"]))
        payload = io.BytesIO(json.dumps(self.result(function)).encode())
        return {"Payload": payload} | ({"FunctionError": "Unhandled"} if self.crash else {})

    def numbers_invoked(self) -> list[int]:
        return [int(record["eventID"]) for _, records in self.invoked for record in records]


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def queues(aws: Aws) -> DeadLetters:
    return DeadLetters("orders-prod", aws.client)


def redrive(queues: DeadLetters) -> None:
    queues.redrive(queues.peek())


class TestLooking:
    def test_empty_queues_are_refused(self, queues: DeadLetters) -> None:
        with pytest.raises(Refused, match="No dead letters"):
            queues.peek()

    @pytest.mark.parametrize("queue", [EVENTS, STREAM])
    def test_queues_whose_messages_another_run_holds_are_not_called_empty(
        self, queues: DeadLetters, aws: Aws, queue: str
    ) -> None:
        for _ in range(2):
            aws.put(queue, EVENT)
        with queues.held(queue), pytest.raises(Refused, match="2 messages held") as refused:
            queues.peek()
        assert "5 minutes" in str(refused.value)
        assert "empty" not in str(refused.value)

    def test_everything_is_seen_and_visible_again(self, queues: DeadLetters, aws: Aws) -> None:
        for _ in range(25):
            aws.put(EVENTS, EVENT)
        assert len(queues.peek()[EVENTS]) == 25
        assert aws.hidden == set()

    def test_the_cause_is_what_the_consumer_logged_last(
        self, queues: DeadLetters, aws: Aws, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for cause in ("PaymentUnavailable", "TryAgain"):
            line = {"message": "event not processed", "order_id": ORDER_ID, "cause": cause}
            aws.lines.append({"message": json.dumps(line)})
        aws.lines.append({"message": "START RequestId"})
        aws.put(EVENTS, EVENT)
        queues.show(queues.peek())
        told = capsys.readouterr().out
        assert f"order {ORDER_ID}, ORDER_PAID, version 2: TryAgain; 6 receives, " in told

    def test_the_cause_that_came_with_the_message_goes_before(
        self, queues: DeadLetters, aws: Aws, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = {"message": "event not processed", "order_id": ORDER_ID, "cause": "TryAgain"}
        aws.lines.append({"message": json.dumps(line)})
        aws.put(EVENTS, EVENT, cause="UnsettledOrder:\n" + "c" * 1000)
        queues.show(queues.peek())
        told = capsys.readouterr().out
        assert f"version 2: UnsettledOrder:\\n{'c' * 240}; 6 receives, " in told

    def test_of_a_foreign_message_nothing_is_shown(
        self, queues: DeadLetters, aws: Aws, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bodies: tuple[Json | str, ...] = (
            "sEcReT",
            "[]",
            {"subject": "sEcReT"},
            {"subject": ORDER_ID, "type": "sEcReT", "data": {"version": "sEcReT"}},
            {"subject": ORDER_ID, "type": ["sEcReT"], "data": "sEcReT"},
        )
        for body in bodies:
            aws.put(EVENTS, body)
        queues.show(queues.peek())
        told = capsys.readouterr().out
        assert told.count("\n  ") == 5
        assert "sEcReT" not in told

    @pytest.mark.parametrize(
        ("pk", "sk", "shown"),
        [
            (f"ORDER#{ORDER_ID}", "DETAIL", f"ORDER#{ORDER_ID} DETAIL"),
            (f"ORDER#{ORDER_ID}", "AUDIT#0000000002", f"ORDER#{ORDER_ID} AUDIT#0000000002"),
            (f"ORDER#{ORDER_ID}", "sEcReT", "?"),
            ("CUSTOMER#sEcReT@x", f"ORDER#{ORDER_ID}", "?"),
            ("IDEMPOTENCY#sEcReT#ab", "RECORD", "?"),
            (["sEcReT"], "DETAIL", "?"),
        ],
    )
    def test_of_a_records_keys_only_an_orders_are_shown(  # noqa: PLR0913 - the fixtures and the case
        self,
        queues: DeadLetters,
        aws: Aws,
        capsys: pytest.CaptureFixture[str],
        pk: object,
        sk: str,
        *,
        shown: str,
    ) -> None:
        keys = {"pk": {"S": pk}, "sk": {"S": sk}, "sEcReT": {"S": "sEcReT"}}
        lies = aws.put(STREAM, {"dynamodb": {"Keys": keys}}, cause="a\nb" + "c" * 1000)
        queues.show(queues.peek())
        told = capsys.readouterr().out
        assert f"stream record '{shown}', message {lies}: 'a\\nbccc" in told
        assert "sEcReT" not in told
        assert max(map(len, told.splitlines())) < 450

    def test_of_a_batch_only_what_has_its_form_is_shown(
        self, queues: DeadLetters, aws: Aws, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sound = {"batchSize": 5, "approximateArrivalOfLastRecord": "2026-11-23T00:13:19Z"}
        context = BATCH["requestContext"] | {"condition": "RetryAttemptsExhausted"}
        good: Json = {
            "requestContext": context,
            "DDBStreamBatchInfo": BATCH["DDBStreamBatchInfo"] | sound,
        }
        lies = aws.put(STREAM, good)
        secret = "sEcReT@x " * 1000
        for value in (secret, [secret], {secret: secret}, "A" * 1000, "7" * 1000, None):
            part: Json = dict.fromkeys(good["DDBStreamBatchInfo"], value)
            asked = {"functionArn": f"function:{value}", "condition": value}
            aws.put(STREAM, {"requestContext": asked, "DDBStreamBatchInfo": part})
        queues.show(queues.peek())
        told = capsys.readouterr().out
        assert (
            "  batch for orders-prod-record-audit-trail, shardId-1 from 100 to 104, 5 records, "
            f"the last of 2026-11-23T00:13:19Z, message {lies}: RetryAttemptsExhausted; "
        ) in told
        assert told.count("  batch for ") == 7
        assert "sEcReT" not in told
        assert max(map(len, told.splitlines())) < 300

    @pytest.mark.parametrize("queue", [EVENTS, STREAM])
    @pytest.mark.parametrize("body", ["[" * 100_000, '{"dynamodb":' * 100_000])
    def test_a_message_nested_too_deep_to_be_read_is_listed_with_the_others(
        self,
        queues: DeadLetters,
        aws: Aws,
        capsys: pytest.CaptureFixture[str],
        body: str,
        queue: str,
    ) -> None:
        aws.put(queue, body)
        aws.put(STREAM, RECORD)
        queues.show(queues.peek())
        told = capsys.readouterr().out
        assert f"{len(body)} characters: no event, no record, no position" in told
        assert "stream record " in told


class TestMovingEvents:
    def test_the_service_moves_them_to_the_queue_that_they_died_in(
        self, queues: DeadLetters, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dead_letters, "TASK_SECONDS", 0)
        aws.put(EVENTS, EVENT)
        aws.tasks = [
            {"Status": "RUNNING"},
            {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 1},
        ]
        redrive(queues)
        assert aws.started == [{"SourceArn": f"arn:{EVENTS}", "DestinationArn": "arn:queue"}]
        assert aws.tasks == []
        assert aws.bodies("queue") == []

    def test_a_task_that_fails_is_told(
        self, queues: DeadLetters, aws: Aws, capsys: pytest.CaptureFixture[str]
    ) -> None:
        aws.put(EVENTS, EVENT)
        aws.tasks = [
            {
                "Status": "FAILED",
                "FailureReason": "CouldNotDetermineMessageSource",
                "ApproximateNumberOfMessagesToMove": 3,
                "ApproximateNumberOfMessagesMoved": 1,
            }
        ]
        with pytest.raises(Refused, match="2 messages stayed"):
            redrive(queues)
        assert "CouldNotDetermineMessageSource" in capsys.readouterr().out

    def test_any_other_refusal_of_the_task_is_no_reason_to_send_one_by_one(
        self, queues: DeadLetters, aws: Aws, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """And none to leave the other queue alone."""
        aws.put(EVENTS, EVENT)
        aws.put(STREAM, RECORD)
        aws.move_faults = [fault("AccessDenied")]
        with pytest.raises(Refused, match="1 message stayed"):
            redrive(queues)
        assert aws.bodies(EVENTS) == [EVENT]
        assert "not moved: AccessDenied" in capsys.readouterr().out
        assert aws.bodies(STREAM) == []

    @pytest.mark.parametrize("code", sorted(dead_letters.RUNS_ALREADY))
    def test_a_move_that_runs_already_is_waited_for(
        self, queues: DeadLetters, aws: Aws, monkeypatch: pytest.MonkeyPatch, code: str
    ) -> None:
        monkeypatch.setattr(dead_letters, "TASK_SECONDS", 0)
        aws.put(EVENTS, EVENT)
        aws.put(STREAM, RECORD)
        aws.move_faults = [fault(code)]
        running, completed = {"Status": "RUNNING"}, {"Status": "COMPLETED"}
        aws.tasks = [running, running, completed, running, completed]
        redrive(queues)
        assert len(aws.started) == 2
        assert aws.tasks == []
        assert aws.bodies(STREAM) == []

    def test_a_move_that_never_can_be_does_not_wait_for_ever(
        self, queues: DeadLetters, aws: Aws
    ) -> None:
        aws.put(EVENTS, EVENT)
        aws.move_faults = [fault("UnsupportedOperation")] * 2
        aws.tasks = [{"Status": "COMPLETED"}]
        with pytest.raises(Refused, match="1 message stayed"):
            redrive(queues)

    @pytest.mark.parametrize("is_listed_later", [True, False])
    def test_a_move_that_is_not_listed_yet_is_looked_for_again(
        self,
        queues: DeadLetters,
        aws: Aws,
        monkeypatch: pytest.MonkeyPatch,
        *,
        is_listed_later: bool,
    ) -> None:
        monkeypatch.setattr(dead_letters, "TASK_SECONDS", 0)
        aws.put(EVENTS, EVENT)
        aws.tasks = [None, {"Status": "COMPLETED"} if is_listed_later else None]
        outcome = contextlib.nullcontext() if is_listed_later else pytest.raises(Refused)
        with outcome:
            redrive(queues)

    def test_without_tasks_each_is_deleted_only_after_it_was_sent(
        self, queues: DeadLetters, aws: Aws
    ) -> None:
        aws.move_faults = [fault("InvalidAction")]
        aws.put(EVENTS, EVENT, type="ORDER_PAID")
        stays = aws.put(EVENTS, "refused")
        aws.send_fault = lambda body: fault("Throttled") if body == "refused" else None
        with pytest.raises(Refused, match="1 message stayed"):
            redrive(queues)
        assert aws.bodies(EVENTS) == ["refused"]
        assert stays not in aws.hidden
        (sent,) = aws.queues["queue"].values()
        assert sent["Body"] == EVENT
        assert sent["MessageAttributes"]["type"]["StringValue"] == "ORDER_PAID"


class TestHandingOver:
    def test_a_record_set_aside_twice_goes_once_to_each_reader(
        self, queues: DeadLetters, aws: Aws
    ) -> None:
        for cause in ("one", "other"):
            aws.put(STREAM, RECORD, cause=cause)
        redrive(queues)
        assert aws.invoked == [
            ("orders-prod-publish-order-events", [RECORD]),
            ("orders-prod-record-audit-trail", [RECORD]),
        ]
        assert aws.bodies(STREAM) == []

    @pytest.mark.parametrize(
        "failure", [{"batchItemFailures": [{"itemIdentifier": "1"}]}, {"errorMessage": "x"}]
    )
    def test_what_one_reader_does_not_take_stays(
        self, queues: DeadLetters, aws: Aws, failure: Json
    ) -> None:
        aws.crash = "errorMessage" in failure
        aws.result = lambda name: failure if name.endswith("audit-trail") else {}
        aws.put(STREAM, RECORD)
        with pytest.raises(Refused, match="1 message stayed"):
            redrive(queues)
        assert len(aws.bodies(STREAM)) == 1
        assert aws.hidden == set()

    def test_a_record_that_a_reader_sets_aside_anew_is_told(
        self, queues: DeadLetters, aws: Aws
    ) -> None:
        def set_aside(_: str) -> Json:
            aws.put(STREAM, RECORD)
            return {"batchItemFailures": []}

        aws.result = set_aside
        old = aws.put(STREAM, RECORD)
        with pytest.raises(Refused, match="2 messages stayed or came back"):
            redrive(queues)
        assert len(aws.bodies(STREAM)) == 2
        assert old not in aws.queues[STREAM]

    def test_records_of_two_orders_are_two_whatever_they_call_themselves(
        self, queues: DeadLetters, aws: Aws
    ) -> None:
        other = RECORD | {"dynamodb": {"Keys": {"pk": {"S": "ORDER#2"}, "sk": {"S": "DETAIL"}}}}
        for record in (RECORD, other):
            aws.put(STREAM, record)
        redrive(queues)
        assert sorted(
            (function, record["dynamodb"]["Keys"]["pk"]["S"])
            for function, records in aws.invoked
            for record in records
        ) == [
            (f"orders-prod-{reader}", order)
            for reader in ("publish-order-events", "record-audit-trail")
            for order in (f"ORDER#{ORDER_ID}", "ORDER#2")
        ]
        assert aws.bodies(STREAM) == []

    def test_a_record_without_an_id_that_stays_unreadable_does_not_multiply(
        self, queues: DeadLetters, aws: Aws
    ) -> None:
        record = {"dynamodb": RECORD["dynamodb"]}

        def set_aside(_: str) -> Json:
            aws.put(STREAM, record)
            return {"batchItemFailures": []}

        aws.result = set_aside
        for _ in range(2):
            aws.put(STREAM, record)
        for _ in range(2):
            with pytest.raises(Refused, match="2 messages stayed or came back"):
                redrive(queues)
        assert len(aws.bodies(STREAM)) == 2

    @pytest.mark.parametrize("depth", [100_000, *range(900, 1000, 4)])
    def test_a_message_nested_as_deep_as_can_be_keeps_no_other_from_the_readers(
        self, queues: DeadLetters, aws: Aws, depth: int
    ) -> None:
        deep = json.dumps(RECORD)[:-1] + f', "deep": {"[" * depth}{"]" * depth}}}'
        aws.put(STREAM, deep)
        aws.put(STREAM, RECORD)
        with contextlib.suppress(Refused):
            redrive(queues)
        assert ("orders-prod-record-audit-trail", [RECORD]) in aws.invoked
        assert set(aws.bodies(STREAM)) <= {deep}

    def test_a_batch_is_read_from_its_first_to_its_last_number_over_pages(
        self, queues: DeadLetters, aws: Aws
    ) -> None:
        aws.numbers = list(range(98, 110))
        aws.put(STREAM, BATCH)
        redrive(queues)
        assert {name for name, _ in aws.invoked} == {"orders-prod-record-audit-trail"}
        assert aws.numbers_invoked() == [100, 101, 102, 103, 104]
        assert aws.bodies(STREAM) == []

    @pytest.mark.parametrize(
        ("numbers", "read"),
        [([102, 103, 104, 105], [102, 103, 104]), ([98, 103, 106], [103]), ([105], []), ([], [])],
    )
    def test_of_a_trimmed_batch_what_is_left_is_handed_over_and_the_message_stays(
        self, queues: DeadLetters, aws: Aws, numbers: list[int], read: list[int]
    ) -> None:
        aws.trimmed, aws.numbers = True, numbers
        aws.put(STREAM, BATCH)
        with pytest.raises(Refused, match="1 message stayed"):
            redrive(queues)
        assert aws.numbers_invoked() == read
        assert len(aws.bodies(STREAM)) == 1

    def test_a_batch_whose_last_number_never_comes_does_not_wait_for_ever(
        self, queues: DeadLetters, aws: Aws
    ) -> None:
        aws.numbers = [100, 101]
        aws.put(STREAM, BATCH)
        with pytest.raises(Refused):
            redrive(queues)
        assert aws.numbers_invoked() == [100, 101]

    def test_large_batches_are_handed_over_in_parts_that_lambda_takes(
        self, queues: DeadLetters, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dead_letters, "BATCH_RECORDS", 2)
        aws.numbers = list(range(100, 105))
        aws.put(STREAM, BATCH)
        redrive(queues)
        assert [len(records) for _, records in aws.invoked] == [2, 2, 1]
        monkeypatch.setattr(dead_letters, "BATCH_BYTES", 1)
        assert [len(part) for part in dead_letters.batches([{}, {}, {}])] == [1, 1, 1]


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)],
)
def test_only_a_yes_is_a_yes(monkeypatch: pytest.MonkeyPatch, answer: str, *, agreed: bool) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert dead_letters.confirmed("Really?") is agreed
