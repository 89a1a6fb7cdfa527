"""How long requests took, for their clients and in the functions, as tables show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.load.aftermath import OwnTime
    from benchmarks.load.responses import Response

PERCENTILES: Final = (50, 95, 99)


class Timed(NamedTuple):
    """One request, in milliseconds. A request that no function answered has no times of its own."""

    at: float
    """When it was sent, in seconds since the epoch."""
    route: str
    client: float
    own: float | None
    cold_start: bool

    @property
    def rest(self) -> float | None:
        """What the function knows nothing of."""
        return None if self.own is None else self.client - self.own


def timed(responses: Iterable[Response], own: dict[str, OwnTime]) -> list[Timed]:
    """Put together what client and function say of each request."""
    found = []
    for response in responses:
        time = own.get(response.request_id or "")
        found.append(
            Timed(
                at=response.at,
                route=response.route,
                client=response.milliseconds,
                own=time.milliseconds if time else None,
                cold_start=time.cold_start if time else False,
            )
        )
    return found


def summary(requests: Sequence[Timed]) -> dict[str, float]:
    """Return the number of requests, and the percentiles in milliseconds, as `own_p95_ms`."""
    return {
        "requests": len(requests),
        "cold_starts": sum(one.cold_start for one in requests),
        **_percentiles("client", [one.client for one in requests]),
        **_percentiles("own", [one.own for one in requests if one.own is not None]),
        **_percentiles("rest", [one.rest for one in requests if one.rest is not None]),
    }


def by_route(requests: Iterable[Timed]) -> dict[str, dict[str, float]]:
    """Return the summary of each route."""
    routes: dict[str, list[Timed]] = {}
    for one in requests:
        routes.setdefault(one.route, []).append(one)
    return {route: summary(routes[route]) for route in sorted(routes)}


def _percentiles(name: str, values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    found = np.percentile(values, PERCENTILES)
    return {
        f"{name}_p{percentile}_ms": round(float(value), 1)
        for percentile, value in zip(PERCENTILES, found, strict=True)
    }
