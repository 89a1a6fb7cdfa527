"""A stage as its stack describes it, and AWS's time.

Commands that write events rely on the time: the feed may never show an event that comes late.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orderctl.app import Problem
from orderctl.findings import findings
from orderctl.stage import Stage
from proof.oracle import FEED_DELAY


class ClockOfAws:
    """STS, by a clock that is so far ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def get_caller_identity(self) -> Any:  # noqa: ANN401 - AWS's response
        date = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        return {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(0), timedelta(minutes=-10)])
def test_time_is_awss_whatever_the_operators_clock_says(ahead: timedelta) -> None:
    stage = Stage("prod", boto3.Session(region_name="eu-west-1"))
    stage._clients["sts"] = ClockOfAws(ahead)

    before = datetime.now(UTC)
    now = stage.now()
    after = datetime.now(UTC)

    a_second_cut_off = timedelta(seconds=1, milliseconds=1) + (after - before)
    assert before - a_second_cut_off <= now - ahead <= after
    assert now.microsecond % 1000 == 0


def test_an_event_is_written_before_the_feed_shows_its_time() -> None:
    session = boto3.Session("key", "secret", region_name="eu-west-1")
    stage = Stage("prod", session)
    stage.outputs = {"OrdersTableName": "orders_app"}

    client: Any = stage.table_for_events.client
    config = client._client.meta.config

    attempts = config.retries["total_max_attempts"]
    # A write that was contended, or met an error of the server, is attempted once more.
    seconds = 2 * attempts * (config.connect_timeout + config.read_timeout)
    assert seconds < FEED_DELAY.total_seconds() - 15, "with its pauses, and the index's lag"


def test_a_suggested_command_acts_on_the_same_stage() -> None:
    session = boto3.Session("key", "secret", region_name="eu-west-1")

    assert Stage("prod", session).command("resume x") == "./orderctl resume x --stage prod"
    assert Stage("local", session).command("resume x") == "./orderctl resume x"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nope", 'There is no stage "nope" in eu-west-1'),
        ("local", "not fully deployed: run `make up`"),
    ],
)
def test_a_stage_that_does_not_exist_is_named_whatever_is_asked_first(name: str, said: str) -> None:
    stage = Stage(name, boto3.Session("key", "secret", region_name="eu-west-1"))

    with Stubber(stage.client("cloudformation")) as cloudformation:
        cloudformation.add_client_error("describe_stacks", "ValidationError")
        with pytest.raises(Problem, match=said):
            _ = stage.resources


class Unused:
    """A client of a service that has nothing to tell of the stack."""

    def get_paginator(self, _operation: str) -> Any:  # noqa: ANN401 - boto3's
        return self

    def paginate(self, **_parameters: object) -> list[dict[str, list[object]]]:
        lists = ("CompositeAlarms", "EventSourceMappings", "MetricAlarms", "MetricDataResults")
        return [{one: [] for one in lists}]


@pytest.mark.parametrize(
    ("state", "ok"),
    [
        ("REVIEW_IN_PROGRESS", False),
        ("CREATE_IN_PROGRESS", False),
        ("CREATE_FAILED", False),
        ("ROLLBACK_COMPLETE", False),
        ("UPDATE_IN_PROGRESS", False),
        ("UPDATE_ROLLBACK_FAILED", False),
        ("DELETE_FAILED", False),
        ("UPDATE_ROLLBACK_COMPLETE", True),
        ("CREATE_COMPLETE", True),
    ],
)
def test_a_stack_that_is_not_deployed_is_a_fault(state: str, ok: bool) -> None:  # noqa: FBT001 - a case
    """It has neither outputs nor resources, and what needs them says so."""
    stage = Stage("dev", boto3.Session("key", "secret", region_name="eu-west-1"))
    stack = {"StackName": "orders-dev", "StackStatus": state, "CreationTime": datetime.now(UTC)}
    yet_to_be_made = {
        "LogicalResourceId": "Queue",
        "ResourceType": "AWS::SQS::Queue",
        "ResourceStatus": "CREATE_IN_PROGRESS",
        "LastUpdatedTimestamp": datetime.now(UTC),
    }
    with Stubber(stage.client("cloudformation")) as cloudformation:
        cloudformation.add_response("describe_stacks", {"Stacks": [stack]})
        cloudformation.add_response(
            "list_stack_resources", {"StackResourceSummaries": [yet_to_be_made]}
        )
        stage._clients |= dict.fromkeys(("cloudwatch", "lambda"), Unused())

        found = {one.kind: one for one in findings(stage)}

    assert (found["stack"].ok, found["stack"].detail) == (ok, f"is {state}")
    assert "The stack has no output" in found["api"].detail
    assert "queue" not in found


def test_an_endpoint_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:9")
    stage = Stage("prod", boto3.Session("key", "secret", region_name="eu-west-1"))
    with pytest.raises(Problem, match=r"can't be used: Invalid endpoint: 127\.0\.0\.1:9"):
        stage.client("sts")
