"""Each alarm rings within the hour for the fault it watches, and for nothing benign.

Alarms are evaluated as CloudWatch does it, on series made up in `made_up_metrics`. The template has
a consumer added, so that every kind of alarm that resources get by themselves is among them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from infrastructure.cloudwatch import ALARM, DAY, OK, Alarm
from infrastructure.made_up_metrics import END, HOUR, NOW, SLOW_MS, busy, quiet
from infrastructure.templates import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infrastructure.cloudwatch import Metrics
    from infrastructure.made_up_metrics import Platform
    from infrastructure.templates import Template

RUNBOOK = ROOT / "docs" / "runbook.md"
WITHIN = HOUR
NOT_RUN_FOR = 26 * HOUR
FURTHER = (0, 2)
"""CloudWatch doesn't say how many more periods it reads: nothing may depend on it."""


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The properties of the alarms by their names, without the stage."""
    return {
        alarm["AlarmName"].removeprefix("orders-prod-"): alarm
        for alarm in template.properties("AWS::CloudWatch::Alarm").values()
    }


def first_ring(alarm: dict[str, Any], metrics: Metrics, since: int, further: int) -> int | None:
    """After how many minutes it rings, having been quiet before."""
    watch = Alarm(alarm, further=further)
    assert list(watch.changes(metrics, since - 2 * HOUR, since)) == []
    rings = (minute for minute, state in watch.changes(metrics, since + 1, END) if state == ALARM)
    return next((minute - since for minute in rings), None)


# What goes wrong from NOW on, by alarm.


def a_lone_order_is_never_published(platform: Platform) -> None:
    platform.orders(NOW - 40)
    platform.unpublished_orders(NOW)


def every_order_from_now_on_is_unpublished(platform: Platform) -> None:
    for minute in range(NOW - 2 * HOUR, NOW):
        platform.orders(minute, 20)
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.unpublished_orders(minute, 20)


def the_publisher_stops_after_a_batch_was_published_twice(platform: Platform) -> None:
    platform.orders(NOW - 1, 100)
    platform.publish(NOW - 1, 100)
    for minute in range(NOW, NOW + 2 * HOUR, 7):
        platform.unpublished_orders(minute)


def nothing_was_ever_published(platform: Platform) -> None:
    platform.unpublished_orders(NOW)


def the_gateway_of_payments_is_down(platform: Platform) -> None:
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.count("EventsRetried", minute)


def every_request_of_a_quiet_hour_fails(platform: Platform) -> None:
    for minute in range(NOW, NOW + 2 * HOUR, 2):
        platform.request(minute, failed=1)


def a_tenth_of_many_requests_fails(platform: Platform) -> None:
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.request(minute, "get-order", 100, failed=10)


def nobody_gets_in(platform: Platform) -> None:
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.request(minute, "get-order", 10, unauthenticated=10)


def one_of_two_clients_has_a_wrong_token(platform: Platform) -> None:
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.request(minute, "get-order", 200, unauthenticated=100)


def more_comes_than_the_api_lets_through(platform: Platform) -> None:
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.request(minute, "get-order", 500, throttled=60)


def every_request_is_slow(platform: Platform) -> None:
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.request(minute, "get-order", 60, milliseconds=SLOW_MS)


def one(metric: str) -> Callable[[Platform], None]:
    return lambda platform: platform.count(metric, NOW)


FAULTS: dict[str, list[Callable[[Platform], None]]] = {
    "events-not-published": [
        a_lone_order_is_never_published,
        every_order_from_now_on_is_unpublished,
        the_publisher_stops_after_a_batch_was_published_twice,
        nothing_was_ever_published,
    ],
    "settlement-failing": [the_gateway_of_payments_is_down],
    "api-5xx": [every_request_of_a_quiet_hour_fails, a_tenth_of_many_requests_fails],
    "callers-unauthenticated": [nobody_gets_in, one_of_two_clients_has_a_wrong_token],
    "callers-throttled": [more_comes_than_the_api_lets_through],
    "records-set-aside": [one("RecordsSetAside")],
    "orders-unreadable": [one("OrdersUnreadable")],
    "customer-rows-mended": [one("CustomerRowsMended")],
    "orders-left-to-expire": [one("OrdersLeftToExpire")],
    "api-latency": [every_request_is_slow],
}


def it_fails_on_one_batch(platform: Platform, function: str) -> None:
    for minutes in range(2 * HOUR):
        platform.of(function, "IteratorAge", NOW + minutes, minutes * 60_000)


def its_three_tries_time_out(platform: Platform, function: str) -> None:
    """As Lambda makes them of a schedule's event, one and two minutes after the last one."""
    for minutes in (0, 6, 13):
        platform.run(function, NOW + minutes, errors=1)


