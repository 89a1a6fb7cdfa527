"""A simulation of Lambda's event source mapping on one shard of a DynamoDB stream.

The local AWS hands each batch over once and goes on, whatever the function returns. This does what
AWS documents instead, in pages of https://docs.aws.amazon.com/lambda/latest/dg/:

- with-ddb.html: one batch of a shard is in flight at a time (parallelization factor 1), the order
  of its records is kept, and a batch that fails is tried again before anything behind it.
- invocation-eventsourcemapping.html: at least once. A poller that dies goes on from the checkpoint.
- invocation-eventfiltering.html: the filter decides which records get into a batch; those that it
  drops are passed by like those that were processed.
- services-ddb-batchfailurereporting.html: the lowest sequence number that is reported is the
  checkpoint, and all from there on is tried again; nothing reported is success; an item identifier
  that is null, empty or under another name fails the whole batch. Bisecting, a batch is split at
  the number that was returned; where the whole batch failed, in two halves.
- services-dynamodb-errors.html: a split uses up no retry, and neither does a call that never
  reached the function. What was tried too often or is too old is told to the on-failure
  destination, and the shard goes on.
- services-ddb-params.html: -1 is without end, which means: until the record expires. A stream
  keeps it for 24 hours.

Where these pages are silent, it was decided: an identifier that is not in the batch, and a response
of another shape, fail the whole batch; a report of the first record uses up a retry, one that gets
further does not; records expire one by one, from a batch's front, before each attempt; a record
that expires in the stream is told to the destination like one that is too old.

Left out: batching windows, tumbling windows, parallelization, splits of shards, the 6 MB that a
batch may have, and the pauses between attempts, which are the caller's.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Mapping as Properties

Record = dict[str, Any]
"""As the function gets it; its time is in seconds since 1970."""

RETENTION_SECONDS: Final = 24 * 60 * 60
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html"""

_FIXED: Final = {
    "Enabled": True,
    "MaximumBatchingWindowInSeconds": 0,
    "ParallelizationFactor": 1,
    "StartingPosition": "TRIM_HORIZON",
    "TumblingWindowInSeconds": 0,
}
"""Settings that the simulation knows with this value only."""


class FunctionFailed(Exception):
    """The function raised, timed out or died."""


