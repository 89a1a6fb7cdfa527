"""`orderctl pause` and `orderctl resume`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from local_stack import STACK
from system.deployment import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Caller, Deployment, Json

CONSUMER: Final = "settle-payments"


@pytest.fixture(autouse=True)
def trigger_on(deployment: Deployment) -> Iterator[None]:
    """Leave no trigger switched off."""
    yield
    deployment.orderctl("resume", CONSUMER, "--yes")


def state(deployment: Deployment) -> str:
    mappings = deployment.aws("lambda").list_event_source_mappings(
        FunctionName=f"{STACK}-{CONSUMER}"
    )
    return str(mappings["EventSourceMappings"][0]["State"])


def operations(deployment: Deployment) -> list[Json]:
    events = deployment.aws("logs").filter_log_events(
        logGroupName=deployment.outputs["OperationsLogGroupName"]
    )["events"]
    return [json.loads(event["message"]) for event in events]


def test_a_paused_consumer_settles_nothing_until_it_is_resumed(
    deployment: Deployment, customer: Caller
) -> None:
    before = len(operations(deployment))

    assert deployment.orderctl("pause", CONSUMER, answer="y\n").returncode == 0

    assert state(deployment) == "Disabled"
    order_id = customer.place(paymentToken="tok_approve")["orderId"]
    eventually(deployment.queue_depth, lambda depth: depth == 1)
    assert customer.get(order_id).json()["status"] == "PENDING"
    assert deployment.orderctl("pause", CONSUMER).returncode == 3, "it is off already"

    resumed = deployment.orderctl("resume", CONSUMER, "--yes", "--json")

    assert resumed.stderr.startswith("order-events-queue: 1 waiting. ")
    assert json.loads(resumed.stdout) == {"function": CONSUMER, "state": "Enabled"}
    assert customer.settled(order_id)["status"] == "PAID"
    recorded = [(one["operation"], one["state"]) for one in operations(deployment)[before:]]
    assert recorded == [
        ("pause", "began"), ("pause", "done"), ("resume", "began"), ("resume", "done")
    ]  # fmt: skip


@pytest.mark.parametrize("answer", ["", "\n", "no\n"])
def test_nothing_is_switched_without_a_yes(deployment: Deployment, answer: str) -> None:
    result = deployment.orderctl("pause", CONSUMER, answer=answer)

    assert result.returncode == 3
    assert "Nothing was done." in result.stderr
    assert state(deployment) == "Enabled"


def test_only_a_function_with_a_trigger_can_be_paused(deployment: Deployment) -> None:
    result = deployment.orderctl("pause", "create-order", "--yes")

    assert result.returncode == 1
    assert result.stderr.strip().endswith("These have: publish-order-events, settle-payments.")
