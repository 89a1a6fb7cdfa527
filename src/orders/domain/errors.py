"""Errors about an order that its caller can be told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orders.domain.status import OrderStatus


class OrderError(Exception):
    """The root of the family, here and in the use cases. `detail` is safe to show to the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidOrder(OrderError):
    """A field breaks a rule; `pointer` is its JSON Pointer (RFC 6901) in the request."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


class IllegalTransition(OrderError):
    """The transition table has no such transition."""

    def __init__(self, current: str, target: OrderStatus) -> None:
        super().__init__(f"An order that is {current} cannot become {target}.")
        self.current = current
