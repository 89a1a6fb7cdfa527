"""The contract as a plain model in memory: no table, no races, nothing of the platform's code."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from proof import oracle
from proof.model.expected import (
    ADDRESS,
    FEED,
    FORBIDDEN,
    INVALID_CURSOR,
    JSON,
    KEY_REUSED,
    NO_ORDER,
    NO_REPORT,
    STALE,
    TIMELINE,
    Expected,
    NextPage,
    problem,
)
from proof.model.order import Caller, Change, Order
from proof.oracle import instant, milliseconds

if TYPE_CHECKING:
    from datetime import datetime

    from proof.model.expected import Listing
    from proof.model.order import Write

_UUID_7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Record:
    """What a key was used for, and the response to the first request."""

    request: str
    response: Expected
    expires_at: datetime


@dataclass(slots=True)
class Model:
    """Orders, keys, events, reports and cursors; methods return what the platform must respond."""

    now: datetime
    filtered_read: int
    """How many orders one query of a filtered page looks at."""
    orders: dict[str, Order] = field(default_factory=dict)
    records: dict[tuple[str, str, str], Record] = field(default_factory=dict)
    committed: list[Change] = field(default_factory=list)
    reports: dict[date, dict[str, object]] = field(default_factory=dict)
    cursors: dict[str, NextPage] = field(default_factory=dict)

    # Writes

    def create(self, write: Write, chosen_id: str | None) -> Expected:
        """`chosen_id` is the id in the platform's response, if it has one."""
        caller, content = write.caller, write.content
        if found := self._replay(write):
            return found
        if _is_turned_away(caller, "POST /orders", content["customerId"]):
            return FORBIDDEN
        order = Order(self._new_id(chosen_id), content, [])
        self.orders[order.id] = order
        self._commit(order, oracle.FIRST_STATUS, caller, reason=None)
        response = order.response(201)
        response = replace(
            response, headers={**response.headers, "Location": f"{ADDRESS}/orders/{order.id}"}
        )
        self._remember(write, response)
        return response

    def change(  # noqa: PLR0911 - one for each check, in their order
        self, write: Write, if_match: frozenset[str] | None, *, is_unwanted: bool
    ) -> Expected:
        """`if_match` are the versions that it names, weak ones left out; None for any.

        `is_unwanted`: If-None-Match names the version, weakly or not.
        """
        order_id = (write.order_id or "").lower()
        if not _UUID.fullmatch(order_id):
            return NO_ORDER
        target = write.content["status"]
        if found := self._replay(write):
            return found
        order = self._visible(write.caller, order_id)
        if order is None:
            return NO_ORDER
        if not (write.caller.is_staff or oracle.customer_may_request(target, of=order.status)):
            return FORBIDDEN
        if is_unwanted or not _is_wanted(order, if_match):
            return STALE
        if target != order.status:
            if target not in oracle.TRANSITIONS[order.status]:
                return _illegal_transition(order)
            self._commit(order, target, write.caller, write.content.get("reason"))
        response = order.response()
        self._remember(write, response)
        return response

    def remembers(self, write: Write) -> bool:
        """Whether the request would get its first response again."""
        found = self._replay(write)
        return found is not None and found is not KEY_REUSED

    # Reads

    def get(
        self, caller: Caller, order_id: str, if_match: frozenset[str] | None, *, is_known: bool
    ) -> Expected:
        """`is_known`: If-None-Match names the version, weakly or not."""
        order = self._visible(caller, order_id)
        if order is None:
            return NO_ORDER
        if not _is_wanted(order, if_match):
            return STALE
        response = order.response()
        if is_known:
            kept = ("Cache-Control", "ETag")
            return Expected(304, {name: response.headers[name] for name in kept})
        return response

    def page(self, caller: Caller, listing: Listing, limit: int, cursor: str | None) -> Expected:
        """A page of any list, behind the cursor's position."""
        position = self._position(listing, cursor)
        if cursor and position is None:
            return INVALID_CURSOR
        if _is_turned_away(caller, listing.route, listing.partition):
            return FORBIDDEN
        if listing.route == TIMELINE:
            order = self._visible(caller, listing.partition)
            return _timeline(order, caller, listing, limit, position) if order else NO_ORDER
        if listing.route == FEED:
            return self._feed(listing, limit, position)
        rows = [order for order in self.listed(listing) if _is_after(order, position, listing)]
        if listing.partition and listing.status:
            return self._filtered(rows, listing, limit)
        found = rows[:limit]
        following = found[-1].id if len(rows) > limit else None
        return _page([order.summary() for order in found], NextPage(listing, following))

    def listed(self, listing: Listing) -> list[Order]:
        """All orders that its index holds for a list, in its order: a status is filtered later."""
        found = [
            order
            for order in self.orders.values()
            if (order.customer_id == listing.partition)
            or (not listing.partition and order.status == listing.status)
        ]
        since = -1 if listing.since is None else listing.since
        until = 10**15 if listing.until is None else listing.until
        found = [order for order in found if since <= milliseconds(order.created_at) < until]
        return sorted(found, key=lambda order: order.id, reverse=listing.newest_first)

    def _filtered(self, rows: list[Order], listing: Listing, limit: int) -> Expected:
        """Query by query, until the page is full, the list ends, or five are spent."""
        found: list[Order] = []
        for read in range(oracle.FILTERED_READS):
            seen = rows[read * self.filtered_read :][: self.filtered_read]
            found += [order for order in seen if order.status == listing.status]
            if len(found) > limit or len(seen) < self.filtered_read:
                following = found[limit - 1].id if len(found) > limit else None
                break
        else:
            following = seen[-1].id
        items = [order.summary() for order in found[:limit]]
        return _page(items, NextPage(listing, following))

    def _feed(self, listing: Listing, limit: int, position: str | int | None) -> Expected:
        """The position is that of the last event that was looked at, of whatever type."""
        position = position or ""
        since = -1 if listing.since is None else listing.since
        until = milliseconds(self.now - oracle.FEED_DELAY)
        until = until if listing.until is None else min(until, listing.until)
        behind = sorted(
            (
                change
                for change in self.committed
                if since <= milliseconds(change.at) < until and change.place > str(position)
            ),
            key=lambda change: change.place,
        )
        found: list[Change] = []
        for change in behind[: oracle.FILTERED_READS * limit]:
            position = change.place
            if listing.type in {None, change.type}:
                found.append(change)
                if len(found) == limit:
                    break
        return _page([self.event(change) for change in found], NextPage(listing, position))

    def report(self, caller: Caller, text: str) -> Expected:
        try:
            day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
        except ValueError:
            day = None
        if day is None:
            return NO_REPORT
        if _is_turned_away(caller, "GET /reports/daily/{date}"):
            return FORBIDDEN
        if day not in self.reports:
            return NO_REPORT
        return Expected(200, JSON, self.reports[day])

    # What runs behind the API

    def event(self, change: Change) -> dict[str, Any]:
        order = self.orders[change.order_id]
        return oracle.event_of(order.summary() | change.image, change.previous)

    def settle(self, order: Order, *, dies: bool) -> bool:
        """An event of the order arrives: whether it is done with.

        `dies` stops the consumer before it writes the order's new status.
        """
        if order.token is None:
            return True
        if order.status != oracle.FIRST_STATUS:
            if not order.is_paid_by_token or order.status in oracle.GIVING_BACK:
                order.give_back()
            return True
        reason = order.try_to_pay()
        if order.money == "undecided" or dies:
            return False
        if reason is None:
            order.is_paid_by_token = True
            self._commit(order, "PAID", oracle.SETTLEMENT, None)
        else:
            self._commit(order, "CANCELED", oracle.SETTLEMENT, reason)
            order.give_back()
        return True

    def expire(self) -> int:
        stale = [
            order
            for order in self.orders.values()
            if order.status == oracle.FIRST_STATUS
            and order.created_at < self.now - oracle.STALE_AFTER
        ]
        for order in stale:
            self._commit(order, "CANCELED", oracle.EXPIRY, "expired")
        return len(stale)

    def make_report(self, day: date) -> int:
        """How many orders were created on that day, UTC."""
        todays = [order for order in self.orders.values() if order.created_at.date() == day]
        counted = oracle.report_of(
            order.summary() | {"reason": order.changes[-1].reason} for order in todays
        )
        made = {"date": day.isoformat(), "generatedAt": instant(self.now), "leftOut": 0}
        self.reports[day] = made | counted
        return len(todays)

    # Parts of the above

    def _visible(self, caller: Caller, order_id: str) -> Order | None:
        order = self.orders.get(order_id)
        return order if order and (caller.is_staff or order.customer_id == caller.id) else None

    def _commit(self, order: Order, status: str, by: Caller | str, reason: str | None) -> None:
        """One version on, and never earlier than the one before."""
        if isinstance(by, Caller):
            actor, staff_id = ("staff", by.id) if by.is_staff else ("customer", None)
        else:
            actor, staff_id = f"system:{by}", None
        before = order.changes[-1] if order.changes else None
        change = Change(
            order_id=order.id,
            version=before.version + 1 if before else 1,
            status=status,
            previous=before.status if before else None,
            actor=actor,
            staff_id=staff_id,
            reason=reason,
            at=max(self.now, before.at) if before else self.now,
        )
        order.changes.append(change)
        self.committed.append(change)

    def _replay(self, write: Write) -> Expected | None:
        record = self.records.get(_scope(write))
        if write.key is None or record is None or record.expires_at <= self.now:
            return None
        if record.request != _request(write):
            return KEY_REUSED
        headers = {**record.response.headers, "Idempotent-Replayed": "true"}
        return replace(record.response, headers=headers)

    def _remember(self, write: Write, response: Expected) -> None:
        """For 24 hours, and to the end of their last second."""
        if write.key is not None:
            end = self.now + oracle.KEYS_ARE_KEPT
            if end.microsecond:
                end = end.replace(microsecond=0) + timedelta(seconds=1)
            self.records[_scope(write)] = Record(_request(write), response, end)

    def _new_id(self, chosen: str | None) -> str:
        """The id, if it is a UUIDv7 of this millisecond that no order has."""
        if chosen is None:
            return "no id in the response"
        assert _UUID_7.fullmatch(chosen), chosen
        assert int(chosen.replace("-", "")[:12], 16) == milliseconds(self.now)
        assert chosen not in self.orders
        return chosen

    def _position(self, listing: Listing, cursor: str | None) -> str | int | None:
        """None for a cursor that this list did not give."""
        found = self.cursors.get(cursor or "")
        return found.position if found and found.listing == listing else None