def it_crashes_each_time(platform: Platform, function: str) -> None:
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.run(function, minute, errors=1)


def it_is_throttled_half_of_the_time(platform: Platform, function: str) -> None:
    for minute in range(NOW, NOW + 2 * HOUR):
        platform.run(function, minute)
        platform.of(function, "Throttles", minute, 1)


def nothing_takes_from_it(platform: Platform, queue: str) -> None:
    for minutes in range(2 * HOUR):
        platform.queue(queue, "ApproximateAgeOfOldestMessage", NOW + minutes, minutes * 60)


def nothing_takes_from_it_after_it_slept(platform: Platform, queue: str) -> None:
    """SQS reports a queue again up to 15 minutes after a message came to it."""
    for minutes in range(15, 2 * HOUR):
        platform.queue(queue, "ApproximateAgeOfOldestMessage", NOW + minutes, minutes * 60)


def a_message_lies_in_it(platform: Platform, queue: str) -> None:
    """A dead-letter queue sleeps, too."""
    for minute in range(NOW + 15, END, 5):
        platform.queue(queue, "ApproximateNumberOfMessagesVisible", minute, 1)


def a_subscriber_is_gone(platform: Platform, topic: str) -> None:
    platform.topic(topic, "NumberOfNotificationsFailed", NOW, 1)


FAULTS_OF: dict[str, tuple[str, list[Callable[[Platform, str], None]]]] = {
    "iterator-age": ("function", [it_fails_on_one_batch]),
    "errors": ("function", [its_three_tries_time_out, it_crashes_each_time]),
    "throttles": ("function", [it_is_throttled_half_of_the_time]),
    "not-run": ("function", []),
    "not-consumed": (
        "queue",
        [nothing_takes_from_it, nothing_takes_from_it_after_it_slept],
    ),
    "not-empty": ("queue", [a_message_lies_in_it]),
    "not-delivered": ("topic", [a_subscriber_is_gone]),
}
"""By the end of an alarm's name: what kind of resource it is about, and what happens to it."""


def faults(template: Template, name: str) -> Iterator[tuple[Platform, int]]:
    """Series in which the alarm has to ring, and since when."""
    subject, kind = subject_of(name)
    if kind == "not-run":
        platform = quiet(template, without=[subject])
        yield platform, DAY + platform.daily[subject]
    for happens in FAULTS.get(name, []):
        platform = quiet(template)
        happens(platform)
        yield platform, NOW
    for happens_to in FAULTS_OF[kind][1] if kind else ():
        platform = quiet(template)
        happens_to(platform, subject)
        yield platform, NOW


def subject_of(name: str) -> tuple[str, str]:
    """The resource that an alarm is about, and what about it; empty for the others."""
    found = re.fullmatch(f"(.+)-({'|'.join(FAULTS_OF)})", name)
    return ("", "") if found is None else (found[1], found[2])


def minutes_until(template: Template, name: str) -> int:
    """The most that it takes to ring; fails where it doesn't in time."""
    allowed = WITHIN + (NOT_RUN_FOR if subject_of(name)[1] == "not-run" else 0)
    took = []
    for platform, since in faults(template, name):
        for further in FURTHER:
            minutes = first_ring(alarms(template)[name], platform.metrics, since, further)
            assert minutes is not None, f"{name} does not ring"
            assert minutes <= allowed, f"{name} rings after {minutes} minutes"
            took.append(minutes)
    assert took, f"{name}: add to FAULTS what it rings for"
    return max(took)


@pytest.fixture(scope="module")
def took(watched: Template) -> dict[str, int]:
    """How many minutes each takes to ring for its fault; fails where one doesn't in time."""
    return {name: minutes_until(watched, name) for name in alarms(watched)}


def test_each_rings_for_its_fault_within_the_hour(took: dict[str, int]) -> None:
    assert took


def test_whatever_is_added_is_watched(production: Template, watched: Template) -> None:
    assert alarms(watched).keys() - alarms(production).keys() == {
        "example-consumer-errors",
        "example-consumer-iterator-age",
        "example-consumer-throttles",
        "example-dlq-not-empty",
        "example-topic-not-delivered",
    }


