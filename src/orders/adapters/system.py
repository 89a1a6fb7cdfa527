"""The machine's clock and its source of randomness."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orders.domain.order_id import make_order_id

if TYPE_CHECKING:
    from orders.domain.order_id import OrderId


class SystemClock:
    """The current time, truncated to the millisecond."""

    def now(self) -> datetime:
        instant = datetime.now(UTC)
        return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


class RandomIds:
    """UUIDv7 from the operating system's randomness."""

    def order_id(self, created_at: datetime) -> OrderId:
        return make_order_id(created_at, os.urandom(3))
