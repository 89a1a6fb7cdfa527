"""What comes in and what goes out, as pydantic models."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationInfo,
    computed_field,
    field_validator,
)
from pydantic.alias_generators import to_camel

from benchmarks.typical.currencies import CURRENCIES

MAX_AMOUNT = 10**15

CustomerId = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9._\-|:@+]{1,128}$")]
MetadataKey = Annotated[StrictStr, Field(min_length=1, max_length=40)]
MetadataValue = Annotated[StrictStr, Field(max_length=500)]


class OrderStatus(StrEnum):
    PENDING = "PENDING"
    PAID = "PAID"
    SHIPPED = "SHIPPED"
    CANCELED = "CANCELED"


TRANSITIONS: dict[OrderStatus, list[OrderStatus]] = {
    OrderStatus.PENDING: [OrderStatus.PAID, OrderStatus.CANCELED],
    OrderStatus.PAID: [OrderStatus.SHIPPED, OrderStatus.CANCELED],
    OrderStatus.SHIPPED: [],
    OrderStatus.CANCELED: [],
}


class RequestModel(BaseModel):
    """Unknown fields are refused. Python names inside, JSON's outside."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class OrderItemRequest(RequestModel):
    sku: Annotated[
        StrictStr,
        Field(
            max_length=64,
            pattern=r"^[^\p{Cc}\p{White_Space}](?:\P{Cc}*[^\p{Cc}\p{White_Space}])?$",
        ),
    ]
    name: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    quantity: Annotated[StrictInt, Field(ge=1, le=1_000_000)]
    unit_amount: Annotated[StrictInt, Field(ge=0, le=10**12)]


class CreateOrderRequest(RequestModel):
    customer_id: CustomerId
    currency: StrictStr
    items: Annotated[list[OrderItemRequest], Field(min_length=1, max_length=100)]
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=20)] = {}
    amount: Annotated[StrictInt, Field(ge=0, le=MAX_AMOUNT)] | None = None
    payment_token: Annotated[StrictStr, Field(min_length=1, max_length=200)] | None = None

    @field_validator("currency")
    @classmethod
    def is_in_use(cls, currency: str) -> str:
        if currency not in CURRENCIES:
            raise ValueError("not a currency code of ISO 4217")
        return currency

    @field_validator("items")
    @classmethod
    def are_affordable(cls, items: list[OrderItemRequest]) -> list[OrderItemRequest]:
        if total_of(items) > MAX_AMOUNT:
            raise ValueError(f"the items come to more than {MAX_AMOUNT}")
        return items

    @field_validator("amount")
    @classmethod
    def is_the_total(cls, amount: int | None, info: ValidationInfo) -> int | None:
        items = info.data.get("items")
        if amount is not None and items is not None and amount != total_of(items):
            raise ValueError(f"the items come to {total_of(items)}")
        return amount


class UpdateOrderRequest(RequestModel):
    status: OrderStatus
    reason: Annotated[StrictStr, Field(max_length=500)] | None = None


class ResponseModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class OrderItem(ResponseModel):
    sku: str
    name: str
    quantity: int
    unit_amount: int


class OrderSummary(ResponseModel):
    order_id: str
    customer_id: str
    status: OrderStatus
    amount: int
    currency: str
    version: int
    created_at: str
    updated_at: str


class Order(OrderSummary):
    """As it is answered; in the table it has a payment token and who changed it, besides."""

    items: list[OrderItem]
    metadata: dict[str, str]

    @computed_field  # type: ignore[prop-decorator]  # pydantic's documented form
    @property
    def allowed_transitions(self) -> list[OrderStatus]:
        return TRANSITIONS[self.status]


class OrderPage(ResponseModel):
    items: list[OrderSummary]
    next_cursor: str | None


class OrderResult(BaseModel):
    """What a write came to; kept under the idempotency key, if there is one."""

    order: Order
    replayed: bool = False


def total_of(items: list[OrderItemRequest]) -> int:
    return sum(item.quantity * item.unit_amount for item in items)


def timestamp() -> str:
    """Now, RFC 3339 in UTC, to the millisecond; texts sort as the instants do."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
