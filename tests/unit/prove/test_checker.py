"""The checker finds nothing in a run that kept every promise, and names what another one broke."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

import figures
from histories import (
    CUS_1,
    CUS_2,
    PLATFORM,
    REPLAYED,
    STAFF,
    World,
    illegal,
    problem_json,
)
from orders.adapters.dynamodb import keys, rows
from orders.domain.actor import Actor
from orders.domain.status import OrderStatus
from prove.checker import check
from prove.violations import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orders.domain.order import Order
    from prove.history import Call, Commit, History, Json

Broken = tuple[History, set[Kind]] if TYPE_CHECKING else Any
BROKEN: Final[dict[str, Callable[[], Broken]]] = {}
"""Makers of broken histories, each with the kinds that it has to be named with, and no other."""


def broken(make: Callable[[], Broken]) -> Callable[[], Broken]:
    BROKEN[make.__name__] = make
    return make


def kinds(history: History) -> set[Kind]:
    return {violation.kind for violation in check(history)}


def changed(history: History, **changes: Any) -> History:  # noqa: ANN401 - fields of History
    return msgspec.structs.replace(history, **changes)


def answered(call: Call, **changes: Any) -> str:  # noqa: ANN401 - members of the body
    """The call's body with other members."""
    return msgspec.json.encode(msgspec.json.decode(call.text) | changes).decode()


def replace_call(world: World, call: Call, **changes: Any) -> None:  # noqa: ANN401 - fields of Call
    world.calls[call.id - 1] = msgspec.structs.replace(call, **changes)


def forget(world: World, order: Order, *, from_version: int = 1) -> None:
    """As if the order had not come to this version, anywhere but in answers."""
    pk = f"ORDER#{order.order_id}"
    gone = [
        commit
        for commit in world.commits
        if commit.pk == pk or commit.sk == pk
        if (commit.new or {}).get("version", 0) >= from_version
    ]
    for commit in reversed(gone):
        at = commit.pk, commit.sk
        if commit.old is None:
            del world.table[at]
        else:
            world.table[at] = commit.old
        world.commits.remove(commit)
    world.published[:] = [
        event
        for event in world.published
        if event["subject"] != order.order_id or event["data"]["version"] < from_version
    ]
    if from_version == 1:
        del world.orders[order.order_id]
    else:
        detail = world.table[pk, "DETAIL"]
        world.orders[order.order_id] = rows.order_from(detail)


def rewrite(world: World, at: tuple[str, str], **changes: Any) -> None:  # noqa: ANN401 - attributes
    """Another last image of a row, in the table and in the stream."""
    for index, commit in reversed(list(enumerate(world.commits))):
        if (commit.pk, commit.sk) == at and commit.new:
            row = {k: v for k, v in (commit.new | changes).items() if v is not None}
            world.commits[index] = msgspec.structs.replace(commit, new=row)
            world.table[at] = row
            return


def remove(world: World, at: tuple[str, str]) -> None:
    """As if the row had never been written."""
    del world.table[at]
    world.commits[:] = [commit for commit in world.commits if (commit.pk, commit.sk) != at]


def detail_of(order: Order) -> tuple[str, str]:
    return f"ORDER#{order.order_id}", "DETAIL"


def customer_row_of(order: Order) -> tuple[str, str]:
    return f"CUSTOMER#{order.customer_id}", f"ORDER#{order.order_id}"


def audit_of(order: Order, version: int) -> tuple[str, str]:
    key = keys.timeline_entry(order.order_id, version)
    return key["pk"], key["sk"]


