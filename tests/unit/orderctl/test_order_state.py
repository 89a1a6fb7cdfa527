"""The sentence of `orderctl show`: what state an order is in, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from boto3 import Session

from examples import BY_STAFF, changed_order, event_of, placed_order
from fakes import NOON
from orderctl.logs import LogLine, LogLines
from orderctl.order_facts import (
    EVENTS_QUEUE,
    STREAM_QUEUE,
    Charge,
    DeadLetter,
    Facts,
    OrderRows,
    UnreadableRow,
)
from orderctl.order_state import describe
from orderctl.stage import Stage
from orders.application.settle_payment import FREE
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.order_number import order_number
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from datetime import datetime

    from orders.domain.order import Order

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SETTLEMENT: Final = Actor.system("settle-payments")
ON: Final = {"settle-payments": "Enabled", "publish-order-events": "Enabled"}

BY_TOKEN: Final = placed_order(payment_token="tok_approve")
PAID: Final = changed_order(BY_TOKEN, OrderStatus.PAID, by=SETTLEMENT, charge_id="ch_1")
CANCELED: Final = changed_order(
    BY_TOKEN, OrderStatus.CANCELED, by=CUSTOMER, at=NOON + MINUTE, reason="of two minds"
)
CHARGED: Final = Charge("CHARGED", "ch_1", 5997, "USD", 1)


def line(message: str, ago: timedelta, source: str = "settle-payments", **fields: Any) -> LogLine:  # noqa: ANN401 - of a log line
    """A line that was written this long before the sentence is asked for, an hour after NOON."""
    return LogLine(NOON + HOUR - ago, source, {"message": message, **fields})


def failed(ago: timedelta, *, cause: str = "PaymentUnavailable", pause: int = 0) -> LogLine:
    return line("event not processed", ago, cause=cause, pause_seconds=pause)


def published(order: Order) -> LogLine:
    event_id = f"{order.order_id}/{order.version}"
    return line("event published", HOUR, "publish-order-events", event_id=event_id)


def sentence(  # noqa: PLR0913 - one for each thing that is known
    order: Order | None,
    *lines: LogLine,
    before: Order | None = None,
    by: Actor = BY_STAFF,
    dead_letters: tuple[DeadLetter, ...] = (),
    triggers: dict[str, str] = ON,
    unread: dict[str, str] | None = None,
    now: datetime = NOON + HOUR,
    **rows: Any,  # noqa: ANN401 - of OrderRows
) -> str:
    """Of an order that had the state `before` earlier, with the events of both."""
    events = [event_of(before)] if before else []
    if order:
        events.append(event_of(order, before, by))
    found = OrderRows(**{"order": order, "events": events} | rows)
    log = LogLines(lines, is_complete=True)
    facts = Facts(BY_TOKEN.order_id, found, dead_letters, log, triggers, unread or {})
    return describe(facts, now, Stage("prod", Session()).command)


def letter(queue: str, cause: str, about: str = "ORDER_CREATED 1") -> DeadLetter:
    return DeadLetter(queue, NOON, 1, about, cause)


def test_an_order_without_a_token_waits_for_somebody_until_it_expires() -> None:
    order = placed_order()

    assert sentence(order) == (
        "PENDING since 12:00 UTC; it has no payment token, and waits for somebody to mark it PAID; "
        "expires on 2026-12-07."
    )
    late = sentence(order, now=NOON + 16 * DAY)
    assert late.startswith("PENDING since 2026-11-23 12:00 UTC; ")
    assert late.endswith(
        "it should have expired on 2026-12-07, and expire-stale-orders did not do it."
    )


@pytest.mark.parametrize(
    ("lines", "triggers", "says"),
    [
        ([], {}, "its event was not published yet, by the logs"),
        (
            [],
            {"publish-order-events": "Disabled"},
            "its event waits: publish-order-events is paused: `./orderctl resume publish",
        ),
        ([published(BY_TOKEN)], {}, "its event is in the queue, and was not processed yet"),
        (
            [published(BY_TOKEN)],
            {"settle-payments": "Disabled"},
            "settle-payments is paused: `./orderctl resume settle-payments --stage prod`",
        ),
        (
            [failed(3 * MINUTE, cause="TryAgain", pause=20), failed(2 * MINUTE, pause=480)],
            {},
            "settlement failed 2 times, last with PaymentUnavailable 2 min ago; next try in 6 min",
        ),
        (
            [failed(5 * MINUTE, pause=20)],
            {},
            "settlement failed once, last with PaymentUnavailable 5 min ago; next try is due",
        ),
        (
            [failed(2 * DAY, pause=20)],
            {"settle-payments": "Disabled"},
            "last with PaymentUnavailable 2 days ago; settle-payments is paused: `./orderctl",
        ),
        (
            [failed(2 * HOUR), line("event given up", HOUR, cause="PaymentUnavailable")],
            {},
            "settlement gave up 60 min ago, with PaymentUnavailable; its dead letter is gone",
        ),
    ],
)
def test_an_order_that_is_to_be_settled_waits_for_what_is_next(
    lines: list[LogLine], triggers: dict[str, str], says: str
) -> None:
    assert says in sentence(BY_TOKEN, *lines, triggers=ON | triggers)


def test_a_dead_letter_says_why_and_what_to_do() -> None:
    given_up = letter(EVENTS_QUEUE, "UnsettledOrder: no token")

    assert sentence(BY_TOKEN, failed(HOUR, pause=20), dead_letters=(given_up,)) == (
        "PENDING since 12:00 UTC; settlement was given up: UnsettledOrder: no token; "
        "remove the cause, then `./orderctl dead-letters redrive "
        f"--order {order_number(BY_TOKEN.order_id)} --stage prod`."
    )


def test_an_event_that_could_not_be_published_is_named() -> None:
    unpublished = letter(STREAM_QUEUE, "TooLarge", "EVENT#0000000001")

    assert sentence(BY_TOKEN, dead_letters=(unpublished,)) == (
        "PENDING since 12:00 UTC; EVENT#0000000001 was not published: TooLarge."
    )


def test_an_order_that_lost_its_token_is_not_waited_for() -> None:
    assert sentence(replace(BY_TOKEN, payment_token=None)) == (
        "PENDING since 12:00 UTC; it lost its payment token; no function mends that."
    )


def test_a_settled_order_waits_for_its_next_status() -> None:
    settled = line("event processed", HOUR, settlement="Paid")

    assert sentence(
        PAID, failed(2 * HOUR), settled, before=BY_TOKEN, by=SETTLEMENT,
        charge=CHARGED, reservation="RESERVED",
    ) == "PAID since 12:00 UTC, by settle-payments; it waits to become SHIPPED."  # fmt: skip


def test_a_final_status_says_since_when_by_whom_and_why() -> None:
    shipped = changed_order(PAID, OrderStatus.SHIPPED)
    assert sentence(shipped, before=PAID, charge=CHARGED, reservation="RESERVED").startswith(
        "SHIPPED since 12:00 UTC, by staff; that is final"
    )
    assert sentence(CANCELED, before=BY_TOKEN, by=CUSTOMER) == (
        'CANCELED since 12:01 UTC, by customer: "of two minds"; that is final.'
    )


def test_a_forgotten_customer_is_told_and_changes_no_status() -> None:
    forgotten, told = PAID.forgotten(by=Actor.system("orderctl"), at=NOON + MINUTE)
    events = [event_of(BY_TOKEN), event_of(PAID, BY_TOKEN, SETTLEMENT), told]
    paid = "PAID since 12:00 UTC, by settle-payments; its customer was forgotten; it waits to"
    assert sentence(forgotten, events=events, charge=CHARGED, reservation="RESERVED").startswith(
        paid
    )
    shipped = changed_order(forgotten, OrderStatus.SHIPPED, at=NOON + 2 * MINUTE)
    events.append(event_of(shipped, forgotten))
    assert sentence(shipped, events=events, charge=CHARGED, reservation="RESERVED").startswith(
        "SHIPPED since 12:02 UTC, by staff; its customer was forgotten; that is final"
    )


def test_a_free_order_has_a_reservation_and_no_charge() -> None:
    free = replace(PAID, charge_id=FREE, amount=0)

    assert sentence(free, before=BY_TOKEN, reservation="RESERVED") == (
        "PAID since 12:00 UTC, by staff; it waits to become SHIPPED."
    )


@pytest.mark.parametrize(
    ("charge", "reservation", "says"),
    [
        (None, "RESERVED", "it was paid by token, but its charge is missing"),
        (CHARGED._replace(state="REFUNDED"), "RESERVED", "but its charge is REFUNDED"),
        (CHARGED._replace(charge_id="ch_2"), "RESERVED", "its charge is ch_2, not ch_1"),
        (CHARGED._replace(amount=5), "RESERVED", "5 USD (minor unit) were charged"),
        (CHARGED, None, "its reservation is missing"),
        (CHARGED, "RELEASED", "its reservation is RELEASED"),
    ],
)
def test_a_paid_order_without_its_charge_or_reservation_is_not_mended(
    charge: Charge | None, reservation: str | None, says: str
) -> None:
    told = sentence(PAID, before=BY_TOKEN, charge=charge, reservation=reservation)

    assert f"{says}; no function mends that." in told


def test_what_a_canceled_order_keeps_is_given_back() -> None:
    held: dict[str, Any] = {
        "before": BY_TOKEN,
        "by": CUSTOMER,
        "charge": CHARGED,
        "reservation": "RESERVED",
    }
    still = "that is final; its charge is still CHARGED and its items are still RESERVED; "

    assert sentence(CANCELED, failed(2 * MINUTE, pause=240), **held).endswith(
        f"{still}settlement failed once, last with PaymentUnavailable 2 min ago; next try in 2 min."
    )
    assert sentence(CANCELED, published(CANCELED), **held).endswith(
        f"{still}its event is in the queue, and was not processed yet."
    )
    number = order_number(CANCELED.order_id)
    assert sentence(CANCELED, line("event processed", MINUTE), **held).endswith(
        f"{still}settlement ran and left it so: `./orderctl replay --order {number} --stage prod` "
        "runs it again."
    )


@pytest.mark.parametrize(
    "order", [placed_order(), changed_order(placed_order(), OrderStatus.CANCELED)]
)
def test_a_charge_that_nobody_asked_for_is_told(order: Order) -> None:
    told = sentence(order, charge=CHARGED)

    assert "its charge is still CHARGED; no function mends that" in told


def test_a_status_of_a_later_release_is_not_interpreted() -> None:
    delivered = replace(PAID, status="DELIVERED")

    assert sentence(delivered, before=BY_TOKEN, charge=None) == (
        "DELIVERED since 12:00 UTC, by staff; only a later release knows what that means."
    )


def test_an_unreadable_row_is_named_with_its_cause() -> None:
    unreadable = UnreadableRow("DETAIL", "order ORDER#1 DETAIL can't be read: no 'items'", ["pk"])

    assert sentence(None, before=BY_TOKEN, unreadable=[unreadable]) == (
        "order ORDER#1 DETAIL can't be read: no 'items': see docs/runbook.md#orders-unreadable; "
        "by its last event it is PENDING since 12:00 UTC."
    )
    event = UnreadableRow("EVENT#0000000001", "order event 1 can't be read: ValueError", ["pk"])
    rows: dict[str, Any] = {"charge": CHARGED, "reservation": "RESERVED"}
    assert sentence(PAID, events=[event_of(PAID, BY_TOKEN)], unreadable=[event], **rows) == (
        "PAID since 12:00 UTC, by staff; it waits to become SHIPPED; "
        "order event 1 can't be read: ValueError."
    )


def test_an_order_whose_own_row_is_gone_is_brought_back() -> None:
    assert sentence(None, before=BY_TOKEN) == (
        "The order's own row is missing: see docs/runbook.md#restoring-data; "
        "by its last event it is PENDING since 12:00 UTC."
    )
    assert sentence(None, dead_letters=(letter(EVENTS_QUEUE, "UnsettledOrder"),)) == (
        "There is no such order, only dead letters that name it; "
        "settlement was given up: UnsettledOrder."
    )


def test_events_that_are_missing_or_ahead_are_told() -> None:
    events = [event_of(BY_TOKEN), event_of(PAID, BY_TOKEN)]

    assert sentence(BY_TOKEN, failed(MINUTE), events=events).endswith(
        "; its row is at version 1 and its last event at 2, so it can't be changed: "
        "see docs/runbook.md#restoring-data."
    )
    assert "; its event of version 1 is missing" in sentence(PAID, events=events[1:])
    assert "; its event of version 2 is missing" in sentence(PAID, events=events[:1])


def test_nothing_is_concluded_from_what_was_not_read() -> None:
    told = sentence(BY_TOKEN, unread={"log": "denied", "dead letters": "denied"})

    assert told == "PENDING since 12:00 UTC; not read: dead letters, log."
