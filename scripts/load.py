"""Five requests a second for a minute over the CRUD routes of the running local AWS (locust).

`make load` runs it. Each route is called a few times beforehand, outside the figures, so that
they tell of warm functions; it fails on any error and where a route's p95 reaches 300 ms.
"""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
from locust import HttpUser, constant_throughput, events, task

from demo import client, read_env
from local_stack import ROOT

if TYPE_CHECKING:
    from locust.env import Environment

MAX_P95_MS = 300
WARM_UP_CALLS = 5  # as many as users, and so as requests at a time
PERCENTILES = (0.5, 0.95, 0.99)

SETTINGS = read_env(ROOT / ".local" / "env")
CUSTOMER_ORDERS = f"/customers/{SETTINGS['CUSTOMER_ID']}/orders"
CUSTOMER = {"Authorization": f"Bearer {SETTINGS['CUSTOMER_TOKEN']}"}
STAFF = {"Authorization": f"Bearer {SETTINGS['STAFF_TOKEN']}"}
ORDER = {
    "customerId": SETTINGS["CUSTOMER_ID"],
    "currency": "USD",
    "items": [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}],
    "metadata": {"channel": "load"},
}


class Client(HttpUser):
    """One request a second: mostly new orders and looks at them."""

    host = SETTINGS["API_URL"]
    wait_time = constant_throughput(1)

    def on_start(self) -> None:
        """Have an order to look at."""
        self.pending: list[str] = []
        self.orders = [self.new_order()]

    def new_order(self) -> str:
        """Create an order, and return its id."""
        answer = self.client.post("/orders", json=ORDER, headers=CUSTOMER, name="POST /orders")
        order_id: str = answer.json()["orderId"]
        self.pending.append(order_id)
        return order_id

    @task(3)
    def create(self) -> None:
        """Create an order."""
        self.orders.append(self.new_order())

    @task(3)
    def read(self) -> None:
        """Read one of this client's orders."""
        order_id = random.choice(self.orders)  # noqa: S311 - no secret
        self.client.get(f"/orders/{order_id}", headers=CUSTOMER, name="GET /orders/{orderId}")

    @task(2)
    def list_own(self) -> None:
        """List the customer's orders."""
        self.client.get(
            CUSTOMER_ORDERS, headers=CUSTOMER, name="GET /customers/{customerId}/orders"
        )

    @task(2)
    def cancel(self) -> None:
        """Cancel a pending order; the same again is answered likewise."""
        order_id = self.pending.pop() if self.pending else self.new_order()
        self.client.patch(
            f"/orders/{order_id}",
            json={"status": "CANCELED"},
            headers=CUSTOMER,
            name="PATCH /orders/{orderId}",
        )

    @task(1)
    def timeline(self) -> None:
        """Read what became of an order."""
        order_id = random.choice(self.orders)  # noqa: S311 - no secret
        self.client.get(
            f"/orders/{order_id}/timeline",
            headers=CUSTOMER,
            name="GET /orders/{orderId}/timeline",
        )

    @task(1)
    def list_pending(self) -> None:
        """List what waits for payment, as staff."""
        self.client.get("/orders?status=PENDING", headers=STAFF, name="GET /orders?status=")


@events.init.add_listener  # type: ignore[untyped-decorator]  # locust declares no types here
def warm_up(**_: object) -> None:
    """Call each route several times at once, so that the emulator has processes for it."""
    with client(SETTINGS["API_URL"], SETTINGS["STAFF_TOKEN"]) as staff:
        try:
            made = staff.post("/orders", json=ORDER).raise_for_status().json()
        except httpx.HTTPError as error:
            raise SystemExit(f"{error}\nNothing answers, or tokens are old: make up") from error
        path = f"/orders/{made['orderId']}"

        def call(request: tuple[str, str, object]) -> httpx.Response:
            method, url, body = request
            return staff.request(method, url, json=body).raise_for_status()

        for request in (
            ("POST", "/orders", ORDER),
            ("GET", path, None),
            ("GET", CUSTOMER_ORDERS, None),
            ("PATCH", path, {"status": "PENDING"}),  # changes nothing
            ("GET", f"{path}/timeline", None),
            ("GET", "/orders?status=PENDING", None),
        ):
            with ThreadPoolExecutor(WARM_UP_CALLS) as pool:
                list(pool.map(call, [request] * WARM_UP_CALLS))


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # likewise
def report(environment: Environment, **_: object) -> None:
    """Print the table, and fail where a promise was broken."""
    entries = [
        *sorted(environment.stats.entries.values(), key=lambda e: e.name),
        environment.stats.total,
    ]
    sys.stdout.write(
        f"\n{'':<36} {'requests':>8} {'errors':>6} {'p50':>6} {'p95':>6} {'p99':>6} ms\n"
    )
    for entry in entries:
        p50, p95, p99 = (entry.get_response_time_percentile(p) or 0 for p in PERCENTILES)
        sys.stdout.write(
            f"{entry.name:<36} {entry.num_requests:>8} {entry.num_failures:>6} "
            f"{p50:>6.0f} {p95:>6.0f} {p99:>6.0f}\n"
        )
    slow = [e.name for e in entries if (e.get_response_time_percentile(0.95) or 0) >= MAX_P95_MS]
    failed = environment.stats.total.num_failures > 0 or environment.stats.total.num_requests == 0
    if slow:
        sys.stdout.write(f"p95 reached {MAX_P95_MS} ms: {', '.join(slow)}\n")
    environment.process_exit_code = 1 if slow or failed else 0