def test_an_alarm_for_an_event_that_is_not_published_stays_on_until_one_is(
    production: Template,
) -> None:
    platform = quiet(production)
    platform.unpublished_orders(NOW)
    platform.publish(NOW + 20 * HOUR)
    for further in FURTHER:
        watch = Alarm(alarms(production)["events-not-published"], further=further)
        (rings, state), (over, after) = watch.changes(platform.metrics, NOW, END)
        assert (state, after) == (ALARM, OK)
        assert rings <= NOW + WITHIN
        assert over >= NOW + 20 * HOUR


# What is benign.


def a_single_503(platform: Platform) -> None:
    platform.request(NOW, "get-order", failed=1)


def a_single_cold_start(platform: Platform) -> None:
    platform.request(NOW, "get-order", milliseconds=2000)


def a_lone_order_at_the_edge_of_a_minute(platform: Platform) -> None:
    platform.orders(NOW, published=NOW + 1)


def lone_orders_each_at_the_edge_of_a_period(platform: Platform) -> None:
    for minute in range(NOW, NOW + 3 * HOUR, 10):
        platform.orders(minute, published=minute + 1)


def lone_orders_published_three_minutes_late(platform: Platform) -> None:
    for minute in range(NOW, NOW + 3 * HOUR, 9):
        platform.orders(minute, published=minute + 3)


def a_batch_published_twice(platform: Platform) -> None:
    platform.orders(NOW, 100)
    platform.publish(NOW + 1, 100)


def a_batch_late_by_a_retry(platform: Platform) -> None:
    platform.orders(NOW, 20, published=NOW + 2)
    platform.of("publish-order-events", "IteratorAge", NOW + 2, 130_000)


def a_deployment(platform: Platform) -> None:
    """Everything starts anew, and for a minute there are not enough instances."""
    for minute in range(NOW - HOUR, NOW + HOUR):
        platform.request(minute, "get-order", 100)
        platform.request(minute, "create-order", 20)
    platform.request(NOW, "get-order", 12, milliseconds=2000)
    platform.request(NOW, "get-order", 8, failed=8)
    platform.of("get-order", "Throttles", NOW, 8)
    platform.run("publish-order-events", NOW)
    platform.of("publish-order-events", "Throttles", NOW, 3)


def a_payment_tried_for_six_hours(platform: Platform) -> None:
    for minutes in (0, 1, 3, 7, *range(15, 6 * HOUR, 15)):
        platform.count("EventsRetried", NOW + minutes)


def an_expired_token(platform: Platform) -> None:
    for minute in range(NOW, NOW + 10):
        platform.request(minute, "get-order", 3, unauthenticated=3)


def a_short_burst(platform: Platform) -> None:
    platform.request(NOW, "get-order", 500, throttled=300)


def an_invocation_that_crashed(platform: Platform) -> None:
    for function in platform.functions:
        platform.run(function, NOW, errors=1)
        platform.run(function, NOW + 1)


def events_that_wait_a_quarter_of_an_hour(platform: Platform) -> None:
    for minutes in range(15):
        platform.queue(
            "order-events-queue", "ApproximateAgeOfOldestMessage", NOW + minutes, minutes * 60
        )


BENIGN = [
    a_single_503,
    a_single_cold_start,
    a_lone_order_at_the_edge_of_a_minute,
    lone_orders_each_at_the_edge_of_a_period,
    lone_orders_published_three_minutes_late,
    a_batch_published_twice,
    a_batch_late_by_a_retry,
    a_deployment,
    a_payment_tried_for_six_hours,
    an_expired_token,
    a_short_burst,
    an_invocation_that_crashed,
    events_that_wait_a_quarter_of_an_hour,
]


def rung(alarms: dict[str, dict[str, Any]], platform: Platform) -> list[str]:
    return [
        name
        for name, alarm in alarms.items()
        for further in FURTHER
        if list(Alarm(alarm, further=further).changes(platform.metrics, NOW - HOUR, NOW + 9 * HOUR))
    ]


def touched(template: Template, platform: Platform) -> dict[str, dict[str, Any]]:
    """The alarms for which it is not just a quiet day."""
    return {
        name: alarm
        for name, alarm in alarms(template).items()
        if Alarm(alarm).watched & platform.metrics.touched
    }


