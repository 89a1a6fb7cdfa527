"""The pages of the lists, of a timeline and of the feed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from examples import BY_STAFF, CUS_42, event_of, placed_order
from fakes import NOON
from gateway import CUSTOMER_CLAIMS, STAFF_CLAIMS, path_part, query_string
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.order_id import OrderId
from orders.domain.status import OrderStatus
from proof.oracle import (
    FEED_PAGE_SIZE,
    FIRST_STATUS,
    MOST_ON_A_FEED_PAGE,
    MOST_ON_A_PAGE,
    PAGE_SIZE,
    SUMMARY_FIELDS,
)
from proof.order_number import order_number
from sample_requests import KEYS, parameters

if TYPE_CHECKING:
    from datetime import datetime

    from api import Response

MINE, QUEUE = "/customers/cus_42/orders", "/orders"
TIMELINE, FEED = "/orders/{orderId}/timeline", "/events"
ROUTES = {
    MINE: "GET /customers/{customerId}/orders",
    **{path: f"GET {path}" for path in (QUEUE, TIMELINE, FEED)},
}
SYSTEM = Actor.system("settle-payments")


class Shop(Api):
    """With orders of cus_42, one a second from noon on, all old enough for the feed."""

    def __init__(self, count: int = 5, public_address: str = "") -> None:
        super().__init__(public_address)
        for second in range(count):
            self.add(NOON + timedelta(seconds=second))
        self.clock.advance(hours=1)

    def add(self, created_at: datetime, customer_id: str = CUS_42) -> OrderId:
        order = placed_order(created_at, customer_id=customer_id)
        self.orders.orders[order.order_id] = order
        self.orders.events[order.order_id, order.version] = event_of(order)
        return order.order_id

    def tell(self, versions: int) -> OrderId:
        """Write the oldest order's timeline, whose versions are made by three actors in turn."""
        order = self.orders.orders[self.ids[0]]
        for version in range(1, versions + 1):
            self.orders.events[order.order_id, version] = replace(
                event_of(order),
                version=version,
                status=OrderStatus.PENDING if version == 1 else OrderStatus.PAID,
                previous_status=None if version == 1 else OrderStatus.PENDING,
                actor=(CUSTOMER, BY_STAFF, SYSTEM)[(version - 1) % 3],
                reason=None if version == 1 else "because",
                recorded_at=NOON + timedelta(seconds=version),
            )
        return order.order_id

    def read(self, path: str, claims: Any = STAFF_CLAIMS, **query: str) -> Response:  # noqa: ANN401 - claims
        """A page; of the orders that are PENDING and of the oldest order's timeline."""
        of_status = {"status": FIRST_STATUS} if path == QUEUE else {}
        first = self.ids[0] if self.ids else ""
        return self.get(path.format(orderId=first) + query_string(**of_status | query), claims)

    @property
    def ids(self) -> list[OrderId]:
        return sorted(self.orders.orders)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def ids_of(response: Response) -> list[str]:
    """Of the orders, or of the orders that the events are of."""
    assert response.status == 200, response.text
    return [each.get("orderId") or each["subject"] for each in response.json["items"]]


def link_of(response: Response) -> str:
    """The next page's address; empty where there is none."""
    link = response.headers.get("Link", "")
    assert bool(link) == (response.json["nextCursor"] is not None)
    return link.removeprefix("<").removesuffix('>; rel="next"')


def walked(shop: Shop, page: Response, most: int) -> list[dict[str, Any]]:
    """What this page and those that follow show; none of them is empty."""
    met: list[dict[str, Any]] = page.json["items"]
    while link := link_of(page):
        page = shop.follow(link, STAFF_CLAIMS)
        assert page.json["items"]
        met += page.json["items"]
        assert len(met) <= most
    return met


OF_ORDERS = pytest.mark.parametrize("path", [MINE, QUEUE])
ALL = pytest.mark.parametrize("path", ROUTES)


