"""Clients that use the API as impatient people's programs do: at once, again and again.

Every create carries an id of its own in its metadata, and every change of status one as its
reason, so that what is found in the table can be traced to the request that asked for it.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx

from proof import oracle
from proof.checks.evidence import Operation
from proof.history import STAFF, Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from proof.history import Json

CALL_SECONDS: Final = 10.0
"""How long a client waits for a response."""

_ATTEMPTS: Final = 5
_RECENT: Final = 12
"""Orders that are still worth quarrelling about."""
_UNDECIDED: Final = frozenset({None, 429, 500, 502, 503, 504})
_LINES: Final = (1, 1, 1, 2, 5)
_ORDER_PATH: Final = 2
"""Slashes in the path of one order."""
_PAGES: Final = 12


_OF_CUSTOMERS: Final = tuple(
    status
    for status in oracle.STATUSES
    if any(oracle.customer_may_request(status, of=before) for before in oracle.TRANSITIONS)
)
"""What customers mostly ask for."""
_OTHER_ROUTES: Final = tuple(
    key.removeprefix("GET ")
    for key in oracle.ROUTES
    if key.startswith("GET ") and key not in set(Operation)
)


class Identity(NamedTuple):
    """Who a client is: its id or `staff`, its access token, and the customers it acts for."""

    name: str
    """The same in every run; ids are not."""
    caller: str
    token: str
    customers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What a client knows of an order: whose it is, and how it was seen last."""

    order_id: str
    customer: str
    status: str
    version: int
    created_at: str


@dataclass(slots=True)
class Notes:
    """What all clients write down: their calls, the orders that they met, requests to repeat."""

    started: float = field(default_factory=time.monotonic)
    began: float = field(default_factory=time.time)
    """The same moment in seconds since 1970."""
    calls: list[Call] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    keyed: list[tuple[str, str, str, Json]] = field(default_factory=list)
    """Caller, key, path and body of requests that were made with a key."""
    _ids: itertools.count[int] = field(default_factory=itertools.count)
    _lock: Lock = field(default_factory=Lock)

    def next_id(self) -> int:
        """Return a number that no other call has."""
        with self._lock:
            return next(self._ids)

    def now(self) -> float:
        """Return the seconds since the run began."""
        return time.monotonic() - self.started