def busy_world() -> World:
    """A bit of everything, and nothing wrong."""
    world = World()
    one = world.create(key="k1")
    first = world.calls[-1]
    world.replay(first)
    world.replay(msgspec.structs.replace(first, key='"k1"'))
    world.refuse(
        msgspec.structs.replace(first, body={"other": "body"}), 422, "idempotency-key-reused"
    )
    world.create(answered=False)
    lost = world.create(CUS_2, key="k2", answered=False)
    world.replay_of_unknown(lost, key="k2")
    world.get(one)
    paid = world.update(one, "PAID", if_match='"1"')
    world.get(paid, caller=CUS_1)
    world.patch(paid, "PAID", world.answer(paid, 200), "no-op")
    world.refuse(
        world.patch(paid, "PENDING", None, "again"), 409, "illegal-transition", **illegal(paid)
    )
    world.refuse(
        msgspec.structs.replace(world.patch(paid, "SHIPPED", None, "stale"), if_match='"1"'),
        412,
        "precondition-failed",
        detail="The order is at version 2.",
    )
    world.refuse(
        msgspec.structs.replace(world.patch(paid, "CANCELED", None, "late"), caller=CUS_1),
        403,
        "forbidden",
    )
    world.timeline(paid)
    world.timeline(paid, [2])
    for token, sku in (
        ("tok_approve", "MUG-01"),
        ("tok_decline", "MUG-01"),
        ("tok_unavailable", "MUG-01"),
        ("tok_approve", "OUT-OF-STOCK-1"),
    ):
        world.settle(world.create(token=token, sku=sku))
    canceled = world.create(token="tok_approve")
    world.charge(canceled, "CHARGED")
    world.reserve(canceled, "RESERVED")
    world.update(canceled, "CANCELED", caller=CUS_1, key="k3")
    world.give_back(canceled)
    by_staff = world.create(token="tok_approve")
    world.update(by_staff, "PAID", answered=False)
    world.give_back(by_staff)
    world.update(paid, "SHIPPED", key="k4")
    world.replay(world.calls[-1])
    world.walk("w1")
    world.walk("w2", sort="createdAt", consistent="true")
    world.walk("w3", status="PAID")
    world.walk("w4", "/orders", status="CANCELED", limit=3)
    world.walk("w5", createdFrom="2026-11-23T11:00:00Z", createdTo="2026-11-23T23:00:00.0001Z")
    world.walk("w6", "/customers/cus_9/orders")
    world.published.append(world.published[0])
    world.call("GET", "/orders/x", 503, problem_json(503, "try-again"))
    world.call("GET", "/orders/x", 502, '{"message": "gone"}')
    world.call("GET", "/orders/x", 404, problem_json(404, "order-not-found"), caller=CUS_1)
    world.call("GET", "/nowhere", 404, problem_json(404, "route-not-found"))
    world.call("GET", "/health", 200, '{"status":"ok"}')
    world.call("GET", "/reports/daily/2026-11-23", 200, msgspec.json.encode(world.reports()[0]).decode())
    world.settle_down()
    for order in list(world.orders.values()):
        world.get(order)
        world.timeline(order)
    world.walk("last", sort="createdAt", limit=100)
    world.walk("last-paid", "/orders", status="PAID", limit=3)
    return world


def test_nothing_is_wrong_where_every_promise_was_kept() -> None:
    assert check(busy_world().history()) == []


@broken
def a_lost_order() -> Broken:
    world = World()
    world.create()
    forget(world, world.create())
    return world.history(), {Kind.ORDER_LOST, Kind.MONEY_MISSING}


@broken
def a_doubled_order() -> Broken:
    world = World()
    world.create(key="k", request="r")
    twin = World(now=9)
    twin_order = twin.create(request="r")
    world.write(None, twin_order)
    return world.history(), {Kind.ORDER_DOUBLED, Kind.MONEY_SURPLUS, Kind.KEY_WITHOUT_RECORD}


@broken
def a_phantom_order() -> Broken:
    world = World()
    world.create()
    world.create()
    world.calls.pop()
    return world.history(), {Kind.ORDER_PHANTOM, Kind.MONEY_SURPLUS}


@broken
def an_order_of_a_refused_request() -> Broken:
    world = World()
    world.create()
    call = world.calls.pop()
    world.refuse(call, 422, "validation-failed")
    return world.history(), {Kind.ORDER_OF_REFUSED_REQUEST, Kind.MONEY_SURPLUS}


@broken
def an_order_of_other_items() -> Broken:
    world = World()
    world.create(answered=False)
    call = world.calls[-1]
    item = {"sku": "MUG-01", "name": "Mug", "quantity": 2, "unitAmount": 1999}
    replace_call(world, call, body=(call.body or {}) | {"items": [item]})
    return world.history(), {Kind.ORDER_NOT_AS_ASKED, Kind.MONEY_SURPLUS}


