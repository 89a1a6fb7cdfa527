"""What `make load` says of its times, and what it fails for."""

from __future__ import annotations

import pytest

from benchmarks.load.aftermath import OwnTime
from benchmarks.load.counting import Left
from benchmarks.load.cpu import CpuSeconds
from benchmarks.load.profiles import PROFILES
from benchmarks.load.report import lines, values, verdicts
from benchmarks.load.responses import Response
from benchmarks.load.run import Outcome
from benchmarks.load.times import summary, timed

LIGHT, BUSY, BURST = PROFILES
ROUTE = "GET /orders/{orderId}"


def response(number: int, milliseconds: float = 30, status: int = 200) -> Response:
    return Response(
        at=float(number),
        milliseconds=milliseconds,
        route=ROUTE,
        status=status,
        request_id=str(number) if status else None,
    )


def outcome(
    profile: object = LIGHT, own_ms: float = 10, unknown: int = 0, *more: Response
) -> Outcome:
    """A hundred requests, the first of which met a cold start."""
    responses = [response(number) for number in range(100)]
    return Outcome(
        profile=profile,  # type: ignore[arg-type]  # one of PROFILES
        began=0.0,
        responses=[*responses, *more],
        own={str(n): OwnTime(own_ms, cold_start=n == 0) for n in range(unknown, 100)},
        left=Left(orders={}, listed=[], timeline=[], events=[], dead_letters=0),
        cpu=CpuSeconds(1.0, 2.0, 3.0),
        settled_after=0.0,
    )


def test_clients_functions_and_the_rest_have_percentiles_of_their_own() -> None:
    own = {"1": OwnTime(10, cold_start=True), "2": OwnTime(20, cold_start=False)}
    requests = timed([response(1, 30), response(2, 60), response(3, 90)], own)
    assert [(one.client, one.own, one.rest) for one in requests] == [
        (30, 10, 20),
        (60, 20, 40),
        (90, None, None),
    ]
    found = summary(requests)
    assert found["requests"] == 3
    assert found["cold_starts"] == 1
    assert found["client_p50_ms"] == 60
    assert found["own_p50_ms"] == 15
    assert found["rest_p50_ms"] == 30


def test_a_load_as_it_should_be_passes() -> None:
    assert verdicts([outcome(profile) for profile in PROFILES]) == []


def test_functions_that_are_slow_in_the_light_load_fail_it() -> None:
    assert verdicts([outcome(LIGHT, own_ms=50)]) == [
        "light: p95 of the functions' own time is 50.0 ms, not below 50 ms"
    ]
    assert verdicts([outcome(BUSY, own_ms=50), outcome(BURST, own_ms=50)]) == []


def test_a_route_whose_clients_wait_long_in_the_light_load_fails_it() -> None:
    slow = [response(number, milliseconds=300) for number in range(10)]
    assert verdicts([outcome(LIGHT, 10, 0, *slow)]) == [
        f"light: p95 of {ROUTE} is 300.0 ms, not below 300 ms"
    ]


def test_own_times_that_are_not_known_prove_nothing() -> None:
    assert verdicts([outcome(LIGHT, 10, 2)]) == [
        "light: the functions' own time is known of 98 of 100 requests"
    ]


@pytest.mark.parametrize("status", [0, 502, 503])
def test_only_the_burst_may_turn_requests_away(status: int) -> None:
    turned_away = response(0, status=status)
    assert verdicts([outcome(BURST, 10, 0, turned_away)]) == []
    for profile in (LIGHT, BUSY):
        (said,) = verdicts([outcome(profile, 10, 0, turned_away)])
        assert said.startswith(f"{profile.name}: 1 requests failed with")


@pytest.mark.parametrize("status", [404, 409, 500])
def test_no_load_may_meet_another_error(status: int) -> None:
    for profile in PROFILES:
        assert verdicts([outcome(profile, 10, 0, response(0, status=status))]) == [
            f"{profile.name}: 1 requests failed with status {status}"
        ]


def test_what_was_lost_fails_every_load() -> None:
    for profile in PROFILES:
        lost = outcome(profile)._replace(
            left=Left(orders={"a": 1}, listed=["a"], timeline=[], events=[], dead_letters=0)
        )
        assert f"{profile.name}: a timeline has no a/1" in verdicts([lost])
        assert f"- {profile.name}: a timeline has no a/1" in list(lines([lost]))


def test_cold_starts_have_a_table_of_their_own() -> None:
    text = "\n".join(lines([outcome()]))
    warm, cold = text.split("Processes' first requests")
    assert f"| {ROUTE} | 99 | 30 | 30 | 30 | 10 | 10 | 10 | 20 | 20 | 20 |" in warm
    assert f"| {ROUTE} | 1 | 30 | 30 | 30 | 10 | 10 | 10 | 20 | 20 | 20 |" in cold


def test_numbers_are_kept_by_load_and_route() -> None:
    kept = values([outcome()])["light"]
    assert isinstance(kept, dict)
    assert kept["routes"][ROUTE]["own_p95_ms"] == 10
    assert kept["cold"][ROUTE]["requests"] == 1
    assert kept["warm"][ROUTE]["requests"] == 99
    assert kept["cpu_ms_per_request"] == {"emulator": 10.0, "functions": 20.0, "clients": 30.0}
    assert kept["failed"] == {}
    assert kept["lost_or_doubled"] == 0
