"""The table, as the repositories use it: DynamoDB's calls with their errors classified."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orders.adapters.aws.client import ATTEMPTS, THROTTLED, Refused, Unreachable, pause
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.adapters.dynamodb.values import from_typed, to_typed
from orders.application.errors import TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orders.adapters.aws.client import Client
    from orders.adapters.dynamodb.keys import Key
    from orders.adapters.dynamodb.rows import Row

Operation = dict[str, Any]
"""One part of a transaction, in DynamoDB's JSON; `put` and `update` make them."""

_KEY_NAMES: Final = ("pk", "sk", "gsi1pk", "gsi1sk")
"""What names a row's place in the index."""

CONTENDED_SECONDS: Final = 3.0
"""After this a contended transaction is given up, but never before its second attempt: the first
may have taken as long, because the client itself retries server errors."""

_CONDITION_FAILED: Final = "ConditionalCheckFailed"
_CONTENTION: Final = frozenset(
    {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
_IN_THE_WAY: Final = frozenset({"TransactionConflictException", "TransactionInProgressException"})


class Table(NamedTuple):
    """One table. Any method raises TryAgain if the table is throttled or unreachable."""

    client: Client
    name: str

    def get(self, key: Key) -> Row | None:
        """Strongly consistent."""
        request = {"TableName": self.name, "Key": to_typed(key), "ConsistentRead": True}
        item = self._read("GetItem", request).get("Item")
        return item and from_typed(item)

    def get_many(self, keys: Sequence[Key]) -> list[Row]:
        """The rows that exist, strongly consistent, in no order; at most 100 keys."""
        wanted: dict[str, Any] = {
            self.name: {"Keys": [*map(to_typed, keys)], "ConsistentRead": True}
        }
        rows: list[Row] = []
        for attempt in range(ATTEMPTS):
            if attempt:
                pause(attempt)
            response = self._read("BatchGetItem", {"RequestItems": wanted})
            rows += map(from_typed, response["Responses"].get(self.name, ()))
            wanted = response.get("UnprocessedKeys", {})
            if not wanted:
                return rows
        raise TryAgain from Refused("UnprocessedKeys", 200, [])

    def get_snapshot(self, keys: Sequence[Key]) -> list[Row]:
        """The rows that exist, all as of one instant; at most 100 keys."""
        gets = [{"Get": {"TableName": self.name, "Key": to_typed(key)}} for key in keys]
        response = self._transact("TransactGetItems", {"TransactItems": gets})
        return [from_typed(one["Item"]) for one in response["Responses"] if one and "Item" in one]

    def query(  # noqa: PLR0913 - one for each thing that DynamoDB asks
        self,
        partition: str,
        first: str,
        last: str,
        *,
        index: str | None = None,
        ascending: bool = True,
        consistent: bool = False,
        limit: int | None = None,
        behind: Row | None = None,
    ) -> Iterator[Row]:
        """Rows of a partition whose sort key lies from `first` to `last`, both included.

        Makes a call per megabyte as the rows are consumed, and yields at most `limit` rows; only
        those after the row `behind` of an earlier query.
        """
        prefix = "" if index is None else "gsi1"
        bounds = {":partition": partition, ":first": first, ":last": last}
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": (
                f"{prefix}pk = :partition AND {prefix}sk BETWEEN :first AND :last"
            ),
            "ExpressionAttributeValues": to_typed(bounds),
            "ScanIndexForward": ascending,
            "ConsistentRead": consistent,
        }
        if index is not None:
            request["IndexName"] = index
        if behind is not None:
            request["ExclusiveStartKey"] = to_typed({name: behind[name] for name in _KEY_NAMES})
        while limit is None or limit > 0:
            if limit is not None:
                request["Limit"] = limit
            response = self._read("Query", request)
            items = response["Items"]
            yield from map(from_typed, items)
            if "LastEvaluatedKey" not in response:
                return
            request["ExclusiveStartKey"] = response["LastEvaluatedKey"]
            if limit is not None:
                limit -= len(items)

    def write(self, *operations: Operation) -> None:
        """Write all of the operations, or none.

        Retries contention, with full jitter, for as long as a request can wait.

        Raises:
            ConditionFailed: nothing was written.
        """
        token = os.urandom(16).hex()
        self._transact(
            "TransactWriteItems", {"TransactItems": operations, "ClientRequestToken": token}
        )

    def put(
        self, row: Row, condition: str | None = None, *, show_old: bool = False, **values: object
    ) -> Operation:
        """Write the row if the condition on the one in its place holds; `:name` for `name`.

        With `show_old`, ConditionFailed shows the row in its place.
        """
        put = {"TableName": self.name, "Item": to_typed(row)} | _expression(condition, values)
        if show_old:
            put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return {"Put": put}

    def update(
        self,
        key: Key,
        expression: str,
        condition: str | None,
        names: dict[str, str],
        **values: object,
    ) -> Operation:
        """Change the row in place; `#name` stands for `names["#name"]`, `:name` for `name`."""
        update = {"TableName": self.name, "Key": to_typed(key), "UpdateExpression": expression}
        named = {"ExpressionAttributeNames": names}
        return {"Update": update | named | _expression(condition, values)}

    def _read(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._call(operation, request)
        except Refused as error:
            if error.may_pass or error.code in _IN_THE_WAY:
                raise TryAgain from error
            raise

    def _transact(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        attempt = 0
        while True:
            try:
                return self._call(operation, request)
            except Refused as error:
                if not _is_contended(error):
                    if cause := _cause(error):
                        raise cause from error
                    raise
                attempt += 1
                if attempt > 1 and time.monotonic() - started > CONTENDED_SECONDS:
                    raise TryAgain from error
            pause(attempt)

    def _call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self.client.call(operation, request)
        except Unreachable as error:
            raise TryAgain from error


def _expression(condition: str | None, values: dict[str, object]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if condition:
        parts["ConditionExpression"] = condition
    if values:
        parts["ExpressionAttributeValues"] = to_typed({f":{name}": values[name] for name in values})
    return parts


def _is_contended(error: Refused) -> bool:
    """Whether another transaction holds a row, or may do so. The token makes it safe to retry."""
    if error.reasons:
        return _CONTENTION.issuperset(_codes(error))
    return error.code in _IN_THE_WAY or error.is_server_error


def _cause(error: Refused) -> Exception | None:
    """What the refusal means to a caller; None if it is a fault of ours."""
    failed = {
        index: from_typed(reason["Item"]) if "Item" in reason else None
        for index, (code, reason) in enumerate(zip(_codes(error), error.reasons, strict=True))
        if code == _CONDITION_FAILED
    }
    if failed:
        return ConditionFailed(failed)
    return TryAgain() if error.code in THROTTLED else None


def _codes(error: Refused) -> list[str]:
    return [reason.get("Code", "None") for reason in error.reasons]
