"""The lists of orders and the timeline over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from api import Api
from examples import CUS_42, event_of, placed_order
from fakes import NOON
from gateway import CUSTOMER_CLAIMS, OTHER_CLAIMS, STAFF_CLAIMS, path_part, query_string
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.order_id import OrderId
from orders.domain.status import OrderStatus
from proof.order_number import order_number

if TYPE_CHECKING:
    from datetime import datetime

    from api import Response

MINE = "/customers/cus_42/orders"
QUEUE = "/orders?status=PENDING"


class Shop(Api):
    """With orders of cus_42, one a second from noon on."""

    def __init__(self, count: int = 5, public_address: str = "") -> None:
        super().__init__(public_address)
        for second in range(count):
            self.add(NOON + timedelta(seconds=second))

    def add(self, created_at: datetime, customer_id: str = CUS_42) -> OrderId:
        order = placed_order(created_at, customer_id=customer_id)
        self.orders.orders[order.order_id] = order
        return order.order_id

    def mine(self, **query: str) -> Response:
        return self.get(MINE + query_string(**query))

    def pending(self, **query: str) -> Response:
        return self.get(f"/orders{query_string(status='PENDING', **query)}", STAFF_CLAIMS)

    @property
    def ids(self) -> list[OrderId]:
        return sorted(self.orders.orders)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def ids_of(response: Response) -> list[str]:
    assert response.status == 200, response.text
    return [order["orderId"] for order in response.json["items"]]


def link_of(response: Response) -> str:
    """The next page's address; empty where there is none."""
    link = response.headers.get("Link", "")
    assert bool(link) == (response.json["nextCursor"] is not None)
    return link.removeprefix("<").removesuffix('>; rel="next"')


def read(shop: Shop, target: str, **query: str) -> Response:
    """A page of either list."""
    return shop.mine(**query) if target == MINE else shop.pending(**query)


BOTH = pytest.mark.parametrize("target", [MINE, QUEUE])
THREE = pytest.mark.parametrize("target", [MINE, QUEUE, "timeline"])


class TestAPage:
    def test_holds_summaries(self, shop: Shop) -> None:
        order_id = shop.post().json["orderId"]
        response = shop.get(MINE + "?limit=100&createdFrom=2026-11-23T12:00:00.123Z")
        (found,) = [order for order in response.json["items"] if order["orderId"] == order_id]
        assert found == {
            "orderId": order_id,
            "orderNumber": order_number(order_id),
            "customerId": "cus_42",
            "status": "PENDING",
            "amount": 5997,
            "currency": "USD",
            "version": 1,
            "createdAt": "2026-11-23T12:00:00.123Z",
            "updatedAt": "2026-11-23T12:00:00.123Z",
        }

    @BOTH
    def test_is_not_to_be_kept_by_others(self, shop: Shop, target: str) -> None:
        headers = read(shop, target).headers
        assert headers["Cache-Control"] == "private, no-cache"
        assert headers["Content-Type"] == "application/json"

    @BOTH
    def test_of_an_empty_list_is_its_end(self, target: str) -> None:
        response = read(Shop(0), target)
        assert (response.status, response.json) == (200, {"items": [], "nextCursor": None})
        assert "Link" not in response.headers

    @BOTH
    @pytest.mark.parametrize(("count", "first"), [(19, 19), (20, 20), (21, 20)])
    def test_holds_twenty_orders_unless_told_otherwise(
        self, target: str, count: int, first: int
    ) -> None:
        response = read(Shop(count), target)
        assert len(ids_of(response)) == first
        assert (response.json["nextCursor"] is None) == (count <= 20)

    @BOTH
    def test_holds_a_hundred_at_most(self, target: str) -> None:
        assert len(ids_of(read(Shop(101), target, limit="100"))) == 100

    @THREE
    @pytest.mark.parametrize(
        "limit", ["0", "101", "-1", "1.0", "ten", "", "1,2", "1e1", " 1", "٣", "9" * 5000, "+1"]
    )
    def test_of_another_size_is_refused(self, shop: Shop, target: str, limit: str) -> None:
        if target == "timeline":
            response = shop.get(f"/orders/{shop.ids[0]}/timeline{query_string(limit=limit)}")
        else:
            response = read(shop, target, limit=limit)
        assert (response.status, response.problem) == (400, "malformed-request")

    @BOTH
    def test_comes_newest_first_unless_told_otherwise(self, shop: Shop, target: str) -> None:
        newest_first = shop.ids[::-1]
        assert ids_of(read(shop, target)) == newest_first
        assert ids_of(read(shop, target, sort="-createdAt")) == newest_first
        assert ids_of(read(shop, target, sort="createdAt")) == shop.ids

    @BOTH
    @pytest.mark.parametrize("sort", ["", "amount", "createdat", "+createdAt", "createdAt,amount"])
    def test_in_another_order_is_refused(self, shop: Shop, target: str, sort: str) -> None:
        assert read(shop, target, sort=sort).problem == "malformed-request"

    @BOTH
    @pytest.mark.parametrize("name", ["offset", "Limit", "customerId", "createdfrom", "\ud7ff"])
    def test_with_an_unknown_parameter_is_refused(self, shop: Shop, target: str, name: str) -> None:
        response = read(shop, target, **{name: "1"})
        assert (response.status, response.problem) == (400, "malformed-request")


