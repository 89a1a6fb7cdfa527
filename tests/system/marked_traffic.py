"""Marks, sent in every place that takes a text: in what succeeds, is refused, and fails.

Requests come from the API's description, rows and events from the table: a field or a route that is
added is in the traffic.
"""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from local_stack import CUSTOMER
from orders.domain.customer_id import CustomerId
from orders.domain.order import OrderItem
from orders.domain.status import OrderStatus
from proof import oracle
from proof.event_source import FunctionFailed
from system.deployment import TABLE, eventually
from system.described_requests import operations, spoiled, valid
from system.log_hygiene import background_functions, event_for
from system.past_orders import PastOrders
from system.rights import granted, used_by_lambda, with_no_right_but_to_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from system.deployment import Caller, Deployment, Json
    from system.described_requests import Operation

HEADERS: Final = ("Accept", "Cookie", "Referer", "User-Agent", "X-Forwarded-For", "X-Other")
PAST: Final = datetime(2020, 2, 4, 12, tzinfo=UTC)
"""A day on which no other test places orders. It is reported, and its open orders expire."""
MORNING_AFTER: Final = "2020-02-05T00:30:00Z"
KEYS: Final = {"pk", "sk", "gsi1pk", "gsi1sk", "purgeAt"}


class MarkedTraffic:
    """Sends it, and knows by what it can be found in the logs: the ids of its requests."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.mark = deployment.mark
        self.request_ids: list[str] = []
        self.past = PastOrders(deployment)
        self.staff = self._marked(deployment.caller(deployment.staff.id, deployment.staff.token))
        self.customer = self._marked(deployment.new_customer())
        self.order_id = self._place()
        self.place_past_orders()
        deployment.invoke("daily-report", {"time": MORNING_AFTER})

    def send_all(self) -> None:
        for operation in operations():
            for send in self.requests_of(operation):
                assert send().status_code < 500, operation
            self.what_is_refused(operation)
        self.what_no_route_takes()
        self.what_says_who_calls()
        self.rows_that_cannot_be_read()
        # Meanwhile nothing else takes the events: one that can't be charged would stay for a day.
        with self.deployment.held_queue():
            for function in background_functions(self.deployment):
                self._invocation_of(function)()
                self.what_starts(function)
            self.what_a_role_forbids()
        self.deployment.settle()

    def exercise(self, function: str) -> list[Callable[[], bool]]:
        """Attempts that together make the function do all it can; each tells whether it failed."""
        if function in background_functions(self.deployment):
            return [self._invocation_of(function)]
        return [
            lambda send=send: send().status_code >= 500  # type: ignore[misc]  # bound early
            for operation in operations()
            if operation.function == function
            for send in self.requests_of(operation)
        ]

    def requests_of(self, operation: Operation) -> list[Callable[[], httpx.Response]]:
        """Plain, and with each optional parameter.

        With a key once, again, for another request, and by somebody who may not.
        """
        order_id = self.order_id if operation.method == "GET" else self._place()
        body = self._body(operation)
        found: list[Json] = [{"body": body}]
        for parameter in operation.parameters:
            name = parameter["name"]
            if name == "Idempotency-Key":
                key = {name: self.mark("idempotency-key")}
                found += [{"extra": key, "body": body} for _ in range(2)]
                found += [{"extra": key, "body": self._body(operation)}]
                stranger = self._marked(self.deployment.new_customer())
                found += [{"extra": key, "body": body, "caller": stranger}]
            elif name == "cursor":
                found += [{"extra": {"limit": "1"}, "turns": True}]
            elif parameter["in"] == "header":
                found += [{"extra": {name: f'"{self.mark(name)}"'}, "body": body}]
            elif parameter["in"] == "query":
                found += [{"extra": {name: str(valid(parameter["schema"])).lower()}}]
        return [
            lambda named=named: self.send(operation, order_id, **named)  # type: ignore[misc]
            for named in found
        ]

    def send(  # noqa: PLR0913 - what may be different about a request, by name
        self,
        operation: Operation,
        order_id: str,
        extra: Json | None = None,
        *,
        body: Json | None = None,
        content: str | None = None,
        caller: Caller | None = None,
        owner: Caller | None = None,
        turns: bool = False,
    ) -> httpx.Response:
        """The response to a request for the order; by staff, or to create by the customer."""
        owner = owner or self.customer
        places = {one["name"]: one["in"] for one in operation.parameters}
        values = {one["name"]: str(one.get("example")) for one in operation.parameters} | {
            "orderId": order_id,
            "customerId": owner.id,
            "date": f"{PAST:%Y-%m-%d}",
        }
        given = {
            one["name"]: str(valid(one["schema"]))
            for one in operation.parameters
            if one["in"] == "query" and one.get("required")
        } | (extra or {})
        headers = {"Content-Type": operation.content_type} if operation.content else {}
        params = {}
        for name, value in given.items():
            match places.get(name, "header" if name == "Content-Type" else "query"):
                case "path":
                    values[name] = value
                case "header":
                    headers[name] = value
                case _:
                    params[name] = value
        if body is not None:
            content = json.dumps(body)
        caller = caller or (self.staff if operation.method != "POST" else owner)
        response = caller.http.request(
            operation.method,
            operation.path.format(**values),
            params=params,
            headers=headers,
            content=content,
        )
        if "x-request-id" in response.headers:
            self.request_ids.append(response.headers["x-request-id"])
        if turns and response.is_success and (cursor := response.json()["nextCursor"]):
            self.deployment.secrets[cursor] = "cursor"
            self.send(operation, order_id, (extra or {}) | {"cursor": cursor})
        return response

    def what_is_refused(self, operation: Operation) -> None:
        """Marks in place of each parameter and field, and where there is none."""
        mark = self.mark
        self.send(operation, self.order_id, {mark("query-name"): mark("query-value")})
        for one in operation.parameters:
            name = one["name"]
            value = f'"{mark(name)}' if one["in"] == "header" else mark(name)
            self.send(operation, self.order_id, {name: value}, body=self._body(operation))
        if operation.content:
            for body in spoiled(self._body(operation), mark):
                self.send(operation, self.order_id, body=body)
            for text in (f"{{{mark('no JSON')}", mark("too much") * 20_000):
                self.send(operation, self.order_id, content=text)
            self.send(operation, self.order_id, {"Content-Type": mark("content-type")}, body={})
        stranger = self._marked(self.deployment.new_customer())
        self.send(operation, self.order_id, body=self._body(operation), caller=stranger)

    def what_no_route_takes(self) -> None:
        for method in ("GET", "PUT"):
            for path in (f"/{self.mark('path')}", f"/orders/{self.mark('order')}"):
                text = {self.mark("name"): self.mark("value")}
                self.staff.http.request(method, path, params=text, json=text)

    def what_says_who_calls(self) -> None:
        """Tokens that the gateway refuses, and those that a function does."""
        id_token = self.deployment.tokens(CUSTOMER)["IdToken"]
        for token in (self.mark("token"), f"{self.customer.token}x", id_token):
            sender = self._marked(self.deployment.caller("", token))
            for operation in operations():
                if oracle.ROUTES[operation.key].audience is not oracle.Audience.EVERYONE:
                    response = self.send(operation, self.mark("order"), caller=sender)
                    assert response.status_code == 401, operation

    def what_a_role_forbids(self) -> None:
        """Each function that has rights of its own fails without them."""
        own = set(granted(self.deployment)) - used_by_lambda(self.deployment)
        for function in sorted({right.function for right in own}):
            attempts = self.exercise(function)
            with with_no_right_but_to_log(self.deployment, function):
                failed = [attempt() for attempt in attempts]
            assert any(failed), f"{function} hides its failure"

    def rows_that_cannot_be_read(self) -> None:
        """A mark in place of each attribute in turn, of a row of each kind.

        What is asked for by itself is a 500; a list goes on without it.
        """
        owner = self._marked(self.deployment.new_customer())
        create = next(one for one in operations() if one.function == "create-order")
        keyed: Json = {
            "extra": {"Idempotency-Key": self.mark("idempotency-key")},
            "body": (self._body(create) or {}) | {"customerId": owner.id},
            "owner": owner,
        }
        order_id = self.send(create, "", **keyed).raise_for_status().json()["orderId"]
        owner.settled(order_id)
        reading = [one for one in operations() if one.path.count("{") and one.method == "GET"]
        statuses = set()
        for row in self._rows_of(order_id, owner.id):
            for name in row.keys() - KEYS:
                with self._spoiled(row, name):
                    responses = [self.send(one, order_id, owner=owner) for one in reading]
                    responses.append(self.send(create, "", **keyed))
                statuses |= {response.status_code for response in responses}
        assert statuses >= {200, 500}, statuses

    def what_starts(self, function: str) -> None:
        """Real records, messages or times, and others."""
        mark = self.mark
        # The type and the keys are logged: no caller gives them.
        records = [
            record(image | {name: {kind: value}})
            for image in self.images
            for name in image.keys() - KEYS - {"type"}
            for kind, value in (("S", mark(name)), ("M", {mark(name): {}}))
        ]
        records.append({"dynamodb": {"Keys": mark("keys"), "SequenceNumber": "1"}, mark("name"): 1})
        bodies = [json.dumps(other) for event in self.events for other in spoiled(event, mark)]
        bodies.append(mark("no JSON"))
        with contextlib.suppress(FunctionFailed):
            self.deployment.invoke(function, event_for(self.deployment, function, records, bodies))
        for text in ({"date": mark("date")}, {"time": mark("time")}, {mark("name"): "?"}):
            with contextlib.suppress(FunctionFailed):
                self.deployment.invoke(function, text)

    def _invocation_of(self, function: str) -> Callable[[], bool]:
        """With events of each type, of orders that pay in each way, and what is no event."""
        orders = [self._place(paymentToken=token) for token in oracle.PAYMENT_TOKENS]
        self.place_past_orders()
        event = event_for(
            self.deployment,
            function,
            [record(image) for image in [*self.images, self.images[0] | {"version": {"S": "?"}}]],
            [
                *(json.dumps({"subject": order_id}) for order_id in orders),
                *map(json.dumps, self.events),
                self.mark("no JSON"),
            ],
            MORNING_AFTER,
        )

        def attempt() -> bool:
            try:
                result = self.deployment.invoke(function, event)
            except FunctionFailed:
                return True
            finally:
                for order_id in orders:
                    self.staff.patch(order_id, OrderStatus.CANCELED, reason=self.mark("reason"))
            return bool(isinstance(result, dict) and result.get("batchItemFailures"))

        return attempt

    @cached_property
    def images(self) -> list[Json]:
        """The event rows of an order at each status, one of each type."""
        forgotten = self._marked(self.deployment.new_customer())
        orders = [str(forgotten.place()["orderId"])]
        self.deployment.orderctl("forget", forgotten.id, "--yes").check_returncode()
        for path in paths():
            orders.append(self._place())
            for status in path:
                self.staff.patch(orders[-1], status, reason=self.mark("reason")).raise_for_status()
        found: dict[str, Json] = {}
        for order_id in orders:
            rows = self.deployment.rows(order_id).values()
            found |= {row["type"]["S"]: row for row in rows if row["sk"]["S"].startswith("EVENT#")}
        assert found.keys() == {*oracle.EVENT_TYPES}
        return list(found.values())

    @cached_property
    def events(self) -> list[Json]:
        """An event of each type, as the feed shows it and the queue gets it."""
        start = min(image["recordedAt"]["S"] for image in self.images)

        def read() -> dict[str, Json]:
            page = self.staff.http.get("/events", params={"recordedFrom": start, "limit": 1000})
            return {event["type"]: event for event in page.raise_for_status().json()["items"]}

        return [*eventually(read, lambda found: found.keys() == {*oracle.EVENT_TYPES}).values()]

    def place_past_orders(self) -> None:
        """What daily tasks find: orders with a mark wherever one takes a text."""
        for moves in ((), (OrderStatus.CANCELED,)):
            self.past.place(
                PAST,
                *moves,
                reason=self.mark("reason"),
                customer_id=CustomerId(self.mark("customer")),
                items=(OrderItem(self.mark("sku"), self.mark("item name"), 1, 1),),
                metadata={self.mark("metadata-key"): self.mark("metadata value")},
            )

    def _marked(self, caller: Caller) -> Caller:
        caller.http.headers.update({name: self.mark(name) for name in HEADERS})
        return caller

    def _place(self, **changes: object) -> str:
        """A new order that stays open, unless it has a payment token."""
        return str(self.customer.place(**changes)["orderId"])

    def _body(self, operation: Operation) -> Json | None:
        body = operation.body(self.mark)
        return body and body | ({"customerId": self.customer.id} if "customerId" in body else {})

    def _rows_of(self, order_id: str, customer_id: str) -> list[Json]:
        """One of each kind: what has to do with the order or the customer, and the report."""
        pages = (
            self.deployment.aws("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=TABLE,
                FilterExpression="contains(pk, :order) OR contains(pk, :customer) OR sk = :day",
                ExpressionAttributeValues={
                    ":order": {"S": order_id},
                    ":customer": {"S": customer_id},
                    ":day": {"S": f"{PAST:%Y-%m-%d}"},
                },
            )
        )
        rows = [row for page in pages for row in page["Items"]]
        kinds = {tuple(row[key]["S"].split("#")[0] for key in ("pk", "sk")): row for row in rows}
        return list(kinds.values())

    @contextlib.contextmanager
    def _spoiled(self, row: Json, name: str) -> Iterator[None]:
        """Meanwhile there is a mark in place of an attribute."""
        table = self.deployment.aws("dynamodb")
        table.put_item(TableName=TABLE, Item=row | {name: {"S": self.mark(name)}})
        try:
            yield
        finally:
            table.put_item(TableName=TABLE, Item=row)


def paths(status: str = oracle.FIRST_STATUS) -> Iterator[tuple[str, ...]]:
    """Every way that an order can go from the status on."""
    yield ()
    for after in oracle.TRANSITIONS[status]:
        for path in paths(after):
            yield (after, *path)


def record(image: Json) -> Json:
    """What the table's stream says of a new row."""
    return {
        "eventID": "1",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {name: image[name] for name in ("pk", "sk")},
            "NewImage": image,
            "SequenceNumber": "1",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }
