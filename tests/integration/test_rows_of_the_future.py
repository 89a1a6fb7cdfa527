"""This release reads what the next one writes.

During a deployment both run, and after a rollback only the older one. Rows of the future never
affect the orders beside them. What happens to the rows themselves is `EXPECTED`, which is the table
in docs/releases.md.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from examples import CUS_42, changed_order, event_of, placed_order
from fakes import NOON, FakeInventory, FakePayments, FakePublisher
from gateway import STAFF_CLAIMS
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.application.errors import MalformedRow, NewerRow
from orders.application.expire_stale_orders import ExpireStaleOrders
from orders.application.make_daily_report import MakeDailyReport
from orders.application.settle_payment import Settlement, SettlePayment
from orders.domain.daily_report import DailyReport
from orders.domain.events import ORDER_CREATED
from orders.domain.status import OrderStatus
from orders.functions.daily_report import reporter
from orders.functions.expire_stale_orders import expirer
from orders.functions.publish_order_events import Relay
from orders.telemetry import background
from proof.oracle import ROUTES, Shows
from sample_requests import sample_target
from servers import aws_client, dynamodb_local
from stream_records import FakeDeadLetterQueue, batch, failures, recorded
from written import metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from api import Api, Response
    from orders.adapters.dynamodb.keys import Key
    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.domain.order import Order

Item = dict[str, dict[str, Any]]
"""A row in DynamoDB's JSON."""

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID
DAY = NOON.date()
CONTEXT = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 300_000)
DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "releases.md"

OF_EACH_TYPE: Item = {
    "soonText": {"S": "DHL"},
    "soonNumber": {"N": "1.5"},
    "soonLargeNumber": {"N": "12345678901234567890123456789012345678"},
    "soonSmallNumber": {"N": "1E-30"},
    "soonBinary": {"B": b"\x00\xff"},
    "soonFlag": {"BOOL": True},
    "soonNothing": {"NULL": True},
    "soonList": {"L": [{"S": "a"}, {"N": "1.5"}, {"L": []}]},
    "soonMap": {"M": {"a": {"N": "1"}, "b": {"NULL": True}}},
    "soonTexts": {"SS": ["a", "b"]},
    "soonNumbers": {"NS": ["1", "2.5"]},
    "soonBinaries": {"BS": [b"\x00", b"\xff"]},
}
ONE_OF_EACH_ROW = ("amount", "response", "revenue")


def with_a_new_status(item: Item) -> Item:
    """TELEPORTED, in a report as well; a record has no status."""
    if "cancellationReasons" in item:
        return item | {"orders": {"M": {"USD": {"M": {"TELEPORTED": {"N": "2"}}}}}}
    if "fingerprint" in item:
        return item
    teleported = item | {"status": {"S": "TELEPORTED"}}
    if "type" in item:
        teleported["type"] = {"S": "ORDER_TELEPORTED"}
    elif item["sk"]["S"] == keys.DETAIL:
        shard = int(item["gsi1pk"]["S"][-1])
        teleported["gsi1pk"] = {"S": keys.status_partition("TELEPORTED", shard)}
    return teleported


def is_page(key: str) -> bool:
    return ROUTES[key].shows in {Shows.SUMMARIES, Shows.FEED}


FUTURES: dict[str, Callable[[Item], Item]] = {
    "new status, event type": with_a_new_status,
    "unknown attributes": lambda item: item | OF_EACH_TYPE,
    "later `schemaVersion`": lambda item: item | {"schemaVersion": {"N": "2"}},
    "attribute missing": lambda item: {
        name: value for name, value in item.items() if name not in ONE_OF_EACH_ROW
    },
    "attribute of another type": lambda item: (
        item | {name: {"SS": ["5997"]} for name in ONE_OF_EACH_ROW if name in item}
    ),
}

USUAL, LEFT_OUT, ABSENT = "as usual", "left out, counted", "not in it"
SHOWN, NEWER, FAULT = "shown as text", "503, logged", "500, logged"
NOT_COUNTED = "in `leftOut`, counted"
AGAIN, NEVER = "comes again", "dead letter"
ONE, LIST, FILTERED = "reads of one order or report", "lists and the feed", "… by status or type"

