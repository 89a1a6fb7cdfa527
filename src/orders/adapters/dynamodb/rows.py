"""Domain objects to rows and back. Rows are plain dicts; instants are RFC 3339 texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from orders.adapters.dynamodb import keys
from orders.application.errors import MalformedRow, NewerRow
from orders.application.idempotency import IdempotencyRecord, StoredResponse
from orders.domain import timestamps
from orders.domain.actor import UNKNOWN, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.events import OrderEvent
from orders.domain.order import Order, OrderItem, OrderSummary
from orders.domain.order_id import parse_order_id
from orders.domain.status import known_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orders.domain.order_id import OrderId

Row = dict[str, Any]
Read = TypeVar("Read")

SCHEMA_VERSION: Final = 1
"""Written to every row. A reader that meets a later one raises NewerRow instead of guessing."""


def reads(what: str) -> Callable[[Callable[[Row], Read]], Callable[[Row], Read]]:
    """Makes a reader of rows raise NewerRow for a later release's, MalformedRow for a damaged one.

    Both name the row and the kind of error, never its values, which the original may quote.
    """

    def wrap(read: Callable[[Row], Read]) -> Callable[[Row], Read]:
        def checked(row: Row) -> Read:
            try:
                if _whole(row.get("schemaVersion", SCHEMA_VERSION)) > SCHEMA_VERSION:
                    raise NewerRow(f"{_name(what, row)} is of a later release")
                return read(row)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                name = f"no {error}" if isinstance(error, KeyError) else type(error).__name__
                raise MalformedRow(f"{_name(what, row)} can't be read: {name}") from None

        return checked

    return wrap


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
    """What a change of status may change in the detail row; None for an absent attribute."""
    return changing_in_summary(order) | {
        "gsi1pk": keys.status_partition(order.status, keys.shard_of(order.order_id)),
        "reason": order.reason,
        "paymentToken": order.payment_token,
        "chargeId": order.charge_id,
    }


def customer_row(order: Order) -> Row:
    """The order's summary among its customer's orders, indexed by time."""
    return keys.customer_order(order.customer_id, order.order_id) | _present(
        gsi1pk=keys.customer_index_partition(order.customer_id),
        gsi1sk=keys.by_time(order.order_id),
        schemaVersion=SCHEMA_VERSION,
        **_fixed_in_summary(order),
        **changing_in_summary(order),
    )


def changing_in_summary(order: Order) -> Row:
    """What a change of status may change in the customer's row."""
    return {
        "status": str(order.status),
        "version": order.version,
        "updatedAt": timestamps.to_text(order.updated_at),
    }


def event_row(event: OrderEvent) -> Row:
    """The whole event: shown in the order's timeline, and published from the table's stream."""
    return keys.event(event.order_id, event.version) | _present(
        gsi1pk=keys.feed_partition(keys.shard_of(event.order_id)),
        gsi1sk=keys.by_record(event.recorded_at, event.order_id, event.version),
        schemaVersion=SCHEMA_VERSION,
        type=event.type,
        orderId=event.order_id,
        version=event.version,
        status=str(event.status),
        previousStatus=event.previous_status and str(event.previous_status),
        recordedAt=timestamps.to_text(event.recorded_at),
        customerId=event.customer_id,
        amount=event.amount,
        currency=event.currency,
        reason=event.reason,
        actor=event.actor.name,
        staffId=event.actor.staff_id,
    )


@reads("order")
def order_from(row: Row) -> Order:
    """Raises MalformedRow, NewerRow."""
    return Order(
        **_summary(row),
        items=tuple(
            OrderItem(item["sku"], item["name"], item["quantity"], item["unitAmount"])
            for item in row["items"]
        ),
        metadata=row["metadata"],
        payment_token=row.get("paymentToken"),
        pays_by_token=row.get("paysByToken", False),
        charge_id=row.get("chargeId"),
    )


