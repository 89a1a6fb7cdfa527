"""Commands that read the feed up to the instant from which on it may still grow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fakes import NOON
from orderctl.__main__ import run
from orderctl.commands import events, export

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from types import ModuleType

DELAY = timedelta(minutes=1)


class AtNoon:
    """A stage whose AWS says NOON, whatever the operator's clock says; and its orders."""

    def __init__(self) -> None:
        self.orders = self
        self.read_up_to: list[datetime] = []

    def now(self) -> datetime:
        return NOON

    def list_events(
        self, _after: str, _since: datetime, until: datetime, _limit: int
    ) -> Sequence[Any]:
        self.read_up_to.append(until)
        return []


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(events, ["events"]), (export, ["export", "--from", "2026-11-22", "--to", "2099-01-01"])],
    ids=["events", "export"],
)
def test_the_feed_is_read_up_to_awss_time(
    command: ModuleType, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = AtNoon()
    monkeypatch.setattr(command, "find_stage", lambda _: stage)
    monkeypatch.setattr(command, "feed_delay", lambda _: DELAY)

    run(arguments)

    assert stage.read_up_to == [NOON - DELAY]