class TestPage:
    @OF_ORDERS
    def test_a_list_shows_summaries_of_its_orders(self, path: str) -> None:
        shop = Shop(0)
        order = shop.post().json
        summary = {name: value for name, value in order.items() if name in SUMMARY_FIELDS}
        assert shop.read(path).json == {"items": [summary], "nextCursor": None}

    @ALL
    def test_a_page_may_be_kept_by_its_client_alone(self, shop: Shop, path: str) -> None:
        headers = shop.read(path).headers
        assert headers["Cache-Control"] == "private, no-cache"
        assert headers["Content-Type"] == "application/json"

    @OF_ORDERS
    def test_a_page_of_an_empty_list_is_the_last(self, path: str) -> None:
        response = Shop(0).read(path)
        assert (response.status, response.json) == (200, {"items": [], "nextCursor": None})
        assert "Link" not in response.headers

    @pytest.mark.parametrize(
        ("path", "usual", "most"),
        [
            *((path, PAGE_SIZE, MOST_ON_A_PAGE) for path in (MINE, QUEUE, TIMELINE)),
            (FEED, FEED_PAGE_SIZE, MOST_ON_A_FEED_PAGE),
        ],
    )
    def test_a_page_has_its_usual_size_unless_the_client_asks_for_another(
        self, path: str, usual: int, most: int
    ) -> None:
        for more in (-1, 0, 1):
            shop = Shop(1 if path == TIMELINE else usual + more)
            if path == TIMELINE:
                shop.tell(usual + more)
            response = shop.read(path)
            assert len(response.json["items"]) == min(usual, usual + more)
            if path != FEED:
                assert (response.json["nextCursor"] is None) == (more < 1)
        assert len(shop.read(path, limit=str(most)).json["items"]) == usual + 1
        for limit in (0, most + 1):
            assert shop.read(path, limit=str(limit)).problem == "malformed-request"

    @OF_ORDERS
    def test_orders_come_newest_first_unless_the_client_asks_otherwise(
        self, shop: Shop, path: str
    ) -> None:
        assert ids_of(shop.read(path)) == shop.ids[::-1]
        assert ids_of(shop.read(path, sort="-createdAt")) == shop.ids[::-1]
        assert ids_of(shop.read(path, sort="createdAt")) == shop.ids

    @ALL
    def test_the_parameters_of_other_routes_are_refused(self, shop: Shop, path: str) -> None:
        described = {each["name"] for key in KEYS for each in parameters(key)}
        own = {each["name"] for each in parameters(ROUTES[path]) if each["in"] == "query"}
        for name in described - own:
            assert shop.read(path, **{name: "1"}).problem == "malformed-request"


