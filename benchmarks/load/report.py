"""The loads' tables, their numbers by name, and what was not as it must be."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from statistics import quantiles
from typing import TYPE_CHECKING, Final

from benchmarks.figures import table
from benchmarks.load.counting import PERCENTILES, TRY_AGAIN, faults
from benchmarks.load.run import LIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.load.run import Outcome

OWN_P95_MS: Final = 50
"""Of the functions' own time under the light load, over all requests: one route has too few."""
CLIENT_P95_MS: Final = 300
"""Of each route under the light load, with the emulator's time."""
LEAST_KNOWN: Final = 0.99
"""Of the requests that got a response; without the functions' times a percentile says little."""
_SHOWN: Final = 10


def values(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """The numbers, by load."""
    return {
        outcome.profile.name: {
            "own_p95_ms": percentiles(chain(*outcome.own_ms.values()))[1],
            "failed": {_named(status): number for status, number in _failed(outcome).items()},
            "lost_or_doubled": len(faults(outcome.responses, outcome.left)),
        }
        for outcome in outcomes
    }


def verdicts(outcomes: Iterable[Outcome]) -> list[str]:
    """What is not as it must be; nothing where all is."""
    return [
        f"{outcome.profile.name}: {verdict}"
        for outcome in outcomes
        for verdict in _verdicts(outcome)
    ]


def percentiles(milliseconds: Iterable[float]) -> tuple[float, ...]:
    """The 50th, 95th and 99th; zeros where there are fewer than two values."""
    found = list(milliseconds)
    if len(found) < 2:  # noqa: PLR2004 - quantiles needs two
        return (0.0,) * len(PERCENTILES)
    cuts = quantiles(found, n=100, method="inclusive")
    return tuple(round(cuts[percentile - 1], 1) for percentile in PERCENTILES)


def lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The tables, in Markdown."""
    yield from (
        "### Under load",
        "",
        "*client* is how long a client waits; *function* is what the function says it took,",
        "`duration_ms` in its log, which contains its calls to the table. The rest is the",
        "emulator's, which does one thing at a time on the same cores as everything else; AWS",
        "shares neither. Milliseconds.",
        "",
    )
    heads = [f"{who} p{percentile}" for who in ("client", "function") for percentile in PERCENTILES]
    for outcome in outcomes:
        failed = ", ".join(f"{n} with {_named(status)}" for status, n in _failed(outcome).items())
        yield from (f"#### {outcome.profile.name}: {outcome.profile.describes}", "")
        yield from (f"{len(outcome.responses)} requests; failed: {failed or 'none'}.", "")
        yield from table(("", "requests", *heads), _times(outcome))
        left = outcome.left
        again = len(left.published) - len({*left.published})
        yield ""
        yield (
            f"It left {len(left.orders)} orders and {len(left.events)} events, {again} of which "
            "were published again."
        )
        yield ""
    limits = (
        f"Under the light load the p95 of the functions' own time must be below {OWN_P95_MS} ms, "
        f"and of each route's clients below {CLIENT_P95_MS} ms; no load may lose anything."
    )
    yield from (
        "",
        limits,
        "",
        *(f"- {line}" for line in verdicts(outcomes) or ["All of it held."]),
    )


def _times(outcome: Outcome) -> Iterator[Sequence[object]]:
    requests = Counter(one.route for one in outcome.responses)
    for route, times in outcome.client_ms.items():
        is_total = route == "Aggregated"
        own = chain(*outcome.own_ms.values()) if is_total else outcome.own_ms[route]
        yield (
            "**all**" if is_total else route,
            requests.total() if is_total else requests[route],
            *(f"{figure:.0f}" for figure in (*times, *percentiles(own))),
        )


def _verdicts(outcome: Outcome) -> Iterator[str]:
    found = faults(outcome.responses, outcome.left)
    yield from found[:_SHOWN]
    if len(found) > _SHOWN:
        yield f"and {len(found) - _SHOWN} more like these"
    for status, number in _failed(outcome).items():
        if not (outcome.profile.may_turn_away and status in TRY_AGAIN):
            yield f"{number} requests failed with {_named(status)}"
    got = sum(one.status not in TRY_AGAIN for one in outcome.responses)
    known = sum(map(len, outcome.own_ms.values()))
    if not got or known < LEAST_KNOWN * got:
        yield f"the functions' own time is known of {known} of {got} requests"
    if outcome.profile is LIGHT:
        _, own, _ = percentiles(chain(*outcome.own_ms.values()))
        if own >= OWN_P95_MS:
            yield f"p95 of the functions' own time is {own} ms, not below {OWN_P95_MS} ms"
        for route, (_, client, _) in outcome.client_ms.items():
            if client >= CLIENT_P95_MS:
                yield f"p95 of {route} is {client} ms, not below {CLIENT_P95_MS} ms"


def _failed(outcome: Outcome) -> dict[int, int]:
    """How many requests failed, by the response's status."""
    return dict(sorted(Counter(one.status for one in outcome.responses if one.failed).items()))


def _named(status: int) -> str:
    return f"status {status}" if status else "no response"
