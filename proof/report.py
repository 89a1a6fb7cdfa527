"""What a run was, and what is wrong with it, for a person to read."""

from __future__ import annotations

from collections import Counter
from itertools import islice
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
"""Characters of a response that has no better name."""
_AN_ID: Final = 32
"""Characters; what is longer is told by its first."""
_OF_AN_ID: Final = 8
_ALSO: Final = 20
_OF_A_ROW: Final = ("status", "version", "state", "actor", "reason", "recordedAt", "updatedAt")
_OF_A_PAGE: Final = 4
"""Items of a page that are shown."""


def report(history: History, violations: Sequence[Violation]) -> str:
    """The first violation with the calls that show it and what was found; the others in short."""
    if not violations:
        return f"No violations in {len(history.calls)} calls (seed {history.seed})."
    first, *others = violations
    lines = [
        f"{len(violations)} violations in {len(history.calls)} calls (seed {history.seed}).",
        "",
        f"{first.kind}: {first.detail}",
    ]
    evidence = Evidence(history)
    lines += _calls(evidence, first)
    if first.order_id:
        lines += _found(evidence, first.order_id)
    if others:
        lines += ["", "Also, by kind:"]
        counts = Counter(each.kind for each in others)
        lines += [f"  {count} × {kind}" for kind, count in sorted(counts.items())]
        lines += ["", f"The first {min(_ALSO, len(others))} of them:"]
        lines += [f"  {_in_short(each)}" for each in islice(others, _ALSO)]
    return "\n".join(lines)


def tally(history: History) -> dict[str, Any]:
    """Figures of a run: how much was done, seen and checked."""
    evidence = Evidence(history)
    sightings = sightings_of(evidence)
    events = Counter(str(event.get("id")) for event in history.published)
    lives = evidence.lives.values()
    listings = {Operation.LIST_CUSTOMER, Operation.LIST_STATUS}
    states = Counter(
        (row["sk"], row["state"]) for row in history.rows if row["sk"] in {"CHARGE", "RESERVATION"}
    )
    return {
        "calls": len(history.calls),
        "operations": {
            str(operation): {
                outcome.value: count
                for outcome in Outcome
                if (count := _count(evidence, operation, outcome))
            }
            for operation in sorted({told.operation for told in evidence.told})
        },
        "replays": sum(told.is_replay for told in evidence.told),
        "orders": len(lives),
        "orders by status": dict(sorted(Counter(life.last["status"] for life in lives).items())),
        "changes": sum(len(life.images) for life in lives),
        "rows": len(history.rows),
        "commits": len(history.commits),
        "events": len(events),
        "events sent again": events.total() - len(events),
        "orders paid by token": sum("chargeId" in life.last for life in lives),
        "charges and reservations": {
            f"{kind} {state}": count for (kind, state), count in sorted(states.items())
        },
        "walks": len(
            {told.call.walk for told in evidence.told if told.operation in listings} - {None}
        ),
        "pages": sum(told.operation in listings for told in evidence.told),
        "events read from the feed": sum(
            len((told.body or {})["items"])
            for told in evidence.told
            if told.operation == Operation.FEED and told.outcome is Outcome.DONE
        ),
        "reads checked": sum(
            len(reads) for versions in sightings.values() for reads in versions.values()
        ),
        "dead letters": len(history.dead_letters),
    }


def _count(evidence: Evidence, operation: str, outcome: Outcome) -> int:
    return sum(told.operation == operation and told.outcome is outcome for told in evidence.told)


def _in_short(violation: Violation) -> str:
    calls = f" (calls {', '.join(map(str, violation.calls))})" if violation.calls else ""
    return f"{violation.kind}: {violation.detail[:300]}{calls}"


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
    path = call.path
    if told.operation == Operation.LIST_CUSTOMER:
        path = path.replace(told.subject, _short(told.subject))
    asked = [
        f"{call.start:9.3f}–{call.end:<9.3f} #{call.id} {call.client} as {_short(call.caller)}:",
        f"{call.method} {path}{_query(call.query)}",
    ]
    asked += [f"key={call.key}"] if call.key else []
    asked += [f"if-match={call.if_match}"] if call.if_match else []
    line = f"{' '.join(asked)} → {_response(told)}"
    return f"{line}; asked for {_wanted(told)}" if call.body else line


def _short(text: str) -> str:
    """The beginning of an id, of a cursor; whatever is no longer stays."""
    return text[:_OF_AN_ID] if len(text) > _AN_ID else text


def _query(query: dict[str, str]) -> str:
    values = (
        f"{name}={_short(value) if name == 'cursor' else value}" for name, value in query.items()
    )
    return f"?{'&'.join(values)}" if query else ""


def _wanted(told: Told) -> str:
    """What of a request's body matters."""
    body: Json = told.call.body or {}
    if told.operation == Operation.UPDATE:
        return f"{body.get('status')}, {told.reason}"
    if "items" not in body:
        return str(body)[:_SHOWN]
    said = [f"{amount_of(body['items'])} {body.get('currency')}", str(told.request)]
    return ", ".join([*said, body["paymentToken"]] if "paymentToken" in body else said)


def _response(told: Told) -> str:
    body: Json = told.body or {}
    if told.call.status is None:
        return "unknown"
    said = [str(told.call.status)]
    if told.outcome is not Outcome.DONE:
        said += [told.problem] if told.problem else []
        said.append(str(body.get("detail") or told.call.text[:_SHOWN]))
    elif "orderId" in body:
        said += [body["orderId"]] if body["orderId"] != told.subject else []
        said.append(f"{body['status']} at version {body['version']}")
    elif "items" in body:
        items = [
            str(item.get("orderId") or item.get("id") or item["version"]) for item in body["items"]
        ]
        if more := len(items) - _OF_A_PAGE:
            items[_OF_A_PAGE:] = [f"{more} more"] if more > 0 else []
        goes_on = f"goes on at {_short(body['nextCursor'])}" if body["nextCursor"] else "ends"
        said.append(f"[{', '.join(items)}], {goes_on}")
    return " ".join([*said, "(replayed)"] if told.is_replay else said)


def _found(evidence: Evidence, order_id: str) -> Iterator[str]:
    """What was found of the order: its commits in their order, and its events."""
    yield "the table's stream has of it:"
    for commit in evidence.history.commits:
        if commit.pk == f"ORDER#{order_id}" or commit.sk == f"ORDER#{order_id}":
            yield f"  {_stored(commit.pk, commit.sk, commit.new)}"
    rows = [
        _stored(row["pk"], row["sk"], row)
        for row in evidence.history.rows
        if order_id in row["pk"] or order_id in row["sk"]
    ]
    yield "the table has of it:" if rows else "the table has nothing of it"
    yield from (f"  {row}" for row in rows)
    events = Counter(
        f"{event.get('type')} {event.get('id')}"
        for event in evidence.history.published
        if event.get("subject") == order_id
    )
    yield "published of it:" if events else "nothing of it was published"
    yield from (f"  {event}, {count} times" for event, count in events.items())


def _stored(pk: str, sk: str, row: Json | None) -> str:
    """A row, by its kind and what changes in it."""
    kind = f"{pk.partition('#')[0]} {sk}" if pk.startswith("ORDER#") else pk
    values = ", ".join(f"{name} {row[name]}" for name in _OF_A_ROW if name in row) if row else ""
    return f"{kind}: {values or 'removed'}"
