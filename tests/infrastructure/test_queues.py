from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orders.adapters import sqs
from orders.functions import settle_payments

if TYPE_CHECKING:
    from infrastructure.templates import Template

QUEUES = ["OrderEventsDeadLetterQueue", "OrderEventsQueue", "OrderStreamDeadLetterQueue"]
DAY = 24 * 60 * 60
LONGEST_RETENTION = 14 * DAY
MOST_RECEIVES = 1000
"""Of a redrive policy: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html."""


def test_there_are_three_queues(production: Template) -> None:
    assert sorted(production.properties("AWS::SQS::Queue")) == QUEUES


def test_a_message_that_the_consumer_never_gets_to_see_is_a_dead_letter_before_it_is_deleted(
    production: Template,
) -> None:
    queue = production.named("OrderEventsQueue")
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["OrderEventsDeadLetterQueue", "Arn"]},
        "maxReceiveCount": MOST_RECEIVES,
    }
    assert MOST_RECEIVES * queue["VisibilityTimeout"] <= queue["MessageRetentionPeriod"] - DAY


def test_the_consumer_gives_up_before_the_queue_does_and_well_within_the_retention(
    production: Template,
) -> None:
    queue = production.named("OrderEventsQueue")
    patience = settle_payments.GIVES_UP_AFTER.total_seconds()
    assert patience <= queue["MessageRetentionPeriod"] - DAY
    assert patience <= MOST_RECEIVES * queue["VisibilityTimeout"] / 2


def test_dead_letters_are_kept_for_14_days_and_longer_than_the_queue_keeps_messages(
    production: Template,
) -> None:
    # A moved message keeps the time at which it was sent: with equal times it could be gone soon.
    for dead_letters in ("OrderEventsDeadLetterQueue", "OrderStreamDeadLetterQueue"):
        assert production.named(dead_letters)["MessageRetentionPeriod"] == LONGEST_RETENTION
    assert production.named("OrderEventsQueue")["MessageRetentionPeriod"] <= 7 * DAY


@pytest.mark.parametrize("queue", ["OrderEventsQueue", "OrderStreamDeadLetterQueue"])
def test_a_message_has_room_for_an_event_of_4_kib_with_its_attributes_and_not_for_much_more(
    queue: str, production: Template
) -> None:
    assert production.named(queue)["MaximumMessageSize"] == 4 * 4096


def test_a_dead_letter_has_room_for_any_message_of_the_queue_and_its_cause(
    production: Template,
) -> None:
    # SQS counts an attribute's name, type and value.
    cause = len("cause") + len("String") + sqs.MAX_CAUSE
    message = production.named("OrderEventsQueue")["MaximumMessageSize"]
    room = production.named("OrderEventsDeadLetterQueue")["MaximumMessageSize"] - message
    assert cause <= room <= 1024


@pytest.mark.parametrize("queue", QUEUES)
def test_messages_are_encrypted(queue: str, production: Template) -> None:
    assert production.named(queue)["SqsManagedSseEnabled"] is True


def test_a_batch_in_work_is_not_handed_out_again(production: Template) -> None:
    timeout = production.functions["settle-payments"]["Timeout"]
    assert production.named("OrderEventsQueue")["VisibilityTimeout"] >= 6 * timeout


@pytest.mark.parametrize(
    ("stage", "names"),
    [
        ("production", ["order-events-dlq", "order-events-queue", "order-stream-dlq"]),
        ("local", ["order-events-dlq", "order-events-queue", "order-stream-dlq"]),
        ("development", ["order-events-dlq-dev", "order-events-queue-dev", "order-stream-dlq-dev"]),
    ],
)
def test_only_production_and_the_local_stage_have_the_plain_names(
    stage: str, names: list[str], request: pytest.FixtureRequest
) -> None:
    template: Template = request.getfixturevalue(stage)
    assert [template.named(queue)["QueueName"] for queue in QUEUES] == names
