"""What a run that broke a promise prints is enough to see it."""

from __future__ import annotations

import msgspec

from orders.domain.customer_id import CustomerId
from proof.checker import check
from proof.checks.violations import Kind, Violation
from proof.report import report, tally
from proof.tests.histories.breaking import changed, forget
from proof.tests.histories.whole import busy_world
from proof.tests.histories.world import World

WIDTH = 160
"""As much of a line as a wide terminal shows."""


def test_a_run_without_a_fault_says_so_with_its_seed() -> None:
    history = busy_world().history()
    assert report(history, []) == f"No violations in {len(history.calls)} calls (seed 7)."


def test_the_calls_that_show_the_fault_are_printed_and_no_others() -> None:
    world = World()
    order = world.create()
    world.get(order)
    world.update(order, "PAID", key="k", if_match='"1"')
    world.get(order, client="slow one")
    history = world.history()
    printed = report(history, check(history))
    shown = [line for line in printed.splitlines() if " → " in line]
    assert "(seed 7)" in printed
    assert "stale-read" in printed
    assert len(shown) == 2
    asked = f'PATCH /orders/{order.order_id} key=k if-match="1"'
    assert shown[0].endswith(f"{asked} → 200 PAID at version 2; asked for PAID, r1")
    assert shown[1].strip().startswith("6.000–7.000")
    assert "slow one as staff: GET" in shown[1]
    assert "PENDING at version 1" in shown[1]
    assert "ORDER EVENT#0000000002: status PAID, version 2, actor staff, reason r1" in printed
    assert f"ORDER_PAID {order.order_id}/2, 1 times" in printed


def test_the_violation_that_the_fewest_calls_show_comes_first_and_the_others_are_counted() -> None:
    world = World()
    forget(world, world.create())
    stale = world.create()
    world.update(stale, "PAID")
    world.get(stale)
    world.published.clear()
    history = changed(world.history(), reports=[])
    printed = report(history, check(history))
    first = printed.splitlines()[2]
    assert first.startswith("event-missing: ")
    assert "the order was written by" in printed
    assert "1 × order-lost" in printed
    assert "1 × stale-read" in printed
    assert check(history)[-1].kind is Kind.REPORT_MISSING
    assert "nothing of it was published" in printed


def test_a_call_that_may_have_made_several_versions_is_printed_once() -> None:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    history = world.history()
    again = [commit for commit in history.commits if commit.sk == "DETAIL"][-1]
    broken = changed(history, commits=[*history.commits, again])
    printed = report(broken, [Violation(Kind.VERSION_REPEATED, "", order.order_id, ())])
    shown = [line for line in printed.splitlines() if " → " in line]
    assert len(shown) == len(set(shown)) == 2


def test_a_page_is_printed_with_its_orders() -> None:
    world = World()
    order = world.create()
    world.walk("w", orders=[order, order])
    history = world.history()
    printed = report(history, check(history))
    assert f"?limit=2 → 200 [{order.order_id}, {order.order_id}], ends" in printed


def test_a_line_shows_what_was_answered_within_a_terminals_width() -> None:
    world = World()
    customer = CustomerId("c00cf054-e3c5-4243-936d-ae010005c6a6")
    world.create(customer, key="key-customer-0-1-twin-123", token="tok_approve")
    order = world.create(customer, answered=False)
    world.walk("w", f"/customers/{customer}/orders", orders=[order], cursor="M" * 80)
    world.published.clear()
    history = changed(world.history(), reports=[])
    calls = tuple(call.id for call in history.calls)
    violation = Violation(Kind.EVENT_MISSING, "all", None, calls)
    created, unknown, listed = report(history, [violation]).splitlines()[4:]
    first = history.calls[0]
    order_id = msgspec.json.decode(first.text)["orderId"]
    key = "key-customer-0-1-twin-123"
    assert created.endswith(
        f"c1 as c00cf054: POST /orders key={key} → 201 {order_id} PENDING at version 1;"
        " asked for 5997 USD, r0, tok_approve"
    )
    assert created.index("; asked for") < WIDTH
    assert unknown.endswith("POST /orders → unknown; asked for 5997 USD, r1")
    assert "GET /customers/c00cf054/orders?" in listed
    assert "cursor=MMMMMMMM&" in listed or "cursor=MMMMMMMM →" in listed


def test_an_unknown_outcome_is_printed_as_one() -> None:
    world = World()
    world.create(answered=False)
    world.published.clear()
    history = world.history()
    assert "→ unknown" in report(history, check(history))


def test_the_tally_counts_what_was_done_and_seen() -> None:
    history = busy_world().history()
    counted = tally(history)
    assert counted["calls"] == len(history.calls)
    assert counted["operations"]["POST /orders"] == {"ok": 13, "refused": 2, "unknown": 2}
    assert counted["orders"] == 12
    assert counted["events"] == len({event["id"] for event in history.published})
    assert counted["events sent again"] == 1
    assert counted["charges and reservations"]["CHARGE CHARGED"] == 2
    assert counted["walks"] == 12
    assert counted["events read from the feed"] == 64
    assert counted["reads checked"] > 50
