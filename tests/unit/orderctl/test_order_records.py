"""Orders as records of a CSV file, and of JSON lines."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import placed_order
from orderctl.order_records import (
    as_text,
    line_records,
    order_records,
    write_csv,
    write_json_lines,
)
from orders.adapters.dynamodb.rows import detail_row
from orders.application.errors import MalformedRow
from orders.domain.order import OrderItem

if TYPE_CHECKING:
    from orderctl.order_records import Record

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "−1",
    "@SUM(A1)",
    " =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b@x",
    "\t=1+1",
    "\t1",
    "\r1",
    "\n1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "﹦1",
]


def read_back(records: list[Record]) -> list[dict[str, str]]:
    file = io.BytesIO()
    write_csv(records, file)
    text = io.StringIO(file.getvalue().decode(), newline="")
    return list(csv.DictReader(text, strict=True))


def lines_of(**changes: Any) -> list[Record]:  # noqa: ANN401 - fields of NewOrder
    return line_records(detail_row(placed_order(**changes)))


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_a_csv_file_holds_what_was_written(texts: list[str]) -> None:
    (read,) = read_back([{str(place): text for place, text in enumerate(texts)}])
    assert [*read.values()] == [as_text(text) for text in texts]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_quoted_as_text(formula: str) -> None:
    (read,) = read_back(lines_of(items=(OrderItem(formula, formula, 1, 5),)))
    assert read["sku"] == read["name"] == f"'{formula}"


@pytest.mark.parametrize(
    "text", ["", "Mug", "a=b", "O'Neil & Söhne", 'say "hi", twice', "two\r\nlines", "1-2", "’=x"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    (read,) = read_back(lines_of(items=(OrderItem("A", text, 1, 5),)))
    assert read["name"] == text


def test_no_control_character_gets_into_a_csv_file() -> None:
    (read,) = read_back(lines_of(items=(OrderItem("A", "a\0b\x1b[31m\x9bc", 1, 5),)))
    assert read["name"] == "a\ufffdb\ufffd[31m\ufffdc"


def test_lines_end_as_rfc_4180_says_and_quotes_are_doubled() -> None:
    file = io.BytesIO()
    write_csv([{"name": 'a "b"', "reason": None}, {"name": "é", "reason": "x,y"}], file)
    assert file.getvalue() == 'name,reason\r\n"a ""b""",\r\né,"x,y"\r\n'.encode()


@pytest.mark.parametrize(
    ("currency", "unit", "line", "amount"),
    [
        ("JPY", "1999", "5997", "6002"),
        ("USD", "19.99", "59.97", "60.02"),
        ("BHD", "1.999", "5.997", "6.002"),
    ],
)
def test_amounts_are_decimals_of_the_currency(
    currency: str, unit: str, line: str, amount: str
) -> None:
    items = (OrderItem("MUG", "Mug", 3, 1999), OrderItem("PIN", "Pin", 5, 1))
    first, second = read_back(lines_of(currency=currency, items=items))

    assert (first["quantity"], first["unitAmount"], first["lineAmount"]) == ("3", unit, line)
    assert first["amount"] == second["amount"] == amount
    assert first["orderId"] == second["orderId"]


def test_json_lines_keep_texts_and_amounts() -> None:
    file = io.BytesIO()
    order = placed_order(items=(OrderItem("A", "=1+1 é\x9b", 1, 5),))
    write_json_lines(line_records(detail_row(order)), file)

    (line,) = file.getvalue().decode().splitlines()
    assert "\x9b" not in line
    record = json.loads(line)
    assert (record["name"], record["amount"], record["reason"]) == ("=1+1 é\x9b", "0.05", None)


@pytest.mark.parametrize(
    "damage",
    [
        {"amount": "5"},
        {"currency": "XXX"},
        {"items": [{"sku": "A", "name": "B", "quantity": "3", "unitAmount": 5}]},
        {"items": [{"sku": "A", "name": "B", "quantity": 1.5, "unitAmount": 5}]},
        {"items": None},
        {"schemaVersion": 99},
    ],
)
def test_a_damaged_order_has_no_records(damage: dict[str, object]) -> None:
    with pytest.raises(MalformedRow):
        line_records(detail_row(placed_order()) | damage)


def test_without_lines_an_order_is_one_record() -> None:
    order = placed_order(items=(OrderItem("A", "B", 1, 5), OrderItem("C", "D", 1, 6)))
    (record,) = order_records(detail_row(order))
    assert record["amount"] == "0.11"
    assert "sku" not in record
