"""How CloudWatch evaluates an alarm, as far as this template's alarms need it.

Source: the CloudWatch User Guide, "Alarm evaluation" and "Using math expressions with metrics". An
alarm is evaluated every minute, over periods that end in that minute; one whose window is longer
than a day every hour, over the full hours. Times here are whole minutes.
"""

from __future__ import annotations

import ast
import operator
import re
from collections import defaultdict
from functools import cache
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Series = list[float | None]

OK: Final = "OK"
ALARM: Final = "ALARM"
DAY: Final = 24 * 60

_ARITHMETIC: Final[dict[type, Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_COMPARISONS: Final = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}


class Metrics:
    """What was reported: samples by metric and minute.

    A metric is called as `metric_name` calls it, `AWS/Lambda Errors HealthLambdaFunction`.
    """

    def __init__(self) -> None:
        self._samples: dict[str, dict[int, list[float]]] = defaultdict(dict)
        self._sums: dict[tuple[str, str], list[tuple[int, float]]] = {}
        self.touched: set[str] = set()

    def add(self, metric: str, minute: int, *samples: float) -> None:
        self.touched.add(metric)
        self._samples[metric].setdefault(minute, []).extend(samples)
        self._sums.clear()

    def between(self, metric: str, start: int, end: int) -> list[float]:
        """The samples of the minutes from `start` to before `end`."""
        found = self._samples.get(metric, {})
        return [sample for minute in range(start, end) for sample in found.get(minute, ())]

    def statistic(self, metric: str, statistic: str, start: int, end: int) -> float | None:
        """Of the minutes from `start` to before `end`; None without a sample."""
        if not _adds_up(statistic):
            return _statistic(self.between(metric, start, end), statistic)
        sums = self._sums_of(metric, statistic)
        (count_before, sum_before), (count, total) = (
            sums[min(max(minute, 0), len(sums) - 1)] for minute in (start, end)
        )
        return total - sum_before if count > count_before else None

    def _sums_of(self, metric: str, statistic: str) -> list[tuple[int, float]]:
        """How many samples there were before each minute, and what they add up to."""
        key = metric, statistic
        if key not in self._sums:
            found = self._samples.get(metric, {})
            minutes = [found.get(minute, ()) for minute in range(max(found, default=-1) + 1)]
            counts = accumulate((len(samples) for samples in minutes), initial=0)
            totals = accumulate((_sum(samples, statistic) for samples in minutes), initial=0.0)
            self._sums[key] = list(zip(counts, totals, strict=True))
        return self._sums[key]


def _adds_up(statistic: str) -> bool:
    return statistic == "Sum" or statistic.startswith("TC")


def _sum(samples: Iterable[float], statistic: str) -> float:
    """Of the samples, or how many are above the bound of a trimmed count, as `TC(300:)`."""
    if statistic == "Sum":
        return sum(samples)
    bound = float(statistic.removeprefix("TC(").removesuffix(":)"))
    return sum(sample > bound for sample in samples)


def metric_name(metric: dict[str, Any]) -> str:
    values = [dimension["Value"] for dimension in metric["Dimensions"]]
    return " ".join([metric["Namespace"], metric["MetricName"], *map(_referred, values)])


def _referred(value: str | dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


class Alarm:
    """An alarm of the template, which begins as OK.

    CloudWatch reads more periods than it evaluates, "the exact number depends": `further` of them.
    """

    def __init__(self, properties: dict[str, Any], *, further: int = 2) -> None:
        self.properties = properties
        self.periods: int = properties["EvaluationPeriods"]
        queries = properties.get("Metrics")
        seconds = queries[0]["MetricStat"]["Period"] if queries else properties["Period"]
        self.period: int = seconds // 60
        self.further = further
        self.state = OK

    @property
    def watched(self) -> set[str]:
        """The names of its metrics."""
        queries = self.properties.get("Metrics", [])
        metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
        return {metric_name(metric) for metric in metrics or [self.properties]}

    @property
    def every(self) -> int:
        return 60 if self.period * self.periods > DAY else 1

    def changes(self, metrics: Metrics, start: int, end: int) -> Iterator[tuple[int, str]]:
        """The minutes from `start` to `end` in which the state changes, and to what."""
        for minute in range(start, end + 1):
            if minute % self.every == 0:
                before, self.state = self.state, self.evaluate(metrics, minute)
                if before != self.state:
                    yield minute, self.state

    def evaluate(self, metrics: Metrics, now: int) -> str:
        if self._has_few_samples(metrics, now):
            return self.state
        compare = _COMPARISONS[self.properties["ComparisonOperator"]]
        threshold = self.properties["Threshold"]
        return state(
            [None if v is None else compare(v, threshold) for v in self._values(metrics, now)],
            self.periods,
            self.properties["TreatMissingData"],
            self.state,
        )

    def _values(self, metrics: Metrics, now: int) -> Series:
        if "Metrics" not in self.properties:
            return self._read(metrics, self.properties, self._statistic, now)
        known: dict[str, Series] = {}
        for query in self.properties["Metrics"]:
            if "Expression" in query:
                known[query["Id"]] = calculate(query["Expression"], known)
            else:
                stat = query["MetricStat"]
                known[query["Id"]] = self._read(metrics, stat["Metric"], stat["Stat"], now)
            if query["ReturnData"]:
                watched = query["Id"]
        return known[watched]

    @property
    def _statistic(self) -> str:
        return str(self.properties.get("Statistic") or self.properties["ExtendedStatistic"])

    def _read(self, metrics: Metrics, metric: dict[str, Any], statistic: str, now: int) -> Series:
        name, count = metric_name(metric), self.periods + self.further
        starts = [now - self.period * back for back in range(count, 0, -1)]
        return [metrics.statistic(name, statistic, s, s + self.period) for s in starts]

    def _has_few_samples(self, metrics: Metrics, now: int) -> bool:
        if self.properties.get("EvaluateLowSampleCountPercentile") != "ignore":
            return False
        enough = 10 / (1 - float(self._statistic.removeprefix("p")) / 100)
        window = self.period * self.periods
        found = metrics.between(metric_name(self.properties), now - window, now)
        return len(found) < round(enough)


class CompositeAlarm:
    """An alarm on the states of others, by their logical ids."""

    def __init__(self, properties: dict[str, Any], parts: Mapping[str, Alarm]) -> None:
        rule = re.sub(r'ALARM\("\$\{(\w+)\}"\)', r"\1", properties["AlarmRule"]["Fn::Sub"])
        self._rule = _parsed(rule.replace("AND", "and").replace("OR", "or"))
        names = {node.id for node in ast.walk(self._rule) if isinstance(node, ast.Name)}
        self.parts = {name: parts[name] for name in names}
        self.state = OK

    @property
    def watched(self) -> set[str]:
        return set[str]().union(*(part.watched for part in self.parts.values()))

    def changes(self, metrics: Metrics, start: int, end: int) -> Iterator[tuple[int, str]]:
        """As an alarm's."""
        for minute in range(start, end + 1):
            changed = [list(part.changes(metrics, minute, minute)) for part in self.parts.values()]
            if any(changed):
                before, self.state = self.state, ALARM if self._holds(self._rule) else OK
                if before != self.state:
                    yield minute, self.state

    def _holds(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return self.parts[name].state == ALARM
            case ast.BoolOp(op=ast.And(), values=values):
                return all(map(self._holds, values))
            case ast.BoolOp(op=ast.Or(), values=values):
                return any(map(self._holds, values))
        raise NotImplementedError(ast.unparse(node))


def _statistic(samples: list[float], statistic: str) -> float | None:
    if not samples:
        return None
    if statistic == "Maximum":
        return max(samples)
    rank = ceil(len(samples) * float(statistic.removeprefix("p")) / 100)
    return sorted(samples)[rank - 1]


def state(breaching: Sequence[bool | None], periods: int, missing: str, before: str) -> str:
    """The new state, by whether each period breaches the threshold, oldest first, None: no data."""
    real = [one for one in breaching if one is not None][-periods:]
    filled = periods - len(real) if missing == "breaching" else 0
    if sum(real) + filled >= periods:
        return ALARM
    if missing == "ignore" and len(real) < periods and all(real):
        return before
    return OK


def calculate(expression: str, known: dict[str, Series]) -> Series:
    """The series of a metric math expression over named ones. Its syntax is Python's, too."""
    length = len(next(iter(known.values())))
    result = _Calculation(known, length).value(_parsed(expression))
    assert isinstance(result, list), f"{expression} is no time series"
    return result


@cache
def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


class _Calculation:
    def __init__(self, known: dict[str, Series], length: int) -> None:
        self._known = known
        self._length = length

    def value(self, node: ast.expr) -> Series | float:
        match node:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.Name(id=name):
                return self._known[name]
            case ast.BinOp(left=left, op=op, right=right):
                return self._each(type(op), left, right)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._each(type(op), left, right)
            case ast.Call(func=ast.Name(id="FILL"), args=[series, filler]):
                return self._fill(self._series(series), filler)
            case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
                return self._choose(condition, then, otherwise)
        raise NotImplementedError(ast.unparse(node))

    def _series(self, node: ast.expr) -> Series:
        value = self.value(node)
        return value if isinstance(value, list) else [value] * self._length

    def _each(self, op: type, left: ast.expr, right: ast.expr) -> Series:
        """Of two series a missing value counts as 0; a division by 0 is dropped."""
        scalars = not all(isinstance(self.value(side), list) for side in (left, right))

        def one(a: float | None, b: float | None) -> float | None:
            if (a is None or b is None) if scalars else (a is None and b is None):
                return None
            if op is ast.Div and not b:
                return None
            return float(_ARITHMETIC[op](a or 0, b or 0))

        pairs = zip(self._series(left), self._series(right), strict=True)
        return [one(a, b) for a, b in pairs]

    def _fill(self, series: Series, filler: ast.expr) -> Series:
        if not isinstance(filler, ast.Name):
            filling = self.value(filler)
            assert not isinstance(filling, list)
            return [filling if value is None else value for value in series]
        assert filler.id == "REPEAT"
        filled: Series = []
        for value in series:
            filled.append(value if value is not None or not filled else filled[-1])
        return filled

    def _choose(self, condition: ast.expr, then: ast.expr, otherwise: ast.expr) -> Series:
        """A missing condition is dropped; where it holds, a missing value counts as 0."""
        series = [self._series(part) for part in (condition, then, otherwise)]
        return [
            None if test is None else (yes or 0 if test else no)
            for test, yes, no in zip(*series, strict=True)
        ]
