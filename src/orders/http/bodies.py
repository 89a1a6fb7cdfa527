"""The bodies of requests and responses.

Decoding, validation and the OpenAPI document come from these types alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from orders.domain import timestamps
from orders.domain.customer_id import CUSTOMER_ID_PATTERN, CustomerId
from orders.domain.events import CloudEvent
from orders.domain.money import MAX_AMOUNT, MAX_UNIT_AMOUNT, MINOR_UNIT_DIGITS
from orders.domain.order import NewOrder, OrderItem
from orders.domain.order_number import order_number
from orders.domain.reasons import PLATFORM_REASONS
from orders.domain.status import EARNING, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.application.caller import Caller
    from orders.domain.daily_report import DailyReport
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order, OrderSummary

Value = TypeVar("Value")

MAX_ITEMS: Final = 100
MAX_QUANTITY: Final = 1_000_000
MAX_SKU: Final = 64
MAX_NAME: Final = 200
MAX_METADATA: Final = 20
MAX_METADATA_KEY: Final = 40
MAX_METADATA_VALUE: Final = 500
MAX_PAYMENT_TOKEN: Final = 200
MAX_REASON: Final = 500

ORDER_NUMBER_PATTERN: Final = "^(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]$"
_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f"
"""Unicode's category Cc. It excludes format characters such as direction marks."""
_SPACE: Final = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Unicode's White_Space without its control characters. `\\s` differs between languages."""
SKU_PATTERN: Final = rf"^[^{_CONTROL}{_SPACE}](?:[^{_CONTROL}]*[^{_CONTROL}{_SPACE}])?$"
SKU_RULE: Final = "Any characters except control characters, with no white space at either end."
_WHOLE: Final = r"(?!\n)"
"""Python's `$` also matches before a last line feed, which JSON Schema's doesn't."""
_MINOR_UNIT: Final = "An integer in the currency's minor unit (ISO 4217): 1999 is 19.99 USD."

Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY, examples=[3])]
UnitAmount = Annotated[
    int, Meta(ge=0, le=MAX_UNIT_AMOUNT, description=_MINOR_UNIT, examples=[1999])
]
Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT, description=_MINOR_UNIT, examples=[5997])]
Currency = Annotated[
    str, Meta(pattern="^[A-Z]{3}$" + _WHOLE, description="ISO 4217 code.", examples=["USD"])
]
CurrencyInUse = Annotated[Currency, Meta(extra_json_schema={"enum": sorted(MINOR_UNIT_DIGITS)})]
CustomerIdText = Annotated[str, Meta(pattern=CUSTOMER_ID_PATTERN + _WHOLE, examples=["cus_42"])]
OrderIdText = Annotated[
    str, Meta(description="UUIDv7 (RFC 9562).", extra_json_schema={"format": "uuid"})
]
StatusText = Annotated[
    str,
    Meta(
        description="A later release may add statuses.",
        extra_json_schema={"enum": [status.value for status in OrderStatus]},
    ),
]
OrderNumberText = Annotated[
    str,
    Meta(
        description="The order id for people, on the phone and on paper. The last character finds"
        " typing errors. Paths take it in place of the id, in any case, with or without hyphens.",
        extra_json_schema={"pattern": ORDER_NUMBER_PATTERN},
    ),
]
Version = Annotated[int, Meta(ge=1, description="Incremented by each change.")]
Instant = Annotated[
    str,
    Meta(
        description="RFC 3339, UTC, to the millisecond.",
        extra_json_schema={"format": "date-time"},
    ),
]
Cursor = Annotated[
    str | None, Meta(description="Fetches the next page; null exactly at the end of the list.")
]
Metadata = Annotated[
    dict[
        Annotated[str, Meta(min_length=1, max_length=MAX_METADATA_KEY)],
        Annotated[str, Meta(max_length=MAX_METADATA_VALUE)],
    ],
    Meta(
        max_length=MAX_METADATA,
        description="The client's own notes; the platform doesn't interpret them.",
        examples=[{"channel": "web"}],
    ),
]


