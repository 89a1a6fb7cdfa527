"""The loads' tables, their numbers by name, and what was not as it must be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from benchmarks.load.counting import counts, faults
from benchmarks.load.responses import TRY_AGAIN
from benchmarks.load.times import PERCENTILES, by_route, summary, timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.load.run import Outcome
    from benchmarks.load.times import Timed

LIGHT: Final = "light"
OWN_P95_MS: Final = 50
"""Of the functions' own time under the light load, over all requests: one route has too few."""
CLIENT_P95_MS: Final = 300
"""Of each route's answers under the light load, the emulator's time included."""
LEAST_KNOWN: Final = 0.99
"""Of the requests that functions answered; without their own times a percentile says little."""
_SHOWN: Final = 10
_COLUMNS: Final = {"client": "client", "function": "own", "rest": "rest"}
_EXPLANATION: Final = """\
*client* is what a client waits; *function* what the function says it took, `duration_ms` in its
log; *rest* is the difference: the emulator's gateway and dispatch, and where a process had to be
started that too. Percentiles of each are of their own and don't add up. The function's time
includes its calls to the table, which the same emulator answers, one thing at a time, on the same
cores as everything else: on AWS neither this nor the rest is shared. CPU is that of all processes
of a kind, work behind the responses included. All times are milliseconds."""


def values(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return the numbers, by load."""
    return {outcome.profile.name: _values(outcome) for outcome in outcomes}


def verdicts(outcomes: Sequence[Outcome]) -> list[str]:
    """Say what is not as it must be; nothing where all is."""
    return [line for outcome in outcomes for line in _verdicts(outcome)]


def lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the tables, in Markdown."""
    yield from ("### Under load", "", _EXPLANATION, "")
    for outcome in outcomes:
        yield from _load(outcome)
    yield from ("#### Nothing lost", "")
    yield from _counts(outcomes)
    found = verdicts(outcomes)
    limits = (
        f"Under the light load p95 of the functions' own time is to be below {OWN_P95_MS} ms, and "
        f"of each route's clients below {CLIENT_P95_MS} ms; no load may lose anything."
    )
    yield from ("", limits, "", *(f"- {line}" for line in found or ["All of it was so."]))


def _values(outcome: Outcome) -> dict[str, object]:
    requests = timed(outcome.responses, outcome.own)
    warm = [one for one in requests if not one.cold_start]
    cold = [one for one in requests if one.cold_start]
    return {
        "users": outcome.profile.users,
        "seconds": outcome.profile.seconds,
        "requests_per_second": round(len(requests) / _seconds(outcome), 1),
        "all": summary(requests),
        "routes": by_route(requests),
        "warm": by_route(warm),
        "cold": by_route(cold),
        "failed": {_status(status): number for status, number in _failed(outcome).items()},
        "cpu_ms_per_request": _cpu_per_request(outcome),
        "counts": counts(outcome.responses, outcome.left),
        "lost_or_doubled": len(faults(outcome.responses, outcome.left)),
    }


def _verdicts(outcome: Outcome) -> Iterator[str]:
    name = outcome.profile.name
    found = faults(outcome.responses, outcome.left)
    yield from (f"{name}: {fault}" for fault in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"{name}: and {len(found) - _SHOWN} more like these"
    for status, number in _failed(outcome).items():
        if not (outcome.profile.may_turn_away and status in TRY_AGAIN):
            yield f"{name}: {number} requests failed with {_status(status)}"
    answered = [one for one in outcome.responses if one.request_id]
    known = sum(one.request_id in outcome.own for one in answered)
    if not answered or known < LEAST_KNOWN * len(answered):
        yield f"{name}: the functions' own time is known of {known} of {len(answered)} requests"
    if name == LIGHT:
        yield from _too_slow(timed(outcome.responses, outcome.own))


def _too_slow(requests: Sequence[Timed]) -> Iterator[str]:
    """Hold the light load against its bounds."""
    own = summary(requests).get("own_p95_ms", 0)
    if own >= OWN_P95_MS:
        yield f"{LIGHT}: p95 of the functions' own time is {own} ms, not below {OWN_P95_MS} ms"
    for route, times in by_route(requests).items():
        if (took := times["client_p95_ms"]) >= CLIENT_P95_MS:
            yield f"{LIGHT}: p95 of {route} is {took} ms, not below {CLIENT_P95_MS} ms"


def _failed(outcome: Outcome) -> dict[int, int]:
    """Return how many requests failed, by the response's status."""
    return dict(sorted(Counter(one.status for one in outcome.responses if one.failed).items()))


def _status(status: int) -> str:
    return f"status {status}" if status else "no response"


def _load(outcome: Outcome) -> Iterator[str]:
    requests = timed(outcome.responses, outcome.own)
    warm = [one for one in requests if not one.cold_start]
    cold = [one for one in requests if one.cold_start]
    failed = ", ".join(f"{n} with {_status(status)}" for status, n in _failed(outcome).items())
    cpu = ", ".join(f"{name} {ms:.1f} ms" for name, ms in _cpu_per_request(outcome).items())
    yield from (f"#### {outcome.profile.name}: {outcome.profile.describes}", "")
    yield (
        f"{len(requests)} requests, {len(requests) / _seconds(outcome):.1f} a second; "
        f"failed: {failed or 'none'}. CPU for each: {cpu}."
    )
    yield ""
    yield from _table(by_route(warm) | {"**all**": summary(warm)})
    yield ""
    if cold:
        yield from ("Processes' first requests, not in the table above:", "")
        yield from _table(by_route(cold) | {"**all**": summary(cold)})
        yield ""


def _table(rows: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    heads = [
        " | ".join([f"{shown} p{PERCENTILES[0]}", *(f"p{p}" for p in PERCENTILES[1:])])
        for shown in _COLUMNS
    ]
    yield f"| | requests | {' | '.join(heads)} |"
    yield f"|---|--:|{'--:|' * len(_COLUMNS) * len(PERCENTILES)}"
    for route, times in rows.items():
        cells = [times.get(f"{name}_p{p}_ms") for name in _COLUMNS.values() for p in PERCENTILES]
        shown = " | ".join("" if cell is None else f"{cell:.0f}" for cell in cells)
        yield f"| {route} | {times['requests']} | {shown} |"


def _counts(outcomes: Sequence[Outcome]) -> Iterator[str]:
    found = [counts(outcome.responses, outcome.left) for outcome in outcomes]
    yield f"| | {' | '.join(outcome.profile.name for outcome in outcomes)} |"
    yield f"|---|{'--:|' * len(outcomes)}"
    for name in found[0]:
        yield f"| {name} | {' | '.join(str(one[name]) for one in found)} |"


def _cpu_per_request(outcome: Outcome) -> dict[str, float]:
    """Return milliseconds; events, timeline and payments are in it."""
    requests = max(len(outcome.responses), 1)
    return {name: round(s * 1000 / requests, 1) for name, s in outcome.cpu._asdict().items()}


def _seconds(outcome: Outcome) -> float:
    """From the first request to the last response."""
    ends = [response.at + response.milliseconds / 1000 for response in outcome.responses]
    return max(ends, default=1.0) - min(
        (response.at for response in outcome.responses), default=0.0
    )
