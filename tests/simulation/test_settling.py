"""Whatever the gateway does, every order that can be settled is settled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from simulation.settling import Burst, Trouble
from simulation.sqs import Rules

DAY = 24 * 60


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules.deployed()


def test_a_burst_is_settled_completely_and_each_message_received_once(rules: Rules) -> None:
    print("\nOrders at once | A charge takes | Settled | Dead letters | Most receives | Minutes")
    for orders in (500, 1000):
        for seconds in (0.5, 1, 2, 9):
            burst = Burst(rules, orders, seconds).run()
            assert (burst.settled, burst.queue.dead, burst.queue.expired) == (orders, [], [])
            assert burst.queue.most_receives == 1
            print(
                f"{orders:,} | {seconds} s | {burst.settled:,} | {len(burst.queue.dead)}"
                f" | {burst.queue.most_receives} | {burst.minutes:.1f}"
            )


@pytest.mark.parametrize("seconds", [0.5, 2, 9, 14])
def test_larger_batches_lose_nothing_either(rules: Rules, seconds: float) -> None:
    """The function does not begin a message that it has no time for, and gets it again."""
    burst = Burst(replace(rules, batch_size=10), 500, seconds).run()
    assert (burst.settled, burst.queue.dead, burst.queue.expired) == (500, [], [])


def test_orders_are_settled_after_an_outage_of_almost_six_hours(rules: Rules) -> None:
    burst = Burst(rules, 200, 1, Trouble(gateway_down_hours=5 + 55 / 60)).run()
    assert (burst.settled, burst.queue.dead) == (200, [])
    assert burst.minutes < 6 * 60 + 15, "a pause is a quarter of an hour at most"


def test_receives_while_the_function_cannot_start_count_as_no_attempts(rules: Rules) -> None:
    trouble = Trouble(killed_every=1, killed_hours=12, gateway_down_hours=18)
    burst = Burst(rules, 50, 1, trouble).run()
    assert (burst.settled, burst.queue.dead) == (50, [])


def test_messages_that_failed_together_are_retried_apart(rules: Rules) -> None:
    burst = Burst(rules, 300, 0.1, Trouble(gateway_down_hours=3)).run()
    minutes = Counter(int(at // 60) for at in burst.gateway.attempts if 60 * 60 <= at < 3 * 3600)
    average = minutes.total() / 120
    assert min(minutes.values()) > average / 3
    assert max(minutes.values()) < average * 3


def test_a_gateway_that_stays_down_makes_dead_letters_with_their_cause(rules: Rules) -> None:
    burst = Burst(rules, 20, 1, Trouble(gateway_down_hours=14 * 24)).run()
    assert burst.settled == 0
    assert {one.cause for one in burst.queue.dead} == {"PaymentUnavailable"}
    assert len(burst.queue.dead) == 20
    hours = [(one.died or 0) / 3600 for one in burst.queue.dead]
    assert min(hours) >= 24, "six are promised"
    assert max(hours) < 24.5
    assert burst.queue.expired == []


def test_a_message_that_is_no_event_becomes_a_dead_letter_at_once(rules: Rules) -> None:
    burst = Burst(rules, 10, 1)
    burst.queue.send("no event")
    burst.run()
    assert burst.settled == 10
    (dead,) = burst.queue.dead
    assert (dead.cause, dead.receives) == ("NotAnEvent", 1)
    assert dead.died is not None
    assert dead.died < 3


def test_killed_invocations_lose_no_order(rules: Rules) -> None:
    burst = Burst(rules, 300, 1, Trouble(killed_every=3)).run()
    assert (burst.settled, burst.queue.dead) == (300, [])
    assert len(burst.gateway.charged) == 300
    assert burst.minutes < 60


def test_a_message_that_kills_every_invocation_becomes_a_dead_letter_before_the_queue_deletes_it(
    rules: Rules,
) -> None:
    burst = Burst(rules, 5, 1, Trouble(killed_every=1)).run()
    assert len(burst.queue.dead) == 5
    assert burst.queue.expired == []
    assert all(2 * DAY < (one.died or 0) / 60 < 3 * DAY for one in burst.queue.dead)
