"""Errors of the use cases and the ports. An OrderError is shown to the caller, others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.domain.errors import OrderError

if TYPE_CHECKING:
    from orders.application.idempotency import IdempotencyRecord


class OrderNotFound(OrderError):
    """There is no such order, or the caller may not know that there is."""

    detail = "There is no such order."


class ReportNotFound(OrderError):
    """No report was made for that day."""

    detail = "There is no report for that day."


class Forbidden(OrderError):
    """The caller is known, and may not do this."""


class VersionMismatch(OrderError):
    """The order is not at a version that the caller named."""

    def __init__(self, current_version: int) -> None:
        super().__init__(f"The order is at version {current_version}.")


class IdempotencyKeyReused(OrderError):
    """The key was first used for another request."""

    detail = "This Idempotency-Key was used for a different request."


class TryAgain(OrderError):
    """Nothing is wrong with the request; the store was throttled, contended or unreachable."""

    detail = "The request could not be completed in time. Try again."


class WriteConflict(Exception):
    """Another write came first, and this one wrote nothing."""


class StaleOrder(WriteConflict):
    """The order is no longer at the version that the write was based on."""


class IdTaken(WriteConflict):
    """Another order has the new order's id."""


class KeyInUse(WriteConflict):
    """A live record of the idempotency key is already there: `record`."""

    def __init__(self, record: IdempotencyRecord) -> None:
        super().__init__()
        self.record = record


class LoggableError(Exception):
    """Its message quotes no value of a request or a row."""


class MalformedRow(LoggableError):
    """A stored row or a stream record does not describe an order."""


class NewerRow(MalformedRow):
    """A row of a later release, in a form that this one can't read."""

    detail = "This was written by a later release, which this one cannot read."


class UnsettledOrder(LoggableError):
    """An event's order does not exist, or is unpaid without the token it was placed with."""


class OutOfStock(Exception):
    """The inventory cannot reserve an item."""


class PaymentDeclined(Exception):
    """The gateway refused the charge for good."""


class PaymentUnavailable(Exception):
    """The gateway did not decide; the same charge can be attempted again."""