EXPECTED = {
    # what happens: in each of the futures
    ONE: (SHOWN, USUAL, NEWER, FAULT, FAULT),
    LIST: (SHOWN, USUAL, LEFT_OUT, LEFT_OUT, LEFT_OUT),
    FILTERED: (ABSENT, USUAL, LEFT_OUT, LEFT_OUT, LEFT_OUT),
    "update-order": ("409, no transitions", "as usual, they stay", NEWER, FAULT, FAULT),
    "retries with a key": (USUAL, USUAL, NEWER, FAULT, FAULT),
    "daily-report": (NOT_COUNTED, USUAL, NOT_COUNTED, NOT_COUNTED, NOT_COUNTED),
    "expire-stale-orders": ("not expired", USUAL, LEFT_OUT, LEFT_OUT, LEFT_OUT),
    "publish-order-events": ("sent as it is", USUAL, *["set aside, counted"] * 3),
    "settle-payments": (AGAIN, USUAL, AGAIN, NEVER, NEVER),
}
READS = [
    *((key, "") for key in ROUTES if (key.startswith("GET ") and "{" in key) or is_page(key)),
    ("GET /customers/{customerId}/orders", "consistent=true"),
    ("GET /customers/{customerId}/orders", "status=PENDING"),
    ("GET /events", "type=ORDER_CREATED"),
]
"""Every route that reads rows of orders, and what a query may add to it."""


class World:
    """Two orders placed by one customer in one millisecond: `future`, whose rows change, and `now`.

    It is two weeks later, and the day's report was made.
    """

    def __init__(self, api: Api, orders: DynamoDbOrders, output: Callable[[], str]) -> None:
        self.api, self.orders, self.output = api, orders, output
        self.reports = DynamoDbReports(orders.table)
        self.clock = api.clock
        self.clock.time = NOON + timedelta(days=15)
        self.future, self.now = (placed_order(payment_token="tok_approve") for _ in range(2))
        for order in (self.future, self.now):
            orders.add(order, event_of(order), None, NOON)
        report = DailyReport(
            day=DAY,
            generated_at=NOON,
            orders={"USD": {PENDING: 2}},
            revenue={},
            cancellation_reasons={},
            left_out=0,
        )
        self.reports.put(report)

    def rewrite(self, change: Callable[[Item], Item]) -> None:
        """Change the rows of `future` and of the report as the next release would."""
        for key in (
            keys.detail(self.future.order_id),
            keys.customer_order(CUS_42, self.future.order_id),
            keys.event(self.future.order_id, 1),
            keys.daily_report(DAY),
        ):
            self.put(change(self.item(key)))
        self.output()

    def item(self, key: Key) -> Item:
        wanted = {name: {"S": value} for name, value in key.items()}
        database = aws_client("dynamodb", dynamodb_local())
        found: Item = database.get_item(TableName=self.orders.table.name, Key=wanted)["Item"]
        return found

    def put(self, item: Item) -> None:
        database = aws_client("dynamodb", dynamodb_local())
        database.put_item(TableName=self.orders.table.name, Item=item)

    def get(self, target: str) -> Response:
        return self.api.get(target, STAFF_CLAIMS)

    def counted(self, name: str = "OrdersUnreadable") -> bool:
        """Whether the metric was written since the last look."""
        return metric(self.output(), name) is not None

    def failure(self, response: Response) -> str:
        """What became of a request for the one row that can't be read."""
        written = self.output()
        if response.status == 503:
            assert response.problem == "try-again"
            assert response.headers["Retry-After"]
            assert "row of a later release" in written
            return NEWER
        assert (response.status, response.problem) == (500, "internal-error")
        assert "internal error" in written
        return FAULT


def read(world: World, target: str, change: Callable[[Item], Item]) -> str:
    """What the response has become by the change."""
    usual = world.get(target).json
    world.rewrite(change)
    response = world.get(target)
    if response.status != 200:
        return world.failure(response)
    if response.json == usual:
        return USUAL
    if "TELEPORTED" not in response.text:
        others = [item for item in usual["items"] if world.future.order_id not in item.values()]
        assert response.json["items"] == others
        return LEFT_OUT if world.counted() else ABSENT
    assert not world.counted()
    text = response.text.replace("ORDER_TELEPORTED", ORDER_CREATED).replace("TELEPORTED", PENDING)
    shown = json.loads(text)
    if "allowedTransitions" in shown:
        assert shown["allowedTransitions"] == []
        shown["allowedTransitions"] = usual["allowedTransitions"]
    assert shown == usual
    return SHOWN


def update_order(world: World) -> str:
    both = (
        keys.detail(world.future.order_id),
        keys.customer_order(CUS_42, world.future.order_id),
    )
    before = [world.item(key) for key in both]
    response = world.api.patch(world.future.order_id, {"status": "PAID"})
    assert world.api.patch(world.now.order_id, {"status": "PAID"}).status == 200
    if response.status == 409:
        assert response.problem == "illegal-transition"
        assert (response.json["currentStatus"], response.json["allowedTransitions"]) == (
            "TELEPORTED",
            [],
        )
        return "409, no transitions"
    if response.status != 200:
        assert [world.item(key) for key in both] == before
        return world.failure(response)
    for key, old in zip(both, before, strict=True):
        new = world.item(key)
        assert new["status"] == {"S": "PAID"}
        assert {name: new[name] for name in OF_EACH_TYPE} == {
            name: old[name] for name in OF_EACH_TYPE
        }
    return "as usual, they stay"