def test_none_rings_on_a_quiet_day(watched: Template) -> None:
    assert rung(alarms(watched), quiet(watched)) == []


def test_none_rings_on_a_busy_day(watched: Template) -> None:
    platform = busy(watched)
    assert rung(touched(watched, platform), platform) == []


@pytest.mark.parametrize("happens", BENIGN)
def test_none_rings_for(happens: Callable[[Platform], None], watched: Template) -> None:
    platform = quiet(watched)
    happens(platform)
    assert rung(touched(watched, platform), platform) == []


# Whom they tell, and what the runbook says.


def test_each_pages_somebody_or_writes_a_ticket_and_says_when_it_is_over(
    watched: Template,
) -> None:
    for topic, name in (("PageTopic", "orders-prod-page"), ("TicketTopic", "orders-prod-ticket")):
        assert watched.named(topic)["TopicName"] == name
        assert watched.document["Outputs"][f"{topic}Arn"]["Value"] == {"Ref": topic}
    for name, alarm in alarms(watched).items():
        assert topic_of(alarm), name
        assert alarm["OKActions"] == alarm["AlarmActions"], name


def test_a_settlement_that_cannot_start_wakes_somebody(production: Template) -> None:
    platform = quiet(production)
    for minute in range(NOW, NOW + 2 * HOUR, 3):
        platform.run("settle-payments", minute, errors=1)
    pages = [
        name
        for name, alarm in touched(production, platform).items()
        if topic_of(alarm) == "page" and first_ring(alarm, platform.metrics, NOW, 0)
    ]
    assert pages == ["settle-payments-errors"]


def topic_of(alarm: dict[str, Any]) -> str:
    (action,) = alarm["AlarmActions"]
    return {"PageTopic": "page", "TicketTopic": "ticket"}[action["Ref"]]


def test_each_has_a_section_of_the_runbook(watched: Template) -> None:
    headings = re.findall(r"^#+ (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    sections = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings
    }
    for name, alarm in alarms(watched).items():
        text, _, section = alarm["AlarmDescription"].partition(" See docs/runbook.md#")
        assert text, name
        assert section in sections, f"docs/runbook.md needs a section {section} for {name}"


def test_the_runbook_has_the_table_of_them(watched: Template, took: dict[str, int]) -> None:
    rows: dict[tuple[str, str], int] = {}
    for name, alarm in alarms(watched).items():
        _, kind = subject_of(name)
        row = f"{{{FAULTS_OF[kind][0]}}}-{kind}" if kind else name, topic_of(alarm)
        rows[row] = max(took[name], rows.get(row, 0))
    table = [
        f"`{name}` | {topic} | {minutes // HOUR} h {minutes % HOUR} min"
        if minutes > DAY
        else f"`{name}` | {topic} | {minutes} min"
        for (name, topic), minutes in rows.items()
    ]
    shown_rows = re.findall(
        r"^\| .+? \| (`.+` \| (?:page|ticket) \| .+) \|$", RUNBOOK.read_text(), re.MULTILINE
    )
    assert shown_rows == table


# What counts the callers that the gateway refused.


def test_callers_refused_are_counted_in_the_access_log(production: Template) -> None:
    filters = {
        one["MetricTransformations"][0]["MetricName"]: one
        for one in production.properties("AWS::Logs::MetricFilter").values()
    }
    for one in filters.values():
        assert one["LogGroupName"] == {"Ref": "HttpApiLogGroup"}
        assert one["MetricTransformations"][0]["MetricValue"] == "1"
    patterns = {name: one["FilterPattern"] for name, one in filters.items()}
    assert patterns["RequestsUnauthenticated"] == '{ ($.status = "401") }'
    refused = re.findall(r'\(\$\.(\w+) (!?=) "([^"]+)"\)', patterns["RequestsThrottled"])
    assert refused[0] == ("status", "=", "429")
    assert {(name, how) for name, how, _ in refused[1:]} == {("route", "!=")}
    public = production.named("HttpApiStage")["RouteSettings"]
    assert [value for _, _, value in refused[1:]] == list(public)


def test_the_emulator_gets_those_that_it_knows(production: Template, local: Template) -> None:
    known = {
        name
        for name, alarm in production.properties("AWS::CloudWatch::Alarm").items()
        if "Metrics" not in alarm
    }
    assert local.properties("AWS::CloudWatch::Alarm").keys() == known
