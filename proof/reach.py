"""Whether a run got far enough to prove anything: an idle one keeps every promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from proof import oracle
from proof.checks.evidence import Evidence, Operation, Outcome
from proof.checks.feed import reached_the_end
from proof.faults import Fault
from proof.operator import left_undone

if TYPE_CHECKING:
    from proof.history import History


def never_happened(history: History) -> list[str]:
    """What a run should have seen, and this one did not."""
    struck = {strike.fault for strike in history.strikes}
    statuses = {call.status for call in history.calls}
    went = {
        ((commit.old or {}).get("status"), (commit.new or {}).get("status"))
        for commit in history.commits
        if commit.sk == "DETAIL"
    }
    evidence = Evidence(history)
    succeeded = {told.operation for told in evidence.told if told.outcome is Outcome.DONE}
    feed = [told for told in evidence.told if told.operation == Operation.FEED]
    ended = {told.call.walk for told in feed if reached_the_end(evidence, told)}
    states = {(row["sk"], row["state"]) for row in history.rows if "state" in row}
    seen = {
        **{f"request {fault}": fault in struck for fault in Fault},
        "order paid by token": ("CHARGE", "CHARGED") in states,
        "refund": ("CHARGE", "REFUNDED") in states,
        **{
            f"order that went from {before} to {after}": (before, after) in went
            for before, targets in oracle.TRANSITIONS.items()
            for after in targets
        },
        **{f"success of {route}": route in succeeded for route in oracle.ROUTES},
        "stale If-Match": httpx.codes.PRECONDITION_FAILED in statuses,
        "forbidden transition": httpx.codes.CONFLICT in statuses,
        "reused key": any("idempotency-key-reused" in call.text for call in history.calls),
        "replay": any("idempotent-replayed" in call.headers for call in history.calls),
        **{
            f"page of a {operation} that goes on": any(
                told.operation == operation and "link" in told.call.headers
                for told in evidence.told
            )
            for operation in (Operation.LIST_CUSTOMER, Operation.LIST_STATUS, Operation.TIMELINE)
        },
        "feed read to its end": bool(ended),
        "poller of the feed that got to its end": bool(
            ended & {told.call.walk for told in feed if not evidence.is_last(told)}
        ),
        "503 of a function": any("try-again" in call.text for call in history.calls),
    }
    missing = [what for what, happened in seen.items() if not happened]
    return missing + left_undone(history.commands)
