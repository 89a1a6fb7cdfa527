"""A model of an SQS queue and of the Lambda trigger that empties it, on a clock of its own.

As AWS documents them: a receive hides a message for the queue's visibility timeout and counts; a
message received more often than the redrive policy allows becomes a dead letter; one that is older
than the retention is deleted; a function that runs out of time is killed, and its messages come
again. Instants are seconds from the start. Nothing sleeps.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from fakes import NOON
from infrastructure.templates import compiled
from orders.adapters.aws.client import Client
from orders.domain.timestamps import to_milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from infrastructure.templates import Template

    Handler = Callable[[dict[str, Any], "Invocation"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of the queue and its trigger; times in seconds."""

    visibility: int
    retention: int
    max_receives: int
    batch_size: int
    concurrency: int
    function_timeout: int

    @classmethod
    def deployed(cls) -> Self:
        """Those of the compiled template."""
        template: Template = compiled("local")
        queue = template.named("OrderEventsQueue")
        (mapping,) = (
            one
            for one in template.properties("AWS::Lambda::EventSourceMapping").values()
            if one["EventSourceArn"] == {"Fn::GetAtt": ["OrderEventsQueue", "Arn"]}
        )
        return cls(
            visibility=queue["VisibilityTimeout"],
            retention=queue["MessageRetentionPeriod"],
            max_receives=queue["RedrivePolicy"]["maxReceiveCount"],
            batch_size=mapping["BatchSize"],
            concurrency=mapping["ScalingConfig"]["MaximumConcurrency"],
            function_timeout=template.functions["settle-payments"]["Timeout"],
        )


@dataclass(slots=True)
class Message:
    """`cause` is None where the queue's redrive policy made it a dead letter."""

    id: str
    body: str
    sent: float
    visible: float
    receives: int = 0
    first_received: float = 0
    died: float | None = None
    cause: str | None = None

    def record(self) -> dict[str, Any]:
        """What Lambda hands to the function."""
        first = to_milliseconds(NOON + timedelta(seconds=self.first_received))
        return {
            "messageId": self.id,
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.receives),
                "ApproximateFirstReceiveTimestamp": str(first),
            },
            "messageAttributes": {},
        }


class Killed(BaseException):
    """Lambda ends the function in the middle of its work."""


@dataclass(slots=True)
class Invocation:
    """Lambda's context. The function's time passes where something says that it spends it."""

    now: float
    ends: float
    aws_request_id: str = "5f2c6e1a"

    def get_remaining_time_in_millis(self) -> int:
        return round((self.ends - self.now) * 1000)

    def spend(self, seconds: float) -> None:
        """Raises Killed."""
        self.now += seconds
        if self.now > self.ends:
            self.now = self.ends
            raise Killed


@dataclass
class Queue(Client):
    """The queue with its dead-letter queue and its trigger."""

    rules: Rules
    waiting: dict[str, Message] = field(default_factory=dict)
    dead: list[Message] = field(default_factory=list)
    expired: list[Message] = field(default_factory=list)
    most_receives: int = 0
    invocations: int = 0
    running: Invocation = field(default_factory=lambda: Invocation(0, 0))

    def send(self, body: str) -> None:
        message = Message(f"message-{len(self.waiting)}", body, sent=0, visible=0)
        self.waiting[message.id] = message

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """As SQS's client."""
        if operation == "ChangeMessageVisibility":
            assert parameters["QueueUrl"] == "events"
            message = self.waiting[parameters["ReceiptHandle"]]
            message.visible = self.running.now + parameters["VisibilityTimeout"]
        else:
            assert (operation, parameters["QueueUrl"]) == ("SendMessage", "dead letters")
            body, cause = parameters["MessageBody"], parameters["MessageAttributes"]["cause"]
            source = next(one for one in self.waiting.values() if one.body == body)
            self._bury(source, self.running.now, cause["StringValue"])
        return {}

    def run(self, handler: Handler, *, hours: float = 24 * 14) -> float:
        """Let the trigger's pollers work until the queue is empty: when that was, in seconds."""
        pollers = [0.0] * self.rules.concurrency
        last = 0.0
        while pollers:
            now = heapq.heappop(pollers)
            if now > hours * 3600:
                break
            if batch := self._receive(now):
                last = self._invoke(handler, batch, now)
                heapq.heappush(pollers, last)
            elif self.waiting:
                soonest = min(one.visible for one in self.waiting.values())
                heapq.heappush(pollers, max(soonest, now + 0.001))
        return last

    def _receive(self, now: float) -> list[Message]:
        batch: list[Message] = []
        for message in self._visible(now):
            if now - message.sent > self.rules.retention:
                self.expired.append(self.waiting.pop(message.id))
            elif message.receives >= self.rules.max_receives:
                self._bury(message, now, None)
                del self.waiting[message.id]
            elif len(batch) < self.rules.batch_size:
                message.receives += 1
                message.first_received = message.first_received if message.receives > 1 else now
                message.visible = now + self.rules.visibility
                self.most_receives = max(self.most_receives, message.receives)
                batch.append(message)
        return batch

    def _visible(self, now: float) -> list[Message]:
        """In any order: SQS promises none."""
        visible = [one for one in self.waiting.values() if one.visible <= now]
        return random.sample(visible, len(visible))

    def _invoke(self, handler: Handler, batch: Sequence[Message], now: float) -> float:
        """Returns when it ended. As all others wait meanwhile, it is run at once."""
        self.invocations += 1
        self.running = Invocation(now, now + self.rules.function_timeout)
        try:
            response = handler({"Records": [one.record() for one in batch]}, self.running)
        except Killed:
            return self.running.now
        failed = {one["itemIdentifier"] for one in response["batchItemFailures"]}
        for message in batch:
            if message.id not in failed:
                del self.waiting[message.id]
        return self.running.now

    def _bury(self, message: Message, now: float, cause: str | None) -> None:
        message.died, message.cause = now, cause
        self.dead.append(message)