class TestAWalk:
    @BOTH
    @pytest.mark.parametrize("sort", ["createdAt", "-createdAt"])
    @pytest.mark.parametrize("limit", range(1, 7))
    def test_by_links_meets_every_order_once(self, target: str, sort: str, limit: int) -> None:
        shop = Shop()
        claims = CUSTOMER_CLAIMS if target == MINE else STAFF_CLAIMS
        page = read(shop, target, sort=sort, limit=str(limit))
        met = ids_of(page)
        while link := link_of(page):
            page = shop.follow(link, claims)
            assert ids_of(page)
            met += ids_of(page)
            assert len(met) <= len(shop.ids)
        assert met == sorted(shop.ids, reverse=sort == "-createdAt")

    @BOTH
    def test_by_cursor_may_change_the_size_of_its_pages(self, shop: Shop, target: str) -> None:
        first = read(shop, target, limit="1")
        cursor = first.json["nextCursor"]
        assert (
            ids_of(first) + ids_of(read(shop, target, cursor=cursor, limit="3"))
            == (shop.ids[::-1][:4])
        )

    def test_may_become_consistent(self, shop: Shop) -> None:
        cursor = shop.mine(limit="1").json["nextCursor"]
        response = shop.mine(cursor=cursor, limit="100", consistent="true")
        assert ids_of(response) == shop.ids[::-1][1:]

    @BOTH
    def test_does_not_meet_orders_made_since_it_passed(self, shop: Shop, target: str) -> None:
        before = shop.ids[::-1]
        first = read(shop, target, limit="2")
        shop.add(NOON + timedelta(hours=1))
        rest = read(shop, target, cursor=first.json["nextCursor"])
        assert ids_of(first) + ids_of(rest) == before

    @BOTH
    def test_keeps_its_filters_in_the_link(self, shop: Shop, target: str) -> None:
        page = read(
            shop,
            target,
            limit="1",
            createdFrom="2026-11-23T19:00:01.123+07:00",
            createdTo="2026-11-23T12:00:04.123Z",
        )
        claims = CUSTOMER_CLAIMS if target == MINE else STAFF_CLAIMS
        met = ids_of(page)
        while link := link_of(page):
            page = shop.follow(link, claims)
            met += ids_of(page)
            assert len(met) <= len(shop.ids)
        assert met == shop.ids[1:4][::-1]

    def test_follows_links_at_the_public_address(self) -> None:
        shop = Shop(public_address="https://shop.example/api")
        assert link_of(shop.mine(limit="1")).startswith(
            "https://shop.example/api/customers/cus_42/orders?limit=1&cursor="
        )

    def test_of_a_customer_whose_id_needs_escaping_can_be_followed(self) -> None:
        shop, customer_id = Shop(0), CustomerId("auth0|a:b@c+d")
        ids = [shop.add(NOON, customer_id), shop.add(NOON, customer_id)]
        claims = CUSTOMER_CLAIMS | {"sub": customer_id}
        page = shop.get(f"/customers/{quote(customer_id, safe='')}/orders?limit=1", claims)
        assert ids_of(page) == ids[1:]
        assert ids_of(shop.follow(link_of(page), claims)) == ids[:1]


