from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from infrastructure.templates import Template


@pytest.fixture
def widgets(production: Template) -> dict[str, list[list[Any]]]:
    """The metrics of each of the dashboard's widgets, by its title."""
    (dashboard,) = production.properties("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    return {one["properties"]["title"]: one["properties"]["metrics"] for one in body["widgets"]}


def test_the_dashboard_shows_api_functions_events_and_table(
    production: Template, widgets: dict[str, list[list[Any]]]
) -> None:
    shown = {
        title: [f"{metric[1]} {metric[-1]['stat']}" for metric in metrics if len(metric) > 1]
        for title, metrics in widgets.items()
    }
    functions = len(production.properties("AWS::Lambda::Function"))
    assert shown == {
        "Requests": ["Count Sum", "4xx Sum", "5xx Sum"],
        "Latency (ms)": ["Latency p50", "Latency p95", "Latency p99"],
        "Orders, events, payments": [],
        "Function errors": ["Errors Sum"] * functions,
        "Function throttles": ["Throttles Sum"] * functions,
        "Function duration, p95 (ms)": ["Duration p95"] * functions,
        "Behind the stream (ms)": ["IteratorAge Maximum"],
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