class OrderItemBody(
    msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """One line of an order."""

    sku: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_SKU,
            pattern=SKU_PATTERN + _WHOLE,
            description=SKU_RULE,
            examples=["MUG-01"],
        ),
    ]
    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME, examples=["Mug"])]
    quantity: Quantity
    unit_amount: UnitAmount

    @classmethod
    def of(cls, item: OrderItem) -> OrderItemBody:
        return cls(
            sku=item.sku, name=item.name, quantity=item.quantity, unit_amount=item.unit_amount
        )

    def to_domain(self) -> OrderItem:
        return OrderItem(
            sku=self.sku, name=self.name, quantity=self.quantity, unit_amount=self.unit_amount
        )


class NewOrderBody(
    msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """What a customer orders."""

    customer_id: CustomerIdText
    currency: CurrencyInUse
    items: Annotated[list[OrderItemBody], Meta(min_length=1, max_length=MAX_ITEMS)]
    metadata: Metadata = {}
    amount: (
        Annotated[
            Amount,
            Meta(description="Computed by the server; if sent, it must equal the items' total."),
        ]
        | UnsetType
    ) = UNSET
    payment_token: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=MAX_PAYMENT_TOKEN,
                description="Charge the order with it: the platform then settles the order by"
                " itself. Never returned.",
                examples=["tok_approve"],
                extra_json_schema={"writeOnly": True},
            ),
        ]
        | UnsetType
    ) = UNSET

    def to_domain(self) -> NewOrder:
        return NewOrder(
            customer_id=CustomerId(self.customer_id),
            currency=self.currency,
            items=tuple(item.to_domain() for item in self.items),
            metadata=self.metadata,
            amount=or_none(self.amount),
            payment_token=or_none(self.payment_token),
        )


class StatusChangeBody(
    msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """A merge patch (RFC 7396) of an order: only its status can change."""

    status: OrderStatus
    reason: (
        Annotated[
            str,
            Meta(
                max_length=MAX_REASON,
                description="Why; it goes into timeline and event. The platform's own reasons"
                " cannot be given.",
                examples=["changed my mind"],
                extra_json_schema={"not": {"enum": sorted(PLATFORM_REASONS)}},
            ),
        ]
        | UnsetType
    ) = UNSET


class OrderSummaryBody(msgspec.Struct, rename="camel", kw_only=True):
    """An order as lists show it."""

    order_id: OrderIdText
    order_number: OrderNumberText
    customer_id: str
    status: StatusText
    amount: Amount
    currency: Currency
    version: Version
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, order: OrderSummary) -> OrderSummaryBody:
        return cls(
            order_id=order.order_id,
            order_number=order_number(order.order_id),
            customer_id=order.customer_id,
            status=order.status,
            amount=order.amount,
            currency=order.currency,
            version=order.version,
            created_at=timestamps.to_text(order.created_at),
            updated_at=timestamps.to_text(order.updated_at),
        )


class OrderBody(msgspec.Struct, rename="camel", kw_only=True):
    """An order. Its version, which is also its ETag, identifies this body."""

    order_id: OrderIdText
    order_number: OrderNumberText
    customer_id: str
    status: StatusText
    amount: Amount
    currency: Currency
    items: list[OrderItemBody]
    metadata: dict[str, str]
    version: Version
    allowed_transitions: Annotated[
        list[OrderStatus], Meta(description="The statuses that the order can change to.")
    ]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, order: Order) -> OrderBody:
        return cls(
            order_id=order.order_id,
            order_number=order_number(order.order_id),
            customer_id=order.customer_id,
            status=order.status,
            amount=order.amount,
            currency=order.currency,
            items=[OrderItemBody.of(item) for item in order.items],
            metadata=dict(sorted(order.metadata.items())),
            version=order.version,
            allowed_transitions=list(order.allowed_transitions),
            created_at=timestamps.to_text(order.created_at),
            updated_at=timestamps.to_text(order.updated_at),
        )


