"""A version is one body, for everyone who may see it, and it is what committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.evidence import Operation, Outcome, order_body
from proof.checks.violations import Kind, Violation
from proof.history import STAFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Told
    from proof.history import Json


def check_bodies(evidence: Evidence) -> Iterator[Violation]:
    first: dict[tuple[str, int], Told] = {}
    for told in evidence.told:
        if told.problem == "precondition-failed" and told.current_version is not None:
            yield from _existence(evidence, told, told.subject, told.current_version)
        if told.outcome is not Outcome.DONE or not told.body:
            continue
        match told.operation:
            case Operation.CREATE | Operation.UPDATE | Operation.GET:
                yield from _order(evidence, told, told.body, first)
            case Operation.LIST_CUSTOMER | Operation.LIST_STATUS:
                for item in told.body["items"]:
                    yield from _summary(evidence, told, item)


def _order(
    evidence: Evidence, told: Told, body: Json, first: dict[tuple[str, int], Told]
) -> Iterator[Violation]:
    order_id, version = body["orderId"], body["version"]
    yield from _secrecy(told, body)
    if told.call.headers.get("etag") != f'"{version}"':
        detail = f"version {version} has the ETag {told.call.headers.get('etag')}"
        yield Violation(Kind.ETAG_WRONG, detail, order_id, (told.id,))
    location = told.call.headers.get("location", "")
    if told.operation == Operation.CREATE and not location.endswith(f"/orders/{order_id}"):
        detail = f"order {order_id} was made at {location or 'no Location'}"
        yield Violation(Kind.LOCATION_WRONG, detail, order_id, (told.id,))
    before = first.setdefault((order_id, version), told)
    if before.call.text != told.call.text:
        detail = f"version {version} of {order_id} was returned with two bodies"
        yield Violation(Kind.BODIES_DIFFER, detail, order_id, (before.id, told.id))
    life = evidence.lives.get(order_id)
    images = life.at(version) if life else []
    if told.operation == Operation.GET and order_id != told.subject:
        detail = f"asked for {told.subject}, got {order_id}"
        yield Violation(Kind.BODY_NOT_COMMITTED, detail, told.subject, (told.id,))
    elif images and all(body != order_body(image) for image in images):
        committed = order_body(images[0])
        wrong = sorted(name for name in body if body[name] != committed[name])
        detail = (
            f"version {version} of {order_id} was not returned as committed: {', '.join(wrong)}"
        )
        yield Violation(Kind.BODY_NOT_COMMITTED, detail, order_id, (told.id,))
    elif told.operation == Operation.GET:
        # A create or an update that returns what never was is lost: a kind of its own.
        yield from _existence(evidence, told, order_id, version)


def _summary(evidence: Evidence, told: Told, item: Json) -> Iterator[Violation]:
    order_id, version = item["orderId"], item["version"]
    life = evidence.lives.get(order_id)
    committed = life.summaries.get(version, []) if life else []
    yield from _secrecy(told, item)
    if not committed:
        yield from _existence(evidence, told, order_id, version)
    elif item not in committed:
        detail = f"a list does not show version {version} of {order_id} as it is"
        yield Violation(Kind.BODY_NOT_COMMITTED, detail, order_id, (told.id,))


def _existence(evidence: Evidence, told: Told, order_id: str, version: int) -> Iterator[Violation]:
    life = evidence.lives.get(order_id)
    if not (life and life.at(version)):
        detail = f"version {version} of {order_id} was shown, and never was"
        yield Violation(Kind.READ_OF_NOTHING, detail, order_id, (told.id,))


def _secrecy(told: Told, order: Json) -> Iterator[Violation]:
    if told.call.caller not in {STAFF, order["customerId"]}:
        detail = f"{told.call.caller} was shown an order of {order['customerId']}"
        yield Violation(Kind.FOREIGN_ORDER_SHOWN, detail, order["orderId"], (told.id,))
