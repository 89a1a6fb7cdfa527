"""A replay sent all that it was asked for, and, if it was interrupted, all up to its position."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from proof import oracle
from proof.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence
    from proof.history import Command, Json


def check_replays(evidence: Evidence) -> Iterator[Violation]:
    history = evidence.history
    sent = {event.get("id") for event in history.replayed}
    events = [row for row in history.rows if row["sk"].startswith("EVENT#")]
    for command in history.commands:
        if command.arguments[0] != "replay" or not command.output:
            continue
        seconds = history.began + command.start - history.feed_delay
        complete = oracle.instant(datetime.fromtimestamp(seconds, UTC))
        for row in events:
            name = f"{row['orderId']}/{row['version']}"
            if name not in sent and _says_that_it_sent(command, row, complete):
                detail = f"event {name} was not sent by `orderctl {' '.join(command.arguments)}`"
                yield Violation(Kind.REPLAY_SKIPS, detail, row["orderId"])


def _says_that_it_sent(command: Command, row: Json, complete: str) -> bool:
    """`complete` is when all was recorded that the command could meet of a single order."""
    options = dict(pairwise(command.arguments))
    is_done = command.code == 0
    if "--order" in options:
        return is_done and row["orderId"] == options["--order"] and row["recordedAt"] < complete
    if options.get("--type", row["type"]) != row["type"]:
        return False
    place: str = row["gsi1sk"]
    if place < options["--since"] or place <= options.get("--after", ""):
        return False
    if is_done:
        return place < options["--until"]
    position: str = json.loads(command.output)["position"]
    return place <= position
