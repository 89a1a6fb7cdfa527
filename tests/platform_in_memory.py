"""The platform over fakes, as an HTTP client meets it: gateway, functions and settlement."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeAlias

import httpx

from api import Api
from fakes import FakeInventory, FakePayments
from gateway import CUSTOMER_CLAIMS, STAFF_CLAIMS, request, token
from orders.application.settle_payment import SettlePayment
from orders.domain.status import OrderStatus
from proof.oracle import ROUTES, Audience

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from orders.domain.order_id import OrderId

ADDRESS: Final = "https://api.example.com"
WITH_TOKEN: Final = frozenset(
    key for key, route in ROUTES.items() if route.audience is not Audience.EVERYONE
)

PassOn: TypeAlias = "Callable[[httpx.Request], httpx.Response]"
Treatment: TypeAlias = "Callable[[httpx.Request, PassOn], httpx.Response]"
"""What happens to a request on its way: passed on or not, and what becomes of the response."""


def untouched(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
    return pass_on(sent)


class PlatformInMemory(httpx.BaseTransport):
    """A transport. Time passes when the client pauses, and orders are settled meanwhile.

    The customer has an order of five minutes ago, which is canceled.
    """

    def __init__(self, treat: Treatment = untouched, *, takes_tokens: bool = True) -> None:
        expires = {"exp": int(time.time()) + 3600}
        self.claims = {
            token(claims): claims for claims in (CUSTOMER_CLAIMS | expires, STAFF_CLAIMS | expires)
        }
        self.customer, self.staff = self.claims
        self.treat = treat
        self.settles = True
        self.publishes = True
        self.api = Api(takes_tokens=takes_tokens)
        order = self.api.post().json
        self.api.patch(order["orderId"], {"status": "CANCELED"})
        self.api.clock.advance(minutes=5)
        self.payments = FakePayments()
        self._settle = SettlePayment(
            self.api.orders, self.payments, FakeInventory(), self.api.clock
        )

    def pause(self, seconds: float) -> None:
        self.api.clock.advance(seconds=seconds)
        for order_id, order in list(self.api.orders.orders.items()):
            if self.settles and order.status is OrderStatus.PENDING:
                self._settle(order_id)

    def published_at(
        self, _stage: str, _order_id: str, since: datetime, _pause: object
    ) -> datetime | None:
        """As the publisher's log tells it."""
        return since if self.publishes else None

    @property
    def left(self) -> list[OrderId]:
        """The orders that aren't canceled."""
        orders = self.api.orders.orders.items()
        return [order_id for order_id, one in orders if one.status is not OrderStatus.CANCELED]

    def handle_request(self, sent: httpx.Request) -> httpx.Response:
        response = self.treat(sent, self._pass_on)
        response.request = sent
        return response

    def _pass_on(self, sent: httpx.Request) -> httpx.Response:
        claims = self.claims.get(sent.headers.get("Authorization", "").removeprefix("Bearer "))
        event = request(
            sent.method,
            sent.url.raw_path.decode(),
            sent.read() or None,
            claims=claims,
            headers={
                name: sent.headers[name]
                for name in ("idempotency-key", "if-match", "if-none-match", "content-type")
                if name in sent.headers
            },
        )
        if event["routeKey"].replace("HEAD ", "GET ") in WITH_TOKEN and claims is None:
            return httpx.Response(401, json={"message": "Unauthorized"})
        response = self.api.send(event)
        is_empty = sent.method == "HEAD"
        return httpx.Response(
            response.status, headers=response.headers, text="" if is_empty else response.text
        )
