"""Lists the dead letters of both queues, and sends them back: `dead_letters.py list|redrive`.

On the local stack, or with `--stage` on AWS, with the credentials and the region of the AWS CLI.
Nothing that a row contains is printed but ids. A message is deleted only after what it holds was
accepted, and all who accept take things twice without harm, so every command can be repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from local_stack import REGION, ROOT, LocalStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Json = dict[str, Any]

LOCAL: Final = "local"
EVENTS, STREAM = "order-events-dlq", "order-stream-dlq"
OUTPUTS: Final = {
    EVENTS: "OrderEventsDeadLetterQueueUrl",
    STREAM: "OrderStreamDeadLetterQueueUrl",
}
READERS: Final = ("publish-order-events", "record-audit-trail")
CONSUMER: Final = "settle-payments"

HELD_SECONDS: Final = 300
"""How long messages are hidden from others at most: where this process is killed."""
MAX_MESSAGES: Final = 1000
"""What one run takes of a queue."""
BATCH_RECORDS: Final = 100
BATCH_BYTES: Final = 5_000_000
"""Lambda takes an event of 6 MB."""
EMPTY_PAGES: Final = 100
"""Pages of an open shard without records, before its end is taken for not there."""
TASK_SECONDS: Final = 2
UNLISTED_LOOKS: Final = 5
"""How often a move task is looked for that SQS doesn't list (yet)."""

FAULTS: Final = (BotoCoreError, ClientError)
UNKNOWN_ACTION: Final = {"InvalidAction", "UnknownOperationException"}
RUNS_ALREADY: Final = {"AWS.SimpleQueueService.UnsupportedOperation", "UnsupportedOperation"}
GONE: Final = {"TrimmedDataAccessException", "ResourceNotFoundException"}
ORDER_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EVENT_TYPE: Final = re.compile(r"ORDER_[A-Z]{1,20}")
NUMBER: Final = re.compile(r"[0-9]{1,40}")
ROW: Final = re.compile(
    rf"ORDER#{ORDER_ID.pattern} (?:DETAIL|CHARGE|RESERVATION|AUDIT#[0-9]{{10}})"
)
"""Of the keys those that name no customer."""
NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
"""Of a function, a shard, or a reason to give up."""
INSTANT: Final = re.compile(r"[0-9TZ:.-]{1,30}")
CAUSE_LENGTH: Final = 256
"""No reader gives a longer one."""


class Refused(Exception):
    """Why nothing, or not everything, was done."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received."""

    id: str
    receipt: str
    body: str
    system: dict[str, str]
    attributes: dict[str, Json]

    @property
    def json(self) -> Json:
        """The body; empty where it is no JSON object, or nested deeper than can be read."""
        with contextlib.suppress(ValueError, RecursionError):
            content = json.loads(self.body)
            if isinstance(content, dict):
                return content
        return {}

    @property
    def record(self) -> Json | None:
        """The stream record that one of the readers set aside."""
        return self.json if part(self.json, "dynamodb") else None

    @property
    def batch(self) -> Json | None:
        """Where in the stream the batch was that Lambda gave up."""
        return part(self.json, "DDBStreamBatchInfo") or None

    @property
    def order_id(self) -> str | None:
        """The order that an event is about."""
        subject = self.json.get("subject")
        return subject if isinstance(subject, str) and ORDER_ID.fullmatch(subject) else None

    @property
    def sent(self) -> datetime:
        """When it first came into a queue."""
        return datetime.fromtimestamp(int(self.system["SentTimestamp"]) / 1000, UTC)