def _is_turned_away(caller: Caller, route: str, customer_id: str = "") -> bool:
    """Whether the caller may not ask the route, which may be for one customer."""
    audience = oracle.ROUTES[route].audience
    if caller.is_staff or audience in {oracle.Audience.OWNER, oracle.Audience.EVERYONE}:
        return False
    return audience is oracle.Audience.STAFF or caller.id != customer_id


def _is_wanted(order: Order, if_match: frozenset[str] | None) -> bool:
    return if_match is None or str(order.version) in if_match


def _scope(write: Write) -> tuple[str, str, str]:
    operation = "create" if write.order_id is None else "update"
    return write.caller.id, operation, write.key or ""


def _request(write: Write) -> str:
    """The same for requests that are the same: a default may be sent or left out."""
    content = write.content
    if write.order_id is not None:
        return json.dumps([write.order_id.lower(), content["status"], content.get("reason")])
    defaults = {
        name: field.default
        for name, field in oracle.ORDER.items()
        if field.sent and field.default not in (oracle.ABSENT, oracle.REQUIRED)
    }
    return json.dumps(defaults | content, sort_keys=True)


def _page(items: list[dict[str, object]], following: NextPage) -> Expected:
    return Expected(200, JSON, {"items": items}, next_page=following)


def _illegal_transition(order: Order) -> Expected:
    return problem(
        409,
        "illegal-transition",
        currentStatus=order.status,
        allowedTransitions=list(oracle.TRANSITIONS[order.status]),
    )


def _is_after(order: Order, position: str | int | None, listing: Listing) -> bool:
    if position is None:
        return True
    return order.id < str(position) if listing.newest_first else order.id > str(position)


def _timeline(
    order: Order, caller: Caller, listing: Listing, limit: int, position: str | int | None
) -> Expected:
    entries = [entry for entry in order.changes if entry.version > int(position or 0)]
    page = entries[:limit]
    following = page[-1].version if len(entries) > limit else None
    return _page([_timeline_entry(entry, caller) for entry in page], NextPage(listing, following))


def _timeline_entry(entry: Change, caller: Caller) -> dict[str, object]:
    body = oracle.timeline_entry(entry.image, entry.previous, entry.actor)
    if caller.is_staff and entry.staff_id is not None:
        body["actorId"] = entry.staff_id
    return body
