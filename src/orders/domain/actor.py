"""Who changed an order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is `customer`, `staff` or `system:{function}`; only staff carry their own id."""

    name: str
    staff_id: str | None = None

    @classmethod
    def system(cls, function: str) -> Actor:
        return cls(f"system:{function}")


CUSTOMER = Actor("customer")
UNKNOWN = Actor("unknown")
"""For events read from the index, which does not hold the actor."""
