"""`orderctl list`, `events`, `report`, `make-report` and `token`."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Timer
from typing import TYPE_CHECKING, Final

import pytest

from local_stack import orderctl_environment
from orders.domain.order_number import order_number
from system.deployment import MARK, SECONDS, TABLE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Caller, Deployment, Json

HOSTILE: Final = f"\x1b]0;gone\x07\x9b31m[bold]\u202e{MARK}"


def json_lines(output: str) -> list[Json]:
    return [json.loads(line) for line in output.splitlines()]


def listed(deployment: Deployment, *arguments: str) -> list[Json]:
    result = deployment.orderctl("list", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    return json_lines(result.stdout)


@contextmanager
def damaged(deployment: Deployment, order_id: str) -> Iterator[None]:
    """Meanwhile the order's row can't be read; its event was consumed before."""
    deployment.settle()
    table = deployment.aws("dynamodb")
    row = deployment.rows(order_id)["DETAIL"]
    table.put_item(TableName=TABLE, Item=row | {"amount": {"S": "much"}})
    try:
        yield
    finally:
        table.put_item(TableName=TABLE, Item=row)


def test_orders_are_listed_by_customer_status_time_and_amount(
    deployment: Deployment, staff: Caller
) -> None:
    customer = deployment.new_customer()
    item = customer.order()["items"][0]
    first = customer.place(items=[item | {"quantity": 1, "unitAmount": 10_000}])
    second = customer.place(items=[item | {"quantity": 1, "unitAmount": 10_001}])
    third = customer.place(currency="JPY", items=[item | {"quantity": 1, "unitAmount": 10_001}])
    staff.patch(second["orderId"], "PAID").raise_for_status()
    ours = ("--customer", customer.id)

    def ids(*arguments: str) -> list[str]:
        return [one["orderId"] for one in listed(deployment, *ours, *arguments)]

    page = customer.http.get(f"/customers/{customer.id}/orders").raise_for_status().json()
    assert listed(deployment, *ours) == page["items"]
    assert ids() == [third["orderId"], second["orderId"], first["orderId"]]
    assert ids("--status", "paid") == [second["orderId"]]
    assert ids("--over", "100USD") == [second["orderId"]]
    assert ids("--from", second["createdAt"], "--to", third["createdAt"]) == [second["orderId"]]
    assert ids("--limit", "2") == [third["orderId"], second["orderId"]]
    assert ids("--limit", "2", "--all") == ids()
    everyones = listed(deployment, "--all", "--from", first["createdAt"])
    assert [one["orderId"] for one in everyones if one["customerId"] == customer.id] == ids()
    assert everyones == sorted(everyones, key=lambda one: str(one["orderId"]), reverse=True)


def test_people_see_numbers_and_decimals_and_that_there_is_more(deployment: Deployment) -> None:
    customer = deployment.new_customer()
    customer.place()
    order = customer.place(currency="BHD")

    result = deployment.orderctl("list", "--customer", customer.id, "--limit", "1")

    assert order_number(order["orderId"]) in result.stdout
    assert f"{order['amount'] / 1000:.3f} BHD" in result.stdout
    assert len(result.stdout.splitlines()) == 2, "a heading and an order"
    assert "There may be more" in result.stderr


def test_an_order_that_cannot_be_read_is_named_and_the_others_listed(
    deployment: Deployment,
) -> None:
    customer = deployment.new_customer()
    first, second, third = (customer.place() for _ in range(3))
    with damaged(deployment, second["orderId"]):
        result = deployment.orderctl("list", "--json", "--from", first["createdAt"])

    found = [one["orderId"] for one in json_lines(result.stdout)]
    assert result.returncode == 1
    assert second["orderId"] in result.stderr
    assert "Traceback" not in result.stderr
    assert [one for one in found if one in {first["orderId"], third["orderId"]}] == [
        third["orderId"],
        first["orderId"],
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--over", "100"),
        ("list", "--status", "LOST"),
        ("list", "--customer", "a#b"),
        ("list", "--limit", "0"),
        ("events", "--from", "soon"),
        ("report", "2026-13-01"),
        ("export", "--from", "2026-11-01"),
        ("export", "--from", "1h", "--to", "now", "--output", "/dev/null"),
    ],
)
def test_wrong_usage_exits_with_2(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    result = deployment.orderctl(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_events_are_shown_as_the_feed_has_them(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    order = customer.place()
    order_id = order["orderId"]
    staff.patch(order_id, "CANCELED", reason=HOSTILE).raise_for_status()

    def events(*arguments: str) -> list[Json]:
        result = deployment.orderctl("events", "--json", "--from", order["createdAt"], *arguments)
        assert result.returncode == 0, result.stderr
        return [one for one in json_lines(result.stdout) if one["subject"] == order_id]

    found = eventually(events, lambda found: len(found) == 2)

    query = {"recordedFrom": order["createdAt"], "limit": 1000}
    feed = staff.http.get("/events", params=query).raise_for_status().json()["items"]
    assert found == [one for one in feed if one["subject"] == order_id]
    assert events("--type", "order_canceled") == found[1:]
    assert events("--to", found[1]["time"]) == found[:1]
    for arguments in ((), ("--json",)):
        shown = deployment.orderctl("events", "--from", order["createdAt"], *arguments).stdout
        assert MARK in shown
        assert not set(shown) & set("\x1b\x07\x9b")


def test_following_shows_each_new_event_once_and_stops_at_an_interrupt(
    deployment: Deployment, customer: Caller
) -> None:
    first = customer.place()
    process = subprocess.Popen(
        [sys.executable, "-m", "orderctl", "events", "--follow", "--json",
         "--from", first["createdAt"]],
        env=orderctl_environment(deployment.stack),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    shown: list[str] = []

    def show_up_to(order_id: str) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            shown.append(json.loads(line)["subject"])
            if shown[-1] == order_id:
                return
        raise AssertionError(f"{order_id} was not shown within {SECONDS} s")

    deadline = Timer(SECONDS, process.kill)
    deadline.start()
    try:
        show_up_to(first["orderId"])
        orders = [customer.place() for _ in range(5)]
        show_up_to(orders[2]["orderId"])
        orders += [customer.place() for _ in range(2)]
        show_up_to(orders[-1]["orderId"])
    finally:
        deadline.cancel()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()

    placed = [first["orderId"], *(one["orderId"] for one in orders)]
    assert [one for one in shown if one in placed] == placed
    assert process.returncode == 0, errors


def test_a_report_is_made_shown_and_recorded(deployment: Deployment, staff: Caller) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert deployment.orderctl("make-report", today, answer="n\n").returncode == 3

    made = deployment.orderctl("make-report", today, "--yes", "--json")

    report = staff.http.get(f"/reports/daily/{today}").raise_for_status().json()
    assert json_lines(made.stdout) == [report]
    assert json_lines(deployment.orderctl("report", today, "--json").stdout) == [report]
    again = deployment.orderctl("make-report", today, "--yes", "--json")
    assert json_lines(again.stdout)[0]["generatedAt"] > report["generatedAt"]
    operations = deployment.aws("logs").filter_log_events(
        logGroupName=deployment.outputs["OperationsLogGroupName"],
        filterPattern='{ $.operation = "make-report" }',
    )["events"]
    assert {json.loads(one["message"])["state"] for one in operations} >= {"began", "done"}


def test_reports_of_several_days_are_plotted(deployment: Deployment, customer: Caller) -> None:
    customer.place()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    deployment.orderctl("make-report", today, "--yes")

    result = deployment.orderctl("report", today, "--days", "3")

    assert result.returncode == 0
    assert "Orders per day in USD" in result.stdout
    assert today[5:] in result.stdout.rstrip().splitlines()[-1], "the last day below the plot"
    assert "\x1b" not in result.stdout


def test_a_missing_report_says_how_to_make_it(deployment: Deployment) -> None:
    result = deployment.orderctl("report", "1999-01-01")
    assert result.returncode == 3
    assert result.stderr.endswith("make it with ./orderctl make-report 1999-01-01\n")


def test_tokens_are_fresh_and_the_api_takes_them(deployment: Deployment) -> None:
    result = deployment.orderctl("token")

    lines = dict(shlex.split(line)[0].split("=", 1) for line in result.stdout.splitlines())
    assert json.loads(deployment.orderctl("token", "--json").stdout).keys() == lines.keys()
    customer = deployment.caller(lines["CUSTOMER_ID"], lines["CUSTOMER_TOKEN"])
    staff = deployment.caller("staff", lines["STAFF_TOKEN"])
    assert staff.get(customer.place()["orderId"]).status_code == 200
    assert lines["CUSTOMER_TOKEN"] != deployment.customer.token


def test_tokens_of_other_stages_come_from_their_issuer(deployment: Deployment) -> None:
    result = deployment.orderctl("token", "--stage", "prod")
    assert result.returncode == 1
    assert result.stderr.startswith("Tokens for prod come from its issuer")
