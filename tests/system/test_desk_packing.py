"""Packing at the desk: what is paid, one after the other, by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selenium.webdriver.common.keys import Keys

from proof.oracle import ITEM, required
from system.desk_order import sign_in

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

    from system.browser import Tab
    from system.deployment import Caller, Deployment

ORDERS = 20


def test_twenty_paid_orders_are_shipped_by_keyboard_alone(
    deployment: Deployment, tab: Tab, staff: Caller
) -> None:
    customer = deployment.new_customer()
    sold = [
        required(ITEM) | {"sku": "MUG-01", "name": "Mug", "quantity": 12, "unitAmount": 1999},
        required(ITEM) | {"sku": "TEE/XL", "name": "T-shirt", "quantity": 1, "unitAmount": 2500},
    ]
    orders = [customer.place(items=sold) for _ in range(ORDERS)]
    for order in orders:
        staff.patch(order["orderId"], "PAID").raise_for_status()
    sign_in(tab, deployment.stack.api_url, staff)
    # Of this customer alone, because other tests have orders to pack, too.
    tab.open(f"{deployment.stack.api_url}/desk#/customers/{customer.id}?sort=oldest")
    tab.find("table.orders a", orders[0]["orderNumber"])
    tab.complaints()
    strokes = 0

    def press(key: str) -> None:
        nonlocal strokes
        strokes += 1
        tab.press(key)

    press("j")
    press(Keys.ENTER)
    for order in orders:
        tab.see(order["orderId"])
        rows = [row.text.split("\n") for row in tab.all("table.items tbody tr")]
        assert rows == [["12 Mug", "MUG-01", "$19.99"], ["1 T-shirt", "TEE/XL", "$25.00"]]
        press("s")
        tab.see("Done: the order is shipped.")
        if order != orders[-1]:
            press("n")

    print(f"{strokes} keystrokes for {len(orders)} orders")
    assert strokes == 2 + ORDERS + ORDERS - 1
    for order in orders:
        row = deployment.rows(order["orderId"])["DETAIL"]
        assert row["status"] == {"S": "SHIPPED"}
        assert row["version"] == {"N": "3"}
    assert {event["actorId"] for event in staff.timeline(orders[0]["orderId"])[1:]} == {staff.id}

    tab.press("n")
    tab.see("That was the last order in the list.")
    tab.press("u")
    tab.find("table.orders tr.changed", "now shipped")
    assert len(tab.all("table.orders tr.changed")) == ORDERS, "nothing has moved"
    assert not tab.complaints()


def test_what_is_paid_comes_first_and_the_oldest_of_it(
    deployment: Deployment, tab: Tab, customer: Caller, staff: Caller
) -> None:
    orders = [customer.place() for _ in range(2)]
    for order in reversed(orders):
        staff.patch(order["orderId"], "PAID").raise_for_status()
    sign_in(tab, deployment.stack.api_url, staff)
    tab.find("h1", "To ship")
    # The list goes on as one scrolls to its end.
    numbers = [order["orderNumber"] for order in orders]

    def both(browser: WebDriver) -> str | None:
        browser.execute_script("scrollTo(0, document.body.scrollHeight)")
        shown = tab.find("table.orders").text
        return shown if all(number in shown for number in numbers) else None

    shown: str = tab.wait(both)
    assert shown.index(numbers[0]) < shown.index(numbers[1])
