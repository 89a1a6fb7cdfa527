"""Orders as records of a file, and the file's two formats."""

from __future__ import annotations

import csv
import unicodedata
from typing import TYPE_CHECKING, Final

from orderctl.amounts import decimal
from orderctl.terminal import json_line
from orders.adapters.dynamodb.rows import order_from, reads
from orders.domain import timestamps
from orders.domain.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from orders.adapters.dynamodb.rows import Row
    from orders.domain.order import Order

_FORMULA: Final = frozenset("=+-−@")
_NO_TEXT: Final = dict.fromkeys({*range(32), *range(127, 160)} - {*map(ord, "\t\r\n")}, "\ufffd")
"""What no text in a CSV file may contain (RFC 4180, section 2)."""

Record = dict[str, str | int | None]
"""Cells by their columns, in the same order for all records. Amounts are decimals."""


@reads("order")
def order_records(row: Row) -> list[Record]:
    """One. Raises MalformedRow, NewerRow."""
    return [_record(order_from(row))]


@reads("order")
def line_records(row: Row) -> list[Record]:
    """One per order line. Raises MalformedRow, NewerRow."""
    order = order_from(row)
    head = _record(order)
    return [
        head
        | {
            "sku": item.sku,
            "name": item.name,
            "quantity": item.quantity,
            "unitAmount": decimal(item.unit_amount, order.currency),
            "lineAmount": decimal(item.quantity * item.unit_amount, order.currency),
        }
        for item in order.items
    ]


def _record(order: Order) -> Record:
    return {
        "orderNumber": order_number(order.order_id),
        "orderId": order.order_id,
        "customerId": order.customer_id,
        "status": order.status,
        "currency": order.currency,
        "amount": decimal(order.amount, order.currency),
        "createdAt": timestamps.to_text(order.created_at),
        "updatedAt": timestamps.to_text(order.updated_at),
        "reason": order.reason,
    }


def write_csv(records: Iterable[Record], file: BinaryIO) -> None:
    """RFC 4180, UTF-8, with a header. What a spreadsheet takes for a formula begins with `'`."""
    writer = csv.writer(_Utf8(file))
    for number, record in enumerate(records):
        if number == 0:
            writer.writerow(record)
        writer.writerow(
            [as_text(cell) if isinstance(cell, str) else cell for cell in record.values()]
        )


def write_json_lines(records: Iterable[Record], file: BinaryIO) -> None:
    file.writelines(json_line(record).encode() for record in records)


def as_text(cell: str) -> str:
    """The text, behind a `'` if it is a formula to a spreadsheet.

    Spreadsheets skip blanks before a formula, and take full-width signs for the signs themselves.
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    cell = cell.translate(_NO_TEXT)
    first = next((one for one in cell if one.isprintable() and not one.isspace()), "")
    if unicodedata.normalize("NFKC", first) in _FORMULA or cell[:1] in {"\t", "\r", "\n"}:
        return f"'{cell}"
    return cell


class _Utf8:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode(errors="replace"))
