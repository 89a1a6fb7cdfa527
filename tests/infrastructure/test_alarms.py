"""Each alarm rings within the hour for the fault it watches, and for nothing benign.

Alarms are evaluated as CloudWatch does it, on series made up in `made_up_metrics`. The template has
a consumer added, so that every kind of alarm that resources get by themselves is among them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from infrastructure.cloudwatch import ALARM, DAY, OK, Alarm, CompositeAlarm
from infrastructure.made_up_metrics import END, HOUR, NOW, SLOW_MS, Platform, busy, quiet
from infrastructure.templates import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infrastructure.cloudwatch import Metrics
    from infrastructure.templates import Template

    Happening = Callable[[Platform], object]

PRODUCTION = ROOT / "docs" / "production.md"
RUNBOOK = ROOT / "docs" / "runbook.md"
WITHIN = HOUR
AWAITED = {"not-run": 26 * HOUR, "api-failing-slowly": 14 * HOUR}
"""What by its nature shows only after so long."""
FURTHER = (0, 2)
"""CloudWatch doesn't say how many more periods it reads: nothing may depend on it."""


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The properties of the alarms that tell somebody, by their names, without the stage."""
    return {
        resource["Properties"]["AlarmName"].removeprefix("orders-prod-"): resource["Properties"]
        for resource in template.resources.values()
        if resource["Type"] in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
        and "AlarmActions" in resource["Properties"]
    }


def watch(template: Template, name: str, further: int = 0) -> Alarm | CompositeAlarm:
    """The alarm of that name, which begins as OK."""
    properties = alarms(template)[name]
    if "AlarmRule" not in properties:
        return Alarm(properties, further=further)
    parts = {
        logical_id: Alarm(part, further=further)
        for logical_id, part in template.properties("AWS::CloudWatch::Alarm").items()
    }
    return CompositeAlarm(properties, parts)


def first_ring(
    alarm: Alarm | CompositeAlarm, metrics: Metrics, since: int, end: int = END
) -> int | None:
    """After how many minutes it rings, having been quiet before."""
    assert list(alarm.changes(metrics, since - 2 * HOUR, since)) == []
    rings = (minute for minute, state in alarm.changes(metrics, since + 1, end) if state == ALARM)
    return next((minute - since for minute in rings), None)


TWO_HOURS = range(NOW, NOW + 2 * HOUR)
CONSUMER, PUBLISHER = "settle-payments", "publish-order-events"
QUEUE = "order-events-queue"
AGE, VISIBLE = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"


def each(minutes: Iterable[int], act: Callable[[Platform, int], object]) -> Happening:
    def happens(platform: Platform) -> None:
        for minute in minutes:
            act(platform, minute)

    return happens


def requests(minutes: Iterable[int], times: int = 1, **outcomes: float) -> Happening:
    return each(minutes, lambda platform, m: platform.request(m, "get-order", times, **outcomes))  # type: ignore[arg-type]  # counts


def counted(metric: str, minutes: Iterable[int] = (NOW,)) -> Happening:
    return each(minutes, lambda platform, minute: platform.count(metric, minute))


def all_of(*happenings: Happening) -> Happening:
    return lambda platform: [happens(platform) for happens in happenings]


def after_a_busy_day(happens: Happening) -> Happening:
    return all_of(requests(range(NOW - DAY, NOW), 100), happens)


UNPUBLISHED_ORDER = each([NOW], lambda platform, minute: platform.unpublished_orders(minute))

FAULTS: dict[str, list[Happening]] = {
    "events-not-published": [
        # Nothing was ever published; a lone order is not; from now on no order is.
        UNPUBLISHED_ORDER,
        all_of(each([NOW - 40], lambda p, m: p.orders(m)), UNPUBLISHED_ORDER),
        all_of(
            each(range(NOW - 2 * HOUR, NOW), lambda p, m: p.orders(m, 20)),
            each(TWO_HOURS, lambda p, m: p.unpublished_orders(m, 20)),
        ),
        # The publisher stops after it published a batch twice.
        all_of(
            each([NOW - 1], lambda p, m: p.orders(m, 100)),
            each([NOW - 1], lambda p, m: p.publish(m, 100)),
            each(TWO_HOURS[::7], lambda p, m: p.unpublished_orders(m)),
        ),
    ],
    "settlement-failing": [counted("EventsRetried", TWO_HOURS)],
    "api-failing": [
        requests(TWO_HOURS[::2], failed=1),
        requests(TWO_HOURS, 100, failed=10),
        after_a_busy_day(requests(TWO_HOURS, 100, failed=10)),
    ],
    "api-failing-slowly": [after_a_busy_day(requests(range(NOW, END), 100, failed=0.5))],
    "api-slow": [
        requests(TWO_HOURS, 60, milliseconds=SLOW_MS),
        after_a_busy_day(requests(TWO_HOURS, 100, milliseconds=SLOW_MS)),
    ],
    "callers-unauthenticated": [
        requests(TWO_HOURS, 10, unauthenticated=10),
        requests(TWO_HOURS, 200, unauthenticated=100),
    ],
    "callers-throttled": [requests(TWO_HOURS, 500, throttled=60)],
    "records-set-aside": [counted("RecordsSetAside")],
    "orders-unreadable": [counted("OrdersUnreadable")],
    "customer-rows-mended": [counted("CustomerRowsMended")],
    "orders-left-to-expire": [counted("OrdersLeftToExpire")],
}
"""What goes wrong from NOW on, by alarm."""


def fails_on_one_batch(function: str) -> Happening:
    return each(TWO_HOURS, lambda p, m: p.of(function, "IteratorAge", m, (m - NOW) * 60_000))


def times_out_in_its_three_tries(function: str) -> Happening:
    """As Lambda makes them of a schedule's event, one and two minutes after the last one."""
    return each((NOW, NOW + 6, NOW + 13), lambda p, m: p.run(function, m, errors=1))


