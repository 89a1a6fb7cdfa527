"""The platform's own reasons for canceling an order; callers' reasons are free texts."""

from __future__ import annotations

from typing import Final

from orders.domain.errors import InvalidOrder

EXPIRED: Final = "expired"
OUT_OF_STOCK: Final = "out-of-stock"
PAYMENT_DECLINED: Final = "payment-declined"

PLATFORM_REASONS: Final = frozenset({EXPIRED, OUT_OF_STOCK, PAYMENT_DECLINED})


def platform_reason(reason: str | None) -> str | None:
    """The reason if it is one of the platform's own, which name nobody."""
    return reason if reason in PLATFORM_REASONS else None


def require_callers_own(reason: str) -> None:
    """Daily reports count reasons by their exact text, so only an exact match is reserved.

    Raises:
        InvalidOrder: the reason is one of the platform's.
    """
    if reason in PLATFORM_REASONS:
        raise InvalidOrder("/reason", "This reason is reserved for the platform.")
