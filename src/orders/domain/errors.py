"""What can go wrong, as the business would say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orders.domain.status import OrderStatus


class OrderError(Exception):
    """The root of the family; `detail` is safe to show to the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidOrder(OrderError):
    """A field breaks a rule; `pointer` is its JSON Pointer (RFC 6901) in the request."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


class OrderNotFound(OrderError):
    """There is no such order, or the caller may not know that there is."""

    def __init__(self) -> None:
        super().__init__("There is no such order.")


class MistypedOrderNumber(OrderError):
    """The check character of an order number shows that it was not copied as it is."""

    def __init__(self) -> None:
        super().__init__("This order number has a typing error.")


class ReportNotFound(OrderError):
    """No report was made for that day."""

    def __init__(self) -> None:
        super().__init__("There is no report for that day.")


class Forbidden(OrderError):
    """The caller is known, and may not do this."""


class VersionMismatch(OrderError):
    """The order is not at a version that the caller named."""

    def __init__(self, current_version: int) -> None:
        super().__init__(f"The order is at version {current_version}.")


class IllegalTransition(OrderError):
    """The transition table has no such move."""

    def __init__(self, current: str, target: OrderStatus) -> None:
        super().__init__(f"An order that is {current} cannot become {target}.")
        self.current = current


class IdempotencyKeyReused(OrderError):
    """The key was first used for another request."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a different request.")


class TryAgain(OrderError):
    """Nothing is wrong with the request; the store was throttled, contended or out of reach."""

    def __init__(self) -> None:
        super().__init__("The request could not be finished in time. Try it again.")


class MalformedRow(Exception):
    """A stored row or a stream record does not describe an order."""


class NewerRow(MalformedRow):
    """A row of a later release, in a form that this one does not know."""


class UnsettledOrder(Exception):
    """An event's order is not there, or is PENDING without the token it was placed with."""


class OutOfStock(Exception):
    """The inventory cannot reserve an item."""


class PaymentDeclined(Exception):
    """The gateway refused the charge for good."""


class PaymentUnavailable(Exception):
    """The gateway did not decide; the same charge can be attempted again."""
