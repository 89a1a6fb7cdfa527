"""What a run that broke a promise prints is enough to see it."""

from __future__ import annotations

from proof.checker import check
from proof.checks.violations import Kind, Violation
from proof.report import report, tally
from proof.tests.histories.breaking import changed, forget
from proof.tests.histories.whole import busy_world
from proof.tests.histories.world import World


def printed_of(world: World) -> str:
    history = world.history()
    return report(history, check(history))


def test_a_run_without_a_violation_says_so_with_its_seed() -> None:
    history = busy_world().history()
    assert report(history, []) == f"No violations in {len(history.calls)} calls (seed 7)."


def test_the_calls_that_show_a_violation_are_printed_and_no_others() -> None:
    world = World()
    order = world.create()
    world.get(order)
    world.update(order, "PAID", key="k", if_match='"1"')
    world.get(order, client="slow one")
    printed = printed_of(world)
    written, read = (line for line in printed.splitlines() if " → " in line)
    assert "(seed 7)" in printed
    assert "stale-read" in printed
    asked = f'PATCH /orders/{order.order_id} key=k if-match="1" status=PAID reason=r1'
    assert written.endswith(f"{asked} → 200 {order.order_id} PAID at version 2")
    assert read.strip().startswith("6.000–7.000")
    assert "slow one as staff: GET" in read
    assert "PENDING at version 1" in read
    assert "ORDER EVENT#0000000002: status PAID, version 2, actor staff, reason r1" in printed
    assert f"ORDER_PAID {order.order_id}/2, 1 times" in printed


def test_the_violation_that_the_fewest_calls_show_comes_first_and_the_others_are_counted() -> None:
    world = World(reports=[])
    forget(world, world.create())
    stale = world.create()
    world.update(stale, "PAID")
    world.get(stale)
    world.published.clear()
    printed = printed_of(world)
    assert printed.splitlines()[2].startswith("event-missing: ")
    assert "the order was written by" in printed
    assert "also 1 × order-lost: " in printed
    assert "also 1 × stale-read: " in printed
    assert check(world.history())[-1].kind is Kind.REPORT_MISSING
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
    assert f"limit=2 → 200 [{order.order_id}, {order.order_id}], ends" in printed_of(world)


def test_an_unknown_outcome_is_printed_with_what_was_asked_for() -> None:
    world = World()
    world.create(lost=True)
    world.published.clear()
    assert "POST /orders currency=USD amount=5997 request=r0 → unknown" in printed_of(world)


def test_the_tally_counts_what_was_done_and_seen() -> None:
    history = busy_world().history()
    counted = tally(history)
    assert counted["calls"] == len(history.calls)
    outcomes = {"ok": 13, "refused": 2, "unknown": 2}
    for outcome, count in outcomes.items():
        assert counted["operations"][f"POST /orders: {outcome}"] == count
    assert counted["orders"] == 12
    assert counted["events"] == len({event["id"] for event in history.published})
    assert counted["events sent again"] == 1
    assert counted["charges and reservations"]["CHARGE CHARGED"] == 2
    assert counted["walks"] == 12
    assert counted["events read from the feed"] == 64
    assert counted["reads checked"] > 50
