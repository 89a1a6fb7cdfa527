"""`orderctl status`, on a stack of its own, which begins without a fault and gets each one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import httpx
import pytest
from botocore.exceptions import ClientError

from infrastructure.templates import compiled
from local_stack import STACK
from offline import free_port
from orderctl.findings import findings
from orderctl.stage import local_stage
from system.deployment import SECONDS, TABLE, Deployment, RecordedStack, eventually
from system.past_orders import PastOrders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderctl.findings import Finding
    from orderctl.stage import Stage

PUBLISHER: Final = "publish-order-events"
CONSUMER: Final = "settle-payments"
INVALID_SETTING: Final = {"LOG_LEVEL": "LOUD"}
"""With it a function can't start."""


@pytest.fixture(scope="module")
def own(_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack with no faults but those of this file: a log is a fault for a quarter of an hour."""
    stack = RecordedStack(tmp_path_factory.mktemp("status"), free_port())
    with stack.proxy:
        try:
            yield Deployment(stack, stack.up())
        finally:
            stack.stop()


@pytest.fixture(scope="module")
def stage(own: Deployment) -> Stage:
    return local_stage(own.stack.directory)


def found(stage: Stage) -> dict[tuple[str, str], Finding]:
    return {(one.kind, one.name): one for one in findings(stage)}


def fault(stage: Stage, kind: str, name: str) -> Finding:
    """The fault of that name, as soon as it is found."""
    all_found = eventually(
        lambda: found(stage), lambda now: (kind, name) in now and not now[kind, name].ok
    )
    return all_found[kind, name]


def mended(stage: Stage, kind: str, name: str) -> None:
    eventually(lambda: found(stage)[kind, name], lambda one: one.ok)


def test_a_new_stack_is_well_and_all_of_it_is_looked_at(own: Deployment) -> None:
    template = compiled("local")
    dead = {template.named(one)["QueueName"] for one in template.dead_letter_queues}
    queues = {one["QueueName"] for one in template.properties("AWS::SQS::Queue").values()}
    readers = [name for name, one in template.triggers.items() if "StreamArn" in str(one)]
    rules = template.properties("AWS::Events::Rule").values()

    result = own.orderctl("status", "--json")

    printed = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one for one in printed if not one["ok"]] == []
    assert (result.returncode, result.stderr) == (0, "")
    details = {(one["kind"], one["name"]): one["detail"] for one in printed}
    assert {
        *(("queue", one) for one in queues - dead),
        *(("dead letters", one) for one in dead),
        *(("trigger", one) for one in template.triggers),
        *(("stream", one) for one in readers),
        *(("schedule", template.target(rule["Targets"][0]["Arn"])) for rule in rules),
    } <= set(details)
    assert f"version {own.outputs['Version']} responds" in details["api", "GET /health"]
    assert "all is well" in own.orderctl("status").stdout


def test_todays_orders_are_counted(own: Deployment, stage: Stage) -> None:
    for _ in range(3):
        order_id = own.customer.place()["orderId"]
    own.staff.patch(order_id, "PAID").raise_for_status()

    counts = {one.name: one.detail for one in findings(stage) if one.kind == "orders today"}
    assert counts == {"PENDING": "2", "PAID": "1", "SHIPPED": "0", "CANCELED": "0"}


def test_a_paused_trigger_shows_first_until_it_is_resumed(own: Deployment, stage: Stage) -> None:
    own.orderctl("pause", CONSUMER, "--yes")

    result = own.orderctl("status")

    assert result.returncode == 1
    first = result.stdout.split("\n\n")[1].split("\n")
    assert first[0].startswith(f"✗ trigger       {CONSUMER}")
    assert first[1].strip() == f"./orderctl resume {CONSUMER}"
    own.orderctl("resume", CONSUMER, "--yes")
    mended(stage, "trigger", CONSUMER)


@pytest.mark.parametrize(
    "queue", ["OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl"]
)
def test_a_dead_letter_is_a_fault(own: Deployment, stage: Stage, queue: str) -> None:
    url = own.outputs[queue]
    own.aws("sqs").send_message(QueueUrl=url, MessageBody="given up")

    assert fault(stage, "dead letters", url.rpartition("/")[2]).detail.startswith("1 waiting")
    own.aws("sqs").purge_queue(QueueUrl=url)


def test_a_schedule_that_is_off_or_has_not_run_for_26_hours_is_a_fault(
    own: Deployment, stage: Stage
) -> None:
    events = own.aws("events")
    for rule in events.list_rules()["Rules"]:
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        function = target["Arn"].rpartition(":")[2].removeprefix(f"{STACK}-")
        events.disable_rule(Name=rule["Name"])
        assert "DISABLED" in fault(stage, "schedule", function).detail
        events.enable_rule(Name=rule["Name"])
        ran(own, function, timedelta(hours=27))
        assert found(stage)["schedule", function].ok, "the local stack was down when it was due"
        with pytest.MonkeyPatch.context() as changes:
            changes.setattr(stage, "started", None)
            assert fault(stage, "schedule", function).detail == "ran 27 h ago"
        ran(own, function, timedelta(hours=25))
        mended(stage, "schedule", function)


def ran(deployment: Deployment, function: str, ago: timedelta) -> None:
    """Leave the log of a run."""
    logs, at = deployment.aws("logs"), datetime.now(UTC) - ago
    names = {"logGroupName": f"/aws/lambda/{STACK}-{function}", "logStreamName": f"{at:%H%M%S}"}
    event = {"timestamp": int(at.timestamp() * 1000), "message": "START"}
    logs.create_log_stream(**names)
    logs.put_log_events(**names, logEvents=[event])


def test_an_alarm_that_was_deleted_is_a_fault(own: Deployment, stage: Stage) -> None:
    cloudwatch, name = own.aws("cloudwatch"), f"{STACK}-orders-unreadable"
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=[name])

    assert fault(stage, "alarm", "orders-unreadable").detail == "was deleted"

    settings = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    cloudwatch.put_metric_alarm(**{one: alarm[one] for one in settings if one in alarm})


def test_every_alarm_of_the_stack_that_rings_is_a_fault(
    own: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator has no alarms on metric math, so ones on nothing stand in for them."""
    stage, production = local_stage(own.stack.directory), compiled("prod")
    alarms, composites = (
        {
            one["AlarmName"].removeprefix("orders-prod-")
            for one in production.properties(f"AWS::CloudWatch::{kind}").values()
            if "AlarmActions" in one
        }
        for kind in ("Alarm", "CompositeAlarm")
    )
    cloudwatch = own.aws("cloudwatch")
    deployed = {one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"]}
    part, of_another_stage = f"{STACK}-a-part", f"{STACK}-2-api-failing"
    added = [part, *(f"{STACK}-{name}" for name in alarms if f"{STACK}-{name}" not in deployed)]
    composed = [f"{STACK}-{name}" for name in composites]
    in_stack = {
        "AWS::CloudWatch::Alarm": [*deployed, *added],
        "AWS::CloudWatch::CompositeAlarm": composed,
    }
    monkeypatch.setattr(stage, "resources", {**stage.resources, **in_stack})
    told = {
        "AlarmDescription": "See docs/runbook.md",
        "AlarmActions": ["arn:aws:sns:ap-southeast-1:000000000000:page"],
    }
    for name in [*added, of_another_stage]:
        cloudwatch.put_metric_alarm(
            AlarmName=name, Threshold=0, Period=60, ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1, Namespace="None", MetricName="None", Statistic="Sum",
            **({} if name == part else told),
        )  # fmt: skip
    for name in composed:
        cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f'ALARM("{part}")', **told)

    def ringing() -> dict[str, Finding]:
        return {one.name: one for one in findings(stage) if one.kind == "alarm" and not one.ok}

    def ring(state: str) -> None:
        for name in [part, of_another_stage, *(f"{STACK}-{one}" for one in alarms)]:
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")

    assert ringing() == {}
    ring("ALARM")
    assert ringing().keys() == alarms | composites
    assert own.orderctl("status").returncode == 1
    assert ringing()["api-failing"].remedy == "See docs/runbook.md"
    assert ringing()["api-failing"].detail.startswith("has rung for ")
    ring("OK")
    assert ringing() == {}
    for name in composed:
        cloudwatch.delete_alarms(AlarmNames=[name])
    cloudwatch.delete_alarms(AlarmNames=[*added, of_another_stage])


def test_an_api_that_does_not_respond_or_runs_another_version_is_a_fault(
    own: Deployment, stage: Stage
) -> None:
    with own.changed_environment("health", **INVALID_SETTING):
        assert "HTTPStatusError" in fault(stage, "api", "GET /health").detail
    with own.changed_environment("health", VERSION="another"):
        assert "runs version another" in fault(stage, "api", "GET /health").detail
    mended(stage, "api", "GET /health")


def test_a_function_that_cannot_start_is_a_fault(own: Deployment, stage: Stage) -> None:
    headers = {"Authorization": f"Bearer {own.staff.token}"}
    with own.changed_environment("get-order", **INVALID_SETTING):
        for _ in range(3):
            httpx.get(
                f"{own.stack.api_url}/orders/x", headers=headers, timeout=SECONDS, trust_env=False
            )

        assert fault(stage, "function", "get-order").detail.startswith("crashed in 3 of 3")


def test_a_request_that_fails_is_a_fault(own: Deployment, stage: Stage) -> None:
    order_id = own.customer.place()["orderId"]
    with own.changed_environment("get-order-timeline", TABLE_NAME="a-table-that-is-not-there"):
        assert own.staff.http.get(f"/orders/{order_id}/timeline").status_code == 500

        assert "500" in fault(stage, "function", "get-order-timeline").detail


def test_a_consumer_that_fails_is_a_fault(own: Deployment, stage: Stage) -> None:
    with own.changed_environment(CONSUMER, TABLE_NAME="a-table-that-is-not-there"):
        own.customer.place(paymentToken="tok_approve")

        assert "AccessDenied" in fault(stage, "function", CONSUMER).detail


def test_a_publisher_that_fails_is_a_fault(own: Deployment, stage: Stage) -> None:
    with own.changed_environment(PUBLISHER, QUEUE_URL=f"{own.outputs['OrderEventsQueueUrl']}-not"):
        own.customer.place()

        assert "events not sent" in fault(stage, "function", PUBLISHER).detail


def test_a_publisher_that_cannot_start_is_a_fault_until_it_can(
    own: Deployment, stage: Stage
) -> None:
    with own.changed_environment(PUBLISHER, **INVALID_SETTING):
        own.customer.place()
        assert "FAILED" in fault(stage, "trigger", PUBLISHER).detail

    mended(stage, "trigger", PUBLISHER)


def test_an_event_that_nobody_publishes_is_a_fault(own: Deployment, stage: Stage) -> None:
    logs, group = own.aws("logs"), f"/aws/lambda/{STACK}-{PUBLISHER}"
    own.orderctl("pause", PUBLISHER, "--yes")
    past = PastOrders(cast("Deployment", SimpleNamespace(stack=own.stack)))
    past.place(datetime.now(UTC) - timedelta(minutes=5))
    for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
        for one in page["logStreams"]:
            logs.delete_log_stream(logGroupName=group, logStreamName=one["logStreamName"])

    assert "was recorded 5 min ago" in fault(stage, "stream", PUBLISHER).detail
    assert fault(stage, "trigger", PUBLISHER).remedy == f"./orderctl resume {PUBLISHER}"
    own.orderctl("resume", PUBLISHER, "--yes")
    mended(stage, "stream", PUBLISHER)


def test_an_unreadable_order_is_the_fault_of_its_alarm(own: Deployment, stage: Stage) -> None:
    customer = own.new_customer()
    order_id = customer.place()["orderId"]
    own.aws("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"CUSTOMER#{customer.id}"}, "sk": {"S": f"ORDER#{order_id}"}},
        UpdateExpression="REMOVE currency",
    )
    assert customer.http.get(f"/customers/{customer.id}/orders").json()["items"] == []

    alarm = fault(stage, "alarm", "orders-unreadable")
    assert alarm.remedy.endswith("docs/runbook.md#orders-unreadable")
    assert order_id in fault(stage, "function", "list-customer-orders").detail


def test_what_cloudwatch_measures_is_shown(own: Deployment, stage: Stage) -> None:
    """The emulator measures neither, but keeps what it is told."""
    for namespace, metric, dimension, name, value in (
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "order-events-queue", 400),
        ("AWS/Lambda", "IteratorAge", "FunctionName", f"{STACK}-{PUBLISHER}", 4_200),
    ):
        dimensions = [{"Name": dimension, "Value": name}]
        own.aws("cloudwatch").put_metric_data(
            Namespace=namespace,
            MetricData=[{"MetricName": metric, "Dimensions": dimensions, "Value": value}],
        )

    now = found(stage)
    assert now["queue", "order-events-queue"].detail.endswith("the oldest for 6 min")
    assert now["stream", PUBLISHER].detail == "was 4 s behind"


def test_a_check_that_fails_is_a_fault_and_the_others_go_on(
    own: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = local_stage(own.stack.directory)

    def refuse(**_parameters: object) -> None:
        code: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not you"}}
        raise ClientError(code, "DescribeRule")

    monkeypatch.setattr(stage.client("events"), "describe_rule", refuse)
    all_found = findings(stage)

    schedules = [one for one in all_found if one.kind == "schedule"]
    assert len(schedules) == 2
    assert all(not one.ok and "You lack a right" in one.detail for one in schedules)
    assert any(one.ok for one in all_found if one.kind == "queue")


def test_a_stack_that_is_gone_is_one_line(own: Deployment) -> None:
    own.stack.stop()

    result = own.orderctl("status")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("AWS is out of reach: ")
    assert result.stderr.count("\n") == 1