class NotInvoked(Exception):
    """The call did not reach the function: throttled, for example."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """The settings of a mapping, in AWS's meaning of each."""

    batch_size: int = 100
    bisect: bool = False
    max_retries: int = -1
    max_age_seconds: int = -1
    reports_failures: bool = False
    filter_patterns: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, properties: Properties[str, Any]) -> Self:
        """The settings of an `AWS::Lambda::EventSourceMapping` in a template.

        Raises ValueError where the simulation lacks one of them.
        """
        for name, value in _FIXED.items():
            if properties.get(name, value) != value:
                raise ValueError(f"not simulated: {name}={properties[name]!r}")
        filters = properties.get("FilterCriteria", {}).get("Filters", [])
        return cls(
            batch_size=properties.get("BatchSize", 100),
            bisect=properties.get("BisectBatchOnFunctionError", False),
            max_retries=properties.get("MaximumRetryAttempts", -1),
            max_age_seconds=properties.get("MaximumRecordAgeInSeconds", -1),
            reports_failures="ReportBatchItemFailures"
            in properties.get("FunctionResponseTypes", []),
            filter_patterns=tuple(json.loads(one["Pattern"]) for one in filters),
        )

    @property
    def lifetime(self) -> int:
        """The age in seconds above which a record is given up."""
        return RETENTION_SECONDS if self.max_age_seconds < 0 else self.max_age_seconds

    def lets_pass(self, record: Record) -> bool:
        """Whether one of the filter's patterns fits, or there are none."""
        patterns = self.filter_patterns
        return not patterns or any(_fits(pattern, record) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class _Batch:
    records: tuple[Record, ...]
    retries: int = 0
    invocations: int = 0
    function_error: str | None = None


class StreamSource:
    """One mapping's poller of one shard.

    Args:
        mapping: the settings.
        read: `read(after, limit)` are the shard's next records behind a sequence number, None for
            the oldest that it holds (`AFTER_SEQUENCE_NUMBER`, `TRIM_HORIZON`).
        invoke: calls the function with an event and returns its response. What it raises but
            FunctionFailed and NotInvoked is raised by `step`, as if nothing had been tried.
        on_failure: takes what AWS sends to the on-failure destination.
        now: seconds since 1970.
        function_arn, shard_id: as `on_failure` is told.
    """

    def __init__(  # noqa: PLR0913 - the four that it works with, and two names
        self,
        mapping: Mapping,
        *,
        read: Callable[[str | None, int], Sequence[Record]],
        invoke: Callable[[dict[str, Any]], object],
        on_failure: Callable[[dict[str, Any]], None],
        now: Callable[[], float],
        function_arn: str = "arn:aws:lambda:ap-southeast-1:000000000000:function:simulated",
        shard_id: str = "shardId-00000000000000000000-00000000",
    ) -> None:
        self.mapping = mapping
        self.checkpoint: str | None = None
        """The sequence number of the last record that is done with; a new poller goes on here."""
        self._read = read
        self._invoke = invoke
        self._on_failure = on_failure
        self._now = now
        self._names = (function_arn, shard_id)
        self._batches: list[_Batch] = []
        self._read_to: str | None = None

    def step(self) -> bool:
        """One attempt on one batch; False where there is nothing to read."""
        if not self._batches and not self._fetch():
            return False
        self._give_up_expired()
        if self._batches:
            self._attempt(self._batches[0])
        return True

    def restart(self) -> None:
        """Let another poller take over: all it knows of this one is the checkpoint."""
        self._batches.clear()

    def _fetch(self) -> bool:
        records = self._read(self.checkpoint, self.mapping.batch_size)
        if not records:
            return False
        self._read_to = _number(records[-1])
        passed = tuple(record for record in records if self.mapping.lets_pass(record))
        if passed:
            self._batches = [_Batch(passed)]
        else:
            self.checkpoint = self._read_to
        return True

    def _give_up_expired(self) -> None:
        oldest = self._now() - self.mapping.lifetime
        for batch in self._batches[:1]:
            expired = list(takewhile(lambda record: _created(record) < oldest, batch.records))
            if expired:
                self._give_up(batch, len(expired), "RecordAgeExceeded")

    def _attempt(self, batch: _Batch) -> None:
        called = replace(batch, invocations=batch.invocations + 1)
        try:
            response = self._invoke({"Records": list(batch.records)})
            done = self._done(batch, response)
        except NotInvoked:
            return
        except FunctionFailed:
            self._failed(replace(called, function_error="Unhandled"))
            return
        called = replace(called, function_error=None)
        if done:
            self._pass(called, done)
        else:
            self._retry(called)

    def _done(self, batch: _Batch, response: object) -> int:
        """How many of the first records are done. Raises FunctionFailed if the response is none."""
        numbers = [_number(record) for record in batch.records]
        if not self.mapping.reports_failures:
            return len(numbers)
        match response:
            case None | {"batchItemFailures": None}:
                reported: list[Any] = []
            case {"batchItemFailures": list(failures)}:
                reported = failures
            case dict() if "batchItemFailures" not in response:
                reported = []
            case _:
                raise FunctionFailed
        try:
            failed = [numbers.index(failure["itemIdentifier"]) for failure in reported]
        except (KeyError, TypeError, ValueError) as error:
            raise FunctionFailed from error
        return min(failed, default=len(numbers))

    def _failed(self, batch: _Batch) -> None:
        middle = len(batch.records) // 2
        if self.mapping.bisect and middle:
            halves = batch.records[:middle], batch.records[middle:]
            self._batches[:1] = [replace(batch, records=half) for half in halves]
        else:
            self._retry(batch)

    def _retry(self, batch: _Batch) -> None:
        if batch.retries == self.mapping.max_retries:
            self._give_up(batch, len(batch.records), "RetryAttemptsExhausted")
        else:
            self._batches[0] = replace(batch, retries=batch.retries + 1)

    def _give_up(
        self,
        batch: _Batch,
        count: int,
        condition: Literal["RecordAgeExceeded", "RetryAttemptsExhausted"],
    ) -> None:
        self._on_failure(self._discarded(replace(batch, records=batch.records[:count]), condition))
        self._pass(batch, count)

    def _pass(self, batch: _Batch, count: int) -> None:
        """Move the checkpoint over the first records of the first batch."""
        left = batch.records[count:]
        self._batches[:1] = [replace(batch, records=left)] if left else []
        self.checkpoint = _number(batch.records[count - 1]) if self._batches else self._read_to

    def _discarded(self, batch: _Batch, condition: str) -> dict[str, Any]:
        """The example in services-dynamodb-errors.html: where the records were, not what."""
        function_arn, shard_id = self._names
        first, last = batch.records[0], batch.records[-1]
        discarded: dict[str, Any] = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": function_arn,
                "condition": condition,
                "approximateInvokeCount": batch.invocations,
            },
            "version": "1.0",
            "timestamp": _iso(self._now(), "milliseconds"),
            "DDBStreamBatchInfo": {
                "shardId": shard_id,
                "startSequenceNumber": _number(first),
                "endSequenceNumber": _number(last),
                "approximateArrivalOfFirstRecord": _iso(_created(first), "seconds"),
                "approximateArrivalOfLastRecord": _iso(_created(last), "seconds"),
                "batchSize": len(batch.records),
                "streamArn": first["eventSourceARN"],
            },
        }
        if batch.invocations:
            returned = {"statusCode": 200, "executedVersion": "$LATEST"}
            failed = {"functionError": batch.function_error} if batch.function_error else {}
            discarded["responseContext"] = returned | failed
        return discarded


def _fits(pattern: dict[str, Any], value: object) -> bool:
    """EventBridge's patterns, as far as they list values and prefixes; ValueError beyond that."""
    if not isinstance(value, dict):
        return False
    return all(
        _fits(part, value.get(name))
        if isinstance(part, dict)
        else any(_is(allowed, value.get(name, ...)) for allowed in part)
        for name, part in pattern.items()
    )


def _is(allowed: object, value: object) -> bool:
    match allowed:
        case {"prefix": str(prefix), **others} if not others:
            return isinstance(value, str) and value.startswith(prefix)
        case dict():
            raise ValueError(f"not simulated: {allowed}")
        case _:
            return value == allowed


def _number(record: Record) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def _created(record: Record) -> float:
    seconds: float = record["dynamodb"]["ApproximateCreationDateTime"]
    return seconds


def _iso(seconds: float, precision: Literal["milliseconds", "seconds"]) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat("T", precision).replace("+00:00", "Z")
