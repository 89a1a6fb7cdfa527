"""Requests to the API, and the orders that they leave behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from uuid import uuid4

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smoke.target import Target

Json = dict[str, Any]

REASON: Final = "smoke test"
TIMEOUT_SECONDS: Final = 15
_ATTEMPTS: Final = 3
_SERVER_ERROR: Final = 500


class Create(NamedTuple):
    """A request that creates an order; sent again, it creates no second one."""

    token: str
    body: Json
    key: str


class Session:
    """One run's requests. Whatever order any of them creates is known, and can be canceled."""

    def __init__(
        self,
        target: Target,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """Proxies are the environment's, but for an API on this machine.

        Raises ValueError, ImportError: such a proxy can't be used.
        """
        self.target = target
        self.pause = pause
        self._http = httpx.Client(
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=not target.is_on_this_machine,
            headers={"User-Agent": "orders-smoke"},
        )
        self.made: dict[str, str] = {}
        """The orders that are not canceled yet, oldest first: by their ids, who created them."""
        self._undecided: dict[str, Create] = {}

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.__exit__()

    def send(
        self,
        method: str,
        path: str,
        token: str | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Raises httpx.TransportError."""
        sent = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self._http.request(
            method, self.target.api + path, json=json, headers=sent | dict(headers or {})
        )

    def create(self, body: Json, *, token: str | None = None, key: str = "") -> httpx.Response:
        """POST /orders, with a key of its own unless one is given. Raises httpx.TransportError."""
        one = Create(token or self.target.customer, body, key or f"smoke-{uuid4()}")
        self._undecided[one.key] = one
        response = self._create(one)
        if response.status_code < _SERVER_ERROR and not response.is_success:
            self._undecided.pop(one.key)
        return response

    def _create(self, one: Create) -> httpx.Response:
        headers = {"Idempotency-Key": one.key}
        response = self.send("POST", "/orders", one.token, one.body, headers)
        order_id = body_of(response).get("orderId")
        if response.is_success and isinstance(order_id, str):
            self.made[order_id] = one.token
            self._undecided.pop(one.key)
        return response

    def _decide(self, one: Create) -> bool:
        """Only the order, or a function's own refusal, tells: not one of the gateway's."""
        response = self._create(one)
        is_problem = response.headers.get("Content-Type") == "application/problem+json"
        if is_problem and response.status_code < _SERVER_ERROR:
            self._undecided.pop(one.key)
        return one.key not in self._undecided

    @property
    def left(self) -> list[str]:
        """The ids, or the keys, of orders that may not be canceled."""
        return [*self.made, *(f"of the key {key}" for key in self._undecided)]

    def cancel_all(self) -> None:
        """Cancel every order of this run, as far as that works.

        A create whose response was lost is sent again with its key, which tells its order.
        """
        for one in list(self._undecided.values()):
            self._until(lambda one=one: self._decide(one))  # type: ignore[misc]  # its default is its value
        for order_id in list(self.made):
            self._until(lambda order_id=order_id: self._cancel(order_id))  # type: ignore[misc]  # likewise

    def _cancel(self, order_id: str) -> bool:
        path, change = f"/orders/{order_id}", {"status": "CANCELED", "reason": REASON}
        # Whoever created it may, as long as it is PENDING, also where nobody is taken for staff.
        for token in dict.fromkeys((self.made[order_id], self.target.staff)):
            self.send("PATCH", path, token, change)
            # What was written counts, not what was said of it.
            if body_of(self.send("GET", path, token)).get("status") == "CANCELED":
                del self.made[order_id]
                return True
        return False

    def _until(self, done: Callable[[], bool]) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                if done():
                    return
            except httpx.HTTPError:  # lost, or a body that can't be decoded
                pass
            self.pause(attempt)


def body_of(response: httpx.Response) -> Json:
    """The JSON object of a response; an empty one if it has none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