class TestWalk:
    @OF_ORDERS
    @pytest.mark.parametrize("sort", ["createdAt", "-createdAt"])
    @pytest.mark.parametrize("limit", [1, 2, 5, 6])
    def test_a_walk_by_links_meets_every_order_once(
        self, shop: Shop, path: str, sort: str, limit: int
    ) -> None:
        met = walked(shop, shop.read(path, sort=sort, limit=str(limit)), most=5)
        ids = sorted(shop.ids, reverse=sort == "-createdAt")
        assert [order["orderId"] for order in met] == ids

    @pytest.mark.parametrize("versions", range(6))
    def test_a_walk_by_links_meets_every_version_of_a_timeline_once(self, versions: int) -> None:
        shop = Shop(1)
        shop.orders.events.clear()
        shop.tell(versions)
        met = walked(shop, shop.read(TIMELINE, limit="2"), most=versions)
        assert [event["version"] for event in met] == [*range(1, versions + 1)]

    @pytest.mark.parametrize("limit", ["1", "2", "4", "5", "6", "1000"])
    def test_a_client_that_polls_the_feed_gets_every_event_once(
        self, shop: Shop, limit: str
    ) -> None:
        met: list[str] = []
        cursor: dict[str, str] = {}
        for _ in range(7):
            response = shop.read(FEED, STAFF_CLAIMS, limit=limit, **cursor)
            met += ids_of(response)
            cursor = {"cursor": response.json["nextCursor"]}
        assert met == shop.ids

    @OF_ORDERS
    def test_the_pages_of_a_walk_may_change_in_size(self, shop: Shop, path: str) -> None:
        first = shop.read(path, limit="1")
        more = {"consistent": "true"} if path == MINE else {}
        rest = shop.read(path, STAFF_CLAIMS, cursor=first.json["nextCursor"], limit="3", **more)
        assert ids_of(first) + ids_of(rest) == shop.ids[::-1][:4]

    @OF_ORDERS
    def test_a_link_keeps_the_window(self, shop: Shop, path: str) -> None:
        bounds = {"createdFrom": "2026-11-23T19:00:01.123+07:00"}
        bounds["createdTo"] = "2026-11-23T12:00:04.123Z"
        met = walked(shop, shop.read(path, STAFF_CLAIMS, limit="1", **bounds), most=3)
        assert [order["orderId"] for order in met] == shop.ids[1:4][::-1]

    def test_a_link_of_the_feed_keeps_its_filter(self, shop: Shop) -> None:
        page = shop.read(FEED, limit="3", recordedFrom="2026-11-23T12:00:01Z")
        assert ids_of(shop.follow(link_of(page), STAFF_CLAIMS)) == shop.ids[4:]

    def test_a_link_is_at_the_public_address(self) -> None:
        shop = Shop(public_address="https://shop.example/api")
        assert link_of(shop.read(MINE, limit="1")).startswith(
            "https://shop.example/api/customers/cus_42/orders?limit=1&cursor="
        )

    def test_a_link_escapes_the_customers_id(self) -> None:
        shop, customer_id = Shop(0), CustomerId("auth0|a:b@c+d")
        ids = [shop.add(NOON, customer_id), shop.add(NOON, customer_id)]
        claims = CUSTOMER_CLAIMS | {"sub": customer_id}
        page = shop.get(f"/customers/{path_part(customer_id)}/orders?limit=1", claims)
        assert ids_of(page) == ids[1:]
        assert ids_of(shop.follow(link_of(page), claims)) == ids[:1]


