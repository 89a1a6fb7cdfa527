"""Where no gateway is configured, whatever moves money or stock waits for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from examples import placed_order
from orders.adapters.no_payments import NoPayments
from orders.application.errors import PaymentUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

ORDER = placed_order()


@pytest.mark.parametrize(
    "ask",
    [
        lambda: NoPayments().reserve(ORDER),
        lambda: NoPayments().charge(ORDER, "tok_approve"),
        lambda: NoPayments().void(ORDER.order_id),
        lambda: NoPayments().release(ORDER.order_id),
    ],
    ids=["reserve", "charge", "void", "release"],
)
def test_nothing_succeeds(ask: Callable[[], object]) -> None:
    with pytest.raises(PaymentUnavailable):
        ask()
