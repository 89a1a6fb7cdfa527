"""Pages of lists and of the feed, where there are more and more orders."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from benchmarks.growth.shops import BUYER, FULLEST, middle_of
from benchmarks.growth.wire import Wire
from gateway import STAFF_CLAIMS, request
from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.domain.order import FIRST_VERSION
from orders.functions import list_customer_orders, list_events, list_orders_by_status
from orders.functions.wiring import Wiring
from orders.http.cursor import encode_cursor
from orders.http.endpoint import endpoint
from orders.http.listing import feed_request, order_listing
from servers import INDEX, client_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.growth.curves import Curves, Point
    from benchmarks.growth.shops import Shop
    from gateway import Event
    from orders.telemetry import Handler


@dataclass(frozen=True, slots=True)
class List:
    """A list: its path and query, its function over a table, its size, a cursor to its middle."""

    path: str
    query: Mapping[str, str]
    function: Callable[[DynamoDbOrders], Handler]
    size: Callable[[Shop], int]
    to_middle: Callable[[Shop], str]

    def first(self, _: Shop) -> Event:
        """A request for the first page."""
        return self._request(self.query)

    def middle(self, shop: Shop) -> Event:
        """A request for the page that begins in the middle."""
        return self._request({**self.query, "cursor": self.to_middle(shop)})

    def _request(self, query: Mapping[str, str]) -> Event:
        return request("GET", f"{self.path}?{urlencode(query)}", claims=STAFF_CLAIMS)


def _orders(shop: Shop) -> int:
    return shop.size


def _among_orders(path: str, query: Mapping[str, str], partition: str) -> Callable[[Shop], str]:
    scope = order_listing(query, path, partition).scope
    return lambda shop: encode_cursor(scope, middle_of(shop).order_id)


def _events(shop: Shop) -> int:
    return shop.events


def _among_events(shop: Shop) -> str:
    scope, _ = feed_request({})
    order = middle_of(shop, shop.told)
    return encode_cursor(scope, keys.by_record(order.created_at, order.order_id, FIRST_VERSION))


_ADDRESS: Final = "https://api.example.com"
_OF_BUYER: Final = f"/customers/{BUYER}/orders"
_FULLEST: Final = {"status": FULLEST}


def _wiring(orders: DynamoDbOrders) -> Wiring:
    wiring = Wiring()
    vars(wiring).update(orders=orders, public_address=_ADDRESS, feed_delay=timedelta(0))
    return wiring


CUSTOMERS: Final = List(
    _OF_BUYER,
    {},
    lambda orders: endpoint(list_customer_orders.route(_wiring(orders))),
    _orders,
    _among_orders(_OF_BUYER, {}, f"customer {BUYER}"),
)
OF_STATUS: Final = List(
    "/orders",
    _FULLEST,
    lambda orders: endpoint(list_orders_by_status.route(_wiring(orders))),
    _orders,
    _among_orders("/orders", _FULLEST, "status"),
)
FEED: Final = List(
    "/events",
    {},
    lambda orders: endpoint(list_events.route(_wiring(orders))),
    _events,
    _among_events,
)


@contextmanager
def _quiet() -> Iterator[None]:
    """The routes run in this process, and would write a line for each request."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@_quiet()
def measure(server: str, shops: Sequence[Shop], rounds: int) -> Curves:
    """By the page; a size is the number of orders in the table, or of events.

    Calls, units and bytes are those of one page, seen through a proxy. Times are without it: of
    the route's own code and the emulator's answer, the median of rounds in which each page has
    its turn.
    """
    pages = {
        "customer_page_first": (CUSTOMERS, CUSTOMERS.first),
        "customer_page_middle": (CUSTOMERS, CUSTOMERS.middle),
        "status_page_first": (OF_STATUS, OF_STATUS.first),
        "status_page_middle": (OF_STATUS, OF_STATUS.middle),
        "feed_page_first": (FEED, FEED.first),
        "feed_page_middle": (FEED, FEED.middle),
    }
    curves: dict[str, dict[int, Point]] = defaultdict(dict)
    runs: list[tuple[str, int, Handler, Event]] = []
    with Wire(server) as wire:
        for name, (kind, event_of) in pages.items():
            for shop in shops:
                event, size = event_of(shop), kind.size(shop)
                watched = Table(client_of(wire.endpoint), shop.table.name)
                curves[name][size] = _page(wire, _handler(kind, watched), event)
                runs.append((name, size, _handler(kind, shop.table), event))
    seconds: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, size, handler, event in runs:
            started = time.perf_counter()
            handler(event, None)
            seconds[name, size].append(time.perf_counter() - started)
    return {
        name: {
            size: {**point, "milliseconds": median(seconds[name, size]) * 1000}
            for size, point in curve.items()
        }
        for name, curve in curves.items()
    }


def _page(wire: Wire, handler: Handler, event: Event) -> Point:
    with wire.traffic() as traffic:
        response = handler(event, None)
    if response["statusCode"] != 200:  # noqa: PLR2004
        raise RuntimeError(f"no page: {response['body']}")
    return {
        "calls": len(traffic.calls),
        "read_units": traffic.read_units,
        "bytes_in": traffic.bytes_in,
        "answer_bytes": len(response["body"].encode()),
    }


def _handler(kind: List, table: Table) -> Handler:
    return kind.function(DynamoDbOrders(table, INDEX))
