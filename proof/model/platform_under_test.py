"""The platform's own code over DynamoDB Local: its routes, and what runs behind them.

The table's stream is the real one, as DynamoDB Local keeps it. What AWS puts between the parts is
a list in memory here: the stream's reader gets its records, and the queue's messages are kept.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from api import Api
from fakes import FakeIds
from orders.adapters.aws.client import Client
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.adapters.mock_inventory import MockInventory
from orders.adapters.mock_payments import MockPaymentGateway
from orders.adapters.sqs import SqsEventPublisher
from orders.application.errors import TryAgain
from orders.application.expire_stale_orders import ExpireStaleOrders
from orders.application.make_daily_report import MakeDailyReport
from orders.application.settle_payment import SettlePayment
from orders.functions import (
    daily_report,
    expire_stale_orders,
    settle_payments,
)
from orders.functions.publish_order_events import Relay
from servers import INDEX, aws_client, client_of, create_table, dynamodb_local
from stream_records import FakeConsumedQueue, FakeDeadLetterQueue, batch, failures, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders.application.idempotency import IdempotencyRecord
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId
    from stream_records import Record

_RECORDS_A_CALL: Final = 1000


class Context(SimpleNamespace):
    """Lambda's."""

    aws_request_id = "1e1c9f3f-0b9b-4f6d-9d7b-0c8f3a5e4d21"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass(frozen=True)
class DyingOrders:
    """The orders, for a consumer that is killed before its write."""

    orders: DynamoDbOrders

    def get(self, order_id: OrderId) -> Order | None:
        return self.orders.get(order_id)

    def update(
        self,
        _before: Order,
        _after: Order,
        _event: OrderEvent,
        _record: IdempotencyRecord | None,
        _now: datetime,
    ) -> None:
        raise TryAgain


class Queue(Client):
    """As much of SQS' client as the publisher needs; keeps every message."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        assert operation == "SendMessageBatch"
        self.messages += parameters["Entries"]
        return {}


class Platform:
    """One deployment, with an empty table of its own."""

    def __init__(self) -> None:
        endpoint_url = dynamodb_local()
        table = Table(client_of(endpoint_url), create_table(endpoint_url))
        self._orders = DynamoDbOrders(table, INDEX)
        reports = DynamoDbReports(table)
        ids = FakeIds()
        ids._noise = itertools.count(1)  # the same ids each time that an example is run
        with pytest.MonkeyPatch.context() as changes:
            changes.setattr("api.InMemoryOrders", lambda: self._orders)
            changes.setattr("api.InMemoryReports", lambda: reports)
            changes.setattr("api.FakeIds", lambda: ids)
            self.api = Api()
        self.clock = self.api.clock
        self.queue = Queue()
        self.failures = FakeDeadLetterQueue()
        publisher = SqsEventPublisher(self.queue, "order-events-queue")
        self._publish = Relay(publisher, self.failures)  # type: ignore[arg-type]  # the fake has its `send`
        payments, inventory = MockPaymentGateway(table), MockInventory(table)
        self._process = settle_payments.consumer(
            SettlePayment(self._orders, payments, inventory, self.clock), FakeConsumedQueue()
        )
        self._process_and_die = settle_payments.consumer(
            SettlePayment(DyingOrders(self._orders), payments, inventory, self.clock),  # type: ignore[arg-type]  # the rest of the port is not used
            FakeConsumedQueue(),
        )
        self._expire = expire_stale_orders.expirer(ExpireStaleOrders(self._orders, self.clock))
        self._report = daily_report.reporter(MakeDailyReport(self._orders, reports, self.clock))
        self._table = _RawTable(endpoint_url, table.name)

    def close(self) -> None:
        self._orders._threads.shutdown()
        self._table.delete()

    def new_events(self) -> list[Record]:
        """The stream's records since the last call that the trigger's filter lets through."""
        return [record for record in self._table.new_records() if _passes_the_filter(record)]

    def rows(self) -> list[dict[str, Any]]:
        """All that the table holds, in DynamoDB's JSON."""
        return self._table.rows()

    def publish(self, records: list[Record]) -> None:
        assert failures(self._publish(batch(*records), Context())) == []

    def process(self, bodies: list[str], *, dies: bool) -> list[int]:
        """Deliver events: the positions of those that are to come again."""
        now = self.clock.now()  # each is a first receive: none is given up
        records = [message(body, first_received=now) for body in bodies]
        process = self._process_and_die if dies else self._process
        failed = set(failures(process(batch(*records), Context())))
        return [i for i, record in enumerate(records) if record["messageId"] in failed]

    def expire(self) -> dict[str, Any]:
        return self._expire({}, Context())

    def make_report(self, event: dict[str, str]) -> dict[str, Any]:
        return self._report(event, Context())


class _RawTable:
    """The table and its stream, without any of the platform's code."""

    def __init__(self, endpoint_url: str, name: str) -> None:
        self._name = name
        self._client = aws_client("dynamodb", endpoint_url)
        self._streams = aws_client("dynamodbstreams", endpoint_url)
        described = self._client.update_table(
            TableName=name,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        arn = described["TableDescription"]["LatestStreamArn"]
        (shard,) = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._iterator = self._streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]

    def new_records(self) -> list[Record]:
        found: list[Record] = []
        while True:
            response = self._streams.get_records(ShardIterator=self._iterator)
            self._iterator = response["NextShardIterator"]
            found += [_as_lambda_gets_it(record) for record in response["Records"]]
            if len(response["Records"]) < _RECORDS_A_CALL:
                return found

    def rows(self) -> list[dict[str, Any]]:
        response = self._client.scan(TableName=self._name, ConsistentRead=True)
        assert "LastEvaluatedKey" not in response, "one call is enough for so few rows"
        return list(response["Items"])

    def delete(self) -> None:
        self._client.delete_table(TableName=self._name)


def _as_lambda_gets_it(record: Record) -> Record:
    text = json.dumps(record, default=datetime.timestamp)
    loaded: Record = json.loads(text)
    return loaded


def _passes_the_filter(record: Record) -> bool:
    """As infra/background-functions.yml has it."""
    key: str = record["dynamodb"]["Keys"]["sk"]["S"]
    return record["eventName"] == "INSERT" and key.startswith("EVENT#")
