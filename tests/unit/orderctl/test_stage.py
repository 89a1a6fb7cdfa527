"""What commands that write events rely on: the feed may never show an event that comes late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest

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
