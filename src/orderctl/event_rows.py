"""The rows of events: of one order, or of all that were recorded in a time."""

from __future__ import annotations

import heapq
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from orders.adapters.dynamodb import keys
from orders.domain import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orderctl.stage import Stage
    from orders.adapters.dynamodb.rows import Row
    from orders.domain.order_id import OrderId

_LATEST_VERSION: Final = 9_999_999_999


class Range(NamedTuple):
    """Events recorded from `since` (included) to `until` (not included), after a position.

    A position is an event row's `gsi1sk`; the empty one comes before all. `type` None is any.
    """

    since: datetime
    until: datetime
    type: str | None = None
    after: str = ""

    def count(self, stage: Stage) -> int:
        """DynamoDB counts; no row is transferred."""
        first, last = self._bounds()
        if first > last:
            return 0
        values = {":first": {"S": first}, ":last": {"S": last}}
        filtered = {}
        if self.type:
            values[":type"] = {"S": self.type}
            filtered = {
                "FilterExpression": "#type = :type",
                "ExpressionAttributeNames": {"#type": "type"},
            }
        query = stage.client("dynamodb").get_paginator("query")
        return sum(
            page["Count"]
            for shard in range(keys.SHARDS)
            for page in query.paginate(
                TableName=stage.outputs["OrdersTableName"],
                IndexName=stage.outputs["OrdersIndexName"],
                Select="COUNT",
                KeyConditionExpression="gsi1pk = :shard AND gsi1sk BETWEEN :first AND :last",
                ExpressionAttributeValues=values | {":shard": {"S": keys.feed_partition(shard)}},
                **filtered,
            )
        )

    def rows(self, stage: Stage) -> Iterator[Row]:
        """In the order of their positions; at most a megabyte of each shard is held."""
        first, last = self._bounds()
        if first > last:
            return iter(())
        merged = heapq.merge(
            *(
                stage.table.query(keys.feed_partition(shard), first, last, index=stage.orders.index)
                for shard in range(keys.SHARDS)
            ),
            key=itemgetter("gsi1sk"),
        )
        return (row for row in merged if self.type in {None, row.get("type")})

    def _bounds(self) -> tuple[str, str]:
        # After a position come the keys that extend it, and all later ones.
        first = max(timestamps.to_text(self.since), f"{self.after}#" if self.after else "")
        return first, timestamps.to_text(self.until)


def rows_of_order(stage: Stage, order_id: OrderId) -> list[Row]:
    """All of them, from the table itself: the newest too, of which the index may not know yet."""
    first, last = keys.event(order_id, 1), keys.event(order_id, _LATEST_VERSION)
    return [*stage.table.query(first["pk"], first["sk"], last["sk"], consistent=True)]
