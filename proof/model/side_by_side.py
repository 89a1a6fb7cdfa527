"""The platform and its model, side by side: what is done to the one is done to the other.

Every response is compared whole with the one that the model gives.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway import path_part
from proof import oracle
from proof.model import comparison, inputs
from proof.model.draft import ANN, Draft
from proof.model.expected import ADDRESS, FEED, OF_CUSTOMER, OF_STATUS, Listing
from proof.model.faults import refusal
from proof.model.inputs import key_header, tag_list
from proof.model.model import Model
from proof.model.platform_under_test import Platform
from proof.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime, timedelta

    from api import Response
    from proof.model.expected import Expected
    from proof.model.faults import Fault
    from proof.model.inputs import Form, Moment
    from proof.model.order import Caller, Change, Write

FILTERED_READ: Final = 1
"""Orders that one query of a filtered page looks at: few, so that five are soon spent."""


_ALL: Final = 10_000


@dataclass
class Walk:
    """A list being read page by page; `before` is what was in it when the walk began."""

    caller: Caller
    listing: Listing
    query: dict[str, str]
    before: list[str]
    seen: list[str] = field(default_factory=list)
    cursor: str | None = None

    def __repr__(self) -> str:
        return f"<a walk through {self.listing.route}, {self.query}>"


class SideBySide:
    """One platform with an empty table, and one model."""

    def __init__(self) -> None:
        self.platform = Platform()
        self.model = Model(self.platform.clock.time, FILTERED_READ)
        self._turns = itertools.count()
        self._texts: dict[tuple[str, int], str] = {}
        self._stream: list[tuple[dict[str, Any], Change]] = []
        self._published = 0
        self._messages: defaultdict[str, list[str]] = defaultdict(list)
        self._waiting: list[str] = []

    def close(self) -> None:
        self.platform.close()

    def ask(
        self, draft: Draft, faults: Sequence[Fault], expected: Callable[[Response], Expected]
    ) -> Response:
        """Send the request, spoiled by its faults, and compare the response with the model."""
        for fault in faults:
            fault.spoil(draft)
        response = self.platform.api.send(draft.event())
        must_be = refusal(faults) or expected(response)
        comparison.of_responses(response, must_be)
        if must_be.next_page:
            comparison.of_links(response, draft)
            if cursor := response.json["nextCursor"]:
                known = self.model.cursors.setdefault(cursor, must_be.next_page)
                assert known == must_be.next_page, "a cursor is one position of one list"
        if must_be.text_of:
            assert self._texts.setdefault(must_be.text_of, response.text) == response.text
        return response

    def send(self, write: Write, form: Form) -> str | None:
        """The new order's id, if there is a new one."""
        version = self._version(write.order_id)
        tags, versions = tag_list(form.if_match, version)
        unwanted, _ = tag_list(form.unless, version)
        headers = {
            "content-type": form.media_type,
            **key_header(write.key, is_quoted=form.is_quoted),
            **({"if-match": tags} if tags else {}),
            **({"if-none-match": unwanted} if unwanted else {}),
        }
        is_new = write.order_id is None
        draft = Draft(
            "POST" if is_new else "PATCH",
            "/orders" if write.order_id is None else self._path_of(write.order_id),
            write.caller,
            headers=headers,
            content=write.content,
            spelling=form.spelling,
        )

        def expected(response: Response) -> Expected:
            if not is_new:
                return self.model.change(write, versions, is_unwanted=inputs.names_now(form.unless))
            chosen = response.json["orderId"] if response.status == 201 else None
            return self.model.create(write, chosen)

        before = len(self.model.orders)
        response = self.ask(draft, form.faults, expected)
        return str(response.json["orderId"]) if len(self.model.orders) > before else None

    def get(
        self,
        caller: Caller,
        order_id: str,
        if_match: list[str] | None,
        known: list[str] | None,
        faults: Sequence[Fault],
    ) -> None:
        draft = Draft("GET", self._path_of(order_id), caller)
        header, versions = tag_list(if_match, self._version(order_id))
        if header:
            draft.headers["if-match"] = header
        header, _ = tag_list(known, self._version(order_id))
        if header:
            draft.headers["if-none-match"] = header
        is_known = inputs.names_now(known)
        self.ask(
            draft,
            faults,
            lambda _: self.model.get(caller, order_id, versions, is_known=is_known),
        )

    def _version(self, order_id: str | None) -> int:
        """That of the order; any for one that is none."""
        order = self.model.orders.get(order_id or "")
        return order.version if order else 1

    def _path_of(self, order_id: str) -> str:
        """In turns by its id, by its id in capitals, and by its number."""
        spellings = (order_id, order_id.upper(), order_number(order_id) or order_id)
        return f"/orders/{spellings[next(self._turns) % 3]}"

    def read(
        self, caller: Caller, listing: Listing, query: dict[str, str], faults: Sequence[Fault] = ()
    ) -> Response:
        """A page of any list."""
        method, path = listing.route.split()
        path = path.format(orderId=listing.partition, customerId=path_part(listing.partition))
        size = oracle.FEED_PAGE_SIZE if listing.route == FEED else oracle.PAGE_SIZE
        draft = Draft(method, path, caller, query)
        limit, cursor = int(query.get("limit", size)), query.get("cursor")
        return self.ask(draft, faults, lambda _: self.model.page(caller, listing, limit, cursor))

    def follow_feed(self, query: dict[str, str]) -> None:
        """From page to page until the cursor moves no more: that is its end, for now."""
        listing = self.feed(query, {})
        cursor = None
        while True:
            page = self.read(ANN, listing, query | ({"cursor": cursor} if cursor else {})).json
            if page["nextCursor"] == cursor:
                assert page["items"] == []
                return
            cursor = page["nextCursor"]

    def feed(self, query: dict[str, str], window: dict[str, Moment]) -> Listing:
        """The feed that the query names; the window's bounds are added to the query."""
        bounds = self._bounds(query, window, [change.at for change in self.model.committed])
        since, until = bounds.get("recordedFrom"), bounds.get("recordedTo")
        return Listing(FEED, type=query.get("type"), since=since, until=until)

    def listing(
        self,
        customer: Caller | None,
        query: dict[str, str],
        window: dict[str, Moment] | None = None,
    ) -> Listing:
        """The list that the query names; the window's bounds are added to the query."""
        created = [order.created_at for order in self.model.orders.values()]
        bounds = self._bounds(query, window or {}, created)
        return Listing(
            route=OF_CUSTOMER if customer else OF_STATUS,
            partition=customer.id if customer else "",
            newest_first=query.get("sort") != "createdAt",
            status=query.get("status"),
            since=bounds.get("createdFrom"),
            until=bounds.get("createdTo"),
        )

    @staticmethod
    def _bounds(
        query: dict[str, str], window: dict[str, Moment], known: Sequence[datetime]
    ) -> dict[str, int]:
        """In milliseconds; each is added to the query."""
        bounds: dict[str, int] = {}
        for name, moment in window.items():
            query[name], bounds[name] = moment.resolve(known)
        return bounds

    def cursor(self, which: int | None) -> dict[str, str]:
        """One of the cursors that were given, of whatever list, as a query; 0 is a damaged one."""
        given = list(self.model.cursors)
        if which is None or not given:
            return {}
        cursor = given[-which % len(given)]
        if which == 0:
            cursor = cursor[:-1] + ("B" if cursor.endswith("A") else "A")
        return {"cursor": cursor}

    def cursors_of_orders(self) -> list[tuple[str, Listing]]:
        """Those that lists of orders gave, and these lists."""
        return [
            (cursor, page.listing)
            for cursor, page in self.model.cursors.items()
            if page.listing.route in {OF_CUSTOMER, OF_STATUS}
        ]

    def begin_a_walk(
        self,
        customer: Caller | None,
        query: dict[str, str],
        window: dict[str, Moment] | None = None,
    ) -> Walk:
        """Through a customer's list, or through that of a status."""
        listing = self.listing(customer, query, window)
        walk = Walk(customer or ANN, listing, query, self._members(listing))
        self._advance(walk)
        return walk

    def go_on_with(self, walk: Walk, pages: int) -> None:
        """So many pages at most; from the start if it is over."""
        if walk.cursor is None:
            walk.before, walk.seen = self._members(walk.listing), []
        for _ in range(pages):
            self._advance(walk)
            if walk.cursor is None:
                return

    def _advance(self, walk: Walk) -> None:
        query = walk.query | ({"cursor": walk.cursor} if walk.cursor else {})
        page = self.read(walk.caller, walk.listing, query).json
        walk.seen += [order["orderId"] for order in page["items"]]
        walk.cursor = page["nextCursor"]
        if walk.cursor is None:
            assert len(set(walk.seen)) == len(walk.seen), "a walk repeats no order"
            stayed = set(walk.before) & set(self._members(walk.listing))
            assert stayed <= set(walk.seen), "a walk skips no order that stayed in its list"

    def _members(self, listing: Listing) -> list[str]:
        listed = self.model.listed(listing)
        return [order.id for order in listed if listing.status in {None, order.status}]

    def read_what_is_public(self, path: str) -> None:
        draft = Draft("GET", path, None)
        response = self.platform.api.send(draft.event())
        assert response.status == 200
        if path == "/health":
            assert response.json == {"status": "ok", "version": "unknown"}
            assert response.headers["Cache-Control"] == "no-store"
            return
        if path == "/openapi.json":
            assert response.json["openapi"].startswith("3.1.")
            assert response.json["servers"] == [{"url": ADDRESS}]
        draft.headers["if-none-match"] = response.headers["ETag"]
        again = self.platform.api.send(draft.event())
        assert (again.status, again.text) == (304, "")

    def move_clock(self, by: timedelta) -> None:
        self.platform.clock.time += by
        self.model.now += by

    def publish(self, number: int, again: int) -> None:
        """A batch of the stream, of which `again` records were delivered before."""
        records = self._batch(self._published, number, again)
        before = len(self.platform.queue.messages)
        self.platform.publish([record for record, _ in records])
        sent = self.platform.queue.messages[before:]
        events = [self.model.event(change) for _, change in records]
        assert [json.loads(message["MessageBody"]) for message in sent] == events
        for message, event in zip(sent, events, strict=True):
            kind = {"DataType": "String", "StringValue": event["type"]}
            assert message["MessageAttributes"] == {"type": kind}
            assert len(message["MessageBody"].encode()) < 4096
            self._messages[event["subject"]].append(message["MessageBody"])
            self._waiting.append(message["MessageBody"])
        self._published = min(self._published + number, len(self._stream))

    def _batch(self, position: int, number: int, again: int) -> list[tuple[dict[str, Any], Change]]:
        """The next records of the stream; whatever committed is in it once, and nothing else."""
        records = self.platform.new_events()
        committed = self.model.committed[len(self._stream) :]
        changes = {(change.order_id, change.version): change for change in committed}
        images = [record["dynamodb"]["NewImage"] for record in records]
        found = [(image["orderId"]["S"], int(image["version"]["N"])) for image in images]
        assert sorted(found) == sorted(changes)
        self._stream += [(record, changes[key]) for record, key in zip(records, found, strict=True)]
        return self._stream[max(0, position - again) : position + number]

    def consume(self, order_ids: list[str], which: int, *, dies: bool) -> None:
        """Deliver one of the messages about each; `dies`: as the consumer is about to write."""
        self.publish(number=_ALL, again=0)
        about = [self._messages[order_id] for order_id in order_ids]
        self._deliver([bodies[-1 - which % len(bodies)] for bodies in about], dies=dies)

    def catch_up(self) -> None:
        """Read all of the stream, and deliver whatever waits; what fails goes on waiting."""
        self.publish(number=_ALL, again=0)
        failed: list[str] = []
        for start in range(0, len(self._waiting), 10):
            batch = self._waiting[start : start + 10]
            failed += [batch[i] for i in self._deliver(batch, dies=False)]
        self._waiting = failed

    def _deliver(self, bodies: list[str], *, dies: bool) -> list[int]:
        """A batch of the queue; then look where money and stock are."""
        orders = [self.model.orders[json.loads(body)["subject"]] for body in bodies]
        failed = [i for i, order in enumerate(orders) if not self.model.settle(order, dies=dies)]
        assert self.platform.process(bodies, dies=dies) == failed
        self.compare_tables()
        return failed

    def expire(self) -> None:
        assert self.platform.expire() == {"expired": self.model.expire()}

    def read_report(self, caller: Caller, day: str, faults: Sequence[Fault] = ()) -> None:
        draft = Draft("GET", f"/reports/daily/{day}", caller)
        self.ask(draft, faults, lambda _: self.model.report(caller, day))

    def make_report(self, day: date, event: dict[str, str]) -> None:
        """And read it."""
        orders = self.model.make_report(day)
        assert self.platform.make_report(event) == {"date": day.isoformat(), "orders": orders}
        self.read_report(ANN, day.isoformat())

    def compare_tables(self) -> None:
        """The table holds what the model holds, and nothing else."""
        assert comparison.rows_found(self.platform.rows()) == comparison.rows_of(self.model)

    def day_of_an_order(self, which: int) -> date:
        days = sorted({order.created_at.date() for order in self.model.orders.values()})
        return days[which % len(days)]
