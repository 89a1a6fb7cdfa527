"""What a run did and what is wrong with it, for a person to read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from proof.checks.evidence import Evidence, Operation, Outcome
from proof.checks.sightings import sightings_of
from proof.oracle import amount_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proof.checks.evidence import Told
    from proof.checks.violations import Violation
    from proof.history import History, Json

_SHOWN: Final = 80
"""Characters of a cursor, or of a response that has no shorter name."""
_OF_A_ROW: Final = ("status", "version", "state", "actor", "reason", "recordedAt", "updatedAt")
_OF_A_PAGE: Final = 4
"""Items of a page that are shown."""


def report(history: History, violations: Sequence[Violation]) -> str:
    """The first violation with the calls that show it and what was found; of the others, counts.

    Of each other kind one is named.
    """
    if not violations:
        return f"No violations in {len(history.calls)} calls (seed {history.seed})."
    first, *others = violations
    evidence = Evidence(history)
    lines = [
        f"{len(violations)} violations in {len(history.calls)} calls (seed {history.seed}).",
        "",
        f"{first.kind}: {first.detail}",
        *_calls(evidence, first),
        *(_found(evidence, first.order_id) if first.order_id else ()),
    ]
    examples = {each.kind: each for each in reversed(others)}
    for kind, count in sorted(Counter(each.kind for each in others).items()):
        example = examples[kind]
        lines.append(f"also {count} × {kind}: {example.detail[:300]} (calls {example.calls})")
    return "\n".join(lines)


def tally(history: History) -> dict[str, Any]:
    """Figures of a run: how much was done, seen and checked."""
    evidence = Evidence(history)
    events = Counter(str(event.get("id")) for event in history.published)
    lives = evidence.lives.values()
    done = [told for told in evidence.told if told.outcome is Outcome.DONE]
    pages = [told for told in done if told.operation in _LISTS]
    outcomes = Counter(f"{told.operation}: {told.outcome.value}" for told in evidence.told)
    return {
        "calls": len(history.calls),
        "operations": dict(sorted(outcomes.items())),
        "replays": sum(told.is_replay for told in evidence.told),
        "orders": len(lives),
        "orders by status": dict(sorted(Counter(life.last["status"] for life in lives).items())),
        "changes": sum(len(life.images) for life in lives),
        "events": len(events),
        "events sent again": events.total() - len(events),
        "operator's commands": dict(
            sorted(
                Counter(
                    f"{' '.join(command.arguments[:2])}: exit {command.code}"
                    for command in history.commands
                ).items()
            )
        ),
        "events that the operator sent": len(history.replayed),
        "charges and reservations": dict(
            sorted(Counter(f"{row['sk']} {row['state']}" for row in _payments(history)).items())
        ),
        "walks": len({told.call.walk for told in pages} - {None}),
        "pages": len(pages),
        "events read from the feed": sum(
            len((told.body or {})["items"]) for told in done if told.operation == Operation.FEED
        ),
        "reads checked": sum(
            len(reads)
            for versions in sightings_of(evidence).values()
            for reads in versions.values()
        ),
        "dead letters": len(history.dead_letters),
    }


_LISTS: Final = {Operation.LIST_CUSTOMER, Operation.LIST_STATUS}


def _payments(history: History) -> Iterator[Json]:
    return (row for row in history.rows if row["sk"] in {"CHARGE", "RESERVATION"})


def _calls(evidence: Evidence, violation: Violation) -> Iterator[str]:
    """The calls that show it; where none are needed, those that wrote what is wrong."""
    by_id = {told.id: told for told in evidence.told}
    shown = [by_id[call] for call in violation.calls]
    if shown:
        yield "shown by:"
    elif life := evidence.lives.get(violation.order_id or ""):
        makers = (told for image in life.images for told in evidence.makers(life, image))
        shown = list({told.id: told for told in makers}.values())
        yield "shown by what was found alone; the order was written by:"
    for told in sorted(shown, key=lambda told: told.call.start):
        yield f"  {_line(told)}"


def _line(told: Told) -> str:
    call = told.call
    sent = call.query | {"key": call.key, "if-match": call.if_match} | _wanted(told)
    parts = [
        f"{call.start:9.3f}–{call.end:<9.3f} #{call.id} {call.client} as {call.caller}:",
        f"{call.method} {call.path}",
        *(f"{name}={value}"[:_SHOWN] for name, value in sent.items() if value is not None),
    ]
    return f"{' '.join(parts)} → {_response(told)}"


def _wanted(told: Told) -> Json:
    """What matters of a request's body."""
    body = told.call.body or {}
    wanted = {name: body.get(name) for name in ("status", "reason", "currency", "paymentToken")}
    amount = amount_of(body["items"]) if "items" in body else None
    return wanted | {"amount": amount, "request": told.request}


def _response(told: Told) -> str:
    body: Json = told.body or {}
    if told.call.status is None:
        return "unknown"
    parts = [str(told.call.status)]
    if told.outcome is not Outcome.DONE:
        parts += [told.problem or "", str(body.get("detail") or told.call.text[:_SHOWN])]
    elif "orderId" in body:
        parts.append(f"{body['orderId']} {body['status']} at version {body['version']}")
    elif "items" in body:
        items = [
            str(item.get("orderId") or item.get("id") or item["version"]) for item in body["items"]
        ]
        more = [f"{len(items) - _OF_A_PAGE} more"] if len(items) > _OF_A_PAGE else []
        goes_on = f"goes on at {body['nextCursor'][:_SHOWN]}" if body["nextCursor"] else "ends"
        parts.append(f"[{', '.join(items[:_OF_A_PAGE] + more)}], {goes_on}")
    return " ".join([*parts, "(replayed)"] if told.is_replay else parts)


def _found(evidence: Evidence, order_id: str) -> Iterator[str]:
    """What was found of the order: its commits in their order, and its events."""
    yield "the table's stream has of it:"
    for commit in evidence.history.commits:
        if f"ORDER#{order_id}" in {commit.pk, commit.sk}:
            row = commit.new or {"status": "removed"}
            values = ", ".join(f"{name} {row[name]}" for name in _OF_A_ROW if name in row)
            yield f"  {commit.pk.partition('#')[0]} {commit.sk}: {values}"
    events = Counter(
        f"{event.get('type')} {event.get('id')}"
        for event in evidence.history.published
        if event.get("subject") == order_id
    )
    yield "published of it:" if events else "nothing of it was published"
    yield from (f"  {event}, {count} times" for event, count in events.items())
