"""Nobody is charged twice, nor for nothing; who pays by token is charged once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proof import oracle
from proof.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proof.checks.evidence import Evidence, Life
    from proof.history import Commit, Json

_CHARGED: Final = "CHARGED"
_RESERVED: Final = "RESERVED"
_PLATFORM: Final = f"system:{oracle.SETTLEMENT}"


def check_payments(evidence: Evidence) -> Iterator[Violation]:
    for stray in evidence.strays:
        if stray.charge or stray.reservation:
            detail = f"there is a charge or reservation for {stray.order_id}, which never was"
            yield Violation(Kind.PAYMENT_PHANTOM, detail, stray.order_id)
    for life in evidence.lives.values():
        for kind, detail in _faults(life):
            yield Violation(kind, f"{life.order_id} {detail}", life.order_id)


def _faults(life: Life) -> Iterator[tuple[Kind, str]]:
    charges = _times(life.charge, _CHARGED)
    reservations = _times(life.reservation, _RESERVED)
    if charges > 1:
        yield Kind.CHARGED_TWICE, f"was charged {charges} times"
    if reservations > 1:
        yield Kind.RESERVED_TWICE, f"was reserved {reservations} times"
    if not life.first.get("paysByToken"):
        if life.charge or life.reservation:
            yield Kind.PAYMENT_PHANTOM, "has a charge or reservation, and did not ask for one"
        return
    yield from _rest(life)
    yield from _decision(life)
    yield from _contents(life)


def _rest(life: Life) -> Iterator[tuple[Kind, str]]:
    """Where it rests, and what is live of its charge and reservation then."""
    status, charge_id = life.last["status"], life.last.get("chargeId")
    charge, reservation = _last(life.charge), _last(life.reservation)
    is_charged = charge.get("state") == _CHARGED
    is_reserved = reservation.get("state") == _RESERVED
    if status == oracle.FIRST_STATUS:
        yield Kind.UNSETTLED, f"pays by token and rests {status}"
    elif status not in oracle.GIVING_BACK and charge_id is not None:
        if life.first["amount"] == 0:
            if charge:
                yield Kind.LIVE_CHARGE, f"comes to nothing, and its charge is {charge}"
        elif not is_charged or charge.get("chargeId") != charge_id:
            yield Kind.PAID_WITHOUT_CHARGE, f"rests {status} by token; its charge is {charge}"
        if not is_reserved:
            yield Kind.PAID_WITHOUT_RESERVATION, f"rests {status}; reservation: {reservation}"
    else:
        how = status if status in oracle.GIVING_BACK else f"{status} without a charge of its own"
        if is_charged:
            yield Kind.LIVE_CHARGE, f"rests {how}, and is charged"
        if is_reserved:
            yield Kind.LIVE_RESERVATION, f"rests {how}, and its items are reserved"


def _decision(life: Life) -> Iterator[tuple[Kind, str]]:
    """What the platform made of the token and the items is what the mocks promise."""
    if len(life.images) == 1 or life.actor(life.images[1]) != _PLATFORM:
        return
    settled = life.images[1]["status"], life.images[1].get("reason")
    expected = oracle.settled(life.first["items"], life.first.get("paymentToken"))
    if settled != expected:
        yield Kind.SETTLED_WRONGLY, f"was settled as {settled}, not as {expected}"


def _contents(life: Life) -> Iterator[tuple[Kind, str]]:
    """The amount that was charged, and the items that were reserved, are the order's."""
    asked = life.first["amount"], life.first["currency"]
    for image in _images(life.charge):
        if image.get("state") == _CHARGED and (image["amount"], image["currency"]) != asked:
            yield Kind.CHARGE_DIFFERS, f"comes to {asked}, and was charged {image['amount']}"
    items = [{"sku": item["sku"], "quantity": item["quantity"]} for item in life.first["items"]]
    for image in _images(life.reservation):
        if image.get("state") == _RESERVED and image["items"] != items:
            yield Kind.RESERVATION_DIFFERS, f"has other items than were reserved: {image['items']}"


def _times(commits: Sequence[Commit], state: str) -> int:
    """How often the row entered the state."""
    return sum(
        (commit.new or {}).get("state") == state != (commit.old or {}).get("state")
        for commit in commits
    )


def _images(commits: Sequence[Commit]) -> Iterator[Json]:
    return (commit.new for commit in commits if commit.new)


def _last(commits: Sequence[Commit]) -> Json:
    return commits[-1].new or {} if commits else {}
