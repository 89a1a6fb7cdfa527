"""What starts the functions that no request starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infrastructure.templates import Template

STREAM = {"Fn::GetAtt": ["OrdersTable", "StreamArn"]}
READER = "publish-order-events"


def triggers(template: Template) -> dict[str, dict[str, Any]]:
    """The queue or stream that each function reads, and how."""
    found = {
        template.target(mapping["FunctionName"]): mapping
        for mapping in template.properties("AWS::Lambda::EventSourceMapping").values()
    }
    assert len(found) == len(template.properties("AWS::Lambda::EventSourceMapping"))
    return found


def test_the_stream_has_one_reader_and_room_for_somebodys_own(production: Template) -> None:
    """AWS advises against more than two."""
    readers = [
        function
        for function, mapping in triggers(production).items()
        if mapping["EventSourceArn"] == STREAM
    ]
    assert readers == [READER]


class TestStreamReader:
    def test_it_misses_no_change_made_before_it_was_deployed(self, production: Template) -> None:
        mapping = triggers(production)[READER]
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert mapping["Enabled"] is True

    def test_it_reads_new_events_only(self, production: Template) -> None:
        (only,) = triggers(production)[READER]["FilterCriteria"]["Filters"]
        assert json.loads(only["Pattern"]) == {
            "eventName": ["INSERT"],
            "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "EVENT#"}]}}},
        }

    def test_a_failure_holds_up_as_few_records_as_can_be(self, production: Template) -> None:
        mapping = triggers(production)[READER]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BisectBatchOnFunctionError"] is True

    def test_it_gives_up_four_hours_before_the_stream_forgets_the_record(
        self, production: Template
    ) -> None:
        mapping = triggers(production)[READER]
        assert mapping["MaximumRetryAttempts"] == -1
        assert mapping["MaximumRecordAgeInSeconds"] == 20 * 60 * 60

    def test_what_it_gives_up_goes_to_the_dead_letter_queue(self, production: Template) -> None:
        queue = {"Fn::GetAtt": ["OrderStreamDeadLetterQueue", "Arn"]}
        assert triggers(production)[READER]["DestinationConfig"] == {
            "OnFailure": {"Destination": queue}
        }
        assert production.variables(READER)["DEAD_LETTER_QUEUE_URL"] == {
            "Ref": "OrderStreamDeadLetterQueue"
        }


def test_one_function_consumes_the_queue(production: Template) -> None:
    queues = {
        function: mapping["EventSourceArn"]
        for function, mapping in triggers(production).items()
        if function != READER
    }
    assert queues == {"settle-payments": {"Fn::GetAtt": ["OrderEventsQueue", "Arn"]}}


def test_it_hands_back_the_messages_that_failed_and_only_these(production: Template) -> None:
    mapping = triggers(production)["settle-payments"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_full_queue_does_not_take_all_concurrency(production: Template) -> None:
    mapping = triggers(production)["settle-payments"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 10}


def test_no_message_waits_behind_another_ones_charge(production: Template) -> None:
    assert triggers(production)["settle-payments"]["BatchSize"] == 1


def test_the_daily_tasks_run_after_the_utc_day_has_ended(production: Template) -> None:
    rules = production.properties("AWS::Events::Rule")
    schedules = {
        production.target(target["Arn"]): (rule["ScheduleExpression"], rule["State"])
        for rule in rules.values()
        for target in rule["Targets"]
    }
    assert schedules == {
        "daily-report": ("cron(30 0 * * ? *)", "ENABLED"),
        "expire-stale-orders": ("cron(0 1 * * ? *)", "ENABLED"),
    }


def test_each_schedule_may_start_its_own_function(production: Template) -> None:
    rules = production.properties("AWS::Events::Rule")
    may_start = {
        (permission["SourceArn"]["Fn::GetAtt"][0], production.target(permission["FunctionName"]))
        for permission in production.properties("AWS::Lambda::Permission").values()
        if permission["Principal"] == "events.amazonaws.com"
    }
    assert may_start == {
        (name, production.target(rule["Targets"][0]["Arn"])) for name, rule in rules.items()
    }
