"""The clients, for locust: what a shop's customers and its staff ask for.

`run.py` starts locust with it, in a process of its own, and names one of the two kinds of clients.
Each response is written to `--responses`, one line of JSON.
"""

from __future__ import annotations

import random
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from locust import between, events, task
from locust.contrib.fasthttp import FastHttpUser

from benchmarks.load.counting import CREATE, PERCENTILES, TRY_AGAIN, UPDATE, Response
from gateway import order_body
from local_stack import read_env

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
        settings = read_env(Path(self.environment.parsed_options.env))
        self.customer_id = settings["CUSTOMER_ID"]
        self.customer = {"Authorization": f"Bearer {settings['CUSTOMER_TOKEN']}"}
        self.staff = {"Authorization": f"Bearer {settings['STAFF_TOKEN']}"}
        self.orders: list[str] = []
        self.pending: list[str] = []
        self.paid: list[str] = []

    @task(2)
    def create(self) -> None:
        if order_id := self._create():
            self.pending.append(order_id)

    @task(1)
    def create_and_pay(self) -> None:
        """The platform charges the order by itself, behind the queue."""
        self._create(paymentToken="tok_approve")

    @task(3)
    def read(self) -> None:
        if order_id := self._known():
            self.client.get(f"/orders/{order_id}", headers=self.customer, name=GET)

    @task(2)
    def list_own(self) -> None:
        path = f"/customers/{self.customer_id}/orders"
        self.client.get(path, headers=self.customer, name=LIST_OWN)

    @task(1)
    def cancel(self) -> None:
        if self.pending:
            self._change(self.pending.pop(), "CANCELED", self.customer)
        else:
            self.create()

    @task(1)
    def pay_or_ship(self) -> None:
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
        if order_id := self._known():
            self.client.get(f"/orders/{order_id}/timeline", headers=self.customer, name=TIMELINE)

    @task(1)
    def list_pending(self) -> None:
        self.client.get("/orders?status=PENDING", headers=self.staff, name=LIST_PENDING)

    def _known(self) -> str | None:
        """One of the client's orders; a new one where there is none yet."""
        if not self.orders:
            self.create()
        return random.choice(self.orders) if self.orders else None  # noqa: S311 - no secret

    def _create(self, **more: str) -> str | None:
        order = order_body(customerId=self.customer_id)
        by_token = "paymentToken" in more
        made = self._send(CREATE, "/orders", order | more, self.customer, paid_by_platform=by_token)
        if made is None:
            return None
        order_id: str = made["orderId"]
        self.orders.append(order_id)
        return order_id

    def _change(self, order_id: str, status: str, caller: dict[str, str]) -> bool:
        path, body = f"/orders/{order_id}", {"status": status}
        return self._send(UPDATE, path, body, caller, order_id=order_id) is not None

    def _send(
        self, name: str, path: str, body: dict[str, Any], caller: dict[str, str], **context: object
    ) -> dict[str, Any] | None:
        """The order; None where it was refused, or no attempt got a response.

        A request without a response is retried with the same key, as clients should.
        """
        key = str(uuid.uuid4())
        for pause in PAUSES:
            response = self.client.request(
                name.partition(" ")[0],
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
    """About one request a second, each client at moments of its own."""

    wait_time = between(0.5, 1.5)


class Hurried(Shopper):
    """The next request as soon as the response to the last one is there."""


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # locust declares no types here
def add_arguments(parser: ArgumentParser, **_: object) -> None:
    """The stack's addresses and tokens; where the responses go, and the times of each route."""
    for argument in ("--env", "--responses", "--times"):
        parser.add_argument(argument, required=True)


@events.init.add_listener  # type: ignore[untyped-decorator]  # likewise
def write_responses(environment: Any, **_: object) -> None:  # noqa: ANN401 - locust's
    """One line for each request, when its response is there; times when all are there."""
    encode, options = msgspec.json.Encoder().encode, environment.parsed_options
    responses = Path(options.responses).open("wb")  # noqa: SIM115 - until the end

    def write(**request: Any) -> None:  # noqa: ANN401 - locust's
        responses.write(encode(_response(**request)) + b"\n")

    def finish(**_: object) -> None:
        responses.close()
        stats = environment.stats
        times = {
            entry.name: [entry.get_response_time_percentile(p / 100) for p in PERCENTILES]
            for entry in (*stats.entries.values(), stats.total)
        }
        Path(options.times).write_bytes(encode(times))

    environment.events.request.add_listener(write)
    environment.events.quit.add_listener(finish)


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # likewise
def fail_on_exceptions(environment: Any, **_: object) -> None:  # noqa: ANN401 - locust's
    """Locust goes on where a client's own code is wrong; the load would not be what it says."""
    if environment.runner.exceptions:
        environment.process_exit_code = 3


def _response(
    *,
    name: str,
    response: Any,  # noqa: ANN401 - locust's, it has no types
    exception: Exception | None,
    context: dict[str, Any],
    **_: object,
) -> Response:
    """What is kept of a request that locust reports."""
    order: dict[str, Any] = {}
    if name in {CREATE, UPDATE} and exception is None:
        body = response.json()
        order = {"order_id": body["orderId"], "version": body["version"]}
    return Response(route=name, status=response.status_code, **(context | order))
