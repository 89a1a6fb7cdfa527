"""What committed was published, and nothing else; whatever is sent again says the same.

What an operator sent counts as sent again, and not as published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from proof import oracle
from proof.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Life
    from proof.history import Json


def check_events(evidence: Evidence) -> Iterator[Violation]:
    expected = expected_events(evidence)
    history = evidence.history
    sent: dict[str, bytes] = {}
    for event in (*history.published, *history.replayed):
        name, subject = str(event.get("id")), event.get("subject")
        first = sent.setdefault(name, msgspec.json.encode(event))
        if name not in expected:
            if first is sent[name]:
                detail = f"event {name} ({event.get('type')}) tells of what never committed"
                yield Violation(Kind.EVENT_PHANTOM, detail, subject)
        elif not is_one_of(event, expected[name]):
            detail = f"event {name} does not say what committed: {event}"
            yield Violation(Kind.EVENT_DIFFERS, detail, subject)
        elif msgspec.json.encode(event) != first:
            detail = f"event {name} was sent again with other bytes: {event}"
            yield Violation(Kind.EVENT_CHANGED, detail, subject)
    published = {str(event.get("id")) for event in history.published}
    for name, (event, *_) in expected.items():
        if name not in published:
            detail = f"event {name} ({event['type']}) was not published"
            yield Violation(Kind.EVENT_MISSING, detail, event["subject"])


def expected_events(evidence: Evidence) -> dict[str, list[Json]]:
    """Those of all versions by their ids: one each, in lives as they should be."""
    expected: dict[str, list[Json]] = {}
    for life in evidence.lives.values():
        for event in events_of(life):
            expected.setdefault(event["id"], []).append(event)
    return expected


def is_one_of(event: Json, expected: list[Json]) -> bool:
    """Unlike `==`, it tells 1 from 1.0 and from true."""
    return any(_sorted(event) == _sorted(one) for one in expected)


def _sorted(event: Json) -> bytes:
    return msgspec.json.encode(event, order="deterministic")


def events_of(life: Life) -> Iterator[Json]:
    """Those of its versions, as docs/events.md has them."""
    for image in life.images:
        earlier = [one["status"] for one in life.images if one["version"] < image["version"]]
        yield oracle.event_of(image, earlier[-1] if earlier else None)