class OrderPageBody(msgspec.Struct, rename="camel"):
    """One page of a list of orders; `nextCursor` is null exactly at the end of the list."""

    items: list[OrderSummaryBody]
    next_cursor: Cursor


class TimelineEventBody(msgspec.Struct, rename="camel", omit_defaults=True):
    """One event of an order: what changed, when and by whom."""

    version: Version
    status: StatusText
    previous_status: StatusText | None
    actor: Annotated[str, Meta(description="`customer`, `staff` or `system:{function}`.")]
    reason: str | None
    changed_at: Instant
    actor_id: (
        Annotated[str, Meta(description="The member of staff; shown to staff only.")] | UnsetType
    ) = UNSET

    @classmethod
    def of(cls, event: OrderEvent, caller: Caller) -> TimelineEventBody:
        staff_id = event.actor.staff_id if caller.is_staff else None
        return cls(
            version=event.version,
            status=event.status,
            previous_status=event.previous_status,
            actor=event.actor.name,
            reason=event.reason,
            changed_at=timestamps.to_text(event.recorded_at),
            actor_id=_or_unset(staff_id),
        )


class TimelinePageBody(msgspec.Struct, rename="camel"):
    """One page of an order's timeline; `nextCursor` is null exactly at its end."""

    items: list[TimelineEventBody]
    next_cursor: Cursor


class EventPageBody(msgspec.Struct, rename="camel"):
    """One page of the feed of all events.

    `nextCursor` is never null: send it next time. If an empty page returns the cursor that you
    sent, you have reached the current end.
    """

    items: list[CloudEvent]
    next_cursor: Annotated[str, Meta(description="The position to continue from.")]


class DailyReportBody(msgspec.Struct, rename="camel"):
    """Orders created on a UTC day, as of `generatedAt`.

    `orders` counts per currency and status; `cancellationReasons` counts the platform's own
    reasons, all others as `other`, and cancellations without one as `unspecified`; `leftOut` counts
    orders of the day that could not be read.
    """

    date: Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-11-23"])]
    generated_at: Instant
    orders: dict[str, dict[str, int]]
    revenue: Annotated[
        dict[str, int],
        Meta(
            description="Per currency, in its minor unit: the amounts of orders that are"
            f" {' or '.join(EARNING)}."
        ),
    ]
    cancellation_reasons: dict[str, int]
    left_out: int

    @classmethod
    def of(cls, report: DailyReport) -> DailyReportBody:
        return cls(
            date=report.day.isoformat(),
            generated_at=timestamps.to_text(report.generated_at),
            orders={
                currency: dict(sorted(counts.items()))
                for currency, counts in sorted(report.orders.items())
            },
            revenue=dict(sorted(report.revenue.items())),
            cancellation_reasons=dict(sorted(report.cancellation_reasons.items())),
            left_out=report.left_out,
        )


class HealthBody(msgspec.Struct):
    """The API responds."""

    status: Annotated[str, Meta(examples=["ok"])]
    version: Annotated[
        str, Meta(description="The deployed commit.", examples=["4f1c9d0a7b3e"], max_length=64)
    ]


def or_none(value: Value | UnsetType) -> Value | None:
    return None if value is UNSET else value


def _or_unset(value: Value | None) -> Value | UnsetType:
    """The value of an optional field, which is absent from the body, never null, without one."""
    return UNSET if value is None else value


_encode: Final = msgspec.json.Encoder().encode


def to_json(body: msgspec.Struct) -> str:
    return _encode(body).decode()


def order_json(order: Order) -> str:
    return to_json(OrderBody.of(order))


def order_page_json(orders: Sequence[OrderSummary], next_cursor: str | None) -> str:
    return to_json(OrderPageBody([OrderSummaryBody.of(order) for order in orders], next_cursor))