def crashes_each_time(function: str) -> Happening:
    return each(TWO_HOURS, lambda p, m: p.run(function, m, errors=1))


def is_throttled_half_of_the_time(function: str) -> Happening:
    return all_of(
        each(TWO_HOURS, lambda p, m: p.run(function, m)),
        each(TWO_HOURS, lambda p, m: p.of(function, "Throttles", m, 1)),
    )


def is_not_consumed(queue: str) -> Happening:
    return each(TWO_HOURS, lambda p, m: p.queue(queue, AGE, m, (m - NOW) * 60))


def is_not_consumed_after_it_slept(queue: str) -> Happening:
    """SQS reports a queue again up to 15 minutes after a message came to it."""
    return each(TWO_HOURS[15:], lambda p, m: p.queue(queue, AGE, m, (m - NOW) * 60))


def has_a_message(queue: str) -> Happening:
    """A dead-letter queue sleeps, too."""
    return each(range(NOW + 15, END, 5), lambda p, m: p.queue(queue, VISIBLE, m, 1))


def loses_a_subscriber(topic: str) -> Happening:
    return each([NOW], lambda p, m: p.topic(topic, "NumberOfNotificationsFailed", m, 1))


FAULTS_OF: dict[str, tuple[str, list[Callable[[str], Happening]]]] = {
    "iterator-age": ("function", [fails_on_one_batch]),
    "errors": ("function", [times_out_in_its_three_tries, crashes_each_time]),
    "throttles": ("function", [is_throttled_half_of_the_time]),
    "not-run": ("function", []),
    "not-consumed": ("queue", [is_not_consumed, is_not_consumed_after_it_slept]),
    "not-empty": ("queue", [has_a_message]),
    "not-delivered": ("topic", [loses_a_subscriber]),
}
"""By the end of an alarm's name: what kind of resource it is about, and what goes wrong with it."""


def faults(template: Template, name: str) -> Iterator[tuple[Platform, int]]:
    """Series in which the alarm has to ring, and since when."""
    subject, kind = subject_of(name)
    if kind == "not-run":
        platform = quiet(template, without=[subject])
        yield platform, DAY + platform.daily[subject]
    of_its_kind = FAULTS_OF[kind][1] if kind else ()
    for happens in [*FAULTS.get(name, ()), *(fault(subject) for fault in of_its_kind)]:
        platform = quiet(template)
        happens(platform)
        yield platform, NOW


def subject_of(name: str) -> tuple[str, str]:
    """The resource that an alarm is about, and what about it; empty for the others."""
    found = re.fullmatch(f"(.+)-({'|'.join(FAULTS_OF)})", name)
    return ("", "") if found is None else (found[1], found[2])


def minutes_until(template: Template, name: str) -> int:
    """The most that it takes to ring; fails where it doesn't in time."""
    allowed = WITHIN + AWAITED.get(subject_of(name)[1] or name, 0)
    took = []
    for platform, since in faults(template, name):
        for further in FURTHER:
            minutes = first_ring(watch(template, name, further), platform.metrics, since)
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


