"""The clients, for locust: what a shop's customers and its staff ask for.

`run.py` starts locust with it, in a process of its own, and names one of the two kinds of clients.
Each request is written to `--responses`, one line of JSON.
"""

from __future__ import annotations

import random
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from locust import events, task
from locust.contrib.fasthttp import FastHttpUser

from benchmarks.load.responses import CREATE, TRY_AGAIN, UPDATE, Response
from demo import read_env

if TYPE_CHECKING:
    from argparse import ArgumentParser

GET: Final = "GET /orders/{orderId}"
LIST_OWN: Final = "GET /customers/{customerId}/orders"
TIMELINE: Final = "GET /orders/{orderId}/timeline"
LIST_PENDING: Final = "GET /orders"

PAUSES: Final = (1, 2, 4)
"""Seconds after each attempt; functions say Retry-After: 1."""


class Shopper(FastHttpUser):
    """A customer and the member of staff who serves them: mostly new orders and looks at them."""

    abstract = True

    def on_start(self) -> None:
        """Know nothing yet of any order."""
        options = self.environment.parsed_options
        settings = read_env(Path(options.env))
        self.customer_id = settings["CUSTOMER_ID"]
        self.customer = {"Authorization": f"Bearer {settings['CUSTOMER_TOKEN']}"}
        self.staff = {"Authorization": f"Bearer {settings['STAFF_TOKEN']}"}
        self.orders: list[str] = []
        self.pending: list[str] = []
        self.paid: list[str] = []

    @task(2)
    def create(self) -> None:
        """Make an order that waits for its payment."""
        if order_id := self._create():
            self.pending.append(order_id)

    @task(1)
    def create_and_pay(self) -> None:
        """Make an order that the platform charges by itself, behind the queue."""
        self._create(paymentToken="tok_approve")

    @task(3)
    def read(self) -> None:
        """Look at an order."""
        if order_id := self._known():
            self.client.get(f"/orders/{order_id}", headers=self.customer, name=GET)

    @task(2)
    def list_own(self) -> None:
        """Look at the customer's orders."""
        path = f"/customers/{self.customer_id}/orders"
        self.client.get(path, headers=self.customer, name=LIST_OWN)

    @task(1)
    def cancel(self) -> None:
        """As the customer, who thought better of it."""
        if self.pending:
            self._change(self.pending.pop(), "CANCELED", self.customer)
        else:
            self.create()

    @task(1)
    def pay_or_ship(self) -> None:
        """As staff, an order's next step."""
        if self.paid:
            self._change(self.paid.pop(), "SHIPPED", self.staff)
        elif self.pending:
            order_id = self.pending.pop()
            if self._change(order_id, "PAID", self.staff):
                self.paid.append(order_id)
        else:
            self.create()

    @task(1)
    def timeline(self) -> None:
        """Look at what became of an order."""
        if order_id := self._known():
            self.client.get(f"/orders/{order_id}/timeline", headers=self.customer, name=TIMELINE)

    @task(1)
    def list_pending(self) -> None:
        """As staff, look at what waits for its payment."""
        self.client.get("/orders?status=PENDING", headers=self.staff, name=LIST_PENDING)

    def _known(self) -> str | None:
        """Return one of the client's orders; where there is none yet, make one."""
        if not self.orders:
            self.create()
        return random.choice(self.orders) if self.orders else None  # noqa: S311 - no secret

    def _create(self, **more: str) -> str | None:
        order = {
            "customerId": self.customer_id,
            "currency": "USD",
            "items": [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}],
            "metadata": {"channel": "load"},
        }
        made = self._until_answered(
            "POST",
            "/orders",
            order | more,
            self.customer,
            name=CREATE,
            context={"paid_by_platform": "paymentToken" in more},
        )
        if made is None:
            return None
        order_id: str = made["orderId"]
        self.orders.append(order_id)
        return order_id

    def _change(self, order_id: str, status: str, caller: dict[str, str]) -> bool:
        path, context = f"/orders/{order_id}", {"order_id": order_id}
        body = {"status": status}
        changed = self._until_answered("PATCH", path, body, caller, name=UPDATE, context=context)
        return changed is not None

    def _until_answered(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        caller: dict[str, str],
        *,
        name: str,
        context: dict[str, Any],
    ) -> dict[str, Any] | None:
        """Return the order; None where the last attempt failed, too, or it was refused.

        What may have been done or not is repeated under the same key, as clients should.
        """
        key = str(uuid.uuid4())
        for pause in PAUSES:
            response = self.client.request(
                method,
                path,
                json=body,
                headers=caller | {"Idempotency-Key": key},
                name=name,
                context=context | {"key": key},
            )
            if response.status_code not in TRY_AGAIN:
                break
            time.sleep(pause)
        return response.json() if response.ok and response.status_code else None


class Steady(Shopper):
    """One request a second, each client at moments of its own.

    Clients with locust's constant_throughput, started together, would all ask at once each second.
    """

    def on_start(self) -> None:
        """Begin within the first second."""
        super().on_start()
        first = random.random()  # noqa: S311 - no secret
        self.due = time.monotonic() + first
        time.sleep(first)

    def wait_time(self) -> float:
        """Return the seconds until the next request."""
        self.due += 1
        return max(0.0, self.due - time.monotonic())


class Hurried(Shopper):
    """The next request as soon as the last one was answered."""


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # locust declares no types here
def add_arguments(parser: ArgumentParser, **_: object) -> None:
    """Say where the stack's addresses and tokens are, and where the responses go."""
    parser.add_argument("--env", required=True)
    parser.add_argument("--responses", required=True)


@events.init.add_listener  # type: ignore[untyped-decorator]  # likewise
def write_responses(environment: Any, **_: object) -> None:  # noqa: ANN401 - locust's
    """Write each request down when it is answered."""
    encode = msgspec.json.Encoder().encode
    responses = Path(environment.parsed_options.responses).open("wb")  # noqa: SIM115 - until the end

    def write(**request: Any) -> None:  # noqa: ANN401 - locust's
        responses.write(encode(_response(**request)) + b"\n")

    environment.events.request.add_listener(write)
    environment.events.quit.add_listener(lambda **_: responses.close())


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # likewise
def fail_on_exceptions(environment: Any, **_: object) -> None:  # noqa: ANN401 - locust's
    """Locust goes on where a client's own code is wrong; the load would not be what it says."""
    if environment.runner.exceptions:
        environment.process_exit_code = 3


def _response(  # noqa: PLR0913 - what locust tells of a request
    *,
    name: str,
    start_time: float,
    response_time: float,
    response: Any,  # noqa: ANN401 - locust's, it has no types
    exception: Exception | None,
    context: dict[str, Any],
    **_: object,
) -> Response:
    """Return what is kept of a request that locust reports."""
    order: dict[str, Any] = {}
    if name in {CREATE, UPDATE} and exception is None:
        body = response.json()
        order = {"order_id": body["orderId"], "version": body["version"]}
    return Response(
        at=start_time,
        milliseconds=response_time,
        route=name,
        status=response.status_code,
        request_id=(response.headers or {}).get("x-request-id"),
        error=None if exception is None else f"{type(exception).__name__}: {exception}",
        **(context | order),
    )
