"""Domain objects to rows and back. Rows are plain dicts; instants are RFC 3339 texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orders.adapters.dynamodb import keys
from orders.application.idempotency import Answer, IdempotencyRecord
from orders.domain import timestamps
from orders.domain.actor import Actor
from orders.domain.changes import OrderChange, TimelineEntry
from orders.domain.errors import MalformedRow
from orders.domain.order import CustomerId, Order, OrderItem, OrderSummary
from orders.domain.order_id import OrderId
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]

SCHEMA_VERSION: Final = 1
"""Written to every row; a reader that meets a later one knows that it is the older."""


def detail_row(order: Order) -> Row:
    """The order itself, indexed by status."""
    return keys.detail(order.order_id) | _present(
        gsi1sk=keys.by_time(order.order_id),
        schemaVersion=SCHEMA_VERSION,
        **_fixed_in_summary(order),
        **changing_in_detail(order),
        items=[
            {
                "sku": item.sku,
                "name": item.name,
                "quantity": item.quantity,
                "unitAmount": item.unit_amount,
            }
            for item in order.items
        ],
        metadata=dict(order.metadata),
        paysByToken=order.pays_by_token or None,
    )


def changing_in_detail(order: Order) -> Row:
    """What a change of status may change in the detail row; None where there is none."""
    return changing_in_summary(order) | {
        "gsi1pk": keys.status_partition(order.status, keys.status_shard(order.order_id)),
        "actor": order.changed_by.name,
        "staffId": order.changed_by.staff_id,
        "reason": order.reason,
        "paymentToken": order.payment_token,
        "chargeId": order.charge_id,
    }


def customer_row(order: Order) -> Row:
    """The order's summary among its customer's orders, indexed by time."""
    return keys.customer_order(order.customer_id, order.order_id) | {
        "gsi1pk": keys.customer_index_partition(order.customer_id),
        "gsi1sk": keys.by_time(order.order_id),
        "schemaVersion": SCHEMA_VERSION,
        **_fixed_in_summary(order),
        **changing_in_summary(order),
    }


def changing_in_summary(order: Order) -> Row:
    """What a change of status may change in the customer's row."""
    return {
        "status": order.status.value,
        "version": order.version,
        "updatedAt": timestamps.to_text(order.updated_at),
    }


def order_from(row: Row) -> Order:
    """Raises MalformedRow."""
    try:
        return Order(
            **_told_of_a_change(row),
            updated_at=timestamps.from_text(row["updatedAt"]),
            items=tuple(
                OrderItem(item["sku"], item["name"], item["quantity"], item["unitAmount"])
                for item in row["items"]
            ),
            metadata=row["metadata"],
            changed_by=_actor(row),
            reason=_text_or_none(row.get("reason")),
            payment_token=row.get("paymentToken"),
            pays_by_token=row.get("paysByToken", False),
            charge_id=row.get("chargeId"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("order", row, error) from None


def summary_from(row: Row) -> OrderSummary:
    """Raises MalformedRow."""
    try:
        return OrderSummary(
            order_id=OrderId(row["orderId"]),
            customer_id=CustomerId(row["customerId"]),
            status=OrderStatus(row["status"]),
            amount=row["amount"],
            currency=row["currency"],
            version=row["version"],
            updated_at=timestamps.from_text(row["updatedAt"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("order summary", row, error) from None


def version_from(row: Row) -> tuple[OrderId, int | None]:
    """The order and its version, of an indexed detail row; None where it has no whole number."""
    version = row.get("version")
    return OrderId(row["pk"].removeprefix("ORDER#")), version if type(version) is int else None


def change_from(new: Row, old: Row | None) -> OrderChange:
    """What happened between two images of a detail row; `old` is None for a new order.

    Raises:
        MalformedRow: no event can be made of these images.
    """
    try:
        return OrderChange(
            **_told_of_a_change(new),
            previous_status=None if old is None else OrderStatus(old["status"]),
            actor=_actor(new),
            reason=_text_or_none(new.get("reason")),
            changed_at=timestamps.from_text(new["updatedAt"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("order change", new, error) from None


def timeline_row(entry: TimelineEntry) -> Row:
    return keys.timeline_entry(entry.order_id, entry.version) | _present(
        schemaVersion=SCHEMA_VERSION,
        version=entry.version,
        status=entry.status.value,
        previousStatus=entry.previous_status and entry.previous_status.value,
        actor=entry.actor.name,
        staffId=entry.actor.staff_id,
        reason=entry.reason,
        changedAt=timestamps.to_text(entry.changed_at),
    )


def timeline_entry_from(row: Row) -> TimelineEntry:
    """Raises MalformedRow."""
    try:
        previous = row.get("previousStatus")
        return TimelineEntry(
            order_id=OrderId(row["pk"].removeprefix("ORDER#")),
            version=_whole(row["version"]),
            status=OrderStatus(row["status"]),
            previous_status=None if previous is None else OrderStatus(previous),
            actor=_actor(row),
            reason=_text_or_none(row.get("reason")),
            changed_at=timestamps.from_text(row["changedAt"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("timeline entry", row, error) from None


def idempotency_row(record: IdempotencyRecord) -> Row:
    return keys.idempotency_record(record.record_id) | _present(
        schemaVersion=SCHEMA_VERSION,
        fingerprint=record.fingerprint,
        status=record.answer.status,
        body=record.answer.body,
        etag=record.answer.etag,
        location=record.answer.location,
        expiresAt=record.expires_at,
    )


def idempotency_record_from(row: Row) -> IdempotencyRecord:
    """Raises MalformedRow."""
    try:
        return IdempotencyRecord(
            record_id=row["pk"].removeprefix("IDEMPOTENCY#"),
            fingerprint=row["fingerprint"],
            answer=Answer(row["status"], row["body"], row["etag"], row.get("location")),
            expires_at=row["expiresAt"],
        )
    except (KeyError, TypeError) as error:
        raise malformed("idempotency record", row, error) from None


def _fixed_in_summary(order: Order) -> Row:
    return {
        "orderId": order.order_id,
        "customerId": order.customer_id,
        "amount": order.amount,
        "currency": order.currency,
        "createdAt": timestamps.to_text(order.created_at),
    }


def _told_of_a_change(row: Row) -> dict[str, Any]:
    """What an order and the event of its change have in common, from a detail row.

    One check for both, so that nothing is restored from a row that the stream's readers refuse.
    """
    order_id = OrderId(_text(row["orderId"]))
    if keys.detail(order_id)["pk"] != row["pk"]:
        raise ValueError("the key is another order's")
    return {
        "order_id": order_id,
        "customer_id": CustomerId(_text(row["customerId"])),
        "status": OrderStatus(row["status"]),
        "amount": _whole(row["amount"]),
        "currency": _text(row["currency"]),
        "version": _whole(row["version"]),
    }


def _actor(row: Row) -> Actor:
    return Actor(_text(row["actor"]), _text_or_none(row.get("staffId")))


def _present(**attributes: object) -> Row:
    return {name: value for name, value in attributes.items() if value is not None}


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a whole number was expected")
    return value


def _text(value: object) -> Any:  # noqa: ANN401 - the callers wrap it in their id types
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def malformed(what: str, row: Mapping[str, Any], error: Exception) -> MalformedRow:
    """Names the row and the kind of fault, never its values, which other errors quote."""
    fault = f"no {error}" if isinstance(error, KeyError) else type(error).__name__
    partition = keys.without_customer(str(row.get("pk")))
    return MalformedRow(f"not a readable {what}: {partition} {row.get('sk')}: {fault}")
