"""A run in which nothing went wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from proof import oracle
from proof.faults import Fault
from proof.tests.histories.breaking import replace_call
from proof.tests.histories.world import (
    CUS_1,
    CUS_2,
    FEED_DELAY,
    STAFF_ID,
    TOO_MANY,
    UNAVAILABLE,
    World,
    illegal,
    problem_json,
)

if TYPE_CHECKING:
    from orders.domain.order import Order


def busy_world() -> World:
    """A bit of everything, and nothing wrong."""
    world = World()
    order = _quarrel(world)
    _pay_by_token(world)
    order = world.update(order, "SHIPPED", key="k4")
    world.replay(world.calls[-1])
    _walk(world, order)
    _read_the_feed(world)
    _be_refused(world)
    world.published.append(world.published[0])
    _replay(world)
    world.settle_down()
    for each in list(world.orders.values()):
        world.get(each)
        world.timeline(each)
    world.walk("last", sort="createdAt", limit=100)
    world.feed("last-feed", limit=100)
    world.feed("last-feed-of-shipped", type="ORDER_SHIPPED")
    world.walk("last-paid", "/orders", status="PAID", limit=3)
    return world


def _quarrel(world: World) -> Order:
    """Repetitions, lost responses, conflicts; the order that they were about, PAID."""
    one = world.create(key="k1")
    first = world.calls[-1]
    world.replay(first)
    world.replay(msgspec.structs.replace(first, key='"k1"'))
    world.refuse(
        msgspec.structs.replace(first, body={"other": "body"}), 422, "idempotency-key-reused"
    )
    slow = world.call("POST", "/orders", 429, TOO_MANY, caller=CUS_1, key="k1", body=first.body)
    world.strike(slow, Fault.THROTTLED)
    world.create(request="twice", lost=True)
    world.create(request="twice")
    early = world.now
    world.walk("w0", "/customers/cus_2/orders")
    lost = world.create(CUS_2, key="k2", lost=True)
    not_yet = {"start": early - 2, "end": early - 1}
    text = problem_json(404, "order-not-found")
    world.call("GET", f"/orders/{lost.order_id}", 404, text, **not_yet)
    world.replay_of_unknown(lost, key="k2")
    world.get(one)
    paid = world.update(one, "PAID", if_match='"1"')
    world.get(paid, caller=CUS_1)
    world.patch(paid, "PAID", world.response(paid, 200), "no-op", if_match='"2"')
    world.remember(STAFF_ID, "update", "k-no-op", world.response(paid, 200))
    world.patch(paid, "PAID", world.response(paid, 200), "again", key="k-no-op", if_match='"2"')
    world.replay(world.calls[-1])
    forbidden = next(
        each for each in oracle.STATUSES if not oracle.customer_may_request(each, of=paid.status)
    )
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
        msgspec.structs.replace(world.patch(paid, forbidden, None, "late"), caller=CUS_1),
        403,
        "forbidden",
    )
    world.timeline(paid)
    world.timeline(paid, [1], "t-1", walk="t", query={"limit": "1"})
    world.timeline(paid, [2], walk="t", query={"limit": "1", "cursor": "t-1"})
    world.timeline(paid, caller=CUS_1)
    return paid


def _pay_by_token(world: World) -> None:
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
    world.update(by_staff, "PAID", lost=True)
    world.give_back(by_staff)


def _walk(world: World, oldest: Order) -> None:
    """Through every kind of list; one goes on behind a page whose response was lost.

    The index of another lags behind: what was made while the walk lasted is not in it.
    """
    world.walk("w1")
    world.walk("w2", sort="createdAt", consistent="true")
    world.walk("w3", status="PAID")
    world.walk("w4", "/orders", status="CANCELED", limit=3)
    world.walk("w5", createdFrom="2026-11-23T12:00:00.123Z", createdTo="2026-11-23T23:00:00.0001Z")
    world.walk("w6", "/customers/cus_9/orders")
    world.walk("w7", orders=[oldest], createdTo="2026-11-23T12:00:01.123Z")
    _, lost_page, *_ = world.walk("w8")
    replace_call(world, lost_page, status=None, text="", headers={})
    *_, last_page = world.walk("w9", sort="createdAt")
    world.create()
    replace_call(world, last_page, start=world.now, end=world.now + 1)


def _read_the_feed(world: World) -> None:
    """From cursor to cursor, while more is recorded, and a page is lost; by type; in a window."""
    *_, end = world.feed("f1")
    world.create()
    world.now += FEED_DELAY
    lost = world.call("GET", "/events", None, "", query=end.query, walk="f1")
    items = world.fed({})[-1:]
    text = msgspec.json.encode({"items": items, "nextCursor": "f1-last"}).decode()
    world.call("GET", "/events", 200, text, query=lost.query, walk="f1")
    world.feed("f2", type="ORDER_PAID", limit=1)
    first, *_, last = world.fed({})
    world.feed("f3", recordedFrom=first["time"], recordedTo=last["time"], limit=5)
    world.feed("f4", recordedFrom=last["time"], recordedTo=first["time"])


def _replay(world: World) -> None:
    """By order, and by time and type, interrupted and killed; some have nothing to do."""
    places = sorted(
        row["gsi1sk"] for _, row in world.table.items() if row["sk"].startswith("EVENT#")
    )
    since, until = places[1][:24], oracle.instant(world.instant - timedelta(seconds=FEED_DELAY))
    window = "replay", "--since", since, "--until", until
    sent = {event["id"]: event for event in world.published if since <= event["time"] < until}
    world.replayed += [event for event in sent.values() if event["time"] <= places[4][:24]]
    world.operate(*window, code=1, position=places[4])
    world.operate(*window, code=-9)
    world.commands[-1] = msgspec.structs.replace(world.commands[-1], output="")
    world.replayed += sent.values()
    world.operate(*window, "--after", places[4], position=places[-1])
    world.operate(*window, "--type", "ORDER_SHIPPED", code=3, position="")
    world.replayed.append(world.published[0])
    world.operate("replay", "--order", world.published[0]["subject"], position="")
    world.operate("dead-letters", "redrive")


def _be_refused(world: World) -> None:
    """What is no order, or no response of the API's own."""
    world.call("GET", "/orders/x", 503, problem_json(503, "try-again"))
    world.strike(world.call("GET", "/orders/x", 503, UNAVAILABLE), Fault.SERVER_ERROR)
    world.strike(world.call("GET", "/orders/x", 503, UNAVAILABLE), Fault.OUTAGE)
    killed = world.call("GET", "/orders/x", 502, '{"message": "gone"}')
    world.strike(killed, Fault.KILLED_AFTER, "get-order", seconds=20)
    world.now += 10
    world.call("GET", "/orders/x", 502, '{"message": "gone"}')
    world.call("GET", "/orders/x", 404, problem_json(404, "order-not-found"), caller=CUS_1)
    world.call("GET", "/nowhere", 404, problem_json(404, "route-not-found"))
    world.call("GET", "/health", 200, '{"status":"ok","version":"unknown"}')
    path = "/reports/daily/2026-11-23"
    world.call("GET", path, 404, problem_json(404, "report-not-found"))
    world.call("GET", path, 200, msgspec.json.encode(world.report()).decode())
