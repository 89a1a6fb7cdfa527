"""`orderctl dead-letters` where AWS fails, others interfere, or there is much: nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError

from orderctl.__main__ import run
from orderctl.commands import dead_letters
from orderctl.stage import Stage
from orders.domain.order_id import make_order_id
from orders.domain.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from boto3 import Session

    Json = dict[str, Any]

ORDER_ID: Final = make_order_id(datetime(2026, 11, 23, tzinfo=UTC), b"abc")
ROW: Final = {
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
ASIDE: Final = {"keys": {"pk": f"ORDER#{ORDER_ID}", "sk": "EVENT#0000000001"}}
BATCH: Final = {
    "DDBStreamBatchInfo": {
        "approximateArrivalOfFirstRecord": "2026-11-23T04:36:00Z",
        "approximateArrivalOfLastRecord": "2026-11-23T04:36:01Z",
    }
}
EVENTS, DIED, UNPUBLISHED = "order-events-queue-dev", "order-events-dlq-dev", "order-stream-dlq-dev"
MINE: Final = "my-dlq-dev"


def copy_of(number: int, **members: object) -> Json:
    """An event whose row is not there."""
    order_id = f"01978c5e-7a1b-7c3e-9f00-{number:012d}"
    return {"id": f"{order_id}/1", "subject": order_id, "type": "ORDER_CREATED"} | members


def arn(queue: str) -> str:
    return f"arn:aws:sqs:eu-central-1:000000000000:{queue}"


def name(url: str) -> str:
    return url.rpartition("/")[2]


class Aws:
    """Stands for boto3's session and all of its clients."""

    def __init__(self) -> None:
        self.sources = {EVENTS: DIED}
        """The dead-letter queue of each queue that has one."""
        self.failures = [UNPUBLISHED]
        self.messages: dict[str, dict[str, Json]] = {
            queue: {} for queue in (EVENTS, DIED, UNPUBLISHED, MINE)
        }
        self.hidden: set[str] = set()
        self.rows = [ROW]
        self.queries: list[Json] = []
        self.sent: list[str] = []
        self.topic: dict[str, str] = {}
        """The output of the stack, if it has the topic."""
        self.published: list[str] = []
        self.records: list[Json] = []
        self.takes: Callable[[str], object] = lambda _: None
        """Is called with each body that is sent."""
        self.forgets_hidden_after = 10**9
        """Receives, after which messages can be seen again that nobody gave back."""
        self._puts = self._receives = 0

    def put(self, queue: str, body: Json | str) -> str:
        self._puts += 1
        message_id = f"m-{self._puts}"
        system = {"SentTimestamp": str(self._puts), "ApproximateReceiveCount": "6"}
        self.messages[queue][message_id] = {
            "MessageId": message_id,
            "Body": body if isinstance(body, str) else json.dumps(body),
            "Attributes": system,
            "MessageAttributes": {"cause": {"StringValue": "TryAgain", "DataType": "String"}},
        }
        return message_id

    def visible(self, queue: str) -> list[str]:
        return [one for one in self.messages[queue] if one not in self.hidden]

    def client(self, _service: str, **_: object) -> Aws:
        return self

    def describe_stacks(self, **_: object) -> Json:
        outputs = {
            "OrderEventsQueueUrl": f"https://sqs/{EVENTS}",
            "OrderStreamDeadLetterQueueUrl": f"https://sqs/{UNPUBLISHED}",
            "OrdersTableName": "orders_app",
            "OrdersIndexName": "gsi1",
            "OperationsLogGroupName": "operations",
            **self.topic,
        }
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return {"Stacks": [{"StackName": "orders-dev", "Outputs": listed}]}

    def get_paginator(self, operation: str) -> Aws:
        assert operation in {"list_stack_resources", "list_event_source_mappings"}
        return self

    def paginate(self, **_: object) -> list[Json]:
        resources = [
            {"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": f"https://sqs/{queue}"}
            for queue in self.messages
        ]
        resources += [
            {"ResourceType": "AWS::Lambda::EventSourceMapping", "PhysicalResourceId": one}
            for one in [*self.failures, "other"]
        ]
        triggers = [
            {
                "UUID": queue,
                "FunctionArn": "arn:aws:lambda:eu-central-1:0:function:orders-dev-any",
                "DestinationConfig": {"OnFailure": {"Destination": arn(queue)}},
            }
            for queue in self.failures
        ]
        function = "arn:aws:lambda:eu-central-1:0:function:orders-dev-other"
        other = {"UUID": "other", "FunctionArn": function}
        return [{"StackResourceSummaries": resources, "EventSourceMappings": [*triggers, other]}]

    def get_queue_attributes(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        queue = name(call["QueueUrl"])
        hidden = sum(one in self.hidden for one in self.messages[queue])
        attributes = {
            "QueueArn": arn(queue),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
        if queue in self.sources:
            policy = {"deadLetterTargetArn": arn(self.sources[queue]), "maxReceiveCount": 3}
            attributes["RedrivePolicy"] = json.dumps(policy)
        return {"Attributes": attributes}

    def receive_message(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        self._receives += 1
        if self._receives % self.forgets_hidden_after == 0:
            self.hidden.clear()
        queue = name(call["QueueUrl"])
        received = self.visible(queue)[: call["MaxNumberOfMessages"]]
        self.hidden |= {*received}
        return {
            "Messages": [self.messages[queue][one] | {"ReceiptHandle": one} for one in received]
        }

    def change_message_visibility_batch(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        assert len(call["Entries"]) <= 10
        self.hidden -= {one["ReceiptHandle"] for one in call["Entries"]}
        return {}

    def delete_message(self, **call: Any) -> None:  # noqa: ANN401 - as boto3's
        del self.messages[name(call["QueueUrl"])][call["ReceiptHandle"]]

    def send_message(self, **call: Any) -> None:  # noqa: ANN401 - as boto3's
        assert name(call["QueueUrl"]) == EVENTS
        assert "cause" not in call["MessageAttributes"]
        self._take(call["MessageBody"])

    def send_message_batch(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        assert name(call["QueueUrl"]) == EVENTS
        for entry in call["Entries"]:
            self._take(entry["MessageBody"])
        return {}

    def publish_batch(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        for entry in call["PublishBatchRequestEntries"]:
            self.published.append(json.loads(entry["Message"])["subject"])
        return {}

    def _take(self, body: str) -> None:
        self.takes(body)
        self.sent.append(json.loads(body)["subject"])

    def get_item(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        call["Key"]["sk"]["S"].encode()  # as it is sent
        found = [row for row in self.rows if call["Key"].items() <= row.items()]
        return {"Item": found[0]} if found else {}

    def query(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        """The first query finds all rows."""
        self.queries.append(call)
        return {"Items": self.rows if len(self.queries) == 1 else []}

    def create_log_stream(self, **_: object) -> None:
        pass

    def put_log_events(self, **call: Any) -> Json:  # noqa: ANN401 - as boto3's
        self.records.append(json.loads(call["logEvents"][0]["message"]))
        return {}

    def get_caller_identity(self) -> Json:
        return {"Arn": "arn:aws:iam::000000000000:user/operator"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    session: Session = aws
    monkeypatch.setattr(dead_letters, "find_stage", lambda _: Stage("dev", session))
    return aws


def fault(code: str) -> ClientError:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(response, "SendMessage")  # type: ignore[arg-type]  # what is read of it


def refuse_never(aws: Aws) -> Counter[str]:
    """Have the queue refuse events of the type `never`; returns how often each one was tried."""
    tried: Counter[str] = Counter()

    def take(body: str) -> None:
        event = json.loads(body)
        tried[event["subject"]] += 1
        if event["type"] == "never":
            raise fault("InvalidParameterValue")

    aws.takes = take
    return tried


def redrive(*arguments: str) -> int:
    return run(["dead-letters", "redrive", "--yes", *arguments])


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    run(["dead-letters", "list", "--json", *arguments])
    return [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("queue", "body"), [(DIED, copy_of(1, subject=ORDER_ID)), (UNPUBLISHED, ASIDE)]
)
def test_a_message_stays_until_its_event_is_sent(aws: Aws, queue: str, body: Json) -> None:
    def throttled(_body: str) -> None:
        raise fault("RequestThrottled")

    message = aws.put(queue, body)
    aws.takes = throttled
    assert redrive() == 1
    assert (aws.visible(queue), aws.sent) == ([message], [])
    assert aws.records[-1]["state"] == "failed"

    aws.takes = lambda _: None
    assert redrive() == 0
    assert (aws.messages[queue], aws.sent) == ({}, [ORDER_ID])


def test_a_message_that_the_queue_never_takes_holds_up_no_other(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses_bells(body: str) -> None:
        if "\x07" in json.loads(body)["type"]:
            raise fault("InvalidMessageContents")

    stays = aws.put(DIED, copy_of(1, type="\x07"))
    for number in range(20):
        aws.put(DIED, copy_of(number))
    aws.takes = refuses_bells

    assert redrive() == 1

    assert (aws.visible(DIED), len(aws.sent)) == ([stays], 20)
    assert "order-events-queue-dev refuses it: InvalidMessageContents" in capsys.readouterr().out


@pytest.mark.parametrize("body", [ASIDE, BATCH], ids=["record", "batch"])
def test_an_unreadable_row_keeps_its_message_and_holds_up_no_other(
    aws: Aws, capsys: pytest.CaptureFixture[str], body: Json
) -> None:
    later = ROW | {"sk": {"S": "EVENT#0000000002"}, "version": {"N": "2"}}
    stays = aws.put(UNPUBLISHED, body)
    aws.put(UNPUBLISHED, {"keys": ASIDE["keys"] | {"sk": "EVENT#0000000002"}})
    aws.rows = [ROW | {"amount": {"S": "a lot"}}, later]

    assert redrive() == 1

    assert aws.visible(UNPUBLISHED) == [stays]
    assert set(aws.sent) == {ORDER_ID}
    assert f"order event ORDER#{ORDER_ID} EVENT#0000000001 can't be read" in capsys.readouterr().out


def test_an_event_that_is_too_large_keeps_its_batch_and_holds_up_no_other(aws: Aws) -> None:
    stays = aws.put(UNPUBLISHED, BATCH)
    aws.rows = [ROW | {"reason": {"S": "x" * 5000}}, *[ROW] * 10]

    assert redrive() == 1
    assert (aws.visible(UNPUBLISHED), len(aws.sent)) == ([stays], 10)


def test_the_events_of_a_batch_are_those_of_a_minute_around_it(aws: Aws) -> None:
    """For a write takes a while, and clocks differ."""
    aws.put(UNPUBLISHED, BATCH)

    assert redrive() == 0

    bounds = [query["ExpressionAttributeValues"] for query in aws.queries]
    assert {(one[":first"]["S"], one[":last"]["S"]) for one in bounds} == {
        ("2026-11-23T04:35:00.000Z", "2026-11-23T04:37:01.000Z")
    }
    assert {query["IndexName"] for query in aws.queries} == {"gsi1"}
    assert aws.messages[UNPUBLISHED] == {}


def test_a_record_of_the_stream_is_sent_alone(aws: Aws) -> None:
    later = ROW | {"sk": {"S": "EVENT#0000000002"}, "version": {"N": "2"}}
    aws.rows = [ROW, later]
    aws.put(UNPUBLISHED, ASIDE)

    assert redrive() == 0
    assert aws.sent == [ORDER_ID]


def test_a_queue_is_emptied_however_many_are_in_it_and_whatever_stays(aws: Aws) -> None:
    stay = [aws.put(DIED, copy_of(number, type="never")) for number in range(30)]
    for number in range(30, 2500):
        aws.put(DIED, copy_of(number))
    tried = refuse_never(aws)

    assert redrive() == 1

    assert aws.visible(DIED) == stay
    assert set(tried.values()) == {1}
    counts = {"sent": 2470, "deleted": 2470, "stayed": 30}
    assert counts.items() <= aws.records[-1].items()


def test_messages_that_are_held_for_too_long_are_not_tried_again(aws: Aws) -> None:
    """In a run of more than five minutes, those that stay come again, and others are still new."""
    stay = [aws.put(DIED, copy_of(number, type="never")) for number in range(40)]
    for number in range(40, 90):
        aws.put(DIED, copy_of(number))
    tried = refuse_never(aws)
    aws.forgets_hidden_after = 15

    assert redrive() == 1

    assert aws.visible(DIED) == stay
    assert (len(tried), set(tried.values())) == (90, {1})


def test_a_run_ends_although_what_stays_comes_again_at_once(aws: Aws) -> None:
    tried = [aws.put(UNPUBLISHED, "no event") for _ in range(25)]
    aws.forgets_hidden_after = 1

    assert redrive() == 1
    assert list(aws.messages[UNPUBLISHED]) == tried


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"keys": ASIDE["keys"] | {"sk": "EVENT#0000000009"}}, "the table has no event of it"),
        ({"keys": ASIDE["keys"] | {"sk": "DETAIL"}}, "it names neither an event nor a batch"),
        ("{", "it names neither an event nor a batch"),
        ({"DDBStreamBatchInfo": {"shardId": "1"}}, "it doesn't say when its records arrived"),
    ],
)
def test_what_names_no_event_stays_and_says_why(
    aws: Aws, capsys: pytest.CaptureFixture[str], body: Json | str, why: str
) -> None:
    message = aws.put(UNPUBLISHED, body)
    aws.put(UNPUBLISHED, ASIDE)

    assert redrive("--json") == 1

    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["why"] for one in results if one["message"] == message] == [why]
    assert (aws.visible(UNPUBLISHED), aws.sent) == ([message], [ORDER_ID])


def test_what_is_sent_in_vain_and_comes_back_is_not_sent_again(aws: Aws) -> None:
    def comes_back(body: str) -> None:
        aws.put(DIED, json.loads(body))

    for number in range(12):
        aws.put(DIED, copy_of(number))
    aws.takes = comes_back

    assert redrive() == 0
    assert (len(aws.sent), len(aws.visible(DIED))) == (12, 12)


def test_what_another_run_holds_is_no_reason_to_say_that_there_is_nothing(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.hidden.add(aws.put(DIED, copy_of(1)))

    for command in (["list"], ["redrive", "--yes"], ["delete", "--all", "--yes"]):
        assert run(["dead-letters", *command]) == 1
        assert "1 message held by another run" in capsys.readouterr().err

    aws.hidden.clear()
    aws.messages.clear()
    aws.messages.update({EVENTS: {}, DIED: {}})
    assert run(["dead-letters", "list"]) == 3
    assert aws.records == []


def test_messages_that_another_run_takes_meanwhile_are_told(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    def taken_by_another(_body: str) -> None:
        aws.hidden |= aws.messages[DIED].keys()

    for number in range(25):
        aws.put(DIED, copy_of(number))
    aws.takes = taken_by_another

    assert redrive() == 1
    assert len(aws.sent) == 10
    assert "another run holds, or has taken, 15 of them" in capsys.readouterr().err


def test_an_interrupted_run_gives_everything_back_and_says_how_far_it_got(aws: Aws) -> None:
    def interrupted(_body: str) -> None:
        if len(aws.sent) == 15:
            raise KeyboardInterrupt

    for number in range(40):
        aws.put(DIED, copy_of(number))
    aws.takes = interrupted

    assert redrive() == 1

    assert len(aws.visible(DIED)) == 40 - len(aws.sent)
    assert aws.records[-1]["state"] == "interrupted"
    assert aws.records[-1]["deleted"] == len(aws.sent)


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_reader_that_has_seen_enough_interrupts_a_run(
    aws: Aws, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_text: str) -> None:
        raise BrokenPipeError

    def refused(_body: str) -> None:
        raise fault("InvalidMessageContents")

    for number in range(40):
        aws.put(DIED, copy_of(number))
    if not arguments:
        aws.takes = refused  # only what stays is told people
    monkeypatch.setattr("sys.stdout.write", closed)

    assert redrive(*arguments) == 1

    assert aws.records[-1]["state"] == "interrupted"
    assert len(aws.visible(DIED)) == 40 - aws.records[-1]["deleted"]


@pytest.fixture
def own_consumers_queue(aws: Aws) -> str:
    """The dead letter of another reader of the stream, which nothing can hand it again."""
    aws.failures.append(MINE)
    return aws.put(MINE, ASIDE)


def test_any_dead_letter_queue_of_the_stack_is_listed(
    aws: Aws, own_consumers_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    of_events = aws.put(DIED, copy_of(1))
    aws.put(EVENTS, copy_of(2))

    assert listed(capsys) == [own_consumers_queue, of_events]
    for queue in ("my-dlq", "my-dlq-dev"):
        assert listed(capsys, "--queue", queue) == [own_consumers_queue]
    assert run(["dead-letters", "list", "--queue", "order-events-queue"]) == 1
    assert "These are: my-dlq, order-events-dlq, order-stream-dlq." in capsys.readouterr().err


@pytest.mark.usefixtures("own_consumers_queue")
def test_what_no_queue_takes_again_stays_until_it_is_deleted(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.put(DIED, copy_of(1))

    assert redrive() == 1
    assert "my-dlq, 1 message: left there, as no queue takes it again" in capsys.readouterr().err
    assert (len(aws.sent), aws.messages[DIED], len(aws.visible(MINE))) == (1, {}, 1)

    assert run(["dead-letters", "delete", "--queue", "my-dlq", "--yes"]) == 0
    assert aws.messages[MINE] == {}
    assert len(aws.sent) == 1


def test_nothing_is_sent_from_a_dead_letter_queue_that_queues_share(aws: Aws) -> None:
    aws.sources |= {MINE: DIED}
    aws.put(DIED, copy_of(1))

    assert redrive() == 1
    assert (aws.sent, len(aws.visible(DIED))) == ([], 1)


def test_one_queue_one_order_or_one_message_is_chosen(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    died, other = aws.put(DIED, copy_of(1, subject=ORDER_ID)), aws.put(DIED, copy_of(2))
    aside = aws.put(UNPUBLISHED, ASIDE)

    assert listed(capsys, "--order", order_number(ORDER_ID).lower()) == [died, aside]
    assert listed(capsys, "--queue", "order-stream-dlq") == [aside]
    assert listed(capsys, "--message", other) == [other]
    assert listed(capsys, "--queue", "order-stream-dlq", "--message", other) == []

    assert run(["dead-letters", "delete", "--order", ORDER_ID, "--message", died, "--yes"]) == 0
    assert (aws.visible(DIED), aws.visible(UNPUBLISHED)) == ([other], [aside])
    assert redrive("--order", ORDER_ID) == 0
    assert (aws.visible(DIED), aws.visible(UNPUBLISHED)) == ([other], [])


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        "\x1b[2J",
        '{"keys": {"pk": "ORDER#%s", "sk": "EVENT#\\ud800"}}' % ORDER_ID,  # noqa: UP031 - braces
        {"keys": {"pk": f"ORDER#{ORDER_ID}", "sk": "EVENT#" + "9" * 5000}},
        {"keys": {"pk": "CUSTOMER#cus_42", "sk": f"ORDER#{ORDER_ID}"}},
        {"keys": {"pk": 1, "sk": None}, "subject": [ORDER_ID]},
        {"DDBStreamBatchInfo": {"approximateArrivalOfFirstRecord": 1}},
        {"DDBStreamBatchInfo": {"approximateArrivalOfFirstRecord": "0001-01-01T00:00:00Z"}},
        {"DDBStreamBatchInfo": ["\x1b"], "requestContext": "\x1b"},
    ],
)
def test_a_hostile_message_is_listed_harmlessly_and_stays(
    aws: Aws, capsys: pytest.CaptureFixture[str], body: Json | str
) -> None:
    aws.put(UNPUBLISHED, body)

    assert run(["dead-letters", "list"]) == 0
    assert redrive() == 1

    printed = capsys.readouterr()
    assert not {"\x1b", "cus_42", "\ud800"} & {*printed.out, *printed.out.split("#")}
    assert (aws.queries, aws.sent) == ([], [])


@pytest.mark.parametrize("letter", [ASIDE, BATCH])
def test_unpublished_events_go_to_the_topic_too(aws: Aws, letter: Json) -> None:
    aws.topic = {"OrderEventsTopicArn": "arn:aws:sns:eu-central-1:000000000000:order-events-dev"}
    aws.put(UNPUBLISHED, letter)

    assert redrive() == 0

    assert (aws.sent, aws.published) == ([ORDER_ID], [ORDER_ID])
    assert not aws.messages[UNPUBLISHED]


def test_what_comes_after_the_question_is_not_touched_however_long_ago_it_was_sent(
    aws: Aws,
) -> None:
    """SQS keeps the time at which a message was first sent when it moves it here."""
    aws.put(DIED, copy_of(1))
    late: list[str] = []

    def move_another(_body: str) -> None:
        late.append(aws.put(DIED, copy_of(2)))
        aws.messages[DIED][late[0]]["Attributes"]["SentTimestamp"] = "0"

    aws.takes = move_another

    assert redrive() == 0

    assert aws.visible(DIED) == late
    assert len(aws.sent) == 1


@pytest.mark.parametrize("filters", [[], ["--all", "--queue", "my-dlq"]])
def test_what_is_deleted_is_said(aws: Aws, filters: list[str]) -> None:
    message = aws.put(DIED, copy_of(1))

    assert run(["dead-letters", "delete", "--yes", *filters]) == 2
    assert aws.visible(DIED) == [message]

    assert run(["dead-letters", "delete", "--yes", "--all"]) == 0
    assert aws.messages[DIED] == {}