class TestACursor:
    @BOTH
    @pytest.mark.parametrize("cursor", ["", "x", "=", "AAAA", "é", "a b", "A" * 5000, "%", "null"])
    def test_that_is_none_is_refused(self, shop: Shop, target: str, cursor: str) -> None:
        response = read(shop, target, cursor=cursor)
        assert (response.status, response.problem) == (400, "invalid-cursor")

    def test_belongs_to_its_list_with_its_sort_and_filters(self, shop: Shop) -> None:
        shop.add(NOON, "cus_7")
        shop.add(NOON, "cus_7")
        since = {"createdFrom": "2026-11-23T00:00:00Z"}
        until = {"createdTo": "2026-11-24T00:00:00Z"}
        other = "/customers/cus_7/orders"
        lists: list[tuple[str, dict[str, str]]] = [
            (MINE, {}),
            (MINE, {"sort": "createdAt"}),
            (MINE, {"status": "PENDING"}),
            (MINE, since),
            (MINE, until),
            (MINE, since | until),
            (other, {}),
            ("/orders", {"status": "PENDING"}),
            ("/orders", {"status": "PENDING"} | since),
        ]

        def page(where: tuple[str, dict[str, str]], **more: str) -> Response:
            path, query = where
            return shop.get(path + query_string(**query, **more), STAFF_CLAIMS)

        for of in lists:
            cursor = page(of, limit="1").json["nextCursor"]
            assert cursor
            for where in lists:
                response = page(where, cursor=cursor)
                if where is of:
                    assert response.status == 200
                else:
                    assert (response.status, response.problem) == (400, "invalid-cursor")

    def test_that_is_none_is_told_before_the_order_that_is_none(self, shop: Shop) -> None:
        assert shop.get("/orders/none/timeline?cursor=x").problem == "invalid-cursor"

    def test_that_an_earlier_release_gave_is_still_good(self) -> None:
        """A walk may go on after a deployment: what a cursor is made of may not change."""
        shop = Shop(0)
        ids = [OrderId(f"019ab0a6-3b5b-7000-8000-00000000000{last}") for last in (1, 2, 3)]
        for order_id in ids:
            shop.orders.orders[order_id] = replace(placed_order(), order_id=order_id)
        second = "MDE5YWIwYTYtM2I1Yi03MDAwLTgwMDAtMDAwMDAwMDAwMDAy"
        assert ids_of(shop.mine(cursor=f"IBw9F0C_8GpD-cTR{second}")) == ids[:1]
        assert ids_of(shop.pending(cursor=f"MGq-5b4lPFq2aaSa{second}")) == ids[:1]
        timeline = shop.get(f"/orders/{ids[0]}/timeline?cursor=wAMQKsxpTXfNAs6zMQ")
        assert timeline.json == {"items": [], "nextCursor": None}

    def test_of_an_orders_list_is_none_of_a_timeline(self, shop: Shop) -> None:
        cursor = shop.mine(limit="1").json["nextCursor"]
        response = shop.get(f"/orders/{shop.ids[0]}/timeline?cursor={cursor}")
        assert (response.status, response.problem) == (400, "invalid-cursor")

    def test_of_the_default_order_is_the_same_spelled_out(self, shop: Shop) -> None:
        cursor = shop.mine(limit="1").json["nextCursor"]
        response = shop.mine(limit="1", sort="-createdAt", cursor=cursor)
        assert ids_of(response) == [shop.ids[::-1][1]]

    def test_of_the_same_window_in_another_offset_is_the_same(self, shop: Shop) -> None:
        page = shop.mine(limit="1", createdFrom="2026-11-23T12:00:00Z")
        cursor = page.json["nextCursor"]
        response = shop.mine(limit="1", createdFrom="2026-11-23T19:00:00.000+07:00", cursor=cursor)
        assert ids_of(response) == [shop.ids[::-1][1]]