class TestCursor:
    @ALL
    @pytest.mark.parametrize("cursor", ["", "x", "=", "AAAA", "é", "a b", "A" * 5000, "%", "null"])
    def test_a_text_that_is_no_cursor_is_refused(self, shop: Shop, path: str, cursor: str) -> None:
        response = shop.read(path, cursor=cursor)
        assert (response.status, response.problem) == (400, "invalid-cursor")

    def test_a_cursor_fits_only_the_list_sort_and_filters_that_it_came_from(
        self, shop: Shop
    ) -> None:
        told = shop.ids[:2]
        for order_id in told:
            order = shop.orders.orders[order_id]
            shop.orders.events[order_id, 2] = replace(event_of(order), version=2, type="ORDER_PAID")
        for _ in range(2):
            shop.add(NOON, "cus_7")
        since, until = "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"
        created = [{"createdFrom": since}, {"createdTo": until}]
        recorded = [{"recordedFrom": since}, {"recordedTo": until}]
        lists: list[tuple[str, dict[str, str]]] = [
            *((MINE, query) for query in ({}, *created, created[0] | created[1])),
            *((MINE, query) for query in ({"sort": "createdAt"}, {"status": FIRST_STATUS})),
            *((QUEUE, {"status": FIRST_STATUS} | query) for query in ({}, created[0])),
            ("/customers/cus_7/orders", {}),
            *((f"/orders/{order_id}/timeline", {}) for order_id in told),
            *((FEED, query) for query in ({}, *recorded, recorded[0] | recorded[1])),
            *((FEED, {"type": kind}) for kind in ("ORDER_CREATED", "ORDER_PAID")),
        ]
        for of in lists:
            cursor = shop.read(of[0], STAFF_CLAIMS, limit="1", **of[1]).json["nextCursor"]
            assert cursor
            for path, query in lists:
                response = shop.read(path, STAFF_CLAIMS, cursor=cursor, **query)
                if (path, query) == of:
                    assert response.status == 200
                else:
                    assert (response.status, response.problem) == (400, "invalid-cursor")

    def test_a_cursor_that_does_not_fit_is_told_before_an_order_that_is_not_there(
        self, shop: Shop
    ) -> None:
        assert shop.read("/orders/none/timeline", cursor="x").problem == "invalid-cursor"

    def test_a_cursor_from_an_earlier_release_is_still_good(self) -> None:
        """A walk may go on after a deployment: what a cursor is made of may not change."""
        shop = Shop(0)
        ids = [OrderId(f"019ab0a6-3b5b-7000-8000-00000000000{last}") for last in (1, 2, 3)]
        for order_id in ids:
            shop.orders.orders[order_id] = replace(placed_order(), order_id=order_id)
        second = "MDE5YWIwYTYtM2I1Yi03MDAwLTgwMDAtMDAwMDAwMDAwMDAy"
        assert ids_of(shop.read(MINE, cursor=f"IBw9F0C_8GpD-cTR{second}")) == ids[:1]
        assert ids_of(shop.read(QUEUE, cursor=f"MGq-5b4lPFq2aaSa{second}")) == ids[:1]
        timeline = shop.read(TIMELINE, cursor="wAMQKsxpTXfNAs6zMQ")
        assert timeline.json == {"items": [], "nextCursor": None}
        shop = Shop()
        feed = "1iQOWDzGLEytNkezMjAyNi0xMS0yM1QxMjowMDowMi4xMjNa"
        assert ids_of(shop.read(FEED, cursor=feed)) == shop.ids[2:]

    @pytest.mark.parametrize(
        ("path", "query", "same"),
        [
            (MINE, {}, {"sort": "-createdAt"}),
            (
                MINE,
                {"createdFrom": "2026-11-23T12:00:00Z"},
                {"createdFrom": "2026-11-23T19:00:00.000+07:00"},
            ),
            (FEED, {}, {"recordedFrom": "1960-01-01T00:00:00Z"}),
        ],
    )
    def test_a_cursor_fits_the_same_list_in_other_words(
        self, shop: Shop, path: str, query: dict[str, str], same: dict[str, str]
    ) -> None:
        cursor = shop.read(path, STAFF_CLAIMS, limit="1", **query).json["nextCursor"]
        response = shop.read(path, STAFF_CLAIMS, limit="1", cursor=cursor, **same)
        assert ids_of(response) == [shop.ids[1 if path == FEED else -2]]


WINDOWS = pytest.mark.parametrize(
    ("path", "bounds"),
    [
        *((path, ("createdFrom", "createdTo")) for path in (MINE, QUEUE)),
        (FEED, ("recordedFrom", "recordedTo")),
    ],
)


