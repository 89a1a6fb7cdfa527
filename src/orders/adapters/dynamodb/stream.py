"""Stream records of the table: what Lambda hands to the stream's reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders.adapters.dynamodb import keys, rows
from orders.application.errors import MalformedRow

if TYPE_CHECKING:
    from orders.domain.events import OrderEvent

StreamRecord = dict[str, Any]
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html"""


def recorded_event(record: StreamRecord) -> OrderEvent | None:
    """The event whose row was inserted; None where the record tells of something else.

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
        # Without the error's own words, which may quote a value.
        raise MalformedRow(f"stream record can't be read: {type(error).__name__}") from None
    return rows.event_from(row)


def _scalar(value: dict[str, Any]) -> object:
    """A text or a whole number in DynamoDB's JSON: an event is made of nothing else.

    Any other value stays as it is, for only a later release knows what it means.
    """
    number = value.get("N", "")
    return int(number) if number.isdecimal() else value.get("S", value)
