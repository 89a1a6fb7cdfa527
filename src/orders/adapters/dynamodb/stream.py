"""Stream records of the table, as Lambda passes them to the stream's reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders.adapters.dynamodb import keys, rows
from orders.application.errors import MalformedRow

if TYPE_CHECKING:
    from orders.domain.events import OrderEvent

StreamRecord = dict[str, Any]
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html"""


def recorded_event(record: StreamRecord) -> OrderEvent | None:
    """The event whose row was inserted; None if the record is about anything else.

    Raises:
        MalformedRow, NewerRow.
    """
    try:
        change = record["dynamodb"]
        is_event = change["Keys"]["sk"]["S"].startswith(keys.EVENT)
        if not is_event or record["eventName"] != "INSERT":
            return None
        image = change["NewImage"]
        row = {name: _scalar(value) for name, value in image.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Without the original message, which may quote a value.
        raise MalformedRow(f"stream record can't be read: {type(error).__name__}") from None
    return rows.event_from(row)


def _scalar(value: dict[str, Any]) -> object:
    """A string or an integer in DynamoDB's JSON: an event holds nothing else.

    Any other value stays as it is; only a later release knows what it means.
    """
    number = value.get("N", "")
    return int(number) if number.isdecimal() else value.get("S", value)