class TestWindow:
    """The orders were made at 12:00:00.123, 12:00:01.123, ..., 12:00:04.123."""

    @WINDOWS
    @pytest.mark.parametrize(
        ("count", "instant"),
        [
            *((5, each) for each in ("1960-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59")),
            *((5, each) for each in ("2026-11-23T11:59:60Z", "2026-11-23T11:59:60.123Z")),
            (5, "2016-12-31T23:59:60Z"),
            *((4, f"2026-11-23T{each}") for each in ("11:59:60.1230001Z", "19:59:60.124+08:00")),
            *((3, f"2026-11-23T12:00:02{each}") for each in ("Z", ".1Z", ".122Z", ".1229999Z")),
            *((3, f"2026-11-23T12:00:02.123{each}") for each in ("Z", "0000Z", "-00:00")),
            *((3, f"2026-11-23T{each}") for each in ("19:00:02.123+07:00", "08:30:02.123-03:30")),
            *((2, f"2026-11-23T12:00:02{each}") for each in (".123000001Z", ".124Z", ".2Z")),
            (2, "2026-11-23t12:00:03z"),
            *((0, f"9999-12-31T23:59:{each}") for each in ("59.9999Z", "60Z", "59-23:59")),
        ],
    )
    def test_a_window_includes_its_start_and_excludes_its_end(
        self, shop: Shop, path: str, bounds: tuple[str, str], count: int, instant: str
    ) -> None:
        """A bound finer than a millisecond rounds up, at both ends."""
        start, end = bounds
        assert len(ids_of(shop.read(path, STAFF_CLAIMS, **{start: instant}))) == count
        assert len(ids_of(shop.read(path, STAFF_CLAIMS, **{end: instant}))) == 5 - count

    @WINDOWS
    def test_a_window_that_ends_before_it_starts_is_empty(
        self, shop: Shop, path: str, bounds: tuple[str, str]
    ) -> None:
        start, end = bounds
        window = {start: "2026-11-23T12:00:03Z", end: "2026-11-23T12:00:01Z"}
        assert shop.read(path, STAFF_CLAIMS, **window).json["items"] == []

    @WINDOWS
    @pytest.mark.parametrize(
        "text",
        [
            *("", "2026-11-23", "1795435200", "20261123T120000Z", "２０２６-11-23T12:00:00Z"),
            *("2026-11-23T12:00:00", "2026-11-23 12:00:00Z", "2026-11-23T12:00Z"),
            *("2026-11-23T12:00:61Z", "2026-11-31T23:59:60Z", "2026-11-31T12:00:00Z"),
            *("2026-13-01T12:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T12:60:00Z"),
            *("2026-11-23T12:00:00.Z", "2026-11-23T12:00:00,5Z", "2026-11-23T12:00:00Z\n"),
            *("2026-11-23T12:00:00 07:00", "2026-11-23T12:00:00+0700", "0000-01-01T00:00:00Z"),
            *("2026-11-23T12:00:00+24:00", "2026-11-23T12:00:00+07:60"),
            "2026-11-23T12:00:00." + "0" * 61 + "Z",
        ],
    )
    def test_a_bound_that_is_no_instant_is_refused(
        self, shop: Shop, path: str, bounds: tuple[str, str], text: str
    ) -> None:
        for name in bounds:
            response = shop.read(path, STAFF_CLAIMS, **{name: text})
            assert (response.status, response.problem) == (400, "malformed-request")
            assert name in response.json["detail"]


class TestCustomersList:
    def test_the_list_can_be_of_one_status(self, shop: Shop) -> None:
        paid = shop.ids[2]
        shop.patch(paid, {"status": "PAID"})
        assert ids_of(shop.read(MINE, status="PAID")) == [paid]
        assert paid not in ids_of(shop.read(MINE, status="PENDING"))

    def test_a_consistent_list_shows_an_order_at_once(self, shop: Shop) -> None:
        shop.orders.unindexed = {shop.ids[-1]}
        assert len(ids_of(shop.read(MINE))) == 4
        assert len(ids_of(shop.read(MINE, consistent="false"))) == 4
        assert ids_of(shop.read(MINE, consistent="true")) == shop.ids[::-1]

    @pytest.mark.parametrize("customer_id", ["a#b", "a b", "a/b", "c" * 129, "é", "\x00", "a\n"])
    def test_an_invalid_customer_id_is_refused(self, shop: Shop, customer_id: str) -> None:
        response = shop.read(f"/customers/{path_part(customer_id)}/orders")
        assert (response.status, response.problem) == (400, "malformed-request")


INVALID = {
    "limit": ["-1", "1.0", "ten", "", "1,2", "1e1", " 1", "٣", "9" * 5000, "+1"],
    "sort": ["", "amount", "createdat", "+createdAt", "createdAt,amount"],
    "status": ["", "paid", "PAID,PENDING", "NO_SUCH"],
    "consistent": ["", "1", "True", "yes", "true,true"],
    "type": ["", "PAID", "order_paid", "ORDER_TELEPORTED"],
}


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        (path, each["name"], value)
        for path, key in ROUTES.items()
        for each in parameters(key)
        for value in INVALID.get(each["name"], ())
    ],
)
def test_an_invalid_parameter_is_refused(shop: Shop, path: str, name: str, value: str) -> None:
    response = shop.read(path, STAFF_CLAIMS, **{name: value})
    assert (response.status, response.problem) == (400, "malformed-request")