@broken
def two_orders_for_one_key() -> Broken:
    world = World()
    world.create(key="k")
    world.create(key="k", answered=False)
    return world.history(), {Kind.TWO_ORDERS_FOR_A_KEY, Kind.KEY_WITHOUT_RECORD}


@broken
def a_key_that_is_not_in_the_transaction() -> Broken:
    world = World()
    world.create(key="k")
    (record,) = (at for at in world.table if at[1] == "RECORD")
    remove(world, record)
    return world.history(), {Kind.KEY_WITHOUT_RECORD}


@broken
def a_keyed_update_without_its_record() -> Broken:
    world = World()
    world.update(world.create(), "PAID", key="k", answered=False)
    (record,) = (at for at in world.table if at[1] == "RECORD")
    remove(world, record)
    return world.history(), {Kind.KEY_WITHOUT_RECORD}


@broken
def a_record_without_its_order() -> Broken:
    world = World()
    forget(world, world.create(key="k", answered=False))
    return world.history(), {Kind.RECORD_WITHOUT_ORDER}


@broken
def a_record_of_another_body() -> Broken:
    world = World()
    world.create(key="k", answered=False)
    (record,) = (at for at in world.table if at[1] == "RECORD")
    body = msgspec.json.decode(world.table[record]["body"]) | {"currency": "EUR"}
    rewrite(world, record, body=msgspec.json.encode(body).decode())
    return world.history(), {Kind.RECORD_DIFFERS}


@broken
def two_answers_that_claim_to_be_the_first() -> Broken:
    world = World()
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    first = world.calls[0]
    replace_call(world, replay, headers=first.headers)
    return world.history(), {Kind.TWO_FIRST_ANSWERS}


@broken
def a_replay_with_other_bytes() -> Broken:
    world = World()
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    replace_call(world, replay, text=replay.text.replace(",", ", "))
    return world.history(), {Kind.REPLAY_DIFFERS, Kind.BODIES_DIFFER}


@broken
def a_replay_with_another_location() -> Broken:
    world = World()
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    replace_call(world, replay, headers=replay.headers | {"location": "http://elsewhere/"})
    return world.history(), {Kind.REPLAY_DIFFERS}


@broken
def a_key_accepted_for_another_request() -> Broken:
    world = World()
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    replace_call(world, replay, body={"another": "request"})
    return world.history(), {Kind.REUSED_KEY_ACCEPTED}


@broken
def a_key_that_was_forgotten() -> Broken:
    world = World()
    paid = world.update(world.create(), "PAID", key="k")
    world.refuse(world.calls[-1], 409, "illegal-transition", **illegal(world.update(paid, "SHIPPED")))
    return world.history(), {Kind.KEY_FORGOTTEN}


@broken
def a_detail_without_its_customer_row() -> Broken:
    world = World()
    remove(world, customer_row_of(world.create()))
    return world.history(), {Kind.DETAIL_WITHOUT_CUSTOMER_ROW}


@broken
def a_customer_row_without_its_detail() -> Broken:
    world = World()
    order = world.create(answered=False)
    row = world.table[customer_row_of(order)]
    forget(world, order)
    world.put(row)
    return world.history(), {Kind.CUSTOMER_ROW_WITHOUT_DETAIL}


@broken
def a_customer_row_that_disagrees() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    rewrite(world, customer_row_of(order), version=1)
    return world.history(), {Kind.ROWS_DISAGREE}


@broken
def a_row_that_is_indexed_under_its_old_status() -> Broken:
    world = World()
    order = world.create()
    before = world.table[detail_of(order)]["gsi1pk"]
    world.update(order, "PAID")
    rewrite(world, detail_of(order), gsi1pk=before)
    return world.history(), {Kind.INDEX_WRONG}


@broken
def a_row_that_the_stream_does_not_know() -> Broken:
    world = World()
    order = world.create()
    at = customer_row_of(order)
    world.table[at] = world.table[at] | {"schemaVersion": 2}
    return world.history(), {Kind.STREAM_DISAGREES}


@broken
def a_payment_token_that_stayed() -> Broken:
    world = World()
    order = world.settle(world.create(token="tok_approve"))
    rewrite(world, detail_of(order), paymentToken="tok_approve")
    return world.history(), {Kind.TOKEN_KEPT}


