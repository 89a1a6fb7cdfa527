"""Stream records of the table: what Lambda hands to the stream's readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.rows import change_from
from orders.domain.errors import MalformedRow
from orders.telemetry import count, logger

if TYPE_CHECKING:
    from orders.adapters.dynamodb.rows import Row
    from orders.domain.changes import OrderChange

StreamRecord = dict[str, Any]
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html"""

_READ: Final = (
    "pk",
    "sk",
    "orderId",
    "customerId",
    "status",
    "amount",
    "currency",
    "version",
    "updatedAt",
    "actor",
    "staffId",
    "reason",
)


class FailureQueue(Protocol):
    """Where records wait for a person."""

    def send(self, record: StreamRecord, cause: str) -> None: ...


@dataclass(frozen=True, slots=True)
class OrderStream:
    """The changes of orders in a batch of records; what can't be read is set aside."""

    failures: FailureQueue

    def change(self, record: StreamRecord) -> OrderChange | None:
        """The record's change of status; None if there is none, or none that can be read.

        What the failure queue raises is raised here.
        """
        try:
            return order_change(record)
        except MalformedRow as error:
            self.set_aside(record, str(error))
            return None

    def set_aside(self, record: StreamRecord, cause: str) -> None:
        """Send the record whole to the failure queue, to be acknowledged.

        To try it again would not help, and it must not hold up the records behind it.
        """
        self.failures.send(record, cause)
        logger.error("stream record set aside", event_id=record.get("eventID"))
        count("RecordsSetAside")


def order_change(record: StreamRecord) -> OrderChange | None:
    """The change of status that the record tells of; None if it tells of something else.

    Raises:
        MalformedRow: it can't be read.
    """
    try:
        images = record["dynamodb"]
        if images["Keys"]["sk"]["S"] != keys.DETAIL or record["eventName"] == "REMOVE":
            return None
        new = _scalars(images["NewImage"])
        old = None if record["eventName"] == "INSERT" else _scalars(images["OldImage"])
        changed = old is None or old["status"] != new["status"]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        # Without the error's own words, which may quote a value.
        message = f"not a readable stream record: {type(error).__name__}"
        raise MalformedRow(message) from None
    return change_from(new, old) if changed else None


def _scalars(image: dict[str, dict[str, str]]) -> Row:
    """The attributes that a change needs, from DynamoDB's JSON; the others are not touched."""
    present = {name: image[name] for name in _READ if name in image}
    return {
        name: int(value["N"]) if "N" in value else value["S"] for name, value in present.items()
    }
