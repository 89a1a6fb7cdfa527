"""What starts the functions that no request starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from infrastructure.templates import Template

STREAM = {"Fn::GetAtt": ["OrdersTable", "StreamArn"]}
TWENTY_HOURS = 20 * 60 * 60
SETTLEMENT, PUBLISHER = "settle-payments", "publish-order-events"


def readers_of(template: Template) -> dict[str, dict[str, Any]]:
    """How each function that reads the table's stream does it."""
    return {
        function: mapping
        for function, mapping in template.triggers.items()
        if mapping["EventSourceArn"] == STREAM
    }


@pytest.fixture
def readers(watched: Template) -> dict[str, dict[str, Any]]:
    return readers_of(watched)


def test_the_stream_has_no_more_than_two_readers(production: Template) -> None:
    """AWS advises against more: they throttle each other."""
    readers = readers_of(production)
    assert len(readers) <= 2, f"publish to a topic, as a third reader is too many: {[*readers]}"


def test_a_stream_reader_misses_no_event_recorded_before_it_was_deployed(
    readers: dict[str, dict[str, Any]],
) -> None:
    for function, mapping in readers.items():
        assert mapping["StartingPosition"] == "TRIM_HORIZON", function
        assert mapping["Enabled"] is True, function


def test_a_failure_holds_up_as_few_records_as_possible(readers: dict[str, dict[str, Any]]) -> None:
    for function, mapping in readers.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], function
        assert mapping["BisectBatchOnFunctionError"] is True, function


def test_a_stream_reader_gives_up_four_hours_before_the_stream_forgets_the_record(
    readers: dict[str, dict[str, Any]], watched: Template
) -> None:
    """What it gives up goes to a dead-letter queue."""
    for function, mapping in readers.items():
        assert mapping.get("MaximumRetryAttempts", -1) == -1, function
        assert mapping["MaximumRecordAgeInSeconds"] == TWENTY_HOURS, function
        destination = mapping["DestinationConfig"]["OnFailure"]["Destination"]
        assert destination["Fn::GetAtt"][0] in watched.properties("AWS::SQS::Queue"), function


def test_the_publisher_reads_new_events_and_sets_aside_what_it_cannot_publish(
    production: Template,
) -> None:
    mapping = production.triggers[PUBLISHER]
    (only,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(only["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "EVENT#"}]}}},
    }
    queue = "OrderStreamDeadLetterQueue"
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] == queue
    assert production.variables(PUBLISHER)["DEAD_LETTER_QUEUE_URL"] == {"Ref": queue}


def test_no_two_functions_compete_for_a_queue(watched: Template) -> None:
    """Each message reaches only one of them."""
    queues = [
        mapping["EventSourceArn"]
        for mapping in watched.triggers.values()
        if mapping["EventSourceArn"] != STREAM
    ]
    assert all(queues.count(queue) == 1 for queue in queues)


def test_a_queues_consumer_hands_back_only_the_messages_that_failed(watched: Template) -> None:
    for function, mapping in watched.triggers.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], function


def test_the_settlement_takes_one_message_at_a_time_and_leaves_others_concurrency(
    production: Template,
) -> None:
    """No message waits behind the charge of another."""
    mapping = production.triggers[SETTLEMENT]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["OrderEventsQueue", "Arn"]}
    assert mapping["BatchSize"] == 1
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 10}


def test_the_daily_tasks_run_after_the_utc_day_has_ended(production: Template) -> None:
    schedules = {
        production.target(target["Arn"]): (rule["ScheduleExpression"], rule["State"])
        for rule in production.properties("AWS::Events::Rule").values()
        for target in rule["Targets"]
    }
    assert schedules["daily-report"] == ("cron(30 0 * * ? *)", "ENABLED")
    assert schedules["expire-stale-orders"] == ("cron(0 1 * * ? *)", "ENABLED")


def test_each_schedule_may_start_its_own_function(watched: Template) -> None:
    may_start = {
        (permission["SourceArn"]["Fn::GetAtt"][0], watched.target(permission["FunctionName"]))
        for permission in watched.properties("AWS::Lambda::Permission").values()
        if permission["Principal"] == "events.amazonaws.com"
    }
    assert may_start == {
        (name, watched.target(rule["Targets"][0]["Arn"]))
        for name, rule in watched.properties("AWS::Events::Rule").items()
    }