@broken
def a_skipped_version() -> Broken:
    world = World()
    order = world.create()
    world.write(order, replace(world.update(order, "PAID", answered=False), version=3))
    return skip_version(order), {Kind.VERSION_SKIPPED}


def skip_version(_: Order) -> History:
    """PENDING at 1, then PAID at 3."""
    world = World()
    order = world.create()
    reason = "r-skip"
    paid = order.changed_to(
        OrderStatus.PAID, by=Actor("staff", CUS_1), at=world.instant, reason=reason
    )
    world.write(order, replace(paid, version=3))
    world.patch(order, "PAID", None, reason)
    return world.history()


@broken
def two_updates_of_one_version() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    world.orders[order.order_id] = order
    world.update(order, "CANCELED")
    return world.history(), {
        Kind.VERSION_REPEATED,
        Kind.ILLEGAL_TRANSITION,
        Kind.BODIES_DIFFER,
        Kind.TIMELINE_ENTRY_REWRITTEN,
        Kind.EVENT_DIFFERS,
    }


@broken
def an_illegal_transition() -> Broken:
    world = World()
    order = world.create()
    shipped = replace(
        order,
        status=OrderStatus.SHIPPED,
        version=2,
        changed_by=Actor("staff", CUS_1),
        reason="r-ship",
    )
    world.write(order, shipped)
    world.patch(order, "SHIPPED", None, "r-ship")
    return world.history(), {Kind.ILLEGAL_TRANSITION}


@broken
def an_order_whose_amount_changed() -> Broken:
    world = World()
    order = world.create()
    paid = world.update(order, "PAID", answered=False)
    for at in (detail_of(order), customer_row_of(order)):
        rewrite(world, at, amount=1)
    world.orders[order.order_id] = replace(paid, amount=1)
    world.published[-1]["data"]["amount"] = 1
    return world.history(), {Kind.ORDER_ALTERED, Kind.MONEY_MISSING}


@broken
def a_removed_order() -> Broken:
    world = World()
    order = world.create(answered=False)
    for at in (detail_of(order), customer_row_of(order)):
        row = world.table.pop(at)
        world.commits.append(msgspec.structs.replace(world.commits[0], pk=at[0], sk=at[1], old=row, new=None))
    del world.orders[order.order_id]
    return changed(world.history(), reports=[]), {Kind.ORDER_REMOVED}


@broken
def a_missing_timeline_entry() -> Broken:
    world = World()
    remove(world, audit_of(world.update(world.create(), "PAID"), 1))
    return world.history(), {Kind.TIMELINE_ENTRY_MISSING}


@broken
def a_timeline_entry_of_what_never_was() -> Broken:
    world = World()
    order = world.create()
    paid = order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant)
    world.put(rows.timeline_row(rows.change_from(rows.detail_row(paid), rows.detail_row(order))))
    return world.history(), {Kind.TIMELINE_ENTRY_PHANTOM}


@broken
def a_timeline_entry_with_another_status() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    rewrite(world, audit_of(order, 2), status="CANCELED")
    return world.history(), {Kind.TIMELINE_ENTRY_DIFFERS}


@broken
def a_timeline_entry_written_twice() -> Broken:
    world = World()
    order = world.create()
    entry = world.table[audit_of(order, 1)]
    world.put(entry | {"changedAt": "2027-01-01T00:00:00.000Z"})
    world.put(entry)
    return world.history(), {Kind.TIMELINE_ENTRY_REWRITTEN}


@broken
def a_timeline_answer_of_what_never_was() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    world.timeline(order)
    forget(world, order, from_version=2)
    world.calls[1:2] = []
    world.calls[1] = msgspec.structs.replace(world.calls[1], id=2)
    return world.history(), {Kind.TIMELINE_ANSWER_WRONG}


@broken
def a_timeline_answer_that_repeats() -> Broken:
    world = World()
    call = world.timeline(world.create())
    items = msgspec.json.decode(call.text)["items"]
    replace_call(world, call, text=answered(call, items=items * 2))
    return world.history(), {Kind.TIMELINE_ANSWER_WRONG}


@broken
def a_last_timeline_that_is_not_complete() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    world.settle_down()
    world.timeline(order, [2])
    return world.history(), {Kind.TIMELINE_ANSWER_INCOMPLETE}