def retry(world: World, change: Callable[[Item], Item]) -> str:
    """Of a create and of an update; both have the same outcome."""
    database = aws_client("dynamodb", dynamodb_local())
    update = {"status": "PAID"}
    first = world.api.post(idempotency_key="create")
    changed = world.api.patch(world.now.order_id, update, idempotency_key="update")
    for item in database.scan(TableName=world.orders.table.name)["Items"]:
        if item["sk"]["S"] == keys.RECORD:
            world.put(change(item))
    world.output()
    again = world.api.post(idempotency_key="create")
    if again.status == 201:
        assert again.text == first.text
        same = world.api.patch(world.now.order_id, update, idempotency_key="update")
        assert same.text == changed.text
        assert same.headers["Idempotent-Replayed"] == "true"
        return USUAL
    outcome = world.failure(again)
    same = world.api.patch(world.now.order_id, update, idempotency_key="update")
    assert world.failure(same) == outcome
    assert world.api.post(idempotency_key="another").status == 201
    return outcome


def make_report(world: World) -> str:
    make = MakeDailyReport(world.orders, world.reports, world.clock)
    background(reporter(make))({"date": DAY.isoformat()}, CONTEXT)
    report = world.reports.get(DAY)
    assert report
    if report.left_out == 0:
        assert report.orders == {"USD": {PENDING: 2}}
        return USUAL
    assert (report.orders, report.left_out) == ({"USD": {PENDING: 1}}, 1)
    assert world.counted()
    return NOT_COUNTED


def expire(world: World) -> str:
    future = world.item(keys.detail(world.future.order_id))
    handler = background(expirer(ExpireStaleOrders(world.orders, world.clock)))
    expired = handler({}, CONTEXT)["expired"]
    now = world.orders.get(world.now.order_id)
    assert now
    assert now.status is OrderStatus.CANCELED
    if expired == 2:
        return USUAL
    assert expired == 1
    assert world.item(keys.detail(world.future.order_id)) == future
    return LEFT_OUT if world.counted() else "not expired"


def publish(world: World) -> str:
    publisher, dead_letter_queue = FakePublisher(), FakeDeadLetterQueue()
    records = [recorded(event_of(order)) for order in (world.future, world.now)]
    records[0]["dynamodb"]["NewImage"] = world.item(keys.event(world.future.order_id, 1))
    relay = Relay(publisher, dead_letter_queue)  # type: ignore[arg-type]  # as much as it needs
    assert failures(background(relay)(batch(*records), CONTEXT)) == []
    *future, now = publisher.published
    assert now == event_of(world.now)
    if not future:
        assert dead_letter_queue.records == records[:1]
        assert world.counted("RecordsSetAside")
        return "set aside, counted"
    if future == [event_of(world.future)]:
        return USUAL
    assert [(event.type, event.status) for event in future] == [("ORDER_TELEPORTED", "TELEPORTED")]
    return "sent as it is"


def settle(world: World) -> str:
    payments, inventory = FakePayments(), FakeInventory()
    settle_payment = SettlePayment(world.orders, payments, inventory, world.clock)
    assert settle_payment(world.now.order_id) is Settlement.PAID
    try:
        assert settle_payment(world.future.order_id) is Settlement.PAID
    except MalformedRow as error:
        assert set(payments.live) == inventory.live == {world.now.order_id}
        assert payments.refunded == []
        return AGAIN if isinstance(error, NewerRow) else NEVER
    return USUAL


READERS: dict[str, Callable[[World], str]] = {
    "update-order": update_order,
    "daily-report": make_report,
    "expire-stale-orders": expire,
    "publish-order-events": publish,
    "settle-payments": settle,
}


@pytest.fixture
def world(api: Api, orders: DynamoDbOrders, output: Callable[[], str]) -> World:
    return World(api, orders, output)


