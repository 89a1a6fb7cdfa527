from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from infrastructure.templates import Template


@pytest.fixture
def body(watched: Template) -> str:
    (dashboard,) = watched.properties("AWS::CloudWatch::Dashboard").values()
    return str(dashboard["DashboardBody"]["Fn::Sub"])


def test_the_dashboard_shows_the_api_the_table_and_every_function_and_queue(
    watched: Template, body: str
) -> None:
    assert set(re.findall(r"\$\{([^}]+)\}", body)) == {
        "AWS::Region",
        "HttpApi",
        "OrdersTable",
        *(f"{queue}.QueueName" for queue in watched.properties("AWS::SQS::Queue")),
        *watched.properties("AWS::Lambda::Function"),
    }
    shown = {
        name: sum(metric[1] == name for metric in metrics if len(metric) > 1)
        for metrics in (one["properties"]["metrics"] for one in json.loads(body)["widgets"])
        for name in (metric[1] for metric in metrics if len(metric) > 1)
    }
    functions = len(watched.functions)
    assert shown == {
        **dict.fromkeys(("Count", "4xx", "5xx"), 1),
        "Latency": 3,
        **dict.fromkeys(("Errors", "Throttles", "Duration"), functions),
        "IteratorAge": len([one for one in watched.triggers.values() if "StartingPosition" in one]),
        "ApproximateNumberOfMessagesVisible": len(watched.properties("AWS::SQS::Queue")),
        "ConsumedReadCapacityUnits": 1,
        "ConsumedWriteCapacityUnits": 1,
        "TransactionConflict": 1,
    }


def test_it_shows_whatever_the_functions_count(watched: Template, body: str) -> None:
    (namespace,) = watched.everywhere("METRICS_NAMESPACE")
    metrics = [one["properties"]["metrics"] for one in json.loads(body)["widgets"]]
    search = f"""SEARCH('Namespace="{namespace}"', 'Sum', 300)"""
    assert [[{"expression": search}]] in metrics