@broken
def a_timeline_entry_that_was_shown_and_vanished() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    world.timeline(order)
    world.timeline(order, [1])
    return world.history(), {Kind.TIMELINE_ENTRY_VANISHED}


@broken
def a_lost_update() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    forget(world, order, from_version=2)
    return world.history(), {Kind.UPDATE_LOST}


@broken
def an_update_that_another_one_overwrote() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    forget(world, order, from_version=2)
    world.update(order, "PAID", answered=False)
    return world.history(), {Kind.BODY_NOT_COMMITTED}


@broken
def a_change_that_nobody_asked_for() -> Broken:
    world = World()
    world.update(world.create(), "PAID")
    world.calls.pop()
    return world.history(), {Kind.CHANGE_PHANTOM}


@broken
def a_change_that_the_platform_never_makes() -> Broken:
    world = World()
    order = world.create()
    world.write(order, order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant))
    return world.history(), {Kind.CHANGE_PHANTOM}


@broken
def an_order_that_expired_too_early() -> Broken:
    world = World()
    order = world.create()
    by = Actor.system("expire-stale-orders")
    after = order.changed_to(OrderStatus.CANCELED, by=by, at=world.instant, reason="expired")
    world.write(order, after)
    return world.history(), {Kind.CHANGE_PHANTOM}


@broken
def one_request_that_changed_twice() -> Broken:
    world = World()
    order = world.create()
    paid = world.update(order, "PAID", answered=False)
    shipped = paid.changed_to(
        OrderStatus.SHIPPED, by=paid.changed_by, at=world.instant, reason=paid.reason
    )
    world.write(paid, shipped)
    return world.history(), {Kind.CHANGE_DOUBLED, Kind.CHANGE_NOT_AS_ASKED}


@broken
def a_change_of_a_refused_request() -> Broken:
    world = World()
    world.update(world.create(), "PAID", if_match='"1"')
    call = world.calls.pop()
    world.refuse(call, 422, "validation-failed")
    return world.history(), {Kind.CHANGE_OF_REFUSED_REQUEST}


@broken
def a_change_to_another_status() -> Broken:
    world = World()
    world.update(world.create(), "PAID", answered=False)
    call = world.calls[-1]
    replace_call(world, call, body=(call.body or {}) | {"status": "CANCELED"})
    return world.history(), {Kind.CHANGE_NOT_AS_ASKED}


@broken
def a_customer_who_paid_by_patch() -> Broken:
    world = World()
    world.update(world.create(), "PAID", caller=CUS_1)
    return world.history(), {Kind.CHANGE_FORBIDDEN}


@broken
def a_customer_who_canceled_for_another() -> Broken:
    world = World()
    world.update(world.create(), "CANCELED", caller=CUS_2, answered=False)
    return world.history(), {Kind.CHANGE_FORBIDDEN}


@broken
def an_update_from_a_version_that_if_match_does_not_name() -> Broken:
    world = World()
    world.update(world.create(), "PAID", if_match='W/"1", "2"')
    return world.history(), {Kind.IF_MATCH_IGNORED}


@broken
def a_409_though_the_move_is_allowed() -> Broken:
    world = World()
    order = world.create()
    call = world.patch(order, "PAID", None, "r")
    world.refuse(call, 409, "illegal-transition", **illegal(order))
    return world.history(), {Kind.REFUSED_WRONGLY}


@broken
def a_412_though_the_version_was_named() -> Broken:
    world = World()
    call = world.patch(world.create(), "PAID", None, "r", if_match='"1"')
    world.refuse(call, 412, "precondition-failed", detail="The order is at version 1.")
    return world.history(), {Kind.REFUSED_WRONGLY}


@broken
def a_403_for_the_cancellation_of_a_pending_order() -> Broken:
    world = World()
    call = world.patch(world.create(), "CANCELED", None, "r", caller=CUS_1)
    world.refuse(call, 403, "forbidden")
    return world.history(), {Kind.REFUSED_WRONGLY}


@broken
def a_key_refused_as_reused_that_is_new() -> Broken:
    world = World()
    forget(world, world.create(key="k"))
    remove(world, next(at for at in world.table if at[1] == "RECORD"))
    world.refuse(world.calls.pop(), 422, "idempotency-key-reused")
    return world.history(), {Kind.REFUSED_WRONGLY}