class DeadLetters:
    """The dead-letter queues of one deployed stack. `client` makes botocore's clients."""

    def __init__(self, stack: str, client: Callable[[str], Any]) -> None:
        """Nothing is called yet."""
        self.stack = stack
        self._client = client
        self._sqs = client("sqs")

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the stack says of itself."""
        stacks = self._client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stacks[0]["Outputs"]}

    def url(self, queue: str) -> str:
        """Return the address of a dead-letter queue."""
        return self.outputs[OUTPUTS[queue]]

    @contextlib.contextmanager
    def held(self, queue: str) -> Iterator[dict[str, Message]]:
        """Hide the messages from others meanwhile; those left in the dict come back at the end."""
        found: dict[str, Message] = {}
        try:
            while len(found) < MAX_MESSAGES:
                answer = self._sqs.receive_message(
                    QueueUrl=self.url(queue),
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=HELD_SECONDS,
                    WaitTimeSeconds=1,  # with none, SQS asks a part of its servers only
                    AttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
                received = {one["MessageId"]: message(one) for one in answer.get("Messages", ())}
                is_complete = found.keys() >= received.keys()
                found |= received
                if is_complete:
                    break
            yield found
        finally:
            for one in found.values():
                with contextlib.suppress(ClientError):  # it is back already
                    self._sqs.change_message_visibility(
                        QueueUrl=self.url(queue), ReceiptHandle=one.receipt, VisibilityTimeout=0
                    )

    def peek(self) -> dict[str, list[Message]]:
        """Return the messages of each queue, which stay in it. Raises Refused: there are none."""
        letters = {}
        for queue in OUTPUTS:
            with self.held(queue) as messages:
                letters[queue] = list(messages.values())
        if not any(letters.values()):
            if hidden := sum(map(self._hidden, OUTPUTS)):
                raise Refused(
                    f"No dead letters to be seen, but {counted(hidden, 'message')} held by another "
                    "run, or by one that was killed. Try again in 5 minutes."
                )
            raise Refused(f"No dead letters: {' and '.join(OUTPUTS)} of {self.stack} are empty.")
        return letters

    def show(self, letters: dict[str, list[Message]]) -> None:
        """Print a line for each message."""
        causes = self._causes(letters[EVENTS])
        for queue, messages in letters.items():
            more = " and perhaps more: run it again" if len(messages) >= MAX_MESSAGES else ""
            say(f"{queue}: {counted(len(messages), 'message')}{more}")
            for one in sorted(messages, key=lambda one: one.sent):
                received = counted(int(one.system["ApproximateReceiveCount"]), "receive")
                say(f"  {described(one, causes)}; {received}, {age(one.sent)} old")

    def redrive(self, letters: dict[str, list[Message]]) -> None:
        """Send everything back.

        Raises:
            Refused: what of it stayed; all else was accepted.
        """
        stayed = 0
        if letters[EVENTS]:
            try:
                stayed += self._move_events()
            except FAULTS as error:  # the other queue is another matter
                say(f"{EVENTS}: not moved: {code(error)}")
                stayed += len(letters[EVENTS])
        if letters[STREAM]:
            stayed += self._hand_over()
        if stayed:
            raise Refused(
                f"{counted(stayed, 'message')} stayed or came back. For what the stream no longer "
                "holds see docs/runbook.md, order-stream-dlq-not-empty."
            )

    def _causes(self, events: Sequence[Message]) -> dict[str, str]:
        """What the consumer's log last said of each order; lines can be late or expired."""
        if not events:
            return {}
        since = min(one.sent for one in events)
        causes = {}
        with contextlib.suppress(ClientError):
            pages = self._client("logs").get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{self.stack}-{CONSUMER}",
                startTime=int(since.timestamp() * 1000),
                filterPattern='{ $.message = "event not processed" }',
            )  # fmt: skip
            for page in pages:
                for event in page["events"]:
                    with contextlib.suppress(ValueError):
                        line = json.loads(event["message"])
                        if line.get("message") == "event not processed" and "order_id" in line:
                            causes[line["order_id"]] = str(line["cause"])
        return causes

    def _move_events(self) -> int:
        """Move the events to the queue that they died in; return how many stayed."""
        source, target = self.url(EVENTS), self.outputs["OrderEventsQueueUrl"]
        source_arn = self._arn(source)
        try:
            self._start_task(source_arn, self._arn(target))
        except ClientError as error:
            if code(error) not in UNKNOWN_ACTION:
                raise
            say(f"{EVENTS}: this SQS has no message move tasks; sending one by one.")
            return self._send_one_by_one(source, target)
        task = self._ended_task(source_arn)
        moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
        status = task.get("Status", "not known")
        say(f"{EVENTS}: {status.lower()}, about {counted(moved, 'message')} moved.")
        if status == "COMPLETED":
            return 0
        say(f"  {task.get('FailureReason', 'no reason given')}")
        return max(1, int(task.get("ApproximateNumberOfMessagesToMove", 0)) - moved)

    def _start_task(self, source_arn: str, target_arn: str) -> None:
        """Start to move messages; if a task runs already, after it, as SQS takes one at a time."""

        def start() -> None:
            # Named, because a message that was sent to the queue by hand has no origin.
            self._sqs.start_message_move_task(SourceArn=source_arn, DestinationArn=target_arn)

        try:
            start()
        except ClientError as error:
            if code(error) not in RUNS_ALREADY:
                raise
            say(f"{EVENTS}: a move runs already; waiting for it.")
            self._ended_task(source_arn)
            start()

    def _ended_task(self, source_arn: str) -> Json:
        """Wait for the queue's latest task; empty where none is listed."""
        unlisted = 0
        while unlisted < UNLISTED_LOOKS:
            tasks = self._sqs.list_message_move_tasks(SourceArn=source_arn).get("Results")
            if tasks and tasks[0]["Status"] not in {"RUNNING", "CANCELLING"}:
                return dict(tasks[0])
            unlisted += not tasks
            time.sleep(TASK_SECONDS)
        return {}

    def _send_one_by_one(self, source: str, target: str) -> int:
        """Send, then delete: what is sent twice, if this is cut off, has one event id."""
        with self.held(EVENTS) as messages:
            for one in list(messages.values()):
                try:
                    self._sqs.send_message(
                        QueueUrl=target, MessageBody=one.body, MessageAttributes=one.attributes
                    )
                    self._delete(source, messages, one)
                except FAULTS as error:
                    say(f"  stays: {described(one, {})}: {code(error)}")
            stayed = len(messages)
        say(f"{EVENTS}: sent back; {counted(stayed, 'message')} stayed.")
        return stayed

    def _hand_over(self) -> int:
        """Hand the stream's records to the readers again; return how many messages stayed."""
        redriven = set()
        with self.held(STREAM) as messages:
            known = set(messages)
            # Both readers set a record aside, and are handed it once, however often it lies here.
            for content, same in groupby(sorted(messages.values(), key=contents), contents):
                letters = list(same)
                try:
                    self._redrive_one(letters[0])
                    for one in letters:
                        self._delete(self.url(STREAM), messages, one)
                    redriven.add(content)
                except (Refused, RecursionError, *FAULTS) as error:
                    cause = str(error) if isinstance(error, Refused) else code(error)
                    say(f"  stays: {described(letters[0], {})}: {cause}")
            stayed = len(messages)
            say(f"{STREAM}: handed over; {counted(stayed, 'message')} stayed.")
            # A reader that still can't read a record takes it, and sets it aside anew.
            with self.held(STREAM) as rest:
                again = [
                    one
                    for one in rest.values()
                    if one.id not in known and contents(one) in redriven
                ]
        for one in again:
            say(f"  set aside again: {described(one, {})}")
        return stayed + len(again)

    def _redrive_one(self, one: Message) -> None:
        """Raises Refused, or any of FAULTS: it was not accepted, or not all of it."""
        if record := one.record:
            for reader in READERS:
                self._invoke(f"{self.stack}-{reader}", [record])
        elif batch := one.batch:
            function = self._reader_of(one)
            records, complete = self._read_again(batch)
            for handed in batches(records):
                self._invoke(function, handed)
            if not complete:
                raise Refused(
                    f"the stream no longer holds all of it ({counted(len(records), 'record')} "
                    "handed over)"
                )
        else:
            raise Refused("nothing of ours")

    def _reader_of(self, one: Message) -> str:
        """Return the name of the function that the batch was for, one of the stream's readers."""
        arn = str(part(one.json, "requestContext").get("functionArn"))
        for reader in READERS:
            if f"{self.stack}-{reader}" in arn.split(":"):
                return f"{self.stack}-{reader}"
        raise Refused("for a function that reads no stream of ours")

    def _read_again(self, batch: Json) -> tuple[list[Json], bool]:
        """Return the batch's records that the stream still holds, and whether these are all.

        Others of the shard that lie between them come too; the readers pass over them.
        """
        streams = self._client("dynamodbstreams")
        try:
            first, last = int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
            shard = {"StreamArn": str(batch["streamArn"]), "ShardId": str(batch["shardId"])}
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("no position in a stream") from error
        records: list[Json] = []
        try:
            iterator, complete = shard_iterator(streams, shard, str(batch["startSequenceNumber"]))
        except ClientError as error:
            if code(error) not in GONE:
                raise
            return [], False
        empty = 0
        while iterator and empty < EMPTY_PAGES:
            page = streams.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                number = int(record["dynamodb"]["SequenceNumber"])
                if number > last:
                    return records, complete
                if number >= first:
                    records.append(record | {"eventSourceARN": shard["StreamArn"]})
                if number == last:
                    return records, complete
            empty = 0 if page["Records"] else empty + 1
            iterator = page.get("NextShardIterator")
        return records, False

    def _invoke(self, function: str, records: Sequence[Json]) -> None:
        """Raises Refused: the function failed, on all records or on some."""
        payload = json.dumps({"Records": list(records)}, default=seconds)
        answer = self._client("lambda").invoke(FunctionName=function, Payload=payload)
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer or not isinstance(result, dict):
            raise Refused(f"{function} failed")
        if failures := result.get("batchItemFailures"):
            raise Refused(f"{function} did not take {counted(len(failures), 'record')}")

    def _arn(self, url: str) -> str:
        return self._attribute(url, "QueueArn")

    def _hidden(self, queue: str) -> int:
        """How many messages somebody has received, and not yet deleted or shown again."""
        return int(self._attribute(self.url(queue), "ApproximateNumberOfMessagesNotVisible"))

    def _attribute(self, url: str, name: str) -> str:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return str(answer["Attributes"][name])

    def _delete(self, url: str, messages: dict[str, Message], one: Message) -> None:
        self._sqs.delete_message(QueueUrl=url, ReceiptHandle=one.receipt)
        del messages[one.id]


