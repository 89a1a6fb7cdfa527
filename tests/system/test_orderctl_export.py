"""`orderctl export`."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from system.deployment import MARK, TABLE, eventually

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from system.deployment import Deployment, Json

NAMES = {
    "JPY": f'=HYPERLINK("http://{MARK}")',
    "USD": f'Mug "{MARK}", two\r\nlines',
    "BHD": f"＠{MARK} é\0",
}


def export(deployment: Deployment, first: Json, *arguments: str) -> CompletedProcess[str]:
    return deployment.orderctl("export", "--from", first["createdAt"], "--to", "now", *arguments)


def read(text: str, *orders: Json) -> list[dict[str, str]]:
    """The rows of these orders, which others may lie between."""
    ids = {order["orderId"] for order in orders}
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return [row for row in rows if row["orderId"] in ids]


def test_what_is_exported_reads_back_as_what_was_ordered(
    deployment: Deployment, tmp_path: Path
) -> None:
    customer = deployment.new_customer()
    item = customer.order()["items"][0]
    orders = [
        customer.place(currency=currency, items=[item | {"name": name, "quantity": 3}, item])
        for currency, name in NAMES.items()
    ]
    file = tmp_path / "orders.csv"

    def rows() -> list[dict[str, str]]:
        result = export(deployment, orders[0], "--lines", "--output", str(file))
        assert result.returncode in {0, 3}, result.stderr
        return read(file.read_bytes().decode(), *orders) if file.exists() else []

    found = eventually(rows, lambda rows: len(rows) == 6)

    assert [row["orderId"] for row in found[::2]] == [order["orderId"] for order in orders]
    assert [row["name"] for row in found[::2]] == [
        f"'{NAMES['JPY']}",
        NAMES["USD"],
        f"'＠{MARK} é\ufffd",
    ]
    for row, order, digits in zip(found[::2], orders, (0, 2, 3), strict=True):
        assert {key: row[key] for key in ("orderNumber", "customerId", "status", "currency")} == {
            key: order[key] for key in ("orderNumber", "customerId", "status", "currency")
        }
        assert row["amount"] == f"{order['amount'] / 10**digits:.{digits}f}"
        assert row["unitAmount"] == f"{item['unitAmount'] / 10**digits:.{digits}f}"
        assert row["lineAmount"] == f"{3 * item['unitAmount'] / 10**digits:.{digits}f}"
        assert (row["createdAt"], row["updatedAt"]) == (order["createdAt"], order["updatedAt"])
        assert row["reason"] == ""
    assert [*tmp_path.iterdir()] == [file]

    lines = export(deployment, orders[0], "--format", "jsonl", "--lines").stdout.splitlines()
    names = [json.loads(line)["name"] for line in lines]
    assert [name for name in names if name in NAMES.values()] == [*NAMES.values()]


def test_the_range_includes_its_beginning_and_not_its_end(deployment: Deployment) -> None:
    customer = deployment.new_customer()
    first, second, third = (customer.place() for _ in range(3))
    eventually(
        lambda: read(export(deployment, first).stdout, first, second, third),
        lambda rows: len(rows) == 3,
    )

    result = deployment.orderctl(
        "export", "--from", second["createdAt"], "--to", third["createdAt"]
    )

    rows = read(result.stdout, first, second, third)
    assert [row["orderId"] for row in rows] == [second["orderId"]]
    assert "orders in" in result.stderr


def test_an_empty_range_writes_nothing(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    for arguments in ((), ("--output", str(file))):
        result = deployment.orderctl(
            "export", "--from", "2020-01-01", "--to", "2020-02-01", *arguments
        )
        assert (result.returncode, result.stdout) == (3, "")
    assert not file.exists()


def test_an_order_without_its_row_is_named_and_the_rest_written(
    deployment: Deployment, tmp_path: Path
) -> None:
    customer = deployment.new_customer()
    first, second = customer.place(), customer.place()
    file = tmp_path / "orders.csv"
    eventually(
        lambda: read(export(deployment, first).stdout, first, second), lambda rows: len(rows) == 2
    )
    deployment.settle()  # nobody else misses the row
    table, row = deployment.aws("dynamodb"), deployment.rows(first["orderId"])["DETAIL"]
    table.delete_item(TableName=TABLE, Key={name: row[name] for name in ("pk", "sk")})
    try:
        result = export(deployment, first, "--output", str(file))
    finally:
        table.put_item(TableName=TABLE, Item=row)

    assert result.returncode == 1
    assert f"order {first['orderId']} has no row" in result.stderr
    assert "Traceback" not in result.stderr
    (written,) = read(file.read_text(), first, second)
    assert written["orderId"] == second["orderId"]
