"""Programs that read the feed of all events, for as long as a run lasts and to the feed's end."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from proof.workload import Client

_PATH: Final = "/events"
_LIMITS: Final = (1, 3, 10, 100, 1000)
_PAUSE_SECONDS: Final = 1.0
"""At the present end of the feed."""
_APART: Final = 40
"""Orders between the ends of a window, at most."""


class Poller:
    """Asks from cursor to cursor, in pages of any size."""

    def __init__(self, client: Client, query: dict[str, str], walk: str | None = None) -> None:
        """From the beginning of what the query names. `walk` is the client's name if not given."""
        self._client = client
        self._query = query
        self._walk = walk or client.name

    def run(self, over: Callable[[], bool]) -> None:
        """Follow the feed as it grows."""
        while not over():
            if not self.advance():
                time.sleep(_PAUSE_SECONDS)

    def drain(self) -> None:
        """Read to the present end, or to a page that can't be had."""
        while self.advance():
            pass

    def advance(self) -> bool:
        """Read a page; False at the present end, or if no page was returned."""
        limit = {"limit": str(self._client.choose.choice(_LIMITS))}
        call = self._client.read(_PATH, query=self._query | limit, walk=self._walk)
        if call.status != httpx.codes.OK:
            return False
        cursor: str = json.loads(call.text)["nextCursor"]
        moved = cursor != self._query.get("cursor")
        self._query = self._query | {"cursor": cursor}
        return moved


def fill_back(client: Client, over: Callable[[], bool]) -> None:
    """Read one window after the other from its beginning, as who was down or is new does."""
    for number in itertools.count(1):
        if over():
            return
        known = [order.created_at for order in client.notes.orders]
        if known:
            # The later half is mostly too young to be shown.
            first = client.choose.randrange(-(-len(known) // 2))
            ends = sorted((known[first], known[min(first + _APART, len(known) - 1)]))
            window = dict(zip(("recordedFrom", "recordedTo"), ends, strict=True))
            Poller(client, window, f"{client.name}-{number}").drain()
        time.sleep(_PAUSE_SECONDS)
