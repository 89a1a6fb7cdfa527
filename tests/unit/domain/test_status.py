"""The transition table is the contract's."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from examples import placed_order
from fakes import NOON
from orders.domain.actor import CUSTOMER
from orders.domain.errors import IllegalTransition
from orders.domain.status import TRANSITIONS, OrderStatus, known_status
from proof import oracle


def test_statuses_and_transitions_are_the_contracts() -> None:
    assert set(OrderStatus) == set(oracle.STATUSES)
    assert oracle.TRANSITIONS == TRANSITIONS


def test_a_transition_leads_to_a_status_further_down() -> None:
    """The daily report reads one status after the other, and would miss an order moving up."""
    in_order = list(OrderStatus)
    for before, reached in TRANSITIONS.items():
        assert all(in_order.index(before) < in_order.index(after) for after in reached)


@pytest.mark.parametrize(("current", "target"), list(itertools.product(OrderStatus, OrderStatus)))
def test_an_order_makes_the_transitions_of_the_table_and_no_other(
    current: OrderStatus, target: OrderStatus
) -> None:
    order = replace(placed_order(), status=current, version=7)
    assert order.allowed_transitions == oracle.TRANSITIONS[current]
    if target in oracle.TRANSITIONS[current]:
        moved, _ = order.changed_to(target, by=CUSTOMER, at=NOON)
        assert (moved.status, moved.version) == (target, 8)
    else:
        with pytest.raises(IllegalTransition) as refused:
            order.changed_to(target, by=CUSTOMER, at=NOON)
        assert refused.value.current is current
        assert refused.value.detail == f"An order that is {current} cannot become {target}."


def test_a_status_of_a_later_release_is_plain_text_without_transitions() -> None:
    status = known_status("TELEPORTED")
    assert (type(status), status) == (str, "TELEPORTED")
    assert known_status("PAID") is OrderStatus.PAID
    order = replace(placed_order(), status=status)
    assert order.allowed_transitions == ()
    for target in OrderStatus:
        with pytest.raises(IllegalTransition) as refused:
            order.changed_to(target, by=CUSTOMER, at=NOON)
        assert refused.value.current == "TELEPORTED"
