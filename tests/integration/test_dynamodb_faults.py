"""How the repository copes with a table that is contended, throttled, broken or out of reach.

Neither emulator is ever contended or throttled, so a proxy injects the faults.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from examples import CUS_42, CUSTOMER_42, changed_order, event_of, new_order, placed_order
from fakes import NOON, FakeClock, FakeIds
from orders.adapters.aws.client import ATTEMPTS, Refused
from orders.adapters.dynamodb import rows
from orders.adapters.dynamodb import table as tables
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.adapters.dynamodb.values import to_typed
from orders.application import idempotency
from orders.application.create_order import CreateOrder
from orders.application.errors import KeyInUse, StaleOrder, TryAgain
from orders.application.idempotency import IdempotencyKey
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus
from orders.domain.timestamps import EPOCH
from servers import INDEX, client_of
from wire import Break, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.adapters.dynamodb.rows import Row
    from orders.domain.order import Order
    from wire import Fault, Recorder

MOST_ATTEMPTS = 40
"""Far more than fit into the time with such pauses."""


def canceled(*reasons: str, shown: Row | None = None) -> Refusal:
    """`shown` is the row in place of the last operation, which asked for it."""
    item = None if shown is None else to_typed(shown)
    return Refusal("TransactionCanceledException", reasons=reasons, item=item)


CONFLICT = canceled("None", "TransactionConflict")
CANCELED_FOR_THROUGHPUT = canceled("ProvisionedThroughputExceeded", "None")
CANCELED_FOR_THROTTLING = canceled("None", "ThrottlingError")
CONFLICT_EXCEPTION = Refusal("TransactionConflictException")
IN_PROGRESS = Refusal("TransactionInProgressException")
THROUGHPUT = Refusal("ProvisionedThroughputExceededException")
THROTTLING = Refusal("ThrottlingException")
SERVER_ERROR = Refusal("InternalServerError", status=500)

CONTENDED = [CONFLICT, CANCELED_FOR_THROUGHPUT, CANCELED_FOR_THROTTLING, CONFLICT_EXCEPTION]
OUT_OF_REACH = [THROUGHPUT, THROTTLING, Break.RESET, Break.RESET_AFTER]
ORDER = placed_order()
ORDER_ID = ORDER.order_id
EVERYTHING = IdRange.all()
KEY = IdempotencyKey("cus_42#" + "0f" * 32, "fingerprint")


READS: dict[str, Callable[[DynamoDbOrders], object]] = {
    "order": lambda orders: orders.get(ORDER_ID),
    "record": lambda orders: orders.get_record(KEY.record_id),
    "order and record": lambda orders: orders.get_with_record(
        ORDER_ID, KEY.record_id, snapshot=False
    ),
    "snapshot": lambda orders: orders.get_with_record(ORDER_ID, KEY.record_id, snapshot=True),
    "customer's list": lambda orders: orders.list_by_customer(
        CUS_42, EVERYTHING, newest_first=True, limit=1, consistent=False
    ),
    "status list": lambda orders: orders.list_by_status(
        OrderStatus.PENDING, EVERYTHING, newest_first=True, limit=1
    ),
    "each of a status": lambda orders: list(orders.each_by_status(OrderStatus.PENDING, EVERYTHING)),
    "timeline": lambda orders: orders.get_with_events(ORDER_ID, after_version=0, limit=1),
    "feed": lambda orders: orders.list_events("", EPOCH, NOON, 1),
    "each created": lambda orders: list(orders.each_created(EPOCH, NOON)),
}


def response_of(order: Order) -> idempotency.StoredResponse:
    return idempotency.StoredResponse(order.order_id)


def attempts_at(fault: Fault) -> set[int]:
    """One more if the first finds an idle connection dead: libcurl itself sends it again."""
    return {ATTEMPTS, ATTEMPTS + 1} if isinstance(fault, Break) else {ATTEMPTS}


def name(fault: Fault) -> str:
    if isinstance(fault, Refusal):
        return " ".join((fault.code, *fault.reasons))
    return str(fault)


@pytest.fixture
def hasty_orders(wire: Recorder, orders: DynamoDbOrders) -> DynamoDbOrders:
    """With a time limit like that of the functions."""
    client = client_of(wire.endpoint, attempt_seconds=1)
    return DynamoDbOrders(Table(client, orders.table.name), INDEX)


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CONTENDED_SECONDS", 0.5)


class TestAFaultThatStrikesOnce:
    @pytest.mark.parametrize("fault", [IN_PROGRESS, SERVER_ERROR, *OUT_OF_REACH], ids=name)
    def test_has_the_client_repeat_the_write_byte_for_byte(
        self, wire: Recorder, orders: DynamoDbOrders, fault: Fault
    ) -> None:
        """Even if it took effect and only its response was lost, its key does not count as used."""
        order = placed_order()
        record = KEY.remember(response_of(order), NOON)
        wire.inject([fault])

        orders.add(order, event_of(order), record, NOON)

        first, second = wire.calls
        assert first.body == second.body
        assert first.parameters["ClientRequestToken"]
        assert orders.get_with_record(order.order_id, KEY.record_id) == (order, record)

    @pytest.mark.parametrize("fault", [Break.SILENCE, Break.SILENCE_AFTER], ids=name)
    def test_has_the_client_repeat_the_write_where_no_response_came_in_time(
        self, wire: Recorder, hasty_orders: DynamoDbOrders, fault: Fault
    ) -> None:
        """On a slow machine the repetition may be late too, and be repeated."""
        order = placed_order()
        wire.inject([fault])

        hasty_orders.add(order, event_of(order), KEY.remember(response_of(order), NOON), NOON)

        assert 2 <= len(wire.calls) <= ATTEMPTS
        assert len({call.body for call in wire.calls}) == 1
        assert hasty_orders.get(order.order_id) == order

    @pytest.mark.parametrize("fault", CONTENDED, ids=name)
    def test_has_a_contended_write_repeated_as_the_same_transaction(
        self, wire: Recorder, orders: DynamoDbOrders, fault: Fault
    ) -> None:
        order = placed_order()
        wire.inject([fault])

        orders.add(order, event_of(order), KEY.remember(response_of(order), NOON), NOON)

        first, second = wire.calls
        assert first.body == second.body
        paid = changed_order(order, OrderStatus.PAID)
        wire.inject([fault, Break.RESET_AFTER])
        orders.update(order, paid, event_of(paid, order), None, NOON)
        assert orders.get(order.order_id) == paid

    @pytest.mark.parametrize("fault", [SERVER_ERROR, *OUT_OF_REACH], ids=name)
    def test_has_the_client_repeat_the_read(
        self, wire: Recorder, orders: DynamoDbOrders, fault: Fault
    ) -> None:
        order = placed_order()
        orders.add(order, event_of(order), None, NOON)
        wire.forget()
        wire.inject([fault])

        assert orders.get(order.order_id) == order
        assert wire.counts == {"GetItem": 2}

    def test_leaves_a_record_that_was_written_alone_written_once(
        self, wire: Recorder, orders: DynamoDbOrders
    ) -> None:
        wire.inject([Break.RESET_AFTER])
        orders.remember(KEY.remember(response_of(placed_order()), NOON), NOON)
        assert orders.get_record(KEY.record_id)


class TestAFaultThatKeepsStriking:
    @pytest.mark.parametrize("fault", [CONFLICT, IN_PROGRESS, SERVER_ERROR], ids=name)
    def test_ends_a_write_after_some_attempts_at_one_transaction(
        self, wire: Recorder, orders: DynamoDbOrders, fault: Fault
    ) -> None:
        wire.inject(repeat(fault))

        with pytest.raises(TryAgain):
            orders.add(ORDER, event_of(ORDER), None, NOON)

        assert 1 < len(wire.calls) <= MOST_ATTEMPTS
        first, *others = wire.calls
        assert all(call.body == first.body for call in others)

    @pytest.mark.parametrize("fault", OUT_OF_REACH, ids=name)
    def test_ends_a_write_after_the_clients_attempts(
        self, wire: Recorder, orders: DynamoDbOrders, fault: Fault
    ) -> None:
        wire.inject(repeat(fault))

        with pytest.raises(TryAgain):
            orders.add(ORDER, event_of(ORDER), None, NOON)

        assert len(wire.calls) in attempts_at(fault)
        assert len({call.body for call in wire.calls}) == 1

    @pytest.mark.parametrize("fault", [SERVER_ERROR, *OUT_OF_REACH], ids=name)
    def test_ends_a_read_after_the_clients_attempts(
        self, wire: Recorder, orders: DynamoDbOrders, fault: Fault
    ) -> None:
        wire.inject(repeat(fault))

        with pytest.raises(TryAgain):
            orders.get(placed_order().order_id)

        assert len(wire.calls) in attempts_at(fault)

    @pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
    def test_ends_a_read_of_any_kind(
        self, wire: Recorder, orders: DynamoDbOrders, read: Callable[[DynamoDbOrders], object]
    ) -> None:
        """The client passes this fault on at once."""
        wire.inject(repeat(CONFLICT_EXCEPTION))

        with pytest.raises(TryAgain):
            read(orders)

    def test_ends_a_call_whose_response_never_comes(
        self, wire: Recorder, orders: DynamoDbOrders
    ) -> None:
        wire.inject(repeat(Break.SILENCE))
        client = client_of(wire.endpoint, attempt_seconds=0.2)

        with pytest.raises(TryAgain):
            DynamoDbOrders(Table(client, orders.table.name), INDEX).add(
                ORDER, event_of(ORDER), None, NOON
            )

        assert len(wire.calls) == ATTEMPTS

    def test_lets_the_callers_own_retry_find_a_write_that_took_effect(
        self, wire: Recorder, orders: DynamoDbOrders
    ) -> None:
        create = CreateOrder(orders, FakeClock(), FakeIds())
        wire.inject(repeat(Break.RESET_AFTER))

        with pytest.raises(TryAgain):
            create(CUSTOMER_42, new_order(), KEY, response_of)
        wire.inject([])
        outcome = create(CUSTOMER_42, new_order(), KEY, response_of)

        assert outcome.replayed
        found = orders.list_by_customer(
            CUS_42, EVERYTHING, newest_first=True, limit=10, consistent=True
        )
        assert [str(one.position) for one in found] == [outcome.response]


def test_a_failed_condition_beside_a_conflict_is_final(
    wire: Recorder, orders: DynamoDbOrders
) -> None:
    order, conflict, failed = placed_order(), "TransactionConflict", "ConditionalCheckFailed"
    record = KEY.remember(response_of(order), NOON)
    wire.inject(
        repeat(canceled(conflict, "None", "None", failed, shown=rows.idempotency_row(record)))
    )
    with pytest.raises(KeyInUse):
        orders.add(order, event_of(order), record, NOON)
    with pytest.raises(KeyInUse):
        orders.update(order, order, event_of(order), record, NOON)
    wire.inject(repeat(canceled(failed, conflict, "None", "None")))
    with pytest.raises(StaleOrder):
        orders.update(order, order, event_of(order), record, NOON)
    assert wire.counts == {"TransactWriteItems": 3}


def test_a_refusal_that_no_attempt_can_change_is_not_repeated(
    wire: Recorder, orders: DynamoDbOrders
) -> None:
    wire.inject(repeat(Refusal("AccessDeniedException")))
    with pytest.raises(Refused, match="AccessDeniedException") as raised:
        orders.add(ORDER, event_of(ORDER), None, NOON)
    assert len(wire.calls) == 1
    assert raised.value.__cause__ is None, "who follows the causes would never come to an end"


def test_a_transaction_is_known_by_its_token(wire: Recorder, table: Table) -> None:
    """Repeated with its token it succeeds and is done once, though its condition now fails."""
    row = {"pk": "a", "sk": "b", "attribute": 7}

    def write(number: int) -> None:
        operation = table.put(row | {"attribute": number}, "attribute_not_exists(pk)")
        table.client.call(
            "TransactWriteItems", {"TransactItems": [operation], "ClientRequestToken": "a token"}
        )

    write(7)
    write(7)
    assert len({call.body for call in wire.calls}) == 1
    with pytest.raises(Refused, match="IdempotentParameterMismatchException"):
        write(8)
    assert table.get({"pk": "a", "sk": "b"}) == row
