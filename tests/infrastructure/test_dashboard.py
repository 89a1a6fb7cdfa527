from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from infrastructure.templates import Template


@pytest.fixture
def widgets(watched: Template) -> dict[str, list[list[Any]]]:
    """The metrics of each of the dashboard's widgets, by its title."""
    (dashboard,) = watched.properties("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    return {one["properties"]["title"]: one["properties"]["metrics"] for one in body["widgets"]}


def test_the_dashboard_shows_api_functions_events_and_table(
    watched: Template, widgets: dict[str, list[list[Any]]]
) -> None:
    shown = {
        title: [f"{metric[1]} {metric[-1]['stat']}" for metric in metrics if len(metric) > 1]
        for title, metrics in widgets.items()
    }
    functions, queues = len(watched.functions), len(watched.properties("AWS::SQS::Queue"))
    readers = len([one for one in watched.triggers.values() if "StartingPosition" in one])
    assert shown == {
        "Requests": ["Count Sum", "4xx Sum", "5xx Sum"],
        "Latency (ms)": ["Latency p50", "Latency p95", "Latency p99"],
        "Orders, events, payments": [],
        "Function errors": ["Errors Sum"] * functions,
        "Function throttles": ["Throttles Sum"] * functions,
        "Function duration, p95 (ms)": ["Duration p95"] * functions,
        "Behind the stream (ms)": ["IteratorAge Maximum"] * readers,
        "Messages waiting": ["ApproximateNumberOfMessagesVisible Maximum"] * queues,
        "Table: capacity and conflicts": [
            "ConsumedReadCapacityUnits Sum",
            "ConsumedWriteCapacityUnits Sum",
            "TransactionConflict Sum",
        ],
    }


def test_what_it_refers_to_is_in_the_template(watched: Template) -> None:
    (dashboard,) = watched.properties("AWS::CloudWatch::Dashboard").values()
    references = set(re.findall(r"\$\{([^}]+)\}", dashboard["DashboardBody"]["Fn::Sub"]))
    queues = watched.properties("AWS::SQS::Queue")
    functions = watched.properties("AWS::Lambda::Function")
    assert references == {
        "AWS::Region",
        "HttpApi",
        "OrdersTable",
        *(f"{queue}.QueueName" for queue in queues),
        *functions,
    }


def test_it_shows_the_namespace_that_the_functions_count_in(
    watched: Template, widgets: dict[str, list[list[Any]]]
) -> None:
    assert watched.everywhere("POWERTOOLS_METRICS_NAMESPACE") == {"Orders"}
    ((search,),) = widgets["Orders, events, payments"]
    assert search == {"expression": """SEARCH('Namespace="Orders"', 'Sum', 300)"""}
