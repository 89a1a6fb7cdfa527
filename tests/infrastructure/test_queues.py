from __future__ import annotations

from typing import TYPE_CHECKING

from orders.adapters import sqs
from orders.functions import settle_payments

if TYPE_CHECKING:
    from infrastructure.templates import Template

DAY = 24 * 60 * 60
LONGEST_RETENTION = 14 * DAY
MOST_RECEIVES = 1000
"""Of a redrive policy: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html."""


def test_every_queue_is_encrypted(watched: Template) -> None:
    for name, queue in watched.properties("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name


def test_every_queue_that_is_consumed_has_a_dead_letter_queue(watched: Template) -> None:
    queues = watched.properties("AWS::SQS::Queue")
    for name in queues.keys() - watched.dead_letter_queues:
        assert "RedrivePolicy" in queues[name], f"{name} needs a RedrivePolicy"


def test_dead_letters_are_kept_for_14_days_and_longer_than_the_queue_keeps_messages(
    watched: Template,
) -> None:
    # A moved message keeps the time at which it was sent: with equal times it could be gone soon.
    for name, queue in watched.properties("AWS::SQS::Queue").items():
        if name in watched.dead_letter_queues:
            assert queue["MessageRetentionPeriod"] == LONGEST_RETENTION, name
        else:
            assert queue["MessageRetentionPeriod"] <= 7 * DAY, name


def test_a_message_that_the_consumer_never_gets_to_see_is_dead_lettered_before_it_is_deleted(
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


def test_a_message_has_room_for_an_event_of_4_kib_and_a_dead_letter_for_its_cause_too(
    production: Template,
) -> None:
    sizes = {
        name: production.named(name)["MaximumMessageSize"]
        for name in ("OrderEventsQueue", "OrderStreamDeadLetterQueue", "OrderEventsDeadLetterQueue")
    }
    event, record, dead_letter = sizes.values()
    assert event == record == 4 * sqs.EVENT_BYTES
    # SQS counts an attribute's name, type and value.
    cause = len("cause") + len("String") + sqs.MAX_CAUSE
    assert cause <= dead_letter - event <= 1024


def test_a_message_in_work_is_not_handed_out_again(watched: Template) -> None:
    for function, mapping in watched.triggers.items():
        queue = watched.resources[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        if queue["Type"] == "AWS::SQS::Queue":
            timeout = watched.functions[function]["Timeout"]
            assert queue["Properties"]["VisibilityTimeout"] >= 6 * timeout, function


def test_only_production_and_the_local_stage_have_the_plain_names(
    production: Template, local: Template, development: Template
) -> None:
    def names(template: Template) -> list[str]:
        return [one["QueueName"] for one in template.properties("AWS::SQS::Queue").values()]

    plain = {"order-events-dlq", "order-events-queue", "order-stream-dlq"}
    assert plain <= set(names(production))
    assert plain <= set(names(local))
    assert all(name.endswith("-dev") for name in names(development))