def test_every_function_schedule_and_queue_of_production_is_watched(production: Template) -> None:
    functions = production.functions
    assert alarms(production).keys() >= {
        *(f"{function}-{fault}" for function in functions for fault in ("errors", "throttles")),
        *("daily-report-not-run", "expire-stale-orders-not-run"),
        *("order-events-queue-not-consumed", "publish-order-events-iterator-age"),
        *("order-events-dlq-not-empty", "order-stream-dlq-not-empty"),
    }


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
        alarm = watch(production, "events-not-published", further)
        (rings, state), (over, after) = alarm.changes(platform.metrics, NOW, END)
        assert (state, after) == (ALARM, OK)
        assert rings <= NOW + WITHIN
        assert over >= NOW + 20 * HOUR


BENIGN: dict[str, Happening] = {
    "a single 503": requests([NOW], failed=1),
    "a single cold start": requests([NOW], milliseconds=2000),
    "a lone order at the edge of a minute": each([NOW], lambda p, m: p.orders(m, published=m + 1)),
    "lone orders, each at the edge of a period": each(
        range(NOW, NOW + 3 * HOUR, 10), lambda p, m: p.orders(m, published=m + 1)
    ),
    "lone orders, published three minutes late": each(
        range(NOW, NOW + 3 * HOUR, 9), lambda p, m: p.orders(m, published=m + 3)
    ),
    "a batch published twice": all_of(
        each([NOW], lambda p, m: p.orders(m, 100)),
        each([NOW + 1], lambda p, m: p.publish(m, 100)),
    ),
    "a batch late by a retry": all_of(
        each([NOW], lambda p, m: p.orders(m, 20, published=m + 2)),
        each([NOW + 2], lambda p, m: p.of(PUBLISHER, "IteratorAge", m, 130_000)),
    ),
    # Everything starts anew, and for a minute there are not enough instances.
    "a deployment": all_of(
        requests(range(NOW - HOUR, NOW + HOUR), 100),
        each(range(NOW - HOUR, NOW + HOUR), lambda p, m: p.request(m, "create-order", 20)),
        requests([NOW], 12, milliseconds=2000),
        requests([NOW], 8, failed=8),
        each([NOW], lambda p, m: p.of("get-order", "Throttles", m, 8)),
        each([NOW], lambda p, m: p.run(PUBLISHER, m)),
        each([NOW], lambda p, m: p.of(PUBLISHER, "Throttles", m, 3)),
    ),
    "a payment tried for six hours": counted(
        "EventsRetried", [NOW + minutes for minutes in (0, 1, 3, 7, *range(15, 6 * HOUR, 15))]
    ),
    "an expired token": requests(range(NOW, NOW + 10), 3, unauthenticated=3),
    "a short burst": requests([NOW], 500, throttled=300),
    "an invocation of each function that crashed": all_of(
        each([NOW], lambda p, m: [p.run(one, m, errors=1) for one in p.functions]),  # type: ignore[func-returns-value]  # for its effect
        each([NOW + 1], lambda p, m: [p.run(one, m) for one in p.functions]),  # type: ignore[func-returns-value]  # likewise
    ),
    "events that wait a quarter of an hour": each(
        range(NOW, NOW + 15), lambda p, m: p.queue(QUEUE, AGE, m, (m - NOW) * 60)
    ),
}


def rung(template: Template, platform: Platform, names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        for further in FURTHER
        if list(
            watch(template, name, further).changes(platform.metrics, NOW - HOUR, NOW + 9 * HOUR)
        )
    ]


def touched(template: Template, platform: Platform) -> list[str]:
    """The alarms for which it is not just a quiet day."""
    return [
        name
        for name in alarms(template)
        if watch(template, name).watched & platform.metrics.touched
    ]


def test_none_rings_on_a_quiet_day(watched: Template) -> None:
    assert rung(watched, quiet(watched), alarms(watched)) == []


def test_none_rings_on_a_busy_day(watched: Template) -> None:
    platform = busy(watched)
    assert rung(watched, platform, touched(watched, platform)) == []


@pytest.mark.parametrize("what", BENIGN)
def test_none_rings_for(what: str, watched: Template) -> None:
    platform = quiet(watched)
    BENIGN[what](platform)
    assert rung(watched, platform, touched(watched, platform)) == []


# The objectives.

STEADY = 100
"""Requests a minute."""
DAYS_LATER = 6 * DAY