class TestAWindow:
    """The orders were made at 12:00:00.123, 12:00:01.123, ..., 12:00:04.123."""

    @BOTH
    @pytest.mark.parametrize(
        ("since", "count"),
        [
            ("2026-11-23T12:00:02.123Z", 3),
            ("2026-11-23T12:00:02.1230000Z", 3),
            ("2026-11-23T12:00:02.123000001Z", 2),
            ("2026-11-23T12:00:02.1229999Z", 3),
            ("2026-11-23T12:00:02.122Z", 3),
            ("2026-11-23T12:00:02.124Z", 2),
            ("2026-11-23T12:00:02Z", 3),
            ("2026-11-23t12:00:03z", 2),
            ("2026-11-23T12:00:02.1Z", 3),
            ("2026-11-23T12:00:02.2Z", 2),
            ("2026-11-23T19:00:02.123+07:00", 3),
            ("2026-11-23T08:30:02.123-03:30", 3),
            ("2026-11-23T12:00:02.123-00:00", 3),
            ("1960-01-01T00:00:00Z", 5),
            ("0001-01-01T00:00:00+23:59", 5),
            ("2026-11-23T11:59:60Z", 5),
            ("2026-11-23T11:59:60.123Z", 5),
            ("2026-11-23T11:59:60.1230001Z", 4),
            ("2026-11-23T19:59:60.124+08:00", 4),
            ("2016-12-31T23:59:60Z", 5),
            ("9999-12-31T23:59:59.9999Z", 0),
            ("9999-12-31T23:59:60Z", 0),
            ("9999-12-31T23:59:59-23:59", 0),
        ],
    )
    def test_begins_with_its_first_instant_and_ends_before_its_last(
        self, shop: Shop, target: str, since: str, count: int
    ) -> None:
        """A bound finer than a millisecond rounds up, at both ends."""
        assert len(ids_of(read(shop, target, createdFrom=since))) == count
        assert len(ids_of(read(shop, target, createdTo=since))) == 5 - count

    @BOTH
    def test_that_ends_before_it_begins_is_empty(self, shop: Shop, target: str) -> None:
        response = read(
            shop, target, createdFrom="2026-11-23T12:00:03Z", createdTo="2026-11-23T12:00:01Z"
        )
        assert response.json == {"items": [], "nextCursor": None}

    @BOTH
    @pytest.mark.parametrize("name", ["createdFrom", "createdTo"])
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "2026-11-23",
            "2026-11-23T12:00:00",
            "2026-11-23 12:00:00Z",
            "2026-11-23T12:00Z",
            "2026-11-23T12:00:61Z",
            "2026-11-31T23:59:60Z",
            "2026-11-23T12:00:00.Z",
            "2026-11-23T12:00:00,5Z",
            "2026-11-23T12:00:00 07:00",
            "2026-11-23T12:00:00+0700",
            "2026-11-23T12:00:00+24:00",
            "2026-11-23T12:00:00+07:60",
            "2026-11-31T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T12:60:00Z",
            "0000-01-01T00:00:00Z",
            "20261123T120000Z",
            "1795435200",
            "２０２６-11-23T12:00:00Z",
            "2026-11-23T12:00:00Z\n",
            "2026-11-23T12:00:00." + "0" * 61 + "Z",
        ],
    )
    def test_bounded_by_no_instant_is_refused(
        self, shop: Shop, target: str, name: str, text: str
    ) -> None:
        response = read(shop, target, **{name: text})
        assert (response.status, response.problem) == (400, "malformed-request")
        assert name in response.json["detail"]


