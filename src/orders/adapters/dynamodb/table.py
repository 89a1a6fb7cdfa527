"""The table, as the repositories use it: pydynox's client with its errors classified.

Only this module uses pydynox, so that the client can be replaced.
"""

from __future__ import annotations

import logging
import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydynox import DynamoDBClient
from pydynox.exceptions import (
    ConnectionException,
    IdempotentParameterMismatchException,
    ProvisionedThroughputExceededException,
    PydynoxException,
    TransactionCanceledException,
)

from orders.adapters.dynamodb.errors import ConditionFailed, Contended
from orders.application.errors import TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orders.adapters.dynamodb.keys import Key
    from orders.adapters.dynamodb.rows import Row

Result = TypeVar("Result")

Operation = dict[str, Any]
"""One part of a transaction, in pydynox's format; `put` and `update` make them."""

_ATTEMPTS: Final = 3
_KEY_NAMES: Final = ("pk", "sk", "gsi1pk", "gsi1sk")
"""What names a row's place in the index."""

_CODES: Final = re.compile(r"\[([A-Za-z, ]+)\]")
_CONDITION_FAILED: Final = "ConditionalCheckFailed"
_CONTENTION: Final = frozenset(
    {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)

# It reports slow calls in lines that are not JSON; our own lines have the request's duration.
logging.getLogger("pydynox").setLevel(logging.ERROR)

_UNREACHABLE: Final = (ConnectionException, ProvisionedThroughputExceededException)


def connect(attempt_seconds: float) -> DynamoDBClient:
    """A client for this region, with the function's own credentials; costs no round trip.

    A call is attempted three times on timeouts, resets, throttling and server errors, with up to
    two seconds of pauses in between. A retried write keeps its bytes and its ClientRequestToken.
    Must not be shared across a fork.
    """
    return DynamoDBClient(
        connect_timeout=attempt_seconds, read_timeout=attempt_seconds, max_retries=_ATTEMPTS
    )


@dataclass(frozen=True, slots=True)
class Table:
    """One table. Any method raises TryAgain if the table is throttled or unreachable."""

    client: DynamoDBClient
    name: str

    def get(self, key: Key) -> Row | None:
        """Strongly consistent."""
        with _classified_errors():
            return self.client.sync_get_item(self.name, key, consistent_read=True)

    def get_many(self, keys: Sequence[Key]) -> list[Row]:
        """The rows that exist, strongly consistent, in no order; at most 100 keys."""
        with _classified_errors():
            return self.client.sync_batch_get(self.name, list(keys), consistent_read=True)

    def get_snapshot(self, keys: Sequence[Key]) -> list[Row]:
        """The rows that exist, all as of one instant; at most 100 keys."""
        gets = [{"table": self.name, "key": key} for key in keys]
        found = _despite_contention(lambda: self.client.sync_transact_get(gets))
        return [row for row in found if row is not None]

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
        rows = self.client.sync_query(
            self.name,
            f"{prefix}pk = :partition AND {prefix}sk BETWEEN :first AND :last",
            expression_attribute_values=_values(partition=partition, first=first, last=last),
            limit=limit,
            scan_index_forward=ascending,
            index_name=index,
            consistent_read=consistent,
            last_evaluated_key=behind and {name: behind[name] for name in _KEY_NAMES},
        )
        with _classified_errors():
            yield from rows

    def write(self, *operations: Operation) -> None:
        """Write all of the operations, or none.

        Retries contention, with full jitter, for as long as a request can wait.

        Raises:
            ConditionFailed: nothing was written.
        """
        token = os.urandom(16).hex()
        _despite_contention(
            lambda: self.client.sync_transact_write(list(operations), client_request_token=token)
        )

    def put(self, row: Row, condition: str | None = None, **values: object) -> Operation:
        """Write the row if the condition on the one in its place holds; `:name` for `name`."""
        return {"type": "put", "table": self.name, "item": row} | _expression(condition, values, {})

    def update(
        self,
        key: Key,
        expression: str,
        condition: str | None,
        names: dict[str, str],
        **values: object,
    ) -> Operation:
        """Change the row in place; `#name` stands for `names["#name"]`, `:name` for `name`."""
        return {
            "type": "update",
            "table": self.name,
            "key": key,
            "update_expression": expression,
        } | _expression(condition, values, names)


def _expression(
    condition: str | None, values: dict[str, object], names: dict[str, str]
) -> dict[str, object]:
    parts: dict[str, object] = {}
    if condition:
        parts["condition_expression"] = condition
    if names:
        parts["expression_attribute_names"] = names
    if values:
        parts["expression_attribute_values"] = _values(**values)
    return parts


def _values(**values: object) -> dict[str, object]:
    return {f":{name}": value for name, value in values.items()}


def _despite_contention(transaction: Callable[[], Result]) -> Result:
    started = time.monotonic()

    def attempt() -> Result:
        try:
            return transaction()
        except TransactionCanceledException as error:
            raise _cancellation(error) from error
        except (*_UNREACHABLE, IdempotentParameterMismatchException) as error:
            # A mismatch: an earlier attempt succeeded, and this one had its attributes in another
            # order. Whether DynamoDB compares their order is not documented.
            raise TryAgain from error
        except PydynoxException as error:
            # TransactionInProgress, TransactionConflict and server errors have no class of their
            # own. Retrying is safe: the token makes it the same transaction.
            if type(error) is PydynoxException:
                raise Contended from error
            raise

    try:
        return attempt()
    except Contended:
        # Imported here because most processes never lose a race.
        from orders.adapters.dynamodb.contention import retry  # noqa: PLC0415

        return retry(attempt, started)


@contextmanager
def _classified_errors() -> Iterator[None]:
    try:
        yield
    except PydynoxException as error:
        if isinstance(error, _UNREACHABLE) or type(error) is PydynoxException:
            raise TryAgain from error
        raise


def _cancellation(error: TransactionCanceledException) -> Exception:
    """The reasons come as a list of codes in the message, one per operation."""
    found = _CODES.search(str(error))
    codes = [code.strip() for code in found[1].split(",")] if found else []
    if failed := frozenset(i for i, code in enumerate(codes) if code == _CONDITION_FAILED):
        return ConditionFailed(failed)
    return Contended() if codes and _CONTENTION.issuperset(codes) else error
