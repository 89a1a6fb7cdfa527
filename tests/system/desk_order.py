"""An order at the desk, and the desk's connection to the platform."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from threading import Event
from typing import TYPE_CHECKING

from proof.proxy import OneCaller, Response, untouched
from system.browser import PATIENCE

if TYPE_CHECKING:
    from proof.proxy import PassOn, Request, Treatment
    from system.browser import Tab
    from system.deployment import Caller, Deployment, Json


def sign_in(tab: Tab, api_url: str, caller: Caller) -> None:
    """As the link that `make up` prints does."""
    tab.open(f"{api_url}/desk#token={caller.token}")
    tab.find("h1")


def show_order(tab: Tab, order: Json) -> None:
    """Go to the order at the desk that is open, and wait until it is there."""
    tab.open(f"{tab.address.partition('#')[0]}#/orders/{order['orderNumber']}")
    tab.see(order["orderId"])


def statuses(caller: Caller, order: Json) -> list[str]:
    """The statuses of the order's timeline, oldest first: one for each event."""
    return [event["status"] for event in caller.timeline(order["orderId"])]


class Connection(OneCaller):
    """The desk's connection to the platform; a test says what happens to what it sends."""

    def __init__(self, deployment: Deployment) -> None:
        """Everything passes."""
        self._stack = deployment.stack
        super().__init__(self._stack.endpoint)
        self.changes: list[Request] = []
        """Each request to change an order, as it came; a browser repeats some by itself."""
        self.treat_change: Treatment = untouched
        self.treat_read: Treatment = untouched

    @property
    def api_url(self) -> str:
        return self._stack.api_url.replace(self._stack.endpoint, self.endpoint)

    @property
    def keys(self) -> Counter[str]:
        """The idempotency keys that came, and how often."""
        return Counter(change.headers["Idempotency-Key"] for change in self.changes)

    async def _treat(self, request: Request, pass_on: PassOn) -> Response | None:
        if request.method != "PATCH":
            return await self.treat_read(request, pass_on)
        self.changes.append(request)
        return await self.treat_change(request, pass_on)


async def lost(_: Request, __: PassOn) -> None:
    """The request never arrives."""


async def without_response(request: Request, pass_on: PassOn) -> None:
    """The request arrives and takes effect; its response is lost."""
    await pass_on(request)


class Held:
    """A treatment: requests wait until they are let go; then they pass."""

    def __init__(self) -> None:
        self.came = Event()
        self.let_go = Event()

    async def __call__(self, request: Request, pass_on: PassOn) -> Response:
        self.came.set()
        assert await asyncio.to_thread(self.let_go.wait, PATIENCE)
        return await pass_on(request)


class Times:
    """A treatment: so many responses of the gateway's own, then requests pass."""

    def __init__(self, times: int, status: int, **headers: str) -> None:
        self.left = times
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._status = status

    async def __call__(self, request: Request, pass_on: PassOn) -> Response:
        if not self.left:
            return await pass_on(request)
        self.left -= 1
        body = json.dumps({"message": "as the gateway says it"}).encode()
        return Response(self._status, {"Content-Type": "application/json"} | self._headers, body)
