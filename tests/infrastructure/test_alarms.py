from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from infrastructure.templates import Template

DEFAULTS = {
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 0,
    "Period": 300,
    "EvaluationPeriods": 1,
    "TreatMissingData": "notBreaching",
    "AlarmActions": [{"Ref": "AlarmTopic"}],
    "OKActions": [{"Ref": "AlarmTopic"}],
}


def queue_is_not_empty(logical_id: str) -> dict[str, Any]:
    return {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [logical_id, "QueueName"]}}],
        "Statistic": "Maximum",
        "Period": 60,
    }


def counted(metric: str) -> dict[str, Any]:
    return {
        "Namespace": "Orders",
        "MetricName": metric,
        "Dimensions": [{"Name": "service", "Value": "orders"}],
        "Statistic": "Sum",
    }


def of_the_api(metric: str, **more: object) -> dict[str, Any]:
    return {
        "Namespace": "AWS/ApiGateway",
        "MetricName": metric,
        "Dimensions": [{"Name": "ApiId", "Value": {"Ref": "HttpApi"}}],
    } | more


def of_the_function(logical_id: str, metric: str, **more: object) -> dict[str, Any]:
    return {
        "Namespace": "AWS/Lambda",
        "MetricName": metric,
        "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": logical_id}}],
    } | more


MORE_THAN_A_MINUTE_BEHIND = {
    "Statistic": "Maximum",
    "Threshold": 60_000,
    "Period": 60,
    "EvaluationPeriods": 5,
}
EXPECTED = {
    "order-events-dlq-not-empty": queue_is_not_empty("OrderEventsDeadLetterQueue"),
    "order-stream-dlq-not-empty": queue_is_not_empty("OrderStreamDeadLetterQueue"),
    "missing-timeline-entries": counted("MissingTimelineEntries"),
    "orders-unreadable": counted("OrdersUnreadable"),
    "api-latency": of_the_api(
        "Latency",
        ExtendedStatistic="p95",
        Threshold=300,
        EvaluationPeriods=3,
        EvaluateLowSampleCountPercentile="ignore",
    ),
    "api-5xx": of_the_api("5xx", Statistic="Sum"),
    "publish-order-events-iterator-age": of_the_function(
        "PublishDashorderDasheventsLambdaFunction", "IteratorAge", **MORE_THAN_A_MINUTE_BEHIND
    ),
    "record-audit-trail-iterator-age": of_the_function(
        "RecordDashauditDashtrailLambdaFunction", "IteratorAge", **MORE_THAN_A_MINUTE_BEHIND
    ),
}


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms by name, without their descriptions."""
    found = {}
    for alarm in template.properties("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmDescription"]
        name = alarm["AlarmName"].removeprefix("orders-prod-")
        found[name] = {
            key: value
            for key, value in alarm.items()
            if key not in {"AlarmName", "AlarmDescription"}
        }
    return found


def test_there_is_an_alarm_for_each_thing_that_can_go_wrong(production: Template) -> None:
    functions = {
        function["FunctionName"]: logical_id
        for logical_id, function in production.properties("AWS::Lambda::Function").items()
    }
    expected = EXPECTED | {
        f"{name.removeprefix('orders-prod-')}-{metric.lower()}": of_the_function(
            logical_id, metric, Statistic="Sum"
        )
        for name, logical_id in functions.items()
        for metric in ("Errors", "Throttles")
    }
    found = alarms(production)
    assert found.keys() == expected.keys()
    for name, alarm in expected.items():
        assert found[name] == DEFAULTS | alarm, name


def test_they_tell_one_topic(production: Template) -> None:
    assert list(production.properties("AWS::SNS::Topic")) == ["AlarmTopic"]
    assert production.document["Outputs"]["AlarmTopicArn"]["Value"] == {"Ref": "AlarmTopic"}


@pytest.fixture
def widgets(production: Template) -> dict[str, list[list[Any]]]:
    """The metrics of each of the dashboard's widgets, by its title."""
    (dashboard,) = production.properties("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    return {one["properties"]["title"]: one["properties"]["metrics"] for one in body["widgets"]}


def test_the_dashboard_shows_api_functions_events_and_table(
    widgets: dict[str, list[list[Any]]],
) -> None:
    shown = {
        title: [f"{metric[1]} {metric[-1]['stat']}" for metric in metrics if len(metric) > 1]
        for title, metrics in widgets.items()
    }
    functions = 16
    assert shown == {
        "Requests": ["Count Sum", "4xx Sum", "5xx Sum"],
        "Latency (ms)": ["Latency p50", "Latency p95", "Latency p99"],
        "Orders, events, payments": [],
        "Function errors": ["Errors Sum"] * functions,
        "Function throttles": ["Throttles Sum"] * functions,
        "Function duration, p95 (ms)": ["Duration p95"] * functions,
        "Behind the stream (ms)": ["IteratorAge Maximum"] * 2,
        "Messages waiting": ["ApproximateNumberOfMessagesVisible Maximum"] * 3,
        "Table: capacity and conflicts": [
            "ConsumedReadCapacityUnits Sum",
            "ConsumedWriteCapacityUnits Sum",
            "TransactionConflict Sum",
        ],
    }


def test_what_it_refers_to_is_in_the_template(production: Template) -> None:
    (dashboard,) = production.properties("AWS::CloudWatch::Dashboard").values()
    references = set(re.findall(r"\$\{([^}]+)\}", dashboard["DashboardBody"]["Fn::Sub"]))
    queues = production.properties("AWS::SQS::Queue")
    functions = production.properties("AWS::Lambda::Function")
    assert references == {
        "AWS::Region",
        "HttpApi",
        "OrdersTable",
        *(f"{queue}.QueueName" for queue in queues),
        *functions,
    }


def test_it_shows_the_namespace_that_the_functions_count_in(
    production: Template, widgets: dict[str, list[list[Any]]]
) -> None:
    namespaces = {
        production.variables(function)["POWERTOOLS_METRICS_NAMESPACE"]
        for function in production.functions
    }
    assert namespaces == {"Orders"}
    ((search,),) = widgets["Orders, events, payments"]
    assert search == {"expression": """SEARCH('Namespace="Orders"', 'Sum', 300)"""}
