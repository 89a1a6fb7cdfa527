"""Marks, sent in every place that takes a text: in what succeeds, is refused, and fails."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from local_stack import CUSTOMER
from orders.domain.customer_id import CustomerId
from orders.domain.order import OrderItem
from orders.domain.status import OrderStatus
from system.deployment import TABLE, FunctionFailed, stream_record
from system.log_hygiene import NO_ORDER, message
from system.past_orders import PastOrders

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from orders.domain.order import Order
    from system.deployment import Caller, Deployment, Json

ROWS: Final = "table/orders_app"
INDEX: Final = "index/gsi1"
PUBLISHER: Final = "publish-order-events"
HEADERS: Final = ("Accept", "Cookie", "Referer", "User-Agent", "X-Forwarded-For", "X-Other")
JSON: Final = {"Content-Type": "application/json"}


class MarkedTraffic:
    """Sends it, and knows by what it can be found in the logs: the ids of its requests."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.mark = deployment.mark
        self.request_ids: list[str] = []
        self.past = PastOrders(deployment)
        self.staff = self._marked(deployment.caller(deployment.staff.id, deployment.staff.token))
        self.customer = self._marked(deployment.new_customer())
        self.key = self.mark("idempotency-key")
        self.body = self.order()
        self.order_id: str = self.sent(201, self.customer.post(self.body, self.key))["orderId"]
        self.path = f"/orders/{self.order_id}"
        self.list = f"/customers/{self.customer.id}/orders"
        self.customer.settled(self.order_id)

    def send_all(self) -> None:
        self.what_succeeds()
        self.what_is_refused()
        self.what_says_who_calls()
        self.what_a_role_forbids()
        self.rows_that_cannot_be_read()
        self.records_of_the_stream()
        self.messages_of_the_queue()
        self.payloads_of_schedules()
        self.orders_that_schedules_find()
        self.deployment.settle()

    def _marked(self, caller: Caller) -> Caller:
        caller.http.headers.update({name: self.mark(name) for name in HEADERS})
        return caller

    def order(self, **changes: object) -> Json:
        """Marks wherever an order takes a text; its payment is declined."""
        mark = self.mark
        item = {"sku": mark("sku"), "name": mark("item name"), "quantity": 1, "unitAmount": 1}
        texts = {
            "items": [item],
            "metadata": {mark("metadata-key"): mark("metadata value")},
            "paymentToken": mark("payment token"),
        }
        return self.customer.order(**texts | changes)

    def sent(self, status: int, response: httpx.Response) -> Json:
        """The answer's content. Its status has to be that."""
        assert response.status_code == status, f"{response.request.url}: {response.text}"
        if "x-request-id" in response.headers:
            self.request_ids.append(response.headers["x-request-id"])
        is_json = response.content and "json" in response.headers["content-type"]
        content: Json = response.json() if is_json else {}
        return content

    def what_succeeds(self) -> None:
        customer, staff, mark, sent = self.customer, self.staff, self.mark, self.sent
        sent(201, customer.post(self.body, self.key))
        placed = sent(201, customer.post(self.order()))["orderId"]
        change = {"reason": mark("reason"), "key": mark("idempotency-key")}
        for _ in range(2):
            sent(200, staff.patch(placed, "CANCELED", **change))
        for path in (self.list, f"{self.path}/timeline"):
            cursor = sent(200, customer.http.get(path, params={"limit": 1}))["nextCursor"]
            self.deployment.secrets[cursor] = "cursor"
            sent(200, customer.http.get(path, params={"limit": 1, "cursor": cursor}))
        sent(200, staff.http.get(self.list, params={"consistent": "true"}))
        sent(200, staff.http.get("/orders", params={"status": "CANCELED"}))
        known = {"If-None-Match": f'"{mark("if-none-match")}", "2"'}
        sent(304, customer.http.get(self.path, headers=known))
        for public in ("/health", "/openapi.json", "/docs"):
            sent(200, customer.http.get(public, params={mark("query-name"): mark("query-value")}))

    def what_is_refused(self) -> None:
        customer, staff, mark, sent = self.customer, self.staff, self.mark, self.sent
        text = {"Content-Type": mark("content-type")}
        unknown = {mark("query-name"): mark("query-value")}
        for content, headers, status in (
            (f"{{{mark('no JSON')}", JSON, 400),
            (json.dumps({"status": mark("status")}), text, 415),
            (mark("too much") * 20_000, JSON, 413),
            (json.dumps({mark("field"): mark("value")}), JSON, 422),
            (json.dumps(self.order() | {"status": "PAID"}), JSON, 422),
            (json.dumps([mark("value")]), JSON, 422),
        ):
            sent(status, customer.http.post("/orders", content=content, headers=headers))
            sent(status, customer.http.patch(self.path, content=content, headers=headers))
        item = self.order()["items"][0]
        for field, value in (
            ("customerId", f"#{mark('customer')}"),
            ("currency", mark("currency")),
            ("amount", mark("amount")),
            ("items", mark("items")),
            ("items", [item | {"sku": f"{mark('sku')}\n"}]),
            ("items", [item | {"name": [mark("item name")]}]),
            ("items", [item | {"quantity": mark("quantity")}]),
            ("items", [item | {mark("field"): mark("value")}]),
            ("metadata", {mark("metadata-key"): [mark("metadata value")]}),
            ("metadata", {mark("metadata-key") * 3: mark("metadata value")}),
            ("paymentToken", mark("payment token") * 10),
        ):
            sent(422, customer.post(self.order(**{field: value})))
        sent(403, customer.post(self.order(customerId=mark("customer")), mark("idempotency-key")))
        sent(400, customer.post(self.order(), f'"{mark("idempotency-key")}'))
        sent(422, customer.post(self.order(), self.key))
        sent(422, staff.patch(self.order_id, mark("status")))
        sent(422, staff.patch(self.order_id, "PAID", reason=mark("reason") * 30))
        sent(409, staff.patch(self.order_id, "PAID", reason=mark("reason"), key=mark("key")))
        sent(412, staff.patch(self.order_id, "PAID", if_match=f'"{mark("if-match")}"'))
        sent(400, staff.patch(self.order_id, "PAID", if_match=mark("if-match")))
        sent(403, customer.patch(self.order_id, "PAID", reason=mark("reason")))
        sent(404, staff.patch(mark("order"), "PAID", reason=mark("reason")))
        sent(404, staff.get(mark("order")))
        sent(404, staff.http.get(f"/orders/{mark('order')}/timeline"))
        sent(403, customer.http.get(f"/customers/{mark('customer')}/orders"))
        sent(400, customer.http.get(f"/customers/{mark('customer')}%23/orders"))
        sent(404, staff.http.get(f"/reports/daily/{mark('date')}"))
        sent(404, staff.http.get(f"/{mark('path')}", params=unknown))
        sent(405, staff.http.put(f"/orders/{mark('order')}", json=unknown))
        for path in (self.path, self.list, f"{self.path}/timeline", "/orders"):
            sent(400, staff.http.get(path, params=unknown | {"status": "PAID"}))
        sent(400, staff.http.get("/orders", params={"status": mark("status")}))
        for name in ("cursor", "limit", "sort", "createdFrom", "createdTo", "consistent"):
            sent(400, customer.http.get(self.list, params={name: mark(name)}))

    def what_says_who_calls(self) -> None:
        """Tokens that the gateway refuses, and those that a function does."""
        id_token = self.deployment.tokens(CUSTOMER)["IdToken"]
        for token in (self.mark("token"), f"{self.customer.token}x", id_token):
            sender = self._marked(self.deployment.caller("", token))
            self.sent(401, sender.post(self.order(), self.mark("idempotency-key")))
            self.sent(401, sender.http.get(f"/orders/{self.mark('order')}"))

    def what_a_role_forbids(self) -> None:
        """Each function of a route fails at the table: 500."""
        customer, staff, mark = self.customer, self.staff, self.mark
        calls: list[tuple[str, str, str, Callable[[], httpx.Response]]] = [
            ("create-order", "PutItem", ROWS, lambda: customer.post(self.order(), mark("key"))),
            ("create-order", "GetItem", ROWS, lambda: customer.post(self.body, self.key)),
            (
                "update-order",
                "BatchGetItem",
                ROWS,
                lambda: staff.patch(self.order_id, "PAID", reason=mark("reason"), key=mark("key")),
            ),
            ("get-order", "GetItem", ROWS, lambda: customer.get(self.order_id)),
            (
                "get-order-timeline",
                "Query",
                ROWS,
                lambda: customer.http.get(f"{self.path}/timeline"),
            ),
            ("list-customer-orders", "Query", INDEX, lambda: customer.http.get(self.list)),
            (
                "list-orders-by-status",
                "Query",
                INDEX,
                lambda: staff.http.get("/orders", params={"status": "PAID"}),
            ),
            (
                "get-daily-report",
                "GetItem",
                ROWS,
                lambda: staff.http.get("/reports/daily/2001-01-01"),
            ),
        ]
        for function, action, resource, call in calls:
            with self.deployment.role_without(function, f"dynamodb:{action}", resource):
                self.sent(500, call())

    def rows_that_cannot_be_read(self) -> None:
        """Where a status, a list, a number or an instant was, there is a mark.

        What is asked for by itself is a 500; a list goes on without it.
        """
        customer, staff, mark = self.customer, self.staff, self.mark
        body, key = self.order(), mark("idempotency-key")
        order_id = self.sent(201, customer.post(body, key))["orderId"]
        customer.settled(order_id)
        # A message about a row that is spoiled by then would keep the queue busy for minutes.
        self.deployment.settle()
        scope = hashlib.sha256(f"create {key}".encode()).hexdigest()
        self._spoil(f"IDEMPOTENCY#{customer.id}#{scope}", "RECORD", "response", None)
        self.sent(500, customer.post(body, key))
        self._spoil(f"ORDER#{order_id}", "EVENT#0000000002", "version", mark("version"))
        self.sent(200, customer.http.get(f"/orders/{order_id}/timeline"))
        self.sent(200, staff.http.get("/events", params={"limit": 1000}))
        self._spoil(f"CUSTOMER#{customer.id}", f"ORDER#{order_id}", "updatedAt", mark("updatedAt"))
        for consistent in ("true", "false"):
            query = {"consistent": consistent}
            self.sent(200, customer.http.get(self.list, params=query))
        self._spoil(f"ORDER#{order_id}", "DETAIL", "items", mark("items"))
        self.sent(500, customer.get(order_id))
        self.sent(500, staff.patch(order_id, "PAID", reason=mark("reason")))
        self.deployment.invoke("daily-report", {"date": "2001-02-03"})
        self._spoil("REPORT#DAILY", "2001-02-03", "generatedAt", mark("generatedAt"))
        self.sent(500, staff.http.get("/reports/daily/2001-02-03"))

    def _spoil(self, pk: str, sk: str, name: str, text: str | None) -> None:
        """Put a text into the row in place of the attribute, or nothing."""
        put = {"Value": {"S": text}, "Action": "PUT"} if text else {"Action": "DELETE"}
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        self.deployment.aws("dynamodb").update_item(
            TableName=TABLE,
            Key=key,
            AttributeUpdates={name: put},
            Expected={"pk": {"Value": key["pk"]}},
        )

    def records_of_the_stream(self) -> None:
        """Readable ones and others; while the queue takes what is sent, and while it doesn't."""
        mark = self.mark
        texts = ("customerId", "reason", "staffId", "currency", "paymentToken")
        readable = {name: {"S": mark(name)} for name in texts}
        records = [
            stream_record(self.order_id, **readable),
            *(
                stream_record(self.order_id, **readable | {name: {"S": mark(name)}})
                for name in ("version", "status", "recordedAt")
            ),
            stream_record(self.order_id, **readable | {"amount": {"N": mark("amount")}}),
            stream_record(self.order_id, **readable | {"customerId": {"M": {mark("name"): {}}}}),
            stream_record(self.order_id)
            | {"dynamodb": {"Keys": mark("keys"), "SequenceNumber": "1"}, mark("name"): "?"},
        ]
        self.deployment.invoke(PUBLISHER, {"Records": records})
        for action, queue in (
            ("sqs:SendMessage", ":order-stream-dlq"),
            ("sqs:SendMessageBatch", ":order-events-queue"),
        ):
            with self.deployment.role_without(PUBLISHER, action, queue):
                self.deployment.invoke(PUBLISHER, {"Records": records})

    def messages_of_the_queue(self) -> None:
        """What is no event of ours, and an event whose order can't be settled."""
        mark, consumer = self.mark, "settle-payments"
        bodies = [
            mark("no JSON"),
            json.dumps(mark("no event")),
            json.dumps({mark("name"): mark("value")}),
            json.dumps({"subject": mark("subject")}),
            json.dumps({"subject": {mark("name"): mark("value")}}),
            json.dumps({"subject": NO_ORDER, "data": {"reason": mark("reason")}}),
            json.dumps({"subject": self.order_id, mark("name"): mark("value")}),
        ]
        self.deployment.invoke(consumer, {"Records": [message(body) for body in bodies]})
        with self.deployment.held_queue():
            paying = json.dumps({"subject": self.customer.place(**self.order())["orderId"]})
            for action in ("GetItem", "PutItem", "UpdateItem"):
                with self.deployment.role_without(consumer, f"dynamodb:{action}", ROWS):
                    self.deployment.invoke(consumer, {"Records": [message(paying)]})

    def payloads_of_schedules(self) -> None:
        """Read or not, while the table is there and while it isn't."""
        deployment, mark = self.deployment, self.mark
        for payload in ({"date": mark("date")}, {"time": mark("time")}, {mark("name"): "2026"}):
            with pytest.raises(FunctionFailed):
                deployment.invoke("daily-report", payload)
        for function in ("daily-report", "expire-stale-orders"):
            payload = {"date": "2001-02-04", mark("name"): mark("value")}
            deployment.invoke(function, payload)
            with (
                deployment.role_without(function, "dynamodb:Query", INDEX),
                pytest.raises(FunctionFailed),
            ):
                deployment.invoke(function, payload)

    def orders_that_schedules_find(self) -> None:
        """Of each kind one that can be read and one that can't."""
        deployment, staff, mark = self.deployment, self.staff, self.mark
        stale, unreadable = self._past_order(20), self._past_order(20)
        canceled = self._past_order(4, OrderStatus.CANCELED)
        odd = self._past_order(4, OrderStatus.CANCELED)
        deployment.settle()
        self._spoil(f"ORDER#{unreadable.order_id}", "DETAIL", "items", mark("items"))
        self._spoil(f"ORDER#{odd.order_id}", "DETAIL", "updatedAt", mark("updatedAt"))

        deployment.invoke("expire-stale-orders", {})
        day = f"{datetime.now(UTC) - timedelta(days=4):%Y-%m-%d}"
        deployment.invoke("daily-report", {"date": day})
        self.sent(200, staff.http.get(f"/reports/daily/{day}"))

        assert self.sent(200, staff.get(stale.order_id))["status"] == "CANCELED"
        assert self.sent(200, staff.get(canceled.order_id))["status"] == "CANCELED"
        self._delete(f"ORDER#{unreadable.order_id}", "DETAIL")
        self._delete(f"ORDER#{odd.order_id}", "DETAIL")

    def _delete(self, pk: str, sk: str) -> None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        self.deployment.aws("dynamodb").delete_item(TableName=TABLE, Key=key)

    def _past_order(self, days: int, *moves: OrderStatus) -> Order:
        mark = self.mark
        return self.past.place(
            datetime.now(UTC) - timedelta(days=days),
            *moves,
            reason=mark("reason"),
            customer_id=CustomerId(mark("customer")),
            items=(OrderItem(mark("sku"), mark("item name"), 1, 1),),
            metadata={mark("metadata-key"): mark("metadata value")},
        )
