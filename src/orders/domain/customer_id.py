"""Customer ids, as the issuer of the tokens assigns them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NewType

if TYPE_CHECKING:
    from orders.domain.order_id import OrderId

CustomerId = NewType("CustomerId", str)

CUSTOMER_ID_PATTERN: Final = r"^[A-Za-z0-9._\-|:@+]{1,128}$"
"""No `#`, which separates the parts of the table's keys."""

_PATTERN: Final = re.compile(CUSTOMER_ID_PATTERN[1:-1])


def parse_customer_id(text: str) -> CustomerId | None:
    """The id, or None if the text does not match the pattern."""
    return CustomerId(text) if _PATTERN.fullmatch(text) else None


def forgotten_customer(order_id: OrderId) -> CustomerId:
    """The pseudonym of a forgotten customer: each order's own, so that it links no two."""
    return CustomerId(f"forgotten-{order_id}")
