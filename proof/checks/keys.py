"""A key has one effect, and the first response for every repetition."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from proof import oracle
from proof.checks.evidence import Operation, Outcome, bare, not_refused, order_body
from proof.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Life, Told
    from proof.history import Json

_CLOCKS: Final = 300
"""Seconds that clocks may differ by, and a request may take."""


def check_keys(evidence: Evidence) -> Iterator[Violation]:
    for (_, operation, key), calls in evidence.keys.items():
        yield from _responses(key, calls)
        yield from _never_fresh(key, calls)
        yield from _unrecorded(evidence, key, calls)
        yield from _forgotten(key, calls)
        if operation == Operation.CREATE:
            yield from _two_orders(evidence, key, calls)
    for life in evidence.lives.values():
        yield from _without_record(evidence, life)
    ended = max((life.last["updatedAt"] for life in evidence.lives.values()), default="")
    for record in evidence.records.values():
        yield from _record(evidence, record)
        yield from _expiry(evidence, record, ended)


def _responses(key: str, calls: list[Told]) -> Iterator[Violation]:
    done = [told for told in calls if told.outcome is Outcome.DONE]
    if not done:
        return
    first = done[0]
    for other in done[1:]:
        if _asked(other) != _asked(first):
            detail = f"key {key} was accepted for two different requests"
            yield Violation(Kind.REUSED_KEY_ACCEPTED, detail, None, (first.id, other.id))
            return
        if _response_of(other) != _response_of(first):
            detail = f"key {key} has two different responses"
            yield Violation(Kind.REPLAY_DIFFERS, detail, None, (first.id, other.id))
            break
    fresh = [told for told in done if not told.is_replay]
    if len(fresh) > 1:
        detail = f"two responses for key {key} are not marked as replayed"
        yield Violation(Kind.TWO_FIRST_RESPONSES, detail, None, (fresh[0].id, fresh[1].id))


def _never_fresh(key: str, calls: list[Told]) -> Iterator[Violation]:
    """If every request with a key has a response, one of them is the first."""
    used = not_refused(calls)
    if (
        used
        and all(told.outcome is Outcome.DONE and told.is_replay for told in used)
        and all(_asked(told) == _asked(used[0]) for told in used)
    ):
        detail = f"all responses for key {key} are marked as replayed"
        yield Violation(Kind.NO_FIRST_RESPONSE, detail, None, (used[0].id,))


def _unrecorded(evidence: Evidence, key: str, calls: list[Told]) -> Iterator[Violation]:
    """Every response is kept for the key, also if nothing changed."""
    for told in calls:
        if told.outcome is not Outcome.DONE or not told.body:
            continue
        kept = _body(evidence.record(told.call.caller, told.operation, key))
        returned = told.body["orderId"], told.body["version"]
        if (kept.get("orderId"), kept.get("version")) != returned:
            found = f"a record of {kept.get('orderId')}" if kept else "no record"
            detail = f"key {key} left {found}, and returned version {returned[1]}"
            yield Violation(Kind.KEY_WITHOUT_RECORD, detail, returned[0], (told.id,))
            return


def _forgotten(key: str, calls: list[Told]) -> Iterator[Violation]:
    """Once a key has a response, its request gets it again and every other is refused.

    What the gateway refuses by itself never came to the key.
    """
    done = [told for told in calls if told.outcome is Outcome.DONE]
    if not done:
        return
    first = min(done, key=lambda told: told.call.end)
    for told in calls:
        if told.call.start > first.call.end and told.outcome is Outcome.REFUSED and told.problem:
            is_same = _asked(told) == _asked(first)
            if is_same or told.problem != "idempotency-key-reused":
                detail = f"key {key} had its response, and then was refused with {told.problem}"
                yield Violation(Kind.KEY_FORGOTTEN, detail, None, (first.id, told.id))
                return


def _two_orders(evidence: Evidence, key: str, calls: list[Told]) -> Iterator[Violation]:
    made: dict[str, Told] = {}
    for told in calls:
        if told.outcome is not Outcome.REFUSED and evidence.by_request.get(told.request or ""):
            made.setdefault(told.request or "", told)
    if len(made) > 1:
        one, other, *_ = made.values()
        detail = f"key {key} made an order for each of {len(made)} requests"
        yield Violation(Kind.TWO_ORDERS_FOR_A_KEY, detail, None, (one.id, other.id))


def _without_record(evidence: Evidence, life: Life) -> Iterator[Violation]:
    """A record rides in the transaction of what its key did."""
    for image in life.images:
        made = evidence.makers(life, image)
        keys = {told.call.key for told in made}
        if not made or None in keys or len({bare(key) for key in keys if key}) > 1:
            continue
        first = made[0]
        record = evidence.record(first.call.caller, first.operation, bare(first.call.key or ""))
        body = _body(record)
        if (body.get("orderId"), body.get("version")) != (life.order_id, image["version"]):
            found = "no record" if record is None else f"a record of {body.get('orderId')}"
            detail = f"key {first.call.key} left {found}, and version {image['version']}"
            yield Violation(Kind.KEY_WITHOUT_RECORD, detail, life.order_id, (first.id,))


def _record(evidence: Evidence, record: Json) -> Iterator[Violation]:
    body = _body(record)
    order_id = body.get("orderId")
    life = evidence.lives.get(str(order_id))
    images = life.at(body["version"]) if life else []
    if not images:
        detail = f"a key's record tells of {order_id} at {body.get('version')}, which never was"
        yield Violation(Kind.RECORD_WITHOUT_ORDER, detail, order_id)
    elif all(body != order_body(image) for image in images):
        detail = f"a key's record does not tell version {body['version']} as it committed"
        yield Violation(Kind.RECORD_DIFFERS, detail, order_id)


def _expiry(evidence: Evidence, record: Json, ended: str) -> Iterator[Violation]:
    """A day after its first use: when its version was made, or after that where nothing changed."""
    body = _body(record)
    life = evidence.lives.get(str(body.get("orderId")))
    if life is None:
        return
    for image in life.at(body["version"])[:1]:
        made = [
            told.id
            for told in evidence.makers(life, image)
            if told.call.key is not None
            and evidence.record(told.call.caller, told.operation, bare(told.call.key)) is record
        ]
        expires = record.get("purgeAt", 0)
        since, until = _day_after(image["updatedAt"]), _day_after(ended)
        detail = f"the key's record of {image['updatedAt']} expires at {expires}"
        if not since - _CLOCKS <= expires <= until + _CLOCKS:
            yield Violation(Kind.RECORD_EXPIRES_WRONGLY, detail, life.order_id)
        elif made and expires > since + _CLOCKS:
            yield Violation(Kind.RECORD_EXPIRES_WRONGLY, detail, life.order_id, (made[0],))


def _day_after(text: str) -> float:
    return (datetime.fromisoformat(text) + oracle.KEYS_ARE_KEPT).timestamp()


def _body(record: Json | None) -> Json:
    """Of the response that the record keeps: its last line."""
    body: Json = msgspec.json.decode(record["response"].rpartition("\n")[2]) if record else {}
    return body


def _asked(told: Told) -> tuple[str, Json | None]:
    """What makes two requests the same."""
    return told.subject, told.call.body


def _response_of(told: Told) -> tuple[object, ...]:
    headers = told.call.headers
    return told.call.status, told.call.text, headers.get("etag"), headers.get("location")
