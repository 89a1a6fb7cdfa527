"""The function that settles payments, on a simulated queue, with a gateway that takes its time."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from examples import event_of, placed_order
from fakes import NOON, FakeInventory, FakePayments, InMemoryOrders
from orders.adapters.sqs import SqsConsumedQueue, event_body
from orders.application.errors import PaymentUnavailable
from orders.application.settle_payment import SettlePayment
from orders.domain.status import OrderStatus
from orders.functions import settle_payments
from orders.telemetry import background
from simulation.sqs import Killed, Queue

if TYPE_CHECKING:
    from datetime import datetime

    from orders.domain.order import Order
    from simulation.sqs import Rules

_CALLS_OF_THE_TABLE: Final = 0.02
"""Seconds that a settlement takes beside the charge."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong: the gateway is down for so long, every n-th invocation is killed.

    With hours to it, these are killed for so long only.
    """

    gateway_down_hours: float = 0
    killed_every: int | None = None
    killed_hours: float = math.inf


class _Gateway(FakePayments):
    def __init__(self, queue: Queue, seconds: float, trouble: Trouble) -> None:
        super().__init__()
        self.queue, self.seconds, self.trouble = queue, seconds, trouble
        self.attempts: list[float] = []

    def charge(self, order: Order, token: str) -> str:
        if (
            (every := self.trouble.killed_every)
            and self.queue.invocations % every == 0
            and self.queue.running.now < self.trouble.killed_hours * 3600
        ):
            raise Killed
        self.queue.running.spend(_CALLS_OF_THE_TABLE + self.seconds)
        self.attempts.append(self.queue.running.now)
        if self.queue.running.now < self.trouble.gateway_down_hours * 3600:
            raise PaymentUnavailable
        return super().charge(order, token)


@dataclass(frozen=True, slots=True)
class _Clock:
    queue: Queue

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.queue.running.now)


class Burst:
    """Orders that are placed at once; a charge takes `seconds`."""

    def __init__(
        self, rules: Rules, orders: int, seconds: float, trouble: Trouble | None = None
    ) -> None:
        random.seed(7)
        self.queue = Queue(rules)
        self.gateway = _Gateway(self.queue, seconds, trouble or Trouble())
        self.orders = InMemoryOrders()
        for _ in range(orders):
            order = placed_order(payment_token="tok")
            self.orders.orders[order.order_id] = order
            self.queue.send(event_body(event_of(order)))

    def run(self) -> Self:
        settle = SettlePayment(self.orders, self.gateway, FakeInventory(), _Clock(self.queue))
        failed = SqsConsumedQueue(self.queue, "events", "dead letters")
        handler = background(settle_payments.consumer(settle, failed))
        self.minutes = self.queue.run(handler) / 60
        return self

    @property
    def settled(self) -> int:
        return sum(order.status is OrderStatus.PAID for order in self.orders.orders.values())
