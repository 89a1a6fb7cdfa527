"""No log contains what was sent: in requests, rows, messages or payloads, even when they fail.

These tests come last, and also search for the secrets that all other tests sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from system.deployment import eventually
from system.log_hygiene import leaks, read_logs

if TYPE_CHECKING:
    from system.deployment import Deployment
    from system.marked_traffic import MarkedTraffic


@pytest.fixture(scope="module")
def lines(deployment: Deployment, traffic: MarkedTraffic) -> list[str]:
    """All logs, once each request that reached a function is in them."""

    def missing(lines: list[str]) -> set[str]:
        text = "\n".join(lines)
        return {request_id for request_id in traffic.request_ids if request_id not in text}

    return eventually(lambda: read_logs(deployment), lambda lines: not missing(lines))


def test_nothing_that_was_sent_is_logged(deployment: Deployment, lines: list[str]) -> None:
    found = leaks(lines, deployment.secrets)
    print(f"\nLogs: {len(deployment.secrets)} secrets, {len(found)} found in {len(lines)} lines")
    assert found == {}


def test_orders_are_found_in_the_logs_by_their_ids(
    traffic: MarkedTraffic, lines: list[str]
) -> None:
    order = {traffic.order_id: "order"}
    assert leaks(lines, order).keys() == {"order"}


def test_every_function_has_logged(deployment: Deployment, lines: list[str]) -> None:
    assert lines
    assert [one for one in deployment.functions if not deployment.log_lines(one)] == []


def test_what_functions_raised_is_among_the_lines(lines: list[str]) -> None:
    assert any(line.startswith("ValueError: the event has neither a date") for line in lines)