@broken
def a_missing_event() -> Broken:
    world = World()
    world.update(world.create(), "PAID")
    world.published.pop()
    return world.history(), {Kind.EVENT_MISSING}


@broken
def a_phantom_event() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID", answered=False)
    event = world.published[-1]
    forget(world, order, from_version=2)
    world.published.append(event)
    return world.history(), {Kind.EVENT_PHANTOM}


@broken
def an_event_with_another_amount() -> Broken:
    world = World()
    world.create()
    world.published[0]["data"]["amount"] += 1
    return world.history(), {Kind.EVENT_DIFFERS}


@broken
def a_double_charge() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.charge(order, "CHARGED")
    world.charge(order, "REFUNDED")
    world.settle(order)
    return world.history(), {Kind.CHARGED_TWICE}


@broken
def a_double_reservation() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.reserve(order, "RESERVED")
    world.reserve(order, "RELEASED")
    world.settle(order)
    return world.history(), {Kind.RESERVED_TWICE}


@broken
def an_order_paid_by_token_without_a_charge() -> Broken:
    world = World()
    world.charge(world.settle(world.create(token="tok_approve")), "REFUNDED")
    return world.history(), {Kind.PAID_WITHOUT_CHARGE}


@broken
def an_order_paid_by_token_without_a_reservation() -> Broken:
    world = World()
    world.reserve(world.settle(world.create(token="tok_approve")), "RELEASED")
    return world.history(), {Kind.PAID_WITHOUT_RESERVATION}


@broken
def a_live_charge_on_a_canceled_order() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.charge(order, "CHARGED")
    world.update(order, "CANCELED")
    return world.history(), {Kind.LIVE_CHARGE}


@broken
def a_live_reservation_on_an_order_that_staff_paid() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.reserve(order, "RESERVED")
    world.update(order, "PAID")
    return world.history(), {Kind.LIVE_RESERVATION}


@broken
def a_charge_for_an_order_that_never_was() -> Broken:
    world = World()
    order = world.create(token="tok_approve", answered=False)
    forget(world, order)
    world.charge(order, "CHARGED")
    return world.history(), {Kind.PAYMENT_PHANTOM}


@broken
def a_charge_that_nobody_asked_for() -> Broken:
    world = World()
    world.charge(world.create(), "VOIDED")
    return world.history(), {Kind.PAYMENT_PHANTOM}


@broken
def a_charge_of_another_amount() -> Broken:
    world = World()
    order = world.settle(world.create(token="tok_approve"))
    rewrite(world, (f"ORDER#{order.order_id}", "CHARGE"), amount=1)
    return world.history(), {Kind.CHARGE_DIFFERS}


@broken
def a_reservation_of_other_items() -> Broken:
    world = World()
    order = world.settle(world.create(token="tok_approve"))
    rewrite(world, (f"ORDER#{order.order_id}", "RESERVATION"), items=[])
    return world.history(), {Kind.RESERVATION_DIFFERS}


@broken
def a_declined_token_that_paid() -> Broken:
    world = World()
    order = world.create(token="tok_decline")
    world.orders[order.order_id] = replace(order, payment_token="tok_approve")
    world.settle(order)
    return world.history(), {Kind.SETTLED_WRONGLY}


@broken
def an_order_that_was_never_settled() -> Broken:
    world = World()
    world.create(token="tok_approve")
    return world.history(), {Kind.UNSETTLED}


@broken
def a_stale_read() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    world.get(order)
    return world.history(), {Kind.STALE_READ}


@broken
def a_stale_read_of_what_only_a_read_had_shown() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    paid = world.settle(order)
    world.get(paid)
    world.get(order, caller=CUS_1)
    return world.history(), {Kind.STALE_READ}


@broken
def an_order_that_was_not_found_though_it_was_answered() -> Broken:
    world = World()
    order = world.create()
    world.call("GET", f"/orders/{order.order_id}", 404, problem_json(404, "order-not-found"))
    return world.history(), {Kind.STALE_READ}


