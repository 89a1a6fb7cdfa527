"""Every change with a response took effect, once, as it was asked for; no other change did."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from proof import oracle
from proof.checks.evidence import Operation, Outcome, bare, not_refused
from proof.checks.violations import Kind, Violation
from proof.history import STAFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Life, Told
    from proof.history import Json

_TAG: Final = re.compile(r'(?:W/)?"[^"]*"')


def check_updates(evidence: Evidence) -> Iterator[Violation]:
    for life in evidence.lives.values():
        for before, after in pairwise(life.images):
            yield from _change(evidence, life, before, after)
    for (order_id, reason), calls in evidence.updates.items():
        changed = evidence.lives.get(order_id)
        if changed and reason is not None:
            yield from _doubled(changed, reason, calls)
    for told in evidence.told:
        if told.operation == Operation.UPDATE and told.outcome is Outcome.DONE:
            yield from _lost(evidence, told)
            yield from _if_match_ignored(evidence, told)
        elif told.outcome is Outcome.REFUSED:
            yield from _refusal(evidence, told)


def _change(evidence: Evidence, life: Life, before: Json, after: Json) -> Iterator[Violation]:
    """A change that committed is one that somebody asked for and was allowed to."""
    what = f"{life.order_id} became {after['status']} at version {after['version']}"
    actor = life.actor(after)
    if not actor:
        return  # an event that is missing is a fault of its own
    if actor.startswith("system:"):
        if not _is_of_the_platform(actor, before, after):
            detail = f"{what} by {actor}, for {after.get('reason')}, which it never does"
            yield Violation(Kind.CHANGE_PHANTOM, detail, life.order_id)
        return
    if actor == "customer" and not oracle.customer_may_request(
        after["status"], of=before["status"]
    ):
        detail = f"{what} by its customer, who may not do that"
        yield Violation(Kind.CHANGE_FORBIDDEN, detail, life.order_id)
    calls = evidence.updates.get((life.order_id, after.get("reason")), [])
    if not calls:
        detail = f"{what}, which nobody asked for"
        yield Violation(Kind.CHANGE_PHANTOM, detail, life.order_id)
        return
    possible = not_refused(calls)
    if not possible:
        detail = f"{what} by a request that was refused"
        yield Violation(Kind.CHANGE_OF_REFUSED_REQUEST, detail, life.order_id, (calls[0].id,))
        return
    call = possible[0].call
    if (call.body or {}).get("status") != after["status"] or (actor == STAFF) != (
        call.caller == STAFF
    ):
        detail = f"{what} by {actor}, which is not what was asked for"
        yield Violation(Kind.CHANGE_NOT_AS_ASKED, detail, life.order_id, (call.id,))
    if call.caller not in {STAFF, life.first["customerId"]}:
        detail = f"{what} by {call.caller}, whose order it is not"
        yield Violation(Kind.CHANGE_FORBIDDEN, detail, life.order_id, (call.id,))
    if all(not _names(told.call.if_match, before["version"]) for told in possible):
        detail = f"{what} from version {before['version']}, which If-Match does not name"
        yield Violation(Kind.IF_MATCH_IGNORED, detail, life.order_id, (call.id,))


def _is_of_the_platform(actor: str, before: Json, after: Json) -> bool:
    reason, function = after.get("reason"), actor.removeprefix("system:")
    match before["status"], after["status"]:
        case "PENDING", "PAID":
            return function == oracle.SETTLEMENT and reason is None and "chargeId" in after
        case "PENDING", "CANCELED" if function == oracle.SETTLEMENT:
            return reason in {"out-of-stock", "payment-declined"}
        case "PENDING", "CANCELED" if function == oracle.EXPIRY:
            age = datetime.fromisoformat(after["updatedAt"]) - datetime.fromisoformat(
                after["createdAt"]
            )
            return reason == "expired" and age >= oracle.STALE_AFTER
    return False


def _doubled(life: Life, reason: str, calls: list[Told]) -> Iterator[Violation]:
    made = [
        image["version"]
        for image in life.images
        if image.get("reason") == reason and not life.actor(image).startswith("system:")
    ]
    if len(made) > 1:
        detail = f"request {reason} made versions {made} of {life.order_id}"
        yield Violation(Kind.CHANGE_DOUBLED, detail, life.order_id, (calls[0].id,))


def _lost(evidence: Evidence, told: Told) -> Iterator[Violation]:
    body = told.body or {}
    life = evidence.lives.get(body["orderId"])
    if life is None or not life.at(body["version"]):
        detail = f"{told.subject} was returned at version {body['version']}, which never was"
        yield Violation(Kind.UPDATE_LOST, detail, told.subject, (told.id,))
    elif body["orderId"] != told.subject or body["status"] != (told.call.body or {}).get("status"):
        detail = f"{told.subject} was returned as {body['status']}, which was not asked for"
        yield Violation(Kind.CHANGE_NOT_AS_ASKED, detail, told.subject, (told.id,))


def _if_match_ignored(evidence: Evidence, told: Told) -> Iterator[Violation]:
    """A no-op's tag names the version in the response; a change's, the version before.

    What was sent again without a key may be its own no-op.
    """
    version = (told.body or {})["version"]
    life = evidence.lives.get(told.subject)
    images = life.at(version) if life else []
    if not (life and images) or told.is_replay:
        return
    makers = evidence.makers(life, images[0]) if version > 1 else []
    named = []
    if told in makers:
        named.append(version - 1)
    if told not in makers or (told.call.key is None and len(makers) > 1):
        named.append(version)
    if not any(_names(told.call.if_match, each) for each in named):
        detail = (
            f"{told.subject} was returned at version {version},"
            f" and If-Match named {told.call.if_match}"
        )
        yield Violation(Kind.IF_MATCH_IGNORED, detail, told.subject, (told.id,))


def _refusal(evidence: Evidence, told: Told) -> Iterator[Violation]:
    """A refusal's own words speak for it."""
    call, problem = told.call, told.body or {}
    wanted = (call.body or {}).get("status")
    wrong = False
    match told.problem:
        case "illegal-transition":
            current = str(problem.get("currentStatus"))
            wrong = (
                current == wanted
                or not _ever(evidence.lives.get(told.subject), {current})
                or current not in oracle.TRANSITIONS
                or wanted in oracle.TRANSITIONS[current]
                or problem.get("allowedTransitions") != list(oracle.TRANSITIONS[current])
            )
        case "precondition-failed":
            version = told.current_version
            wrong = version is None or _names(call.if_match, version)
        case "idempotency-key-reused":
            used = evidence.keys.get((call.caller, told.operation, bare(call.key or "")), [])
            # What was refused, or was not even asked yet, used no key up.
            wrong = not any(
                (other.subject, other.call.body) != (told.subject, call.body)
                for other in used
                if other.outcome is not Outcome.REFUSED and other.call.start < call.end
            )
        case "forbidden" if told.operation == Operation.UPDATE:
            forbidding = {
                status
                for status in oracle.STATUSES
                if not oracle.customer_may_request(str(wanted), of=status)
            }
            passed = _ever(evidence.lives.get(told.subject), forbidding)
            wrong = call.caller == STAFF or not passed
        case "forbidden":
            own = told.subject or (call.body or {}).get("customerId")
            wrong = call.caller in {STAFF, own}
    if wrong:
        detail = f"refused with {told.problem}: {problem.get('detail')}"
        order_id = told.subject if told.operation == Operation.UPDATE else None
        yield Violation(Kind.REFUSED_WRONGLY, detail, order_id, (told.id,))


def _ever(life: Life | None, statuses: set[str]) -> bool:
    """Whether the order ever had one of the statuses."""
    return life is not None and any(image["status"] in statuses for image in life.images)


def _names(if_match: str | None, version: int) -> bool:
    return if_match in {None, "*"} or f'"{version}"' in _TAG.findall(if_match or "")
