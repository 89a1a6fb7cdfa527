"""Histories of runs in which nothing went wrong, for tests to break."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from fakes import NOON, FakeClock, FakeIds, InMemoryOrders, InMemoryReports
from orders.adapters.dynamodb import keys, rows
from orders.application.caller import Caller
from orders.application.idempotency import IdempotencyRecord
from orders.application.make_daily_report import MakeDailyReport
from orders.domain import timestamps
from orders.domain.actor import Actor
from orders.domain.customer_id import CustomerId
from orders.domain.status import OrderStatus
from orders.http.bodies import (
    DailyReportBody,
    EventPageBody,
    NewOrderBody,
    OrderPageBody,
    OrderSummaryBody,
    TimelineEventBody,
    TimelinePageBody,
    order_json,
    to_json,
)
from orders.http.idempotency import stored
from orders.http.preconditions import etag
from orders.http.response import Response
from proof import oracle
from proof.history import STAFF, Call, Command, Commit, History, Strike

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId
    from proof.faults import Fault
    from proof.history import Json

STAFF_ID: Final = CustomerId("ann")
CUS_1: Final = CustomerId("cus_1")
CUS_2: Final = CustomerId("cus_2")
PLATFORM: Final = Actor.system(oracle.SETTLEMENT)
TOO_MANY: Final = '{"message": "Too Many Requests"}'
UNAVAILABLE: Final = '{"message": "Service Unavailable"}'
A_DAY: Final = 24 * 60 * 60
REPLAYED: Final = {"idempotent-replayed": "true"}
FEED_DELAY: Final = 10.0


@dataclass
class World:
    """A small world that keeps every promise. Each call takes a second, and one passes between."""

    calls: list[Call] = field(default_factory=list)
    orders: dict[OrderId, Order] = field(default_factory=dict)
    table: dict[tuple[str, str], Json] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)
    published: list[Json] = field(default_factory=list)
    replayed: list[Json] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    dead_letters: list[Json] = field(default_factory=list)
    reports: list[Json] | None = None
    """Those of the day as it is at the end, where no others are given."""
    now: float = 0.0
    settled: float | None = None
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _ids: FakeIds = field(default_factory=FakeIds)

    def call(self, method: str, path: str, status: int | None, text: str, **more: Any) -> Call:  # noqa: ANN401 - fields of Call
        """Record a call that begins now, unless `start` and `end` are given."""
        usual: Json = {"client": "c1", "caller": STAFF, "start": self.now, "end": self.now + 1}
        call = Call(
            id=len(self.calls) + 1,
            method=method,
            path=path,
            status=status,
            text=text,
            **(usual | more),
        )
        self.calls.append(call)
        self.now += 2
        return call

    def create(  # noqa: PLR0913 - what makes a POST
        self,
        customer: CustomerId = CUS_1,
        *,
        key: str | None = None,
        token: str | None = None,
        sku: str = "MUG-01",
        request: str | None = None,
        lost: bool = False,
    ) -> Order:
        """A POST that makes an order; if the response is lost, its outcome is unknown."""
        request = request or f"r{next(self._numbers)}"
        item = oracle.required(oracle.ITEM) | {"sku": sku, "quantity": 3}
        more = {"items": [item], "metadata": {"request": request}}
        more |= {"paymentToken": token} if token else {}
        body = oracle.smallest_order(customer) | more
        new = msgspec.convert(body, NewOrderBody).to_domain()
        order, event = new.placed(self._ids.order_id(self.instant), by=Actor("customer"))
        response = self.response(order, 201)
        self.write(order, event)
        if key:
            self.remember(customer, "create", key, response)
        self.call(
            "POST",
            "/orders",
            None if lost else response.status,
            "" if lost else response.body,
            caller=customer,
            key=key,
            body=body,
            headers={} if lost else headers_of(response),
        )
        return order

    def update(  # noqa: PLR0913 - what makes a PATCH
        self,
        order: Order,
        status: str,
        *,
        caller: str = STAFF,
        key: str | None = None,
        if_match: str | None = None,
        lost: bool = False,
    ) -> Order:
        """A PATCH that changes the order as it is now."""
        before = self.orders[order.order_id]
        reason = f"r{next(self._numbers)}"
        actor = Actor("staff", STAFF_ID) if caller == STAFF else Actor("customer")
        after, event = before.changed_to(
            OrderStatus(status), by=actor, at=self.instant, reason=reason
        )
        response = self.response(after, 200)
        self.write(after, event)
        if key:
            self.remember(STAFF_ID if caller == STAFF else caller, "update", key, response)
        self.patch(
            order,
            status,
            None if lost else response,
            reason,
            caller=caller,
            key=key,
            if_match=if_match,
        )
        return after

    def patch(
        self,
        order: Order,
        status: str,
        response: Response | None,
        reason: str = "r",
        **more: Any,  # noqa: ANN401 - fields of Call
    ) -> Call:
        """A PATCH with its response; changes nothing."""
        return self.call(
            "PATCH",
            f"/orders/{order.order_id}",
            response.status if response else None,
            response.body if response else "",
            body={"status": status, "reason": reason},
            headers=headers_of(response) if response else {},
            **more,
        )

    def replay(self, call: Call) -> Call:
        """The same keyed request again, and its first response."""
        return self.call(
            call.method,
            call.path,
            call.status,
            call.text,
            caller=call.caller,
            key=call.key,
            body=call.body,
            headers=call.headers | REPLAYED,
        )

    def replay_of_unknown(self, order: Order, key: str) -> Call:
        """The request of an order whose own response was lost, again."""
        response = self.response(order, 201)
        made = {"metadata": dict(order.metadata)}
        body = next(call.body for call in self.calls if made.items() <= (call.body or {}).items())
        headers = headers_of(response) | REPLAYED
        more = {"caller": order.customer_id, "key": key, "body": body, "headers": headers}
        return self.call("POST", "/orders", 201, response.body, **more)

    def refuse(self, call: Call, status: int, problem: str, **more: Any) -> Call:  # noqa: ANN401 - members of the problem
        """A request as this one, refused; it is made now."""
        text = problem_json(status, problem, **more)
        call = msgspec.structs.replace(
            call,
            id=len(self.calls) + 1,
            start=self.now,
            end=self.now + 1,
            status=status,
            text=text,
            headers={},
        )
        self.calls.append(call)
        self.now += 2
        return call

    def settle(self, order: Order) -> Order:
        """What the platform does with an order that pays by token."""
        before = self.orders[order.order_id]
        in_stock = not before.items[0].sku.startswith("OUT-OF-STOCK")
        approved = before.payment_token in {"tok_approve", "tok_unavailable"}
        if in_stock:
            self.reserve(order, "RESERVED")
            self.charge(order, "CHARGED" if approved else "DECLINED")
        if in_stock and approved:
            charge_id = f"ch_{order.order_id}"
            return self.write(
                *before.changed_to(
                    OrderStatus.PAID, by=PLATFORM, at=self.instant, charge_id=charge_id
                )
            )
        reason = "payment-declined" if in_stock else "out-of-stock"
        after = self.write(
            *before.changed_to(OrderStatus.CANCELED, by=PLATFORM, at=self.instant, reason=reason)
        )
        self.give_back(order)
        return after

    def give_back(self, order: Order) -> None:
        charge = self.table.get((f"ORDER#{order.order_id}", "CHARGE"), {})
        self.charge(order, "REFUNDED" if charge.get("state") == "CHARGED" else "VOIDED")
        self.reserve(order, "RELEASED")

    def charge(self, order: Order, state: str) -> None:
        key = keys.charge(order.order_id)
        before = self.table.get((key["pk"], key["sk"]), {})
        money = {
            "chargeId": f"ch_{order.order_id}",
            "amount": order.amount,
            "currency": order.currency,
        }
        known = money if state in {"CHARGED", "DECLINED"} else before
        revision = before.get("revision", 0) + 1
        self.put(known | key | {"schemaVersion": 1, "state": state, "revision": revision})

    def reserve(self, order: Order, state: str) -> None:
        row: Json = keys.reservation(order.order_id) | {"schemaVersion": 1, "state": state}
        if state == "RESERVED":
            row["items"] = [{"sku": item.sku, "quantity": item.quantity} for item in order.items]
        self.put(row)

    def get(self, order: Order, **more: Any) -> Call:  # noqa: ANN401 - fields of Call
        """A GET of the order, which returns it as it is in `order`."""
        response = self.response(order, 200)
        return self.call(
            "GET",
            f"/orders/{order.order_id}",
            200,
            response.body,
            **({"headers": headers_of(response)} | more),
        )

    def timeline(
        self,
        order: Order,
        versions: Sequence[int] | None = None,
        following: str | None = None,
        *,
        caller: str = STAFF,
        **more: Any,  # noqa: ANN401 - fields of Call
    ) -> Call:
        """A GET of the timeline, with these of its versions or all; it goes on at `following`."""
        is_staff = caller == STAFF
        seen_by = Caller(STAFF_ID if is_staff else CustomerId(caller), is_staff=is_staff)
        entries = [
            TimelineEventBody.of(rows.event_from(row), seen_by)
            for (pk, sk), row in sorted(self.table.items())
            if pk == f"ORDER#{order.order_id}" and sk.startswith(keys.EVENT)
            if versions is None or row["version"] in versions
        ]
        path = f"/orders/{order.order_id}/timeline"
        text = to_json(TimelinePageBody(entries, following))
        return self.call("GET", path, 200, text, caller=caller, **more)

    def feed(
        self, name: str, *, events: Sequence[Json] | None = None, limit: int = 2, **query: str
    ) -> list[Call]:
        """A walk through the feed to its present end; it shows these events, or all that belong.

        It begins when all that committed is old enough.
        """
        self.now += FEED_DELAY
        shown = self.fed(query) if events is None else list(events)
        pages = [shown[at : at + limit] for at in range(0, len(shown), limit)] or [[]]
        calls = []
        asked = query | {"limit": str(limit)}
        for number, page in enumerate([*pages, []]):
            cursor = f"{name}-{min(number, len(pages) - 1)}"
            text = msgspec.json.encode({"items": page, "nextCursor": cursor}).decode()
            calls.append(self.call("GET", "/events", 200, text, query=asked, walk=name))
            asked = asked | {"cursor": cursor}
        return calls

    def fed(self, query: dict[str, str]) -> list[Json]:
        """The events that the feed shows, as it shows them."""
        events = [
            rows.event_from(row) for (_, sk), row in self.table.items() if sk.startswith(keys.EVENT)
        ]
        since, until = query.get("recordedFrom", ""), query.get("recordedTo", "~")
        page = EventPageBody(
            [
                event.to_cloud_event()
                for event in sorted(events, key=lambda event: (event.recorded_at, event.event_id))
                if since <= timestamps.to_text(event.recorded_at) < until
                if query.get("type") in {None, event.type}
            ],
            "",
        )
        shown: list[Json] = msgspec.json.decode(to_json(page))["items"]
        return shown

    def walk(
        self,
        name: str,
        path: str = "/customers/cus_1/orders",
        *,
        orders: Sequence[Order] | None = None,
        limit: int = 2,
        **query: str,
    ) -> list[Call]:
        """A walk through a list; it shows these orders, or all that belong to it."""
        shown = self.listed(path, query) if orders is None else list(orders)
        pages = [shown[at : at + limit] for at in range(0, len(shown), limit)] or [[]]
        calls = []
        cursor = None
        for number, page in enumerate(pages):
            following = f"{name}-{number + 1}" if number + 1 < len(pages) else None
            summaries = [OrderSummaryBody.of(order) for order in page]
            asked = query | {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
            text = to_json(OrderPageBody(summaries, following))
            calls.append(self.call("GET", path, 200, text, query=asked, walk=name))
            cursor = following
        return calls

    def listed(self, path: str, query: dict[str, str]) -> list[Order]:
        customer = path.split("/")[2] if path.startswith("/customers/") else None
        found = [
            order
            for order in self.orders.values()
            if customer in {None, order.customer_id} and query.get("status") in {None, order.status}
        ]
        newest_first = query.get("sort") != "createdAt"
        return sorted(found, key=lambda order: order.order_id, reverse=newest_first)

    def write(self, order: Order, event: OrderEvent) -> Order:
        """A transaction, and the message that follows from it."""
        self.orders[order.order_id] = order
        self.put(rows.detail_row(order))
        self.put(rows.customer_row(order))
        self.put(rows.event_row(event))
        self.published.append(msgspec.to_builtins(event.to_cloud_event()))
        return order

    def put(self, row: Json) -> None:
        at = row["pk"], row["sk"]
        row = {name: value for name, value in row.items() if value is not None}
        self.commits.append(Commit(pk=at[0], sk=at[1], old=self.table.get(at), new=row))
        self.table[at] = row

    def remember(self, caller: str, operation: str, key: str, response: Response) -> None:
        digest = hashlib.sha256(f"{operation} {key}".encode()).hexdigest()
        expires = int(self.instant.timestamp()) + A_DAY
        record = IdempotencyRecord(f"{caller}#{digest}", "fingerprint", stored(response), expires)
        self.put(rows.idempotency_row(record))

    @property
    def instant(self) -> datetime:
        return NOON + timedelta(seconds=self.now)

    @staticmethod
    def response(order: Order, status: int) -> Response:
        headers = {"ETag": etag(order.version)}
        if status == 201:
            headers["Location"] = f"http://api/orders/{order.order_id}"
        return Response(status, order_json(order), headers)

    def strike(
        self, call: Call, fault: Fault, caller: str | None = None, seconds: float = 0
    ) -> None:
        """A fault from the midst of the call on; of its client, unless a function is named."""
        at = (call.start + call.end) / 2
        until = at + seconds
        who = caller or call.client
        strike = Strike(at=at, until=until, caller=who, operation=call.method, fault=fault)
        self.strikes.append(strike)

    def operate(self, *arguments: str, code: int = 0, **output: str) -> None:
        """A command of the operator; what it sends goes into `replayed` beforehand."""
        command = Command(
            arguments=[*arguments],
            start=self.now,
            end=self.now + 1,
            code=code,
            output=json.dumps(output),
            said="",
        )
        self.commands.append(command)
        self.now += 2

    def settle_down(self) -> None:
        """From here on there are last reads."""
        self.settled = self.now

    def history(self) -> History:
        return History(
            seed=7,
            began=NOON.timestamp(),
            feed_delay=FEED_DELAY,
            calls=self.calls,
            rows=list(self.table.values()),
            commits=self.commits,
            published=self.published,
            replayed=self.replayed,
            commands=self.commands,
            dead_letters=self.dead_letters,
            reports=[self.report()] if self.reports is None else self.reports,
            strikes=self.strikes,
            settled=self.settled,
        )

    def report(self) -> Json:
        orders = InMemoryOrders()
        orders.orders = self.orders
        clock = FakeClock(self.instant)
        made = MakeDailyReport(orders, InMemoryReports(), clock)(NOON.date())
        return cast("Json", msgspec.to_builtins(DailyReportBody.of(made)))


def headers_of(response: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def problem_json(status: int, slug: str, **more: Any) -> str:  # noqa: ANN401 - the problem's members
    problem = {"type": f"/docs#{slug}", "title": slug, "status": status, "detail": slug}
    return msgspec.json.encode(problem | {"instance": "request-1"} | more).decode()


def illegal(order: Order) -> dict[str, Any]:
    """What a 409 says of the order."""
    allowed = list(order.allowed_transitions)
    return {"currentStatus": order.status, "allowedTransitions": allowed}