def test_the_list_of_a_status_has_the_orders_of_all_customers_and_needs_a_status(
    shop: Shop,
) -> None:
    shop.add(NOON, "cus_7")
    assert len(ids_of(shop.read(QUEUE))) == 6
    assert shop.get(QUEUE, STAFF_CLAIMS).problem == "malformed-request"


class TestTimeline:
    def test_the_timeline_tells_what_happened_and_by_whom(self, shop: Shop) -> None:
        shop.tell(2)
        first = {
            "version": 1,
            "status": "PENDING",
            "previousStatus": None,
            "actor": "customer",
            "reason": None,
            "changedAt": "2026-11-23T12:00:01.123Z",
        }
        second = {
            "version": 2,
            "status": "PAID",
            "previousStatus": "PENDING",
            "actor": "staff",
            "reason": "because",
            "changedAt": "2026-11-23T12:00:02.123Z",
        }
        response = shop.read(TIMELINE, CUSTOMER_CLAIMS)
        assert response.json == {"items": [first, second], "nextCursor": None}

    def test_only_staff_are_told_which_member_of_staff_it_was(self, shop: Shop) -> None:
        shop.tell(3)
        told = [event.get("actorId") for event in shop.read(TIMELINE).json["items"]]
        assert told == [None, "ann", None]
        assert "ann" not in shop.read(TIMELINE, CUSTOMER_CLAIMS).text

    def test_a_walk_may_spell_the_order_by_id_and_by_number(self, shop: Shop) -> None:
        order_id = shop.tell(3)
        number = order_number(order_id)
        page = shop.get(f"/orders/{number}/timeline?limit=1")
        assert f"/orders/{order_id}/timeline?limit=1&cursor=" in link_of(page)
        for spelling in (order_id.upper(), number):
            cursor = page.json["nextCursor"]
            page = shop.get(f"/orders/{spelling}/timeline?limit=1&cursor={cursor}")
            assert page.status == 200
        assert (page.json["items"][0]["version"], page.json["nextCursor"]) == (3, None)


class TestFeed:
    def test_the_feed_has_the_cloud_events_that_the_queue_gets_in_order(self) -> None:
        shop = Shop(0)
        ids = [shop.post().json["orderId"] for _ in range(3)]
        shop.clock.advance(seconds=1)
        shop.patch(ids[0], {"status": "PAID", "reason": "by transfer"})
        shop.clock.advance(minutes=2)
        response = shop.read(FEED)
        events = sorted(
            shop.orders.events.values(), key=lambda event: (event.recorded_at, event.order_id)
        )
        assert response.json["items"] == [event.to_cloud_event() for event in events]
        types = [event["type"] for event in response.json["items"]]
        assert types == ["ORDER_CREATED"] * 3 + ["ORDER_PAID"]
        assert response.json["items"][3]["data"]["reason"] == "by transfer"
        assert "ann" not in response.text, "which member of staff it was is not told"
        assert ids_of(shop.read(FEED, type="ORDER_PAID")) == [ids[0]]
        assert ids_of(shop.read(FEED, type="ORDER_SHIPPED")) == []

    @pytest.mark.parametrize("count", [0, 5])
    def test_the_cursor_at_the_present_end_stays_until_there_is_more(self, count: int) -> None:
        shop = Shop(count)
        end = shop.read(FEED).json["nextCursor"]
        assert shop.read(FEED, cursor=end).json == {"items": [], "nextCursor": end}
        made = shop.post().json["orderId"]
        assert shop.read(FEED, cursor=end).json == {"items": [], "nextCursor": end}
        shop.clock.advance(seconds=61)
        assert ids_of(shop.read(FEED, cursor=end)) == [made]