class TestTheCustomersList:
    def test_is_the_customers_and_staffs(self, shop: Shop) -> None:
        assert shop.get(MINE, STAFF_CLAIMS).status == 200
        response = shop.get(MINE, OTHER_CLAIMS)
        assert (response.status, response.problem) == (403, "forbidden")

    def test_can_be_filtered_by_status(self, shop: Shop) -> None:
        paid = shop.ids[2]
        shop.patch(paid, {"status": "PAID"})
        assert ids_of(shop.mine(status="PAID")) == [paid]
        assert paid not in ids_of(shop.mine(status="PENDING"))

    @pytest.mark.parametrize("status", ["", "paid", "PAID,PENDING", "REFUNDED"])
    def test_by_what_is_no_status_is_refused(self, shop: Shop, status: str) -> None:
        assert shop.mine(status=status).problem == "malformed-request"

    def test_shows_an_order_just_made_if_it_is_to_be_consistent(self, shop: Shop) -> None:
        shop.orders.unindexed = {shop.ids[-1]}
        assert len(ids_of(shop.mine())) == 4
        assert len(ids_of(shop.mine(consistent="false"))) == 4
        assert ids_of(shop.mine(consistent="true")) == shop.ids[::-1]

    @pytest.mark.parametrize("flag", ["", "1", "True", "yes", "true,true"])
    def test_with_another_flag_is_refused(self, shop: Shop, flag: str) -> None:
        assert shop.mine(consistent=flag).problem == "malformed-request"

    @pytest.mark.parametrize("customer_id", ["a#b", "a b", "a/b", "c" * 129, "é", "\x00", "a\n"])
    def test_of_what_is_no_customer_is_refused(self, shop: Shop, customer_id: str) -> None:
        response = shop.get(f"/customers/{path_part(customer_id)}/orders", STAFF_CLAIMS)
        assert (response.status, response.problem) == (400, "malformed-request")


class TestTheQueueOfAStatus:
    def test_is_for_staff(self, shop: Shop) -> None:
        response = shop.get(QUEUE)
        assert (response.status, response.problem) == (403, "forbidden")

    @pytest.mark.parametrize("target", ["/orders", "/orders?status=", "/orders?status=NEW"])
    def test_needs_a_status(self, shop: Shop, target: str) -> None:
        assert shop.get(target, STAFF_CLAIMS).problem == "malformed-request"

    def test_cannot_be_consistent(self, shop: Shop) -> None:
        assert shop.pending(consistent="true").problem == "malformed-request"

    def test_holds_the_orders_of_all_customers(self, shop: Shop) -> None:
        shop.add(NOON, "cus_7")
        assert len(ids_of(shop.pending())) == 6


class TestTheTimeline:
    def tell(self, shop: Shop, versions: int) -> OrderId:
        order = shop.orders.orders[shop.ids[0]]
        actors = [CUSTOMER, Actor("staff", "ann"), Actor.system("settle-payments")]
        for version in range(1, versions + 1):
            shop.orders.events[order.order_id, version] = replace(
                event_of(order),
                version=version,
                status=list(OrderStatus)[version % 4],
                previous_status=None if version == 1 else OrderStatus.PENDING,
                actor=actors[(version - 1) % 3],
                reason=None if version == 1 else "because",
                recorded_at=NOON + timedelta(seconds=version),
            )
        return order.order_id

    def test_tells_what_happened_and_by_whom(self, shop: Shop) -> None:
        order_id = self.tell(shop, 2)
        response = shop.get(f"/orders/{order_id}/timeline")
        assert response.json == {
            "items": [
                {
                    "version": 1,
                    "status": "PAID",
                    "previousStatus": None,
                    "actor": "customer",
                    "reason": None,
                    "changedAt": "2026-11-23T12:00:01.123Z",
                },
                {
                    "version": 2,
                    "status": "SHIPPED",
                    "previousStatus": "PENDING",
                    "actor": "staff",
                    "reason": "because",
                    "changedAt": "2026-11-23T12:00:02.123Z",
                },
            ],
            "nextCursor": None,
        }
        assert response.headers["Cache-Control"] == "private, no-cache"

    def test_tells_staff_who_of_staff_it_was(self, shop: Shop) -> None:
        order_id = self.tell(shop, 3)
        target = f"/orders/{order_id}/timeline"
        told = [entry.get("actorId") for entry in shop.get(target, STAFF_CLAIMS).json["items"]]
        assert told == [None, "ann", None]
        assert "ann" not in shop.get(target).text

    @pytest.mark.parametrize("versions", range(6))
    def test_walked_by_links_tells_each_version_once(self, shop: Shop, versions: int) -> None:
        order_id = self.tell(shop, versions)
        page = shop.get(f"/orders/{order_id}/timeline?limit=2")
        met = page.json["items"]
        while link := link_of(page):
            page = shop.follow(link)
            assert page.json["items"]
            met += page.json["items"]
            assert len(met) <= versions
        assert [entry["version"] for entry in met] == list(range(1, versions + 1))

    def test_of_somebody_elses_order_is_not_there(self, shop: Shop) -> None:
        target = f"/orders/{self.tell(shop, 1)}/timeline"
        assert shop.get(target, OTHER_CLAIMS).problem == "order-not-found"
        assert shop.get("/orders/none/timeline", STAFF_CLAIMS).problem == "order-not-found"

    @pytest.mark.parametrize("parameter", ["sort=createdAt", "consistent=true", "status=PAID"])
    def test_has_no_other_parameters(self, shop: Shop, parameter: str) -> None:
        response = shop.get(f"/orders/{self.tell(shop, 1)}/timeline?{parameter}")
        assert response.problem == "malformed-request"

    def test_is_walked_under_the_id_and_under_the_number(self, shop: Shop) -> None:
        order_id = self.tell(shop, 3)
        number = order_number(order_id)
        page = shop.get(f"/orders/{number}/timeline?limit=1")
        assert f"/orders/{order_id}/timeline?limit=1&cursor=" in (link_of(page) or "")
        for spelling in (order_id.upper(), number):
            cursor = page.json["nextCursor"]
            page = shop.get(f"/orders/{spelling}/timeline?limit=1&cursor={cursor}")
            assert page.status == 200
        assert (page.json["items"][0]["version"], page.json["nextCursor"]) == (3, None)

    def test_has_cursors_of_its_own_order_only(self, shop: Shop) -> None:
        cursor = shop.get(f"/orders/{self.tell(shop, 2)}/timeline?limit=1").json["nextCursor"]
        for target, status in ((shop.ids[0], 200), (shop.ids[1], 400)):
            assert shop.get(f"/orders/{target}/timeline?cursor={cursor}").status == status

    def test_is_complete_as_soon_as_the_order_is(self, shop: Shop) -> None:
        """The event is written with the change: there is nothing to wait for."""
        order_id = shop.post().json["orderId"]
        for status in ("PAID", "SHIPPED"):
            shop.patch(order_id, {"status": status})
        entries = shop.get(f"/orders/{order_id}/timeline").json["items"]
        assert [entry["status"] for entry in entries] == ["PENDING", "PAID", "SHIPPED"]


