"""The evaluator of alarms agrees with the examples of the CloudWatch User Guide."""

from __future__ import annotations

import pytest

from infrastructure.cloudwatch import (
    ALARM,
    OK,
    Alarm,
    CompositeAlarm,
    Metrics,
    calculate,
    state,
)

RETAINED = "as before"
TREATMENTS = ("ignore", "breaching", "notBreaching")


def points(row: str) -> list[bool | None]:
    return [{"X": True, "0": False, "-": None}[point] for point in row.split()]


@pytest.mark.parametrize(
    ("row", "states"),
    [
        ("0 - X - X", (OK, OK, OK)),
        ("0 - - - -", (OK, OK, OK)),
        ("- - - - -", (RETAINED, ALARM, OK)),
        ("0 X X - X", (ALARM, ALARM, ALARM)),
        ("- - X - -", (RETAINED, ALARM, OK)),
    ],
)
def test_missing_data_is_treated_as_the_guide_says(row: str, states: tuple[str, ...]) -> None:
    found = [state(points(row), 3, treatment, RETAINED) for treatment in TREATMENTS]
    assert found == list(states)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("metric1 >= 30", [1, 0, 0, 0]),
        ("metric2 + metric1", [50, 20, 20, 0]),
        ("2 * metric2", [40, None, 40, None]),
        ("metric2 / metric1", [20 / 30, 0, None, None]),
        ("FILL(metric2, 10)", [20, 10, 20, 10]),
        ("FILL(metric2, REPEAT)", [20, 20, 20, 20]),
    ],
)
def test_operators_count_what_is_missing_in_one_of_two_series_as_0(
    expression: str, result: list[float | None]
) -> None:
    known: dict[str, list[float | None]] = {
        "metric1": [30, 20, 0, 0],
        "metric2": [20, None, 20, None],
    }
    assert calculate(expression, known) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, None, None]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, None, None]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, None]),
        ("IF(metric1 >= 1, 10, 0)", [10, 10, 0, 0, None]),
    ],
)
def test_conditions(expression: str, result: list[float | None]) -> None:
    known: dict[str, list[float | None]] = {
        "metric1": [1, 1, 0, 0, None],
        "metric2": [30, None, 0, 0, 30],
        "metric3": [0, 0, 20, None, 20],
    }
    assert calculate(expression, known) == result


WATCHED = {
    "Namespace": "Orders",
    "MetricName": "OrdersExpired",
    "Dimensions": [],
    "Statistic": "Sum",
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 2,
    "Period": 300,
    "EvaluationPeriods": 1,
    "TreatMissingData": "notBreaching",
}


def test_five_minutes_are_any_five_minutes() -> None:
    metrics = Metrics()
    for minute in (4, 5, 6):
        metrics.add("Orders OrdersExpired", minute, 1)
    assert list(Alarm(WATCHED, further=0).changes(metrics, 0, 60)) == [(7, ALARM), (10, OK)]


def test_a_window_of_more_than_a_day_ends_with_the_hour() -> None:
    metrics = Metrics()
    metrics.add("Orders OrdersExpired", 30 * 60 + 30, 3)
    daily = WATCHED | {"Period": 26 * 3600}
    assert next(Alarm(daily).changes(metrics, 0, 40 * 60)) == (31 * 60, ALARM)


def test_a_percentile_of_few_samples_changes_nothing() -> None:
    slow = {key: value for key, value in WATCHED.items() if key != "Statistic"} | {
        "ExtendedStatistic": "p95",
        "EvaluateLowSampleCountPercentile": "ignore",
    }
    metrics = Metrics()
    metrics.add("Orders OrdersExpired", 0, *[3] * 199)
    assert Alarm(slow).evaluate(metrics, 1) == OK
    metrics.add("Orders OrdersExpired", 0, 3)
    assert Alarm(slow).evaluate(metrics, 1) == ALARM


def test_a_trimmed_count_leaves_out_its_lower_bound() -> None:
    metrics = Metrics()
    metrics.add("Orders OrdersExpired", 3, 150, 151, 1000)
    metrics.add("Orders OrdersExpired", 4, 149, 1001)
    assert metrics.statistic("Orders OrdersExpired", "TC(150:)", 3, 5) == 3
    assert metrics.statistic("Orders OrdersExpired", "TC(150:)", 5, 9) is None


@pytest.mark.parametrize(
    ("rule", "rings"),
    [
        ('ALARM("${Few}") AND ALARM("${Many}")', [(11, ALARM), (16, OK)]),
        ('ALARM("${Few}") OR ALARM("${Many}")', [(6, ALARM), (16, OK)]),
    ],
)
def test_a_composite_alarm_follows_its_rule(rule: str, rings: list[tuple[int, str]]) -> None:
    parts = {
        "Few": Alarm(WATCHED | {"Threshold": 2}, further=0),
        "Many": Alarm(WATCHED | {"Threshold": 5}, further=0),
        "Another": Alarm(WATCHED),
    }
    metrics = Metrics()
    for minute, count in ((5, 3), (7, 1), (10, 6)):
        metrics.add("Orders OrdersExpired", minute, count)
    alarm = CompositeAlarm({"AlarmRule": {"Fn::Sub": rule}}, parts)
    assert list(alarm.changes(metrics, 0, 30)) == rings
    assert set(alarm.parts) == {"Few", "Many"}