@broken
def a_conflict_with_a_status_that_had_passed() -> Broken:
    world = World()
    order = world.create()
    paid = world.update(order, "PAID")
    world.update(order, "SHIPPED")
    call = world.patch(order, "PENDING", None, "r")
    world.refuse(call, 409, "illegal-transition", **illegal(paid))
    return world.history(), {Kind.STALE_READ}


@broken
def a_stale_row_in_a_consistent_list() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    world.walk("w", orders=[order], consistent="true")
    return world.history(), {Kind.STALE_READ}


@broken
def a_read_from_the_future() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    update = world.calls[-1]
    early = world.get(world.orders[order.order_id])
    replace_call(world, early, start=update.start - 0.5, end=update.start - 0.2)
    return world.history(), {Kind.FUTURE_READ}


@broken
def a_stale_last_read() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.settle(order)
    world.settle_down()
    world.get(order)
    return world.history(), {Kind.STALE_LAST_READ}


@broken
def a_read_of_what_never_committed() -> Broken:
    world = World()
    order = world.create()
    world.get(order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant))
    return world.history(), {Kind.READ_OF_NOTHING}


@broken
def a_body_that_is_not_what_committed() -> Broken:
    world = World()
    world.get(replace(world.create(answered=False), currency="EUR"))
    return world.history(), {Kind.BODY_NOT_COMMITTED}


@broken
def two_bodies_of_one_version() -> Broken:
    world = World()
    call = world.get(world.create())
    replace_call(world, call, text=call.text.replace(":", ": "))
    return world.history(), {Kind.BODIES_DIFFER}


@broken
def an_etag_of_another_version() -> Broken:
    world = World()
    world.get(world.create(), headers={"etag": '"2"'})
    return world.history(), {Kind.ETAG_WRONG}


@broken
def an_order_shown_to_somebody_else() -> Broken:
    world = World()
    world.get(world.create(), caller=CUS_2)
    return world.history(), {Kind.FOREIGN_ORDER_SHOWN}


def orders_of(world: World, number: int) -> list[Order]:
    """Newest first."""
    return [world.create() for _ in range(number)][::-1]


@broken
def a_walk_that_repeats() -> Broken:
    world = World()
    a, b, c = orders_of(world, 3)
    world.walk("w", orders=[a, b, b, c])
    return world.history(), {Kind.WALK_REPEATS}


@broken
def a_walk_that_is_not_sorted() -> Broken:
    world = World()
    a, b, c = orders_of(world, 3)
    world.walk("w", orders=[a, c, b])
    return world.history(), {Kind.WALK_UNSORTED}


@broken
def a_walk_that_skips_between_two_pages() -> Broken:
    world = World()
    a, b, _, d, e, f, g = orders_of(world, 7)
    world.walk("w", orders=[a, b, d, e, f, g])
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_walk_that_skips_on_a_page() -> Broken:
    world = World()
    a, b, c, _, e, f = orders_of(world, 6)
    world.walk("w", orders=[a, b, c, e, f])
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_walk_that_ends_too_early() -> Broken:
    world = World()
    *orders, _ = orders_of(world, 5)
    world.walk("w", orders=orders)
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_walk_oldest_first_that_begins_too_late() -> Broken:
    world = World()
    *orders, _ = orders_of(world, 5)
    world.walk("w", orders=orders[::-1], sort="createdAt")
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_walk_through_a_status_that_skips() -> Broken:
    world = World()
    a, b, c = orders_of(world, 3)
    for order in (a, b, c):
        world.update(order, "PAID")
    world.walk("w", "/orders", orders=[world.orders[a.order_id], world.orders[c.order_id]], status="PAID")
    world.update(b, "SHIPPED")
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_consistent_walk_that_skips_what_was_made_meanwhile() -> Broken:
    world = World()
    orders = orders_of(world, 2)[::-1]
    first, *_ = world.walk("w", orders=orders, limit=1, consistent="true", sort="createdAt")
    world.calls.pop()
    new = world.create()
    text = answered(first, items=[], nextCursor=None)
    last = world.get(orders[1])
    items = msgspec.json.decode(world.walk("x", orders=[orders[1]], limit=1)[0].text)["items"]
    world.calls.pop()
    replace_call(
        world,
        last,
        path=first.path,
        text=answered(first, items=items, nextCursor=None),
        query=first.query | {"cursor": "w-1"},
        walk="w",
    )
    assert new and text
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_last_walk_that_skips_what_nobody_ever_saw() -> Broken:
    world = World()
    world.create(answered=False)
    world.settle_down()
    world.walk("w", orders=[])
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_list_with_an_order_of_another_status() -> Broken:
    world = World()
    world.walk("w", orders=[world.create()], status="PAID")
    return world.history(), {Kind.WALK_MISFIT}


