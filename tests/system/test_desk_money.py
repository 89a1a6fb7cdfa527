"""Following money at the desk: what waits for payment, and since when; what was paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.oracle import ITEM, required
from system.desk_order import show_order, sign_in

if TYPE_CHECKING:
    from system.browser import Tab
    from system.deployment import Caller, Deployment


def test_an_order_that_waits_for_payment_is_marked_as_paid_after_a_question_with_its_amount(
    deployment: Deployment, tab: Tab, customer: Caller, staff: Caller
) -> None:
    order = customer.place()
    sign_in(tab, deployment.stack.api_url, staff)
    tab.click("Unpaid")
    tab.find("h1", "Unpaid")
    tab.find("table.orders tbody .age", "minutes ago")
    show_order(tab, order)

    tab.press("p")
    tab.see("Mark as paid: $59.97?")
    assert customer.get(order["orderId"]).json()["status"] == "PENDING"
    tab.find(".question button.primary").click()
    tab.see("Done: the order is paid.")
    assert deployment.rows(order["orderId"])["DETAIL"]["status"] == {"S": "PAID"}
    paid = staff.timeline(order["orderId"])[-1]
    assert (paid["status"], paid["actor"], paid["actorId"]) == ("PAID", "staff", staff.id)
    tab.find("main > article > section .timeline li", f"Paid by staff ({staff.id})")


def test_a_question_that_is_declined_changes_nothing(
    deployment: Deployment, tab: Tab, customer: Caller, staff: Caller
) -> None:
    order = customer.place()
    sign_in(tab, deployment.stack.api_url, staff)
    show_order(tab, order)
    tab.click("Mark as paid")
    tab.click("Keep the order as it is")
    tab.find(".actions button", "Mark as paid")
    assert len(staff.timeline(order["orderId"])) == 1


def test_amounts_have_the_digits_of_their_currency(
    deployment: Deployment, tab: Tab, customer: Caller, staff: Caller
) -> None:
    sign_in(tab, deployment.stack.api_url, staff)
    largest = 10**12
    for currency, shown in (
        ("JPY", "¥1,000,000,000,000"),
        ("BHD", "BHD 1,000,000,000.000"),
        ("IQD", "IQD 1,000,000,000.000"),
    ):
        item = required(ITEM) | {"quantity": 1, "unitAmount": largest}
        show_order(tab, customer.place(currency=currency, items=[item]))
        assert tab.find(".order .amount").text.replace("\N{NO-BREAK SPACE}", " ") == shown