class TestTheFeed:
    @pytest.fixture
    def feed(self) -> Shop:
        """Three orders, one of them paid, two minutes later."""
        shop = Shop(0)
        ids = [shop.post().json["orderId"] for _ in range(3)]
        shop.clock.advance(seconds=1)
        assert shop.patch(ids[0], {"status": "PAID", "reason": "by transfer"}).status == 200
        shop.clock.advance(minutes=2)
        return shop

    def read(self, shop: Shop, **query: str) -> Response:
        response = shop.get(f"/events{query_string(**query)}", STAFF_CLAIMS)
        assert response.status == 200, response.text
        return response

    def types(self, response: Response) -> list[str]:
        return [event["type"] for event in response.json["items"]]

    def test_holds_the_cloud_events_that_the_queue_got_in_order(self, feed: Shop) -> None:
        response = self.read(feed)
        events = sorted(
            feed.orders.events.values(), key=lambda event: (event.recorded_at, event.order_id)
        )
        assert response.json["items"] == [event.to_cloud_event() for event in events]
        assert self.types(response) == ["ORDER_CREATED"] * 3 + ["ORDER_PAID"]
        assert response.json["items"][3]["data"]["reason"] == "by transfer"
        assert "ann" not in response.text, "who of staff it was is not told"
        assert response.headers["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize("limit", ["1", "2", "3", "4", "5", "1000"])
    def test_polled_by_cursor_shows_each_event_once(self, feed: Shop, limit: str) -> None:
        met: list[str] = []
        cursor: dict[str, str] = {}
        for _ in range(6):
            response = self.read(feed, limit=limit, **cursor)
            met += [event["id"] for event in response.json["items"]]
            cursor = {"cursor": response.json["nextCursor"]}
        assert len(met) == len(set(met)) == 4

    def test_has_a_cursor_at_its_present_end_which_stays_until_there_is_more(
        self, feed: Shop
    ) -> None:
        end = self.read(feed).json["nextCursor"]
        assert self.read(feed, cursor=end).json == {"items": [], "nextCursor": end}
        feed.post()
        assert self.read(feed, cursor=end).json == {"items": [], "nextCursor": end}
        feed.clock.advance(seconds=61)
        assert self.types(self.read(feed, cursor=end)) == ["ORDER_CREATED"]

    def test_has_a_cursor_where_nothing_was_ever_recorded(self) -> None:
        shop = Shop(0)
        response = self.read(shop)
        assert response.json["items"] == []
        assert self.read(shop, cursor=response.json["nextCursor"]).json == response.json

    def test_links_to_where_it_goes_on(self, feed: Shop) -> None:
        page = self.read(feed, limit="3", recordedFrom="2026-11-23T00:00:00Z")
        assert self.types(feed.follow(link_of(page), STAFF_CLAIMS)) == ["ORDER_PAID"]

    def test_can_be_of_one_type(self, feed: Shop) -> None:
        assert self.types(self.read(feed, type="ORDER_PAID")) == ["ORDER_PAID"]
        assert self.types(self.read(feed, type="ORDER_SHIPPED")) == []

    @pytest.mark.parametrize(
        ("since", "count"),
        [
            ("2026-11-23T12:00:00.123Z", 4),
            ("2026-11-23T12:00:00.1230001Z", 1),
            ("2026-11-23T19:00:01.123+07:00", 1),
            ("2026-11-23T12:00:01.124Z", 0),
            ("1960-01-01T00:00:00Z", 4),
            ("0001-01-01T00:00:00+23:59", 4),
            ("9999-12-31T23:59:59.9999Z", 0),
            ("9999-12-31T23:59:59-23:59", 0),
        ],
    )
    def test_can_be_bounded(self, feed: Shop, since: str, count: int) -> None:
        assert len(self.types(self.read(feed, recordedFrom=since))) == count
        assert len(self.types(self.read(feed, recordedTo=since))) == 4 - count

    def test_holds_a_hundred_unless_told_otherwise(self) -> None:
        shop = Shop(0)
        for _ in range(101):
            shop.post()
        shop.clock.advance(minutes=2)
        assert len(self.types(self.read(shop))) == 100
        assert len(self.types(self.read(shop, limit="1000"))) == 101

    @pytest.mark.parametrize(
        "query",
        ["limit=0", "limit=1001", "limit=9999", "type=ORDER_TELEPORTED", "type=", "type=order_paid",
         "recordedFrom=noon", "recordedTo=2026-11-23", "sort=recordedAt", "status=PAID",
         "createdFrom=2026-11-23T00:00:00Z", "consistent=true"],
    )  # fmt: skip
    def test_with_another_query_is_refused(self, feed: Shop, query: str) -> None:
        response = feed.get(f"/events?{query}", STAFF_CLAIMS)
        assert (response.status, response.problem) == (400, "malformed-request")

    @pytest.mark.parametrize("cursor", ["", "x", "=", "AAAA", "A" * 5000, "null"])
    def test_from_a_damaged_cursor_is_refused(self, feed: Shop, cursor: str) -> None:
        response = feed.get(f"/events{query_string(cursor=cursor)}", STAFF_CLAIMS)
        assert (response.status, response.problem) == (400, "invalid-cursor")

    def test_has_cursors_of_its_own_filters_only(self, feed: Shop) -> None:
        since, until = "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"
        filters: list[dict[str, str]] = [
            {},
            {"type": "ORDER_CREATED"},
            {"type": "ORDER_PAID"},
            {"recordedFrom": since},
            {"recordedTo": until},
            {"recordedFrom": since, "recordedTo": until},
        ]
        for of in filters:
            cursor = self.read(feed, limit="1", **of).json["nextCursor"]
            for where in filters:
                response = feed.get(f"/events{query_string(cursor=cursor, **where)}", STAFF_CLAIMS)
                assert response.status == (200 if where is of else 400)
        queue = feed.get(f"/orders?status=PENDING&cursor={cursor}", STAFF_CLAIMS)
        assert queue.problem == "invalid-cursor"

    def test_is_for_staff(self, feed: Shop) -> None:
        response = feed.get("/events")
        assert (response.status, response.problem) == (403, "forbidden")
        assert feed.get("/events", None).status == 401