@broken
def a_list_with_an_order_out_of_bounds() -> Broken:
    world = World()
    world.walk("w", orders=[world.create()], createdFrom="2026-11-23T12:00:00.1230001Z")
    return world.history(), {Kind.WALK_MISFIT}


@broken
def a_short_page_that_goes_on() -> Broken:
    world = World()
    first, *_ = orders_of(world, 3)
    call, *_ = world.walk("w", orders=[first])
    replace_call(world, call, text=answered(call, nextCursor="x"))
    return world.history(), {Kind.PAGE_SIZE_WRONG}


@broken
def a_promised_page_that_is_empty() -> Broken:
    world = World()
    world.walk("w", orders=orders_of(world, 2))
    call = world.calls[-1]
    replace_call(world, call, text=answered(call, nextCursor="x"))
    query = call.query | {"cursor": "x"}
    world.call("GET", call.path, 200, '{"items":[],"nextCursor":null}', query=query, walk="w")
    return world.history(), {Kind.PAGE_SIZE_WRONG}


@broken
def a_report_that_counts_wrong() -> Broken:
    world = World()
    world.update(world.create(), "PAID")
    (report,) = world.reports()
    return changed(world.history(), reports=[report | {"revenue": {"USD": 1}}]), {Kind.REPORT_DIFFERS}


@broken
def a_report_that_names_wrong_reasons() -> Broken:
    world = World()
    world.update(world.create(), "CANCELED")
    (report,) = world.reports()
    wrong = report | {"cancellationReasons": {"unspecified": 1}}
    return changed(world.history(), reports=[wrong]), {Kind.REPORT_DIFFERS}


@broken
def a_day_without_a_report() -> Broken:
    world = World()
    world.create()
    return changed(world.history(), reports=[]), {Kind.REPORT_MISSING}


@broken
def a_leftover_dead_letter() -> Broken:
    letter = {"queue": "order-events-dlq", "body": "{}"}
    return changed(World().history(), dead_letters=[letter], reports=[]), {Kind.DEAD_LETTER}


@broken
def an_internal_error() -> Broken:
    world = World()
    world.call("GET", "/orders/x", 500, problem_json(500, "internal-error"))
    return changed(world.history(), reports=[]), {Kind.INTERNAL_ERROR}


@broken
def a_status_that_is_not_in_the_contract() -> Broken:
    world = World()
    world.call("GET", "/orders/x", 409, problem_json(409, "illegal-transition"))
    return changed(world.history(), reports=[]), {Kind.ANSWER_UNEXPECTED, Kind.REFUSED_WRONGLY}


@broken
def an_answer_of_another_form() -> Broken:
    world = World()
    call = world.get(world.create())
    replace_call(world, call, text='{"orderId":"1"}')
    return world.history(), {Kind.ANSWER_UNEXPECTED}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_history_is_named(name: str) -> None:
    history, expected = BROKEN[name]()
    assert kinds(history) == expected


def test_every_kind_of_violation_is_found_in_a_broken_history() -> None:
    named = {kind for make in BROKEN.values() for kind in make()[1]}
    assert named == set(Kind)
    figures.leave(
        "checker",
        [
            f"- {len(BROKEN)} broken histories, each named by exactly the {len(Kind)} kinds of"
            " violation that it shows.",
        ],
    )


@pytest.mark.parametrize("name", BROKEN)
def test_the_calls_of_a_violation_alone_show_it_and_each_is_needed(name: str) -> None:
    history, _ = BROKEN[name]()
    for violation in check(history):
        shown = only(history, violation.calls)
        assert violation.kind in kinds(shown)
        for call in violation.calls:
            fewer = only(history, [each for each in violation.calls if each != call])
            assert violation.kind not in kinds(fewer)


def only(history: History, calls: Any) -> History:  # noqa: ANN401 - ids
    return changed(history, calls=[call for call in history.calls if call.id in calls])
