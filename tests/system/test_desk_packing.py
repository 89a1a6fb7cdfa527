"""Packing at the desk: what is paid, one after the other, by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from system.browser import Tab
    from system.deployment import Caller, Deployment


def test_twenty_paid_orders_are_shipped_by_keyboard_alone(
    deployment: Deployment, tab: Tab, customer: Caller, staff: Caller
) -> None:
    orders = [customer.place()["orderId"] for _ in range(20)]
    for order_id in orders:
        staff.patch(order_id, "PAID").raise_for_status()
    tab.open(f"{deployment.stack.api_url}/desk#token={staff.token}")
    tab.find("table.orders a")
    strokes = 0

    def press(key: str) -> None:
        nonlocal strokes
        strokes += 1
        tab.press(key)

    press("j")
    press(Keys.ENTER)
    for order_id in orders:
        tab.see(order_id)
        press("s")
        tab.see("Done: the order is shipped.")
        if order_id != orders[-1]:
            press("n")

    print(f"{strokes} keystrokes for {len(orders)} orders")
    assert strokes == 2 + 20 + 19
    assert {staff.get(order_id).json()["status"] for order_id in orders} == {"SHIPPED"}