def burning(template: Template, **outcomes: float) -> Platform:
    """A steady day, and then five on which so many requests of each thousand go wrong."""
    platform = Platform(template)
    for minute in range(0, DAYS_LATER, 10):
        happening = outcomes if minute >= DAY else {}
        platform.request(minute, times=10 * STEADY, **happening)  # type: ignore[arg-type]  # counts
    return platform


@pytest.mark.parametrize(
    ("per_thousand", "rings"),
    [
        (0.9, {}),
        (1.1, {"api-failing-slowly": 3 * DAY}),
        (2.9, {"api-failing-slowly": 3 * DAY}),
        (3.1, {"api-failing-slowly": DAY}),
        (5.9, {"api-failing-slowly": DAY * 3 // 5}),
        (6.1, {"api-failing": 6 * HOUR, "api-failing-slowly": DAY // 2}),
        (14, {"api-failing": 6 * HOUR // 2, "api-failing-slowly": DAY // 4}),
        (15, {"api-failing": HOUR, "api-failing-slowly": DAY // 4}),
        (100, {"api-failing": HOUR // 6, "api-failing-slowly": 2 * HOUR}),
    ],
)
def test_a_steady_burn_of_the_budget_rings_by_its_rate(
    production: Template, per_thousand: float, rings: dict[str, int]
) -> None:
    """Each within the window of the highest rate that it exceeds, by how far it exceeds it."""
    platform = burning(production, failed=per_thousand * STEADY / 100)
    for name in ("api-failing", "api-failing-slowly"):
        rang = first_ring(watch(production, name), platform.metrics, DAY, DAYS_LATER)
        assert (rang is not None) is (name in rings), f"{name}: {rang}"
        assert rang is None or rang <= rings[name] + HOUR, f"{name}: {rang}"


def test_an_alarm_on_a_burn_is_over_soon_after_the_burn_is(production: Template) -> None:
    platform = Platform(production)
    for minute in range(3 * DAY):
        failed = STEADY // 4 if DAY <= minute < DAY + HOUR else 0
        platform.request(minute, times=STEADY, failed=failed)
    (_, rang), (over, after) = watch(production, "api-failing").changes(
        platform.metrics, DAY, 3 * DAY
    )
    assert (rang, after) == (ALARM, OK)
    assert over <= DAY + HOUR + 30


def test_what_tells_nobody_is_a_part_of_an_alarm_that_does(watched: Template) -> None:
    silent = {
        logical_id
        for logical_id, alarm in watched.properties("AWS::CloudWatch::Alarm").items()
        if "AlarmActions" not in alarm
    }
    parts = [
        part
        for name, alarm in alarms(watched).items()
        if "AlarmRule" in alarm
        for part in watch(watched, name).parts  # type: ignore[union-attr]  # it has a rule
    ]
    assert sorted(parts) == sorted(silent)


def test_the_objectives_page_has_the_table_of_their_burn_rates(production: Template) -> None:
    def window(alarm: dict[str, Any]) -> str:
        minutes = Alarm(alarm).period
        span = f"{minutes // HOUR} h" if minutes >= HOUR else f"{minutes} min"
        return span + {1: "", 3: ", three times in a row"}[alarm["EvaluationPeriods"]]

    table = []
    for name, alarm in alarms(production).items():
        if "AlarmRule" in alarm:
            parts = watch(production, name).parts  # type: ignore[union-attr]  # it has a rule
            for rule in alarm["AlarmRule"]["Fn::Sub"].split(" OR "):
                pair = [parts[part].properties for part in re.findall(r"\{(\w+)\}", rule)]
                burn = pair[0]["AlarmName"].removeprefix(f"orders-prod-{name}-").partition("x-")[0]
                (percent,) = {f"{one['Threshold']:g}" for one in pair}
                topic, windows = topic_of(alarm), " | ".join(map(window, pair))
                table.append(f"| `{name}` | {topic} | {burn} × | {percent} % | {windows} |")
    shown = re.findall(
        r"^\| `.+` \| (?:page|ticket) \| .+ × \| .+ \|$", PRODUCTION.read_text(), re.MULTILINE
    )
    assert shown == table


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
    for minute in TWO_HOURS[::3]:
        platform.run(CONSUMER, minute, errors=1)
    pages = [
        name
        for name in touched(production, platform)
        if topic_of(alarms(production)[name]) == "page"
        and first_ring(watch(production, name), platform.metrics, NOW)
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
        if minutes > HOUR
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
    assert local.properties("AWS::CloudWatch::CompositeAlarm") == {}
