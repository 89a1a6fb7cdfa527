"""What `orderctl export` reads, when, and what is left of it when it fails."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from examples import changed_order, event_of, placed_order
from fakes import NOON
from orderctl.__main__ import run
from orderctl.app import Problem
from orderctl.commands.export import _destination, export_orders
from orders.adapters.dynamodb import keys, rows
from orders.application.paging import Found
from orders.domain.events import OrderEvent
from orders.domain.order_id import OrderId
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from orderctl.commands.export import Exported
    from orders.adapters.dynamodb.keys import Key
    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.adapters.dynamodb.rows import Row
    from orders.domain.order import Order

BEGIN, END = NOON, NOON + timedelta(days=1)


class Stored:
    """Orders that have been paid, and their events; stands in for DynamoDbOrders and its table."""

    def __init__(self, orders: Sequence[Order]) -> None:
        self.rows = {order.order_id: rows.detail_row(order) for order in orders}
        events = [event_of(order) for order in orders]
        events += [event_of(changed_order(order, OrderStatus.PAID), order) for order in orders]
        positions = {
            keys.by_record(one.recorded_at, one.order_id, one.version): one for one in events
        }
        self.feed = [Found[OrderEvent | None, str](*one) for one in sorted(positions.items())]
        self.events_read = self.orders_read = 0
        self.table = self

    def list_events(
        self, after: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Found[OrderEvent | None, str]]:
        assert (since, until) == (BEGIN, END)
        found = [one for one in self.feed if one.position > after][:limit]
        self.events_read += len(found)
        return found

    def get_many(self, wanted: Sequence[Key]) -> list[Row]:
        self.orders_read += len(wanted)
        ids = [OrderId(key["pk"].removeprefix("ORDER#")) for key in wanted]
        return [self.rows[order_id] for order_id in reversed(ids) if order_id in self.rows]


def orders_of(count: int) -> list[Order]:
    """One a second from NOON on."""
    return [placed_order(NOON + timedelta(seconds=place)) for place in range(count)]


def exported(stored: Stored) -> Iterator[Exported]:
    return export_orders(cast("DynamoDbOrders", stored), BEGIN, END, lines=False)


def test_every_order_is_exported_once_in_the_order_of_creation() -> None:
    orders = orders_of(1234)

    found = [*exported(Stored(orders))]

    assert [one.order_id for one in found] == [one.order_id for one in orders]
    assert [one.records[0]["orderId"] for one in found] == [one.order_id for one in orders]


def test_an_order_whose_event_is_unreadable_is_exported_too() -> None:
    orders = orders_of(3)
    stored = Stored(orders)
    stored.feed = [one._replace(item=None) for one in stored.feed]

    assert [one.order_id for one in exported(stored)] == [one.order_id for one in orders]


def test_an_order_that_is_missing_or_damaged_is_named_and_the_rest_exported() -> None:
    orders = orders_of(3)
    stored = Stored(orders)
    del stored.rows[orders[0].order_id]
    stored.rows[orders[1].order_id]["amount"] = "much"

    missing, damaged, whole = exported(stored)

    assert missing.problem == f"order {orders[0].order_id} has no row"
    assert orders[1].order_id in (damaged.problem or "")
    assert not missing.records
    assert not damaged.records
    assert whole.problem is None


def test_orders_are_read_as_they_are_consumed() -> None:
    stored = Stored(orders_of(10_000))
    most_ahead = most_events_ahead = 0

    for count, _ in enumerate(exported(stored)):
        most_ahead = max(most_ahead, stored.orders_read - count)
        most_events_ahead = max(most_events_ahead, stored.events_read - 2 * count)

    print(f"\nExport: at most {most_ahead} orders and {most_events_ahead} events ahead of 10,000")
    assert most_ahead <= 1000
    assert most_events_ahead <= 4000


def test_a_file_that_is_interrupted_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("before")

    def interrupted() -> None:
        with _destination(file) as destination:
            destination.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [*tmp_path.iterdir()] == [file]
    assert file.read_text() == "before"


def test_a_complete_file_replaces_what_was_there(tmp_path: Path) -> None:
    file, link = tmp_path / "orders.csv", tmp_path / "link.csv"
    file.write_text("before")
    link.symlink_to(file)

    with _destination(link) as destination:
        destination.write(b"whole")
        assert file.read_text() == "before"

    assert file.read_text() == "whole"
    assert {*tmp_path.iterdir()} == {file, link}


def test_a_place_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    with (
        pytest.raises(Problem, match="can't be written: No such file or directory"),
        _destination(tmp_path / "nowhere" / "orders.csv"),
    ):
        pass


def test_csv_that_is_json_is_wrong_usage() -> None:
    assert run(["export", "--from", "2h", "--to", "1h", "--format", "csv", "--json"]) == 2
