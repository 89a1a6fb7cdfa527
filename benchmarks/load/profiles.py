"""The three loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who comes, how many, and for how long."""

    name: str
    describes: str
    clients: str
    """The class of clients.py."""
    users: int
    seconds: int
    starts_warm: bool
    """Each route has been called by as many users at once beforehand, outside of the figures."""
    may_turn_away: bool
    """A request may be told to try again, by the function or by the gateway: every process has to
    start first, on few cores. What was accepted must not be lost then either."""


PROFILES: Final = (
    Profile(
        name="light",
        describes="5 requests a second, processes warm",
        clients="Steady",
        users=5,
        seconds=60,
        starts_warm=True,
        may_turn_away=False,
    ),
    Profile(
        name="busy",
        describes="4 clients without a pause, processes warm",
        clients="Hurried",
        users=4,
        seconds=40,
        starts_warm=True,
        may_turn_away=False,
    ),
    Profile(
        name="burst",
        describes="no process runs, then 50 clients at once",
        clients="Hurried",
        users=50,
        seconds=30,
        starts_warm=False,
        may_turn_away=True,
    ),
)
