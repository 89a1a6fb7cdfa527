"""An order as the contract tells of it: what it is, how it changes, what its payment does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from proof import oracle
from proof.model.expected import JSON, Expected
from proof.oracle import instant
from proof.order_number import order_number

if TYPE_CHECKING:
    from datetime import datetime

SETTLEMENT: Final = "settle-payments"
"""The function that charges orders."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token speaks for."""

    id: str
    is_staff: bool

    def __repr__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Write:
    """What a POST, or a PATCH of an order, asks for."""

    caller: Caller
    content: dict[str, Any]
    key: str | None = None
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One version of an order, what it became, and by whom: an event."""

    order_id: str
    version: int
    status: str
    previous: str | None
    actor: str
    staff_id: str | None
    reason: str | None
    at: datetime

    @property
    def type(self) -> str:
        return oracle.event_type(self.status, self.previous)

    @property
    def place(self) -> str:
        """Where it stands in the feed."""
        return f"{instant(self.at)} {self.order_id} {self.version:010}"


@dataclass(slots=True)
class Order:
    """An order with its history, and with what its payment token has caused."""

    id: str
    content: dict[str, Any]
    changes: list[Change]
    money: str = "none"
    """`none`, `undecided`, `charged`, `refused` for good, or `refunded`."""
    attempts: int = 0
    is_reserved: bool = False
    is_paid_by_token: bool = False

    @property
    def customer_id(self) -> str:
        return str(self.content["customerId"])

    @property
    def token(self) -> str | None:
        return self.content.get("paymentToken")

    @property
    def amount(self) -> int:
        return oracle.amount_of(self.content["items"])

    @property
    def version(self) -> int:
        return self.changes[-1].version

    @property
    def status(self) -> str:
        return self.changes[-1].status

    @property
    def created_at(self) -> datetime:
        return self.changes[0].at

    def summary(self) -> dict[str, object]:
        body = self.body()
        return {name: body[name] for name in body.keys() & oracle.SUMMARY_FIELDS}

    def body(self) -> dict[str, object]:
        return oracle.as_sent(self.content, oracle.ORDER) | {
            "orderId": self.id,
            "orderNumber": order_number(self.id),
            "customerId": self.customer_id,
            "status": self.status,
            "amount": self.amount,
            "items": [oracle.as_sent(item, oracle.ITEM) for item in self.content["items"]],
            "version": self.version,
            "allowedTransitions": list(oracle.TRANSITIONS[self.status]),
            "createdAt": instant(self.created_at),
            "updatedAt": instant(self.changes[-1].at),
        }

    def response(self, status: int = 200) -> Expected:
        headers = JSON | {"ETag": f'"{self.version}"'}
        return Expected(status, headers, self.body(), (self.id, self.version))

    def try_to_pay(self) -> str | None:
        """Reserve, then charge: why the order can't be paid, if it can't."""
        if any(item["sku"].startswith("OUT-OF-STOCK") for item in self.content["items"]):
            return "out-of-stock"
        self.is_reserved = True
        if self.amount > 0 and self.money in {"none", "undecided"}:
            self.attempts += 1
            if self.token == "tok_unavailable" and self.attempts <= 2:
                self.money = "undecided"
            else:
                approves = self.token in {"tok_approve", "tok_unavailable"}
                self.money = "charged" if approves else "refused"
        return "payment-declined" if self.money == "refused" else None

    def give_back(self) -> None:
        """Refund and release, and refuse whatever charge may follow."""
        self.is_reserved = False
        self.money = "refunded" if self.money in {"charged", "refunded"} else "refused"
