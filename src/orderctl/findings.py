"""What `status` looks at, and what is wrong there.

It looks at whatever the stack has: a new queue, trigger, schedule or alarm needs no change here.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import httpx

from orderctl.aws import EXPLAINED, explain
from orderctl.commands.triggers import list_triggers
from orderctl.dead_letters import dead_letter_arns
from orderctl.function_logs import NOTHING, WINDOW, read_log
from orderctl.sending import queue_name
from orderctl.times import span
from orders.adapters.dynamodb import keys
from orders.domain import timestamps
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

    from orderctl.function_logs import FunctionLog
    from orderctl.stage import Stage

    Json = Mapping[str, Any]

T = TypeVar("T")

NEEDS: Final = {
    "cloudformation:DescribeStacks": "the stack",
    "cloudformation:ListStackResources": "the stack",
    "cloudwatch:DescribeAlarms": "*",
    "cloudwatch:GetMetricData": "*",
    "dynamodb:Query": "the index",
    "events:DescribeRule": "the schedules",
    "events:ListTargetsByRule": "the schedules",
    "lambda:ListEventSourceMappings": "*",
    "logs:DescribeLogStreams": "the functions' log groups",
    "logs:FilterLogEvents": "the functions' log groups",
    "sqs:GetQueueAttributes": "the queues and the dead-letter queues",
}
"""The rights for it. Log lines are read only where no alarm watches: on the local stack."""

_THREADS: Final = 24
_API_SECONDS: Final = 5
_HEALTH: Final = "GET /health"
_PUBLISHER: Final = "publish-order-events"
_SILENCE: Final = timedelta(minutes=1)
"""A publisher that works takes an event within seconds."""
_OVERDUE: Final = timedelta(hours=26)
"""Every schedule is daily. The alarms `…-not-run` wait as long."""
_ON: Final = frozenset({"Creating", "Enabled", "Enabling", "Updating"})
"""States of a trigger that is not off, or going off."""
_RECENT: Final = timedelta(minutes=10)
"""CloudWatch gets metrics up to two minutes late, and none from a function that doesn't run."""
_CRASHES: Final = 3
_CRASH_RATE: Final = 0.1
"""More than this share of the invocations, as for the alarms `…-errors`, which AWS alone has."""
_COUNTED: Final = 1_250
"""Orders per shard: a status is counted up to about ten thousand a day."""


class Finding(NamedTuple):
    """One thing that was looked at. `remedy` is what to do about it if it isn't ok."""

    kind: str
    name: str
    ok: bool
    detail: str
    remedy: str = ""