@reads("order summary")
def summary_from(row: Row) -> OrderSummary:
    """Raises MalformedRow, NewerRow."""
    return OrderSummary(**_summary(row))


def order_id_of(row: Row) -> OrderId | None:
    """The order that the row's key names; None if it names none."""
    part = row["pk"] if row["pk"].startswith(keys.ORDER) else row["sk"]
    return parse_order_id(part.removeprefix(keys.ORDER))


@reads("order event")
def event_from(row: Row) -> OrderEvent:
    """Raises MalformedRow, NewerRow."""
    event_type, status, customer_id, currency = _texts(
        row, "type", "status", "customerId", "currency"
    )
    order_id, version = _order_id(row), _whole(row["version"])
    _require_key(row, keys.event(order_id, version))
    return OrderEvent(
        type=event_type,
        order_id=order_id,
        version=version,
        status=known_status(status),
        previous_status=_text_or_none(row.get("previousStatus")),
        recorded_at=timestamps.from_text(row["recordedAt"]),
        customer_id=CustomerId(customer_id),
        amount=_whole(row["amount"]),
        currency=currency,
        reason=_text_or_none(row.get("reason")),
        actor=_actor(row),
    )


def idempotency_row(record: IdempotencyRecord) -> Row:
    return keys.idempotency_record(record.record_id) | {
        "schemaVersion": SCHEMA_VERSION,
        "fingerprint": record.fingerprint,
        "response": record.response,
        "purgeAt": record.expires_at,
    }


@reads("idempotency record")
def idempotency_record_from(row: Row) -> IdempotencyRecord:
    """Raises MalformedRow, NewerRow."""
    fingerprint, response = _texts(row, "fingerprint", "response")
    return IdempotencyRecord(
        record_id=row["pk"].removeprefix("IDEMPOTENCY#"),
        fingerprint=fingerprint,
        response=StoredResponse(response),
        expires_at=_whole(row["purgeAt"]),
    )


def _fixed_in_summary(order: Order) -> Row:
    return {
        "orderId": order.order_id,
        "customerId": order.customer_id,
        "amount": order.amount,
        "currency": order.currency,
        "createdAt": timestamps.to_text(order.created_at),
    }


def _summary(row: Row) -> dict[str, Any]:
    customer_id, status, currency, updated_at = _texts(
        row, "customerId", "status", "currency", "updatedAt"
    )
    order_id = _order_id(row)
    if row["sk"] == keys.DETAIL:
        _require_key(row, keys.detail(order_id))
    else:
        _require_key(row, keys.customer_order(CustomerId(customer_id), order_id))
    return {
        "order_id": order_id,
        "customer_id": customer_id,
        "status": known_status(status),
        "amount": _whole(row["amount"]),
        "currency": currency,
        "version": _whole(row["version"]),
        "updated_at": timestamps.from_text(updated_at),
        "reason": _text_or_none(row.get("reason")),
    }


def _order_id(row: Row) -> OrderId:
    order_id = parse_order_id(row["orderId"])
    if order_id is None:
        raise ValueError("no order id")
    return order_id


def _require_key(row: Row, key: keys.Key) -> None:
    if (row["pk"], row["sk"]) != (key["pk"], key["sk"]):
        raise ValueError("the key is another row's")


def _actor(row: Row) -> Actor:
    if "actor" not in row:
        return UNKNOWN
    return Actor(_text(row["actor"]), _text_or_none(row.get("staffId")))


def _present(**attributes: object) -> Row:
    return {name: value for name, value in attributes.items() if value is not None}


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a whole number was expected")
    return value


def _texts(row: Row, *names: str) -> list[str]:
    values = [row[name] for name in names]
    if {*map(type, values)} != {str}:
        raise TypeError("texts were expected")
    return values


def _text(value: object) -> Any:  # noqa: ANN401 - the callers wrap it in their id types
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _name(what: str, row: Mapping[str, Any]) -> str:
    return f"{what} {keys.without_customer(str(row.get('pk')))} {row.get('sk')}"
