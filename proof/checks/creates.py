"""Every accepted order exists, once, as it was asked for, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proof import oracle
from proof.checks.evidence import Operation, Outcome, bare, not_refused
from proof.checks.violations import Kind, Violation
from proof.history import STAFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Life, Told


class Asked(NamedTuple):
    """The calls of one request that can each have made an order; all under one key are one."""

    done: list[Told]
    unknown: list[Told]

    @classmethod
    def of(cls, calls: list[Told]) -> Asked:
        """Of those under a key, one with a response speaks for all."""
        asked: dict[object, Told] = {}
        for told in calls:
            key = told.call.key
            one = told.id if key is None else (told.call.caller, bare(key))
            known = asked.get(one)
            if told.outcome is Outcome.DONE or (told.outcome is Outcome.UNKNOWN and not known):
                asked[one] = known if known and known.outcome is Outcome.DONE else told
        done = [told for told in asked.values() if told.outcome is Outcome.DONE]
        unknown = [told for told in asked.values() if told.outcome is Outcome.UNKNOWN]
        return cls(done, unknown)


def check_creates(evidence: Evidence) -> Iterator[Violation]:
    yield from _lost(evidence)
    for life in evidence.lives.values():
        yield from _unasked(evidence, life)
    for request, calls in evidence.creates.items():
        made = evidence.by_request.get(request, [])
        if len(made) > max(1, len([*Asked.of(calls).done, *Asked.of(calls).unknown])):
            ids = ", ".join(life.order_id for life in made)
            detail = f"request {request} made {len(made)} orders: {ids}"
            yield Violation(Kind.ORDER_DOUBLED, detail, made[-1].order_id, (calls[0].id,))


def _lost(evidence: Evidence) -> Iterator[Violation]:
    for told in evidence.told:
        if told.operation == Operation.CREATE and told.outcome is Outcome.DONE and told.body:
            order_id = told.body["orderId"]
            life = evidence.lives.get(order_id)
            if life is None or life.detail is None:
                detail = f"order {order_id} was returned and is not in the table"
                yield Violation(Kind.ORDER_LOST, detail, order_id, (told.id,))


def _unasked(evidence: Evidence, life: Life) -> Iterator[Violation]:
    calls = evidence.creates.get(life.request or "", [])
    if not calls:
        detail = f"nobody asked for order {life.order_id} (request {life.request})"
        yield Violation(Kind.ORDER_PHANTOM, detail, life.order_id)
        return
    possible = not_refused(calls)
    if not possible:
        detail = f"request {life.request} was refused and made order {life.order_id}"
        yield Violation(Kind.ORDER_OF_REFUSED_REQUEST, detail, life.order_id, (calls[0].id,))
    elif wrong := _differences(possible[0], life):
        detail = f"order {life.order_id} is not what was asked for: {', '.join(wrong)}"
        yield Violation(Kind.ORDER_NOT_AS_ASKED, detail, life.order_id, (possible[0].id,))


def _differences(told: Told, life: Life) -> list[str]:
    """Names of what is not in the first image as it was asked for."""
    asked = told.call.body or {}
    wrong = [
        name
        for name, field in oracle.ORDER.items()
        if (field.sent or name in asked)
        and life.first.get(name, field.default) != asked.get(name, field.default)
    ]
    computed = {
        "amount": oracle.amount_of(asked["items"]),
        "paymentToken": asked.get("paymentToken"),
        "paysByToken": True if "paymentToken" in asked else None,
    }
    wrong += [name for name, value in computed.items() if life.first.get(name) != value]
    actor = STAFF if told.call.caller == STAFF else "customer"
    return wrong if life.actor(life.first) in {actor, ""} else [*wrong, "actor"]