def part(content: Json, name: str) -> Json:
    """Return the object of this name in a JSON object; empty where there is none."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def message(received: Json) -> Message:
    """Return the message that SQS handed out."""
    return Message(
        received["MessageId"],
        received["ReceiptHandle"],
        received["Body"],
        received["Attributes"],
        received.get("MessageAttributes", {}),
    )


def described(one: Message, causes: dict[str, str]) -> str:
    """Say what a message is about and why it is here, in ids and codes alone."""
    if record := one.record:
        keys = part(record["dynamodb"], "Keys")
        row = printable(ROW, " ".join(str(part(keys, name).get("S")) for name in ("pk", "sk")))
        cause = one.attributes.get("cause", {}).get("StringValue", "no cause given")
        return f"stream record '{row}', message {one.id}: {cause[:CAUSE_LENGTH]!a}"
    if batch := one.batch:
        context = part(one.json, "requestContext")
        function = str(context.get("functionArn")).rpartition("function:")[2]
        start, end, size = (
            printable(NUMBER, batch.get(name))
            for name in ("startSequenceNumber", "endSequenceNumber", "batchSize")
        )
        return (
            f"batch for {printable(NAME, function)}, {printable(NAME, batch.get('shardId'))} "
            f"from {start} to {end}, {size} records, the last of "
            f"{printable(INSTANT, batch.get('approximateArrivalOfLastRecord'))}, "
            f"message {one.id}: {printable(NAME, context.get('condition'))}"
        )
    if one.order_id:
        kind = printable(EVENT_TYPE, one.json.get("type"))
        version = printable(NUMBER, part(one.json, "data").get("version"))
        said = one.attributes.get("cause", {}).get("StringValue")
        logged = causes.get(one.order_id, f"no line in the log of {CONSUMER}, or not yet")
        cause = ascii(said[:CAUSE_LENGTH])[1:-1] if said else logged
        return f"order {one.order_id}, {kind}, version {version}: {cause}"
    return f"message {one.id}, {len(one.body)} characters: no event, no record, no position"


def printable(pattern: re.Pattern[str], value: object) -> str:
    """Return what a message says, if it is of this form: anybody may have written the message."""
    return str(value) if pattern.fullmatch(str(value)) else "?"


def contents(one: Message) -> str:
    """Return what the readers get of a record, the same for the same; of all else, its id.

    Not the record's own id, which people choose for the records that they write.
    """
    with contextlib.suppress(RecursionError):
        return json.dumps(one.record, sort_keys=True) if one.record else one.id
    return one.id


def shard_iterator(streams: Any, shard: dict[str, str], start: str) -> tuple[str, bool]:  # noqa: ANN401 - botocore makes its clients at run time
    """Return where to read from: at the number, or at the oldest record where that is gone."""
    try:
        answer = streams.get_shard_iterator(
            **shard, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=start
        )
    except ClientError as error:
        if code(error) != "TrimmedDataAccessException":
            raise
        answer = streams.get_shard_iterator(**shard, ShardIteratorType="TRIM_HORIZON")
        return answer["ShardIterator"], False
    return answer["ShardIterator"], True


def batches(records: Iterable[Json]) -> Iterator[list[Json]]:
    """Split the records as Lambda would."""
    batch: list[Json] = []
    size = 0
    for record in records:
        length = len(json.dumps(record, default=seconds))
        if batch and (len(batch) == BATCH_RECORDS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch


def seconds(instant: datetime) -> float:
    """Return the number that stands for an instant in a stream record."""
    return instant.timestamp()


def counted(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def age(since: datetime) -> str:
    """Return how long ago it was, to the second."""
    return str(timedelta(seconds=max(0, round((datetime.now(UTC) - since).total_seconds()))))


def code(error: Exception) -> str:
    """Return what AWS calls the fault; its message can quote the request."""
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def confirmed(question: str) -> bool:
    """Ask; no answer is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def connect(stage: str, port: int) -> DeadLetters:
    """Return the queues of the local stack on this port, or of a stage on AWS."""
    if stage == LOCAL:
        return DeadLetters(f"orders-{stage}", LocalStack(ROOT / ".local", port).client)
    session = botocore.session.Session()
    region = session.get_config_variable("region") or REGION
    return DeadLetters(
        f"orders-{stage}", lambda service: session.create_client(service, region_name=region)
    )


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "redrive"])
    parser.add_argument("--stage", default=LOCAL)
    parser.add_argument("--port", type=int, default=int(os.environ.get("LOCAL_PORT", "4566")))
    parser.add_argument("--yes", action="store_true", help="redrive without asking")
    arguments = parser.parse_args()
    queues = connect(arguments.stage, arguments.port)
    try:
        letters = queues.peek()
        queues.show(letters)
        if arguments.command == "list":
            return
        if not (arguments.yes or confirmed(f"Send all of them back, on {queues.stack}?")):
            raise SystemExit("Nothing was sent. Without a terminal, say --yes (make: YES=1).")
        queues.redrive(letters)
    except Refused as error:
        raise SystemExit(str(error)) from error
    except FAULTS as error:
        where = "Does it run? make up" if arguments.stage == LOCAL else "Stage, region, rights?"
        raise SystemExit(f"{error}\n{where}") from error


if __name__ == "__main__":
    main()
