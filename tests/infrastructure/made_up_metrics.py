"""Made-up days of the platform, as CloudWatch sees them.

A day begins a day before NOW, at which something happens or nothing does; it goes on for
another day and a half. All of them are quiet besides: a health check a minute, both daily tasks,
and a queue that is asked for messages all the time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from infrastructure.cloudwatch import DAY, Metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infrastructure.templates import Template

NOW: Final = DAY + 14 * 60 + 5
END: Final = NOW + DAY + DAY // 2
HOUR: Final = 60
FAST_MS: Final = 30
SLOW_MS: Final = 1500


def daily(template: Template) -> dict[str, int]:
    """The scheduled functions, and the minute of the day at which each runs."""
    found = {}
    for rule in template.properties("AWS::Events::Rule").values():
        minute, hour, *every_day = rule["ScheduleExpression"].strip("cron()").split()
        function = template.target(rule["Targets"][0]["Arn"])
        assert every_day == ["*", "*", "?", "*"], f"{function}-not-run expects a daily schedule"
        found[function] = int(hour) * 60 + int(minute)
    return found


class Platform:
    """Reports what its functions, queues and API do in a minute."""

    def __init__(self, template: Template) -> None:
        self.metrics = Metrics()
        self.ids = {
            re.sub("^orders-prod-|-prod$", "", properties[f"{kind}Name"]): logical_id
            for service, kind in (("Lambda", "Function"), ("SQS", "Queue"), ("SNS", "Topic"))
            for logical_id, properties in template.properties(f"AWS::{service}::{kind}").items()
        }
        self.functions = [*template.functions]
        self.daily = daily(template)

    def run(self, function: str, minute: int, times: int = 1, errors: int = 0) -> None:
        self.of(function, "Invocations", minute, times)
        self.of(function, "Errors", minute, errors)
        self.of(function, "Throttles", minute, 0)

    def of(self, function: str, metric: str, minute: int, value: float) -> None:
        self.metrics.add(f"AWS/Lambda {metric} {self.ids[function]}", minute, value)

    def request(  # noqa: PLR0913 - what may be different about one, by name
        self,
        minute: int,
        function: str = "health",
        times: int = 1,
        *,
        failed: float = 0,
        unauthenticated: int = 0,
        throttled: int = 0,
        milliseconds: float = FAST_MS,
    ) -> None:
        """So many requests; some fail in the function, some are refused by the gateway."""
        reached = times - unauthenticated - throttled
        if reached:
            self.run(function, minute, reached)
        self.metrics.add("AWS/ApiGateway Count HttpApi", minute, times)
        self.metrics.add("AWS/ApiGateway 5xx HttpApi", minute, failed)
        self.metrics.add("AWS/ApiGateway Latency HttpApi", minute, *[milliseconds] * times)
        for name, count in (
            ("RequestsUnauthenticated", unauthenticated),
            ("RequestsThrottled", throttled),
        ):
            if count:
                self.metrics.add(f"Orders {name}", minute, count)

    def count(self, metric: str, minute: int, value: int = 1) -> None:
        self.metrics.add(f"Orders {metric} orders", minute, value)

    def orders(self, minute: int, times: int = 1, *, published: int | None = None) -> None:
        """Orders placed, published in the same minute or another, and paid."""
        self.request(minute, "create-order", times)
        self.count("EventsRecorded", minute, times)
        self.publish(minute if published is None else published, times)
        self.count("PaymentPaid", minute, times)

    def unpublished_orders(self, minute: int, times: int = 1) -> None:
        self.request(minute, "create-order", times)
        self.count("EventsRecorded", minute, times)

    def publish(self, minute: int, times: int = 1) -> None:
        self.run("publish-order-events", minute)
        self.of("publish-order-events", "IteratorAge", minute, 400)
        self.count("EventsPublished", minute, times)

    def queue(self, queue: str, metric: str, minute: int, value: float) -> None:
        self.metrics.add(f"AWS/SQS {metric} {self.ids[queue]}", minute, value)

    def topic(self, topic: str, metric: str, minute: int, value: float) -> None:
        self.metrics.add(f"AWS/SNS {metric} {self.ids[topic]}", minute, value)


def quiet(template: Template, *, without: Iterable[str] = ()) -> Platform:
    """Nobody orders. Of the daily functions `without`, the last run is on the second day."""
    platform = Platform(template)
    for minute in range(0, END, 5):
        platform.request(minute)
        for queue in template.properties("AWS::SQS::Queue"):
            for metric in ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"):
                platform.metrics.add(f"AWS/SQS {metric} {queue}", minute, 0)
    for function, at in platform.daily.items():
        for day in range(END // DAY + 1):
            if day < 2 or function not in without:
                platform.run(function, day * DAY + at)
    platform.metrics.touched.clear()
    return platform


def busy(template: Template) -> Platform:
    """300 requests a minute, a few of which fail as they do on any day; 60 of them are orders."""
    platform = quiet(template)
    for minute in range(NOW - HOUR, NOW + 2 * HOUR):
        platform.request(minute, "get-order", 234)
        platform.request(minute, "get-order", 2, milliseconds=SLOW_MS)
        platform.request(minute, "get-order", 4, failed=minute % 5 == 0, unauthenticated=3)
        platform.orders(minute, 60)
        platform.count("PaymentDeclined", minute, 2)
        platform.count("EventsRetried", minute, 1)
        platform.queue("order-events-queue", "ApproximateAgeOfOldestMessage", minute, 4)
    return platform