class Client:
    """One worker with a caller's token: makes one call at a time, until told to stop."""

    twin: Client | None = None
    """The same caller's second connection, on which a request is sometimes sent as well."""

    def __init__(  # noqa: PLR0913 - who it is, whom it asks, and how
        self,
        name: str,
        identity: Identity,
        address: str,
        notes: Notes,
        seed: int,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Its choices follow from seed and name; `address` is the API's, or a proxy's before it."""
        self.name = name
        self.caller = identity.caller
        self.notes = notes
        self.choose = random.Random(f"{seed} {name}")  # noqa: S311 - to be repeatable
        self.customers = identity.customers
        self._serial = itertools.count(1)
        self._http = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {identity.token}"},
            timeout=CALL_SECONDS,
            trust_env=False,
            transport=transport,
        )

    def run(self, over: Callable[[], bool]) -> None:
        """Do one thing after another."""
        while not over():
            self.take_one_action()

    def take_one_action(self) -> None:
        """Draw one of the things that a client does, and do it."""
        actions = [self.create] * 6 + [self.get] * 4 + [self.walk] * 3 + [self.repeat] * 2
        actions += [self.change] * (12 if self.caller == STAFF else 4)
        actions += [self.reuse_key, self.look_around] + [self.timeline] * 2
        self.choose.choice(actions)()

    def create(self) -> None:
        """Place an order, with a key or without; repeated until it is decided."""
        key = self._request_id("key") if self._sometimes(0.7) else None
        self._persist("/orders", self._new_order(), key)

    def change(self) -> None:
        """Move a recent order along, perhaps from the version that was seen last."""
        order = self._recent_order()
        if order is None:
            return
        status = self.choose.choice(oracle.STATUSES)
        if self.caller != STAFF and self._sometimes(0.9):
            status = self.choose.choice(_OF_CUSTOMERS)
        elif self.caller == STAFF and self._sometimes(0.7):
            status = self.choose.choice(_mostly_onward(order.status))
        body = {"status": status, "reason": self._request_id("reason")}
        key = self._request_id("key") if self._sometimes(0.5) else None
        if_match = f'"{order.version}"' if self._sometimes(0.4) else None
        self._persist(f"/orders/{order.order_id}", body, key, if_match=if_match)

    def get(self) -> None:
        """Look at a recent order."""
        order = self._recent_order()
        if order is not None:
            self.read(f"/orders/{order.order_id}")

    def timeline(self) -> None:
        """Look at what became of it, sometimes in pages of one or two entries."""
        order = self._recent_order()
        if order is None:
            return
        path = f"/orders/{order.order_id}/timeline"
        if self._sometimes(0.3):
            self.walk_through(path, {"limit": self.choose.choice("12")}, _PAGES)
        else:
            self.read(path)

    def look_around(self) -> None:
        """Read a route that no other action knows by its name."""
        order = self._recent_order()
        if order is not None:
            path = self.choose.choice(_OTHER_ROUTES)
            self.read(path.format(orderId=order.order_id, customerId=order.customer))

    def repeat(self) -> None:
        """Send again, as somebody else with the same token might, what was sent with a key."""
        if known := self._keyed():
            key, path, body = known
            self._persist(path, body, key)

    def reuse_key(self) -> None:
        """Send another request under a key that was used."""
        if known := self._keyed():
            key, path, body = known
            changed = body | {"reason": self._request_id("reason")}
            other = self._new_order() if path == "/orders" else changed
            self._persist(path, other, key)

    def walk(self) -> None:
        """Go through a list, page by page."""
        query = {"limit": str(self.choose.choice((5, 5, 20, 100)))}
        if self._sometimes(0.5):
            query["sort"] = "createdAt"
        if self._sometimes(0.2):
            query |= self._window()
        if self.caller == STAFF and self._sometimes(0.6):
            path, query["status"] = "/orders", self.choose.choice(oracle.STATUSES)
        else:
            path = f"/customers/{self.choose.choice(self.customers)}/orders"
            kind = self.choose.choice(("plain", "consistent", "filtered"))
            if kind == "consistent":
                query["consistent"] = "true"
            elif kind == "filtered":
                query["status"] = self.choose.choice(oracle.STATUSES)
        self.walk_through(path, query, _PAGES)

    def walk_through(self, path: str, query: dict[str, str], pages: int) -> None:
        """Walk through one list until it ends, or for so many pages."""
        walk = self._request_id("walk")
        for _ in range(pages):
            call = self.read(path, query=query, walk=walk)
            cursor = json.loads(call.text)["nextCursor"] if call.status == httpx.codes.OK else None
            if cursor is None:
                return
            query = query | {"cursor": cursor}

    def read(
        self, path: str, *, query: dict[str, str] | None = None, walk: str | None = None
    ) -> Call:
        """GET, retried until there is a response that decides; return the last call."""
        for _ in range(_ATTEMPTS - 1):
            call = self.call("GET", path, query=query, walk=walk)
            if call.status not in _UNDECIDED:
                return call
        return self.call("GET", path, query=query, walk=walk)

    def call(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Json | None = None,
        key: str | None = None,
        if_match: str | None = None,
        walk: str | None = None,
    ) -> Call:
        """Make one call and write it down, also where no response came."""
        number = self.notes.next_id()
        headers = {"Idempotency-Key": key, "If-Match": if_match}
        start = self.notes.now()
        response: httpx.Response | None = None
        with suppress(httpx.TransportError):
            response = self._http.request(
                method,
                path,
                params=query,
                json=body,
                headers={name: value for name, value in headers.items() if value is not None},
            )
        call = Call(
            id=number,
            client=self.name,
            caller=self.caller,
            method=method,
            path=path,
            query=query or {},
            key=key,
            if_match=if_match,
            body=body,
            walk=walk,
            start=start,
            end=self.notes.now(),
            status=None if response is None else response.status_code,
            headers={} if response is None else dict(response.headers),
            text="" if response is None else response.text,
        )
        self.notes.calls.append(call)
        self._remember(call)
        return call

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _persist(
        self, path: str, body: Json, key: str | None, *, if_match: str | None = None
    ) -> None:
        """Ask until it is decided; sometimes twice at the same moment, as a double click does."""
        method = "POST" if path == "/orders" else "PATCH"
        if key is not None:
            self.notes.keyed.append((self.caller, key, path, body))
        asking = [self]
        if self.twin and self._sometimes(0.15) and (key or method == "PATCH"):
            asking.append(self.twin)

        def ask(client: Client) -> None:
            for _ in range(_ATTEMPTS):
                call = client.call(method, path, body=body, key=key, if_match=if_match)
                if call.status not in _UNDECIDED:
                    return

        with ThreadPoolExecutor(len(asking)) as threads:
            list(threads.map(ask, asking))

    def _new_order(self) -> Json:
        items = [
            self._content_of(oracle.ITEM)
            | {
                "sku": f"SKU-{number}",
                "quantity": self.choose.randint(1, 9),
                "unitAmount": self.choose.randint(0, 5000),
            }
            for number in range(self.choose.choice(_LINES))
        ]
        if self._sometimes(0.05):
            items[0]["sku"] = "OUT-OF-STOCK-1"
        body = self._content_of(oracle.ORDER) | {
            "customerId": self.choose.choice(self.customers),
            "items": items,
            "metadata": {"request": self._request_id("order")},
        }
        if self._sometimes(0.5):
            body["paymentToken"] = self.choose.choice(oracle.PAYMENT_TOKENS)
        return body

    def _content_of(self, fields: Mapping[str, oracle.Field]) -> Json:
        """All required fields, and each optional one sometimes."""
        return {
            name: self.choose.choice(field.sent)
            for name, field in fields.items()
            if field.sent and (field.default is oracle.REQUIRED or self._sometimes(0.5))
        }

    def _request_id(self, kind: str) -> str:
        return f"{kind}-{self.name}-{next(self._serial)}"

    def _recent_order(self) -> Order | None:
        """One of this caller's; staff's mostly one that can still change."""
        known = self.notes.orders[-_RECENT * (4 if self.caller == STAFF else 1) :]
        mine = [order for order in known if self.caller in {STAFF, order.customer}]
        if self.caller == STAFF and self._sometimes(0.8):
            mine = [order for order in mine if oracle.TRANSITIONS[order.status]] or mine
        return self.choose.choice(mine or known) if known else None

    def _keyed(self) -> tuple[str, str, Json] | None:
        mine = [one for one in self.notes.keyed[-_RECENT * 4 :] if one[0] == self.caller]
        return self.choose.choice(mine)[1:] if mine else None

    def _window(self) -> dict[str, str]:
        """From when one recent order was made, included, until another was, excluded."""
        moments = sorted(order.created_at for order in self.notes.orders[-_RECENT:])
        if not moments:
            return {}
        return {"createdFrom": moments[0], "createdTo": moments[-1]}

    def _sometimes(self, part: float) -> bool:
        return self.choose.random() < part

    def _remember(self, call: Call) -> None:
        """Keep what was learnt of an order at the end of the list, where it's recent."""
        is_order = call.path == "/orders" or call.path.count("/") == _ORDER_PATH
        if call.walk is None and is_order and call.status in {200, 201}:
            order = json.loads(call.text)
            known = Order(
                order["orderId"],
                order["customerId"],
                order["status"],
                order["version"],
                order["createdAt"],
            )
            if call.method != "GET" or oracle.TRANSITIONS[known.status]:
                self.notes.orders.append(known)


def _mostly_onward(status: str) -> tuple[str, ...]:
    """What staff mostly do with an order that they saw so: twice as often the next step."""
    allowed = oracle.TRANSITIONS[status]
    return (*allowed[:1], *allowed) or (status,)