def findings(stage: Stage) -> list[Finding]:
    """All of a stage. A check that fails is a finding too, and the others go on.

    Without its stack there is nothing to look at: raises what `stage.resources` raises.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        survey = _Survey(stage, threads)
        return [one for found in threads.map(_run, survey.checks()) for one in found]


class _Check(NamedTuple):
    kind: str
    name: str
    look: Callable[[], list[Finding]]


def _run(check: _Check) -> list[Finding]:
    try:
        return check.look()
    except EXPLAINED as error:
        detail = f"can't be checked: {explain(error)}"
        return [Finding(check.kind, check.name, ok=False, detail=detail)]


class _Survey:
    """Asks AWS in the background for what several checks look at."""

    def __init__(self, stage: Stage, threads: ThreadPoolExecutor) -> None:
        self.stage = stage
        resources = stage.resources
        self.now = datetime.now(UTC)
        self.created: datetime = stage.description["CreationTime"]
        self.rules = resources.get("AWS::Events::Rule", ())
        self.mappings = resources.get("AWS::Lambda::EventSourceMapping", ())
        self.alarms = [
            name
            for kind in ("Alarm", "CompositeAlarm")
            for name in resources.get(f"AWS::CloudWatch::{kind}", ())
        ]
        self.triggers = threads.submit(list_triggers, stage)
        self.queues = {
            queue_name(url): threads.submit(_queue_attributes, stage, url)
            for url in resources.get("AWS::SQS::Queue", ())
        }
        self.logs = {
            self.stage.short_name(name): threads.submit(read_log, stage, name)
            for name in resources.get("AWS::Lambda::Function", ())
            if stage.is_local
        }
        self.metrics = threads.submit(self._metrics)

    def checks(self) -> Iterator[_Check]:
        yield _Check("stack", self.stage.stack, self._stack)
        yield _Check("api", _HEALTH, self._api)
        for name in self.queues:
            yield _Check("queue", name, partial(self._queue, name))
        yield _Check("trigger", "", self._triggers)
        yield _Check("stream", "", self._stream_readers)
        for rule in self.rules:
            yield _Check("schedule", rule, partial(self._schedule, rule))
        yield _Check("alarm", "", self._alarms)
        yield _Check("metrics", "", self._metrics_read)
        if self.logs:
            yield _Check("function", "", self._functions)
        for status in OrderStatus:
            yield _Check("orders today", status, partial(self._orders, status))

    def _stack(self) -> list[Finding]:
        state = self.stage.description["StackStatus"]
        if state.endswith("_IN_PROGRESS"):
            remedy = "A deployment is under way: wait until it ends."
        else:
            remedy = "A deployment failed: see the stack's events, and deploy again."
        # A first deployment that failed left nothing.
        ok = state.endswith("_COMPLETE") and state != "ROLLBACK_COMPLETE"
        return [Finding("stack", self.stage.stack, ok, f"is {state}", "" if ok else remedy)]

    def _api(self) -> list[Finding]:
        url = self.stage.api_url
        failed = partial(Finding, "api", _HEALTH, ok=False, remedy="docs/runbook.md#api-failing")
        try:
            response = httpx.get(
                f"{url}/health", timeout=_API_SECONDS, trust_env=not self.stage.is_local
            ).raise_for_status()
            running = response.json()["version"]
        except (httpx.HTTPError, KeyError, ValueError) as error:
            why = str(error).partition("\n")[0]
            return [failed(detail=f"{type(error).__name__}: {why}")]
        milliseconds = round(response.elapsed.total_seconds() * 1000)
        deployed = self.stage.outputs["Version"]
        if running != deployed:
            return [
                failed(
                    detail=f"runs version {running}, and the stack says {deployed}",
                    remedy="A deployment is under way, or stopped halfway: deploy again.",
                )
            ]
        detail = f"version {running} responds in {milliseconds} ms at {url}"
        return [Finding("api", _HEALTH, ok=True, detail=detail)]

    def _queue(self, name: str) -> list[Finding]:
        attributes = self.queues[name].result()
        visible, in_flight, delayed = (
            int(attributes[f"ApproximateNumberOfMessages{state}"])
            for state in ("", "NotVisible", "Delayed")
        )
        detail = f"{visible + delayed} waiting, {in_flight} in flight"
        age = _result_or(self.metrics, {}).get(name)
        if age is not None:
            detail += f", the oldest for {span(timedelta(seconds=age))}"
        if attributes["QueueArn"] not in self._dead_letter_arns():
            return [Finding("queue", name, ok=True, detail=detail)]
        if not visible + delayed + in_flight:
            return [Finding("dead letters", name, ok=True, detail="none")]
        remedy = f"{self.stage.command('dead-letters list')}; docs/runbook.md#queue-not-empty"
        return [Finding("dead letters", name, ok=False, detail=detail, remedy=remedy)]

    def _dead_letter_arns(self) -> set[str]:
        """The queues that another queue or a trigger names as the place for what it gave up."""
        queues = [_result_or(one, {}) for one in self.queues.values()]
        triggers = _result_or(self.triggers, [])
        return dead_letter_arns(queues, triggers)

    def _triggers(self) -> list[Finding]:
        triggers = self.triggers.result()
        gone = set(self.mappings) - {one["UUID"] for one in triggers}
        return [self._trigger(one) for one in triggers] + [
            Finding("trigger", uuid, ok=False, detail="was deleted", remedy="Deploy again.")
            for uuid in sorted(gone)
        ]

    def _trigger(self, trigger: Json) -> Finding:
        function, state = self.stage.short_name(trigger["FunctionArn"]), trigger["State"]
        last = trigger.get("LastProcessingResult") or "OK"
        if state not in _ON:
            remedy = self.stage.command(f"resume {function}")
            return Finding("trigger", function, ok=False, detail=f"is off ({state})", remedy=remedy)
        if not last.startswith(("OK", "No records processed")):
            remedy = f"See the log of {function}; docs/runbook.md#function-errors"
            return Finding("trigger", function, ok=False, detail=f"last: {last}", remedy=remedy)
        return Finding("trigger", function, ok=True, detail=f"is on; last: {last}")

    def _stream_readers(self) -> list[Finding]:
        found = []
        for trigger in self.triggers.result():
            if ":dynamodb:" in trigger["EventSourceArn"]:
                name = self.stage.short_name(trigger["FunctionArn"])
                age = _result_or(self.metrics, {}).get(name)
                if age is not None:
                    detail = f"was {span(timedelta(milliseconds=age))} behind"
                    found.append(Finding("stream", name, ok=True, detail=detail))
                elif name == _PUBLISHER and self.stage.is_local:
                    found.append(self._publisher())
                else:
                    found.append(
                        Finding(
                            "stream", name, ok=True, detail=f"has read nothing for {span(_RECENT)}"
                        )
                    )
        return found

    def _publisher(self) -> Finding:
        """Where no metric tells its lag: whether it has run since events were recorded."""
        last_run = self._last_run(_PUBLISHER)
        since = timestamps.to_text(last_run) if last_run else "0"
        index = self.stage.outputs["OrdersIndexName"]
        unread = [
            timestamps.from_text(row["recordedAt"])
            for shard in range(keys.SHARDS)
            for row in self.stage.table.query(
                keys.feed_partition(shard), since, "9", index=index, limit=1
            )
        ]
        behind = self.now - min(unread, default=self.now)
        if behind > _SILENCE:
            detail = f"has read nothing since an event was recorded {span(behind)} ago"
            remedy = "docs/runbook.md#events-not-published"
            return Finding("stream", _PUBLISHER, ok=False, detail=detail, remedy=remedy)
        return Finding("stream", _PUBLISHER, ok=True, detail=f"is {span(behind)} behind")

    def _schedule(self, rule: str) -> list[Finding]:
        events = self.stage.client("events")
        state = events.describe_rule(Name=rule)["State"]
        targets = events.list_targets_by_rule(Rule=rule)["Targets"]
        if not targets:
            return [
                Finding("schedule", rule, ok=False, detail="runs nothing", remedy="Deploy again.")
            ]
        return [self._scheduled(rule, state, self.stage.short_name(one["Arn"])) for one in targets]

    def _scheduled(self, rule: str, state: str, function: str) -> Finding:
        last_run = self._last_run(function)
        ago = f"ran {span(self.now - last_run)} ago" if last_run else "has not run yet"
        failed = partial(Finding, "schedule", function, ok=False)
        if state != "ENABLED":
            return failed(
                detail=f"is {state}, {ago}", remedy=f"aws events enable-rule --name {rule}"
            )
        since = last_run or self.created
        if self.now - max(since, self.stage.started or since) > _OVERDUE:
            return failed(detail=ago, remedy="docs/runbook.md#schedule-not-run")
        return Finding("schedule", function, ok=True, detail=ago)

    def _last_run(self, function: str) -> datetime | None:
        """On AWS, CloudWatch may tell it as late as an hour after."""
        streams = self.stage.client("logs").describe_log_streams(
            logGroupName=f"/aws/lambda/{self.stage.stack}-{function}",
            orderBy="LastEventTime",
            descending=True,
            limit=1,
        )["logStreams"]
        times = [one["lastEventTimestamp"] for one in streams if "lastEventTimestamp" in one]
        return timestamps.from_milliseconds(times[0]) if times else None

    def _alarms(self) -> list[Finding]:
        prefix = f"{self.stage.stack}-"
        pages = self.stage.client("cloudwatch").get_paginator("describe_alarms")
        types = ["MetricAlarm", "CompositeAlarm"]
        found = [
            one
            for page in pages.paginate(AlarmNamePrefix=prefix, AlarmTypes=types)
            for one in [*page["MetricAlarms"], *page["CompositeAlarms"]]
            if one["AlarmName"] in self.alarms
        ]
        gone = [
            Finding(
                "alarm",
                name.removeprefix(prefix),
                ok=False,
                detail="was deleted",
                remedy="Deploy again.",
            )
            for name in sorted(set(self.alarms) - {one["AlarmName"] for one in found})
        ]
        # Without an action it is a part of another.
        alarms = [one for one in found if one.get("AlarmActions")]
        counts = Counter[str]()
        for log in self.logs.values():
            counts.update(_result_or(log, NOTHING).counts)
        ringing = [
            Finding(
                "alarm",
                one["AlarmName"].removeprefix(prefix),
                ok=False,
                detail=self._ringing(one),
                remedy=one.get("AlarmDescription", ""),
            )
            for one in alarms
            if one["StateValue"] == "ALARM" or _would_ring(one, counts)
        ]
        none = Finding("alarm", f"{len(alarms)} alarms", ok=True, detail="none rings")
        return gone + ringing or [none]

    def _ringing(self, alarm: Json) -> str:
        if alarm["StateValue"] != "ALARM":
            return "would ring on AWS"
        return f"has rung for {span(self.now - alarm['StateUpdatedTimestamp'])}"

    def _metrics(self) -> dict[str, float]:
        """By name, of what CloudWatch has a figure for.

        A queue's is the age of its oldest message, in seconds; a stream reader's its lag, in
        milliseconds.
        """
        readers = [
            trigger["FunctionArn"].rpartition(":")[2]
            for trigger in _result_or(self.triggers, [])
            if ":dynamodb:" in trigger["EventSourceArn"]
        ]
        wanted = [
            *(
                ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", one)
                for one in self.queues
            ),
            *(("AWS/Lambda", "IteratorAge", "FunctionName", one) for one in readers),
        ]
        queries = [
            {
                "Id": f"m{place}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": metric,
                        "Dimensions": [{"Name": dimension, "Value": name}],
                    },
                    "Period": 60,
                    "Stat": "Maximum",
                },
            }
            for place, (namespace, metric, dimension, name) in enumerate(wanted)
        ]
        pages = (
            self.stage.client("cloudwatch")
            .get_paginator("get_metric_data")
            .paginate(
                MetricDataQueries=queries,
                StartTime=self.now - _RECENT,
                EndTime=self.now,
                ScanBy="TimestampDescending",
            )
        )
        latest: dict[str, float] = {}
        for page in pages:
            for result in page["MetricDataResults"]:
                if result["Values"]:
                    name = wanted[int(result["Id"][1:])][-1]
                    latest.setdefault(self.stage.short_name(name), result["Values"][0])
        return latest

    def _metrics_read(self) -> list[Finding]:
        """Nothing if they could be read: the queues and readers show them."""
        self.metrics.result()
        return []

    def _functions(self) -> list[Finding]:
        logs = {name: log.result() for name, log in self.logs.items()}
        found = [one for name, log in logs.items() for one in _faults_of(name, log)]
        detail = f"none failed in {span(WINDOW)}"
        return found or [Finding("function", f"{len(logs)} functions", ok=True, detail=detail)]

    def _orders(self, status: OrderStatus) -> list[Finding]:
        """Created on this day of UTC."""
        today = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        count, is_all = 0, True
        for shard in range(keys.SHARDS):
            page = self.stage.client("dynamodb").query(
                TableName=self.stage.outputs["OrdersTableName"],
                IndexName=self.stage.outputs["OrdersIndexName"],
                KeyConditionExpression="gsi1pk = :partition AND gsi1sk >= :today",
                ExpressionAttributeValues={
                    ":partition": {"S": keys.status_partition(status, shard)},
                    ":today": {"S": timestamps.to_text(today)},
                },
                Select="COUNT",
                Limit=_COUNTED,
            )
            count += page["Count"]
            is_all = is_all and "LastEvaluatedKey" not in page
        detail = f"{count:,}" if is_all else f"more than {count:,}"
        return [Finding("orders today", status, ok=True, detail=detail)]


def _faults_of(function: str, log: FunctionLog) -> Iterator[Finding]:
    failed = partial(Finding, "function", function, ok=False)
    if log.failures:
        last = log.failures[-1]
        more = "".join(f", {name} {last[name]}" for name in ("status", "cause") if name in last)
        yield failed(
            detail=f"{len(log.failures)} failed in {span(WINDOW)}, last: {last['message']}{more}",
            remedy="docs/runbook.md#logs-and-metrics",
        )
    if log.silent >= _CRASHES and log.silent > _CRASH_RATE * log.invocations:
        yield failed(
            detail=f"crashed in {log.silent} of {log.invocations} invocations in {span(WINDOW)}",
            remedy="docs/runbook.md#function-errors",
        )


def _queue_attributes(stage: Stage, url: str) -> dict[str, str]:
    attributes: dict[str, str] = stage.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["All"]
    )["Attributes"]
    return attributes


def _would_ring(alarm: Json, counts: Counter[str]) -> bool:
    """Whether these counts of the platform's own metrics ring an alarm on one of them.

    The emulated CloudWatch reads no metrics from log lines.
    """
    return (
        alarm.get("ComparisonOperator") == "GreaterThanThreshold"
        and alarm.get("Statistic") == "Sum"
        and not alarm["Namespace"].startswith("AWS/")
        and counts[alarm["MetricName"]] > alarm["Threshold"]
    )


def _result_or(future: Future[T], otherwise: T) -> T:
    """For a check that can do without; another one says what failed."""
    return otherwise if future.exception() else future.result()
