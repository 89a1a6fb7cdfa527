"""Errors about an order, all of which can be shown to the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orders.domain.status import OrderStatus


class OrderError(Exception):
    """The base of every error whose `detail` is safe to show to the caller."""

    detail: str

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or self.detail
        super().__init__(self.detail)


class InvalidOrder(OrderError):
    """A field breaks a rule; `pointer` is its JSON Pointer (RFC 6901) in the request."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


class IllegalTransition(OrderError):
    """The transition table does not allow the change."""

    def __init__(self, current: str, target: OrderStatus) -> None:
        super().__init__(f"An order that is {current} cannot become {target}.")
        self.current = current