@pytest.mark.parametrize("future", FUTURES)
@pytest.mark.parametrize(("key", "query"), READS)
def test_a_read_shows_leaves_out_or_fails_as_the_table_says(
    world: World, key: str, query: str, future: str
) -> None:
    target = sample_target(key, orderId=world.future.order_id, date=str(DAY), status=PENDING)
    target = f"{target}?{query}" if query else target
    kind = ONE if not is_page(key) else FILTERED if re.search("status|type", target) else LIST
    outcome, expected = read(world, target, FUTURES[future]), outcome_of(kind, future)
    shows_no_status = ROUTES[key].shows is Shows.OTHER and outcome == USUAL
    assert outcome == expected or (expected == SHOWN and shows_no_status)


@pytest.mark.parametrize("future", FUTURES)
@pytest.mark.parametrize("function", READERS)
def test_a_function_treats_the_future_as_the_table_says(
    world: World, function: str, future: str
) -> None:
    world.rewrite(FUTURES[future])
    assert READERS[function](world) == outcome_of(function, future)


@pytest.mark.parametrize("future", FUTURES)
def test_a_retry_treats_the_future_as_the_table_says(world: World, future: str) -> None:
    assert retry(world, FUTURES[future]) == outcome_of("retries with a key", future)


def outcome_of(reader: str, future: str) -> str:
    return EXPECTED[reader][list(FUTURES).index(future)]


def test_the_table_is_in_the_documentation() -> None:
    lines = [
        " | ".join(("| What reads the row", *FUTURES)) + " |",
        "|---" * (len(FUTURES) + 1) + "|",
        *(" | ".join((f"| {reader}", *outcomes)) + " |" for reader, outcomes in EXPECTED.items()),
    ]
    print("\n".join(lines))
    assert "\n".join(lines) in DOCUMENTATION.read_text(encoding="utf-8")


@pytest.mark.parametrize("future", ["later `schemaVersion`", "attribute missing"])
def test_one_unreadable_event_is_left_out_of_its_timeline(world: World, future: str) -> None:
    """Where the order's own row can be read, its other events are shown."""
    order: Order = world.now
    for status in (PAID, OrderStatus.SHIPPED):
        world.api.patch(order.order_id, {"status": status})
    world.put(FUTURES[future](world.item(keys.event(order.order_id, 2))))
    world.output()
    target = f"/orders/{order.order_id}/timeline"
    response = world.get(target)
    assert [entry["version"] for entry in response.json["items"]] == [1, 3]
    assert world.counted()
    page = world.get(f"{target}?limit=2")
    assert [entry["version"] for entry in page.json["items"]] == [1]
    page = world.get(f"{target}?limit=2&cursor={page.json['nextCursor']}")
    assert [entry["version"] for entry in page.json["items"]] == [3]


@pytest.mark.parametrize("future", ["later `schemaVersion`", "attribute missing"])
def test_the_feed_goes_on_after_unreadable_events(world: World, future: str) -> None:
    """They never stop a poller, not even one with the smallest page."""
    for _ in range(4):
        order = placed_order()
        world.orders.add(order, event_of(order), None, NOON)
        world.put(FUTURES[future](world.item(keys.event(order.order_id, 1))))
    last = placed_order(NOON + timedelta(seconds=1))
    world.orders.add(last, event_of(last), None, NOON)
    met, cursor = [], ""
    for _ in range(4):
        page = world.get(f"/events?limit=1{cursor}").json
        met += [event["subject"] for event in page["items"]]
        cursor = f"&cursor={page['nextCursor']}"
    assert met == [world.future.order_id, world.now.order_id, last.order_id]


def test_the_feed_goes_on_after_a_key_of_a_later_release(world: World) -> None:
    """It must never return a cursor that it then refuses: pollers would be stuck for ever."""
    place = f"2026-11-24T00:00:00.123456Z#{world.future.order_id}#0000000001"
    item = world.item(keys.event(world.future.order_id, 1))
    world.put(item | {"schemaVersion": {"N": "2"}, "gsi1sk": {"S": place}})
    page = world.get("/events").json
    assert [event["subject"] for event in page["items"]] == [world.now.order_id]
    last = placed_order(NOON + timedelta(days=2))
    world.orders.add(last, event_of(last), None, NOON)
    page = world.get(f"/events?cursor={page['nextCursor']}").json
    assert [event["subject"] for event in page["items"]] == [last.order_id]


def test_a_customer_row_of_the_future_does_not_prevent_a_change(world: World) -> None:
    """The change repairs what this release knows of it."""
    key = keys.customer_order(CUS_42, world.now.order_id)
    world.put(with_a_new_status(world.item(key)) | {"version": {"N": "9"}})
    assert world.api.patch(world.now.order_id, {"status": "PAID"}).status == 200
    assert world.counted("CustomerRowsMended")
    changed = changed_order(world.now, PAID, at=world.clock.now())
    assert world.orders.table.get(key) == rows.customer_row(changed)
