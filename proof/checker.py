"""Whether a run kept every promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.bodies import check_bodies
from proof.checks.creates import check_creates
from proof.checks.event_rows import check_event_rows
from proof.checks.events import check_events
from proof.checks.evidence import Evidence
from proof.checks.feed import check_feed
from proof.checks.keys import check_keys
from proof.checks.linearizability import check_linearizability
from proof.checks.lives import check_lives
from proof.checks.money import check_money, check_reports
from proof.checks.payments import check_payments
from proof.checks.replays import check_replays
from proof.checks.responses import check_dead_letters, check_responses
from proof.checks.rows import check_rows
from proof.checks.sightings import sightings_of
from proof.checks.timelines import check_timelines
from proof.checks.updates import check_updates
from proof.checks.walks import check_walks

if TYPE_CHECKING:
    from proof.checks.violations import Violation
    from proof.history import History

_CHECKS = (
    check_creates,
    check_keys,
    check_rows,
    check_lives,
    check_event_rows,
    check_timelines,
    check_updates,
    check_events,
    check_replays,
    check_feed,
    check_payments,
    check_bodies,
    check_money,
    check_reports,
    check_responses,
    check_dead_letters,
)


def check(history: History) -> list[Violation]:
    """All broken promises: those that the fewest calls show first, sums and the like last."""
    evidence = Evidence(history)
    sightings = sightings_of(evidence)
    found = [violation for each in _CHECKS for violation in each(evidence)]
    found += check_linearizability(evidence, sightings)
    found += check_walks(evidence, sightings)
    return sorted(found, key=_rank)


def _rank(violation: Violation) -> tuple[bool, int, str, str]:
    tells_a_story = bool(violation.calls or violation.order_id)
    return not tells_a_story, len(violation.calls), violation.kind, violation.detail
