"""Answering a customer at the desk: their order, what happened to it, and canceling it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import pytest

from system.desk_order import show_order, sign_in

if TYPE_CHECKING:
    from system.browser import Tab
    from system.deployment import Caller, Deployment, Json

DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@pytest.fixture
def order(deployment: Deployment) -> Json:
    """A new order, whose number has a zero."""
    customer = deployment.new_customer()
    while "0" not in (order := customer.place())["orderNumber"]:
        pass
    return order


@pytest.fixture
def desk(deployment: Deployment, tab: Tab, staff: Caller) -> Tab:
    """The desk, signed in."""
    sign_in(tab, deployment.stack.api_url, staff)
    return tab


def find(desk: Tab, text: str) -> None:
    desk.press("/")
    desk.press(text)
    desk.find("form.find button").click()


def found_word(desk: Tab, word: str) -> None:
    desk.find("form.find p", word)


class TestFinding:
    def test_an_order_is_found_by_its_number_however_it_is_written(
        self, desk: Tab, order: Json
    ) -> None:
        number: str = order["orderNumber"]
        for written in (
            number,
            number.lower(),
            number.replace("-", ""),
            number.replace("0", "O"),
            f"  {number.lower().replace('-', '').replace('0', 'o')}  ",
            number.replace("-", " "),
            f"#{number}",
            f"Order {number}",
            f"order # {number}",
            order["orderId"],
            order["orderId"].upper(),
        ):
            desk.press("1")
            desk.find("h1", "To ship")
            find(desk, written)
            desk.find("h1", number)
            desk.see(order["orderId"])
            # The next one is written into an empty field.
            desk.browser.execute_script("document.activeElement.blur()")

    def test_a_typing_error_in_a_number_is_said(self, desk: Tab, order: Json) -> None:
        number: str = order["orderNumber"]
        wrong = DIGITS[(DIGITS.index(number[0]) + 1) % 32] + number[1:]
        desk.look(1280, 800)
        place = desk.find("h1").rect
        find(desk, wrong)
        said = desk.find("form.find p", "typing error")
        assert said.text == "This order number has a typing error."
        assert desk.find("h1").rect == place
        assert desk.find("form.find input").get_attribute("value") == wrong
        desk.click("Unpaid")
        desk.find("h1", "Unpaid")
        assert desk.all("form.find p:empty")

    def test_finding_the_order_that_is_open_leads_to_it(self, desk: Tab, order: Json) -> None:
        show_order(desk, order)
        find(desk, order["orderNumber"])
        desk.wait(lambda browser: browser.switch_to.active_element == desk.find("h1"), "the order")

    def test_an_order_that_does_not_exist_is_said_with_a_way_back(self, desk: Tab) -> None:
        desk.open(f"{desk.address.partition('#')[0]}#/orders/00000000-0000-7000-8000-000000000000")
        assert desk.find(".failure").text == "There is no such order. Back to the list"
        desk.find(".failure a").click()
        desk.find("h1", "To ship")

    def test_a_customer_is_found_with_their_orders_alone(
        self, desk: Tab, deployment: Deployment, staff: Caller
    ) -> None:
        # What issuers make: every character that an id may have.
        customer_id = f"auth0|{secrets.token_hex(4)}:1@x+y._-z"
        orders = [staff.place(customerId=customer_id) for _ in range(3)]
        staff.patch(orders[0]["orderId"], "PAID").raise_for_status()
        find(desk, customer_id)
        desk.find("h1", f"Customer {customer_id}")
        desk.see("3 orders shown")
        rows = [row.text for row in desk.all("table.orders tbody tr")]
        assert [row.split()[0] for row in rows] == [o["orderNumber"] for o in reversed(orders)]
        assert [
            next(word for word in row.split() if word in {"Pending", "Paid"}) for row in rows
        ] == ["Pending", "Pending", "Paid"]
        desk.click(orders[1]["orderNumber"])
        desk.see(orders[1]["orderId"])
        desk.find(".facts a", customer_id).click()
        desk.find("h1", f"Customer {customer_id}")
        assert deployment.details_of(customer_id)

    @pytest.mark.parametrize("text", ["cus_nobody", "x", "a/b", "../..", "Ann Example", "50%", "%"])
    def test_who_nobody_knows_is_not_found_in_words(self, desk: Tab, text: str) -> None:
        find(desk, text)
        if "/" not in text:
            found_word(desk, "There is no such order.")
        found_word(desk, f"No orders found for customer “{text}”.")
        desk.find("h1", "To ship")


class TestAnswering:
    def test_the_history_says_what_happened_by_whom_and_why(
        self, desk: Tab, deployment: Deployment, staff: Caller
    ) -> None:
        customer = deployment.new_customer()
        order = customer.place(paymentToken="tok_approve")
        customer.settled(order["orderId"])
        staff.patch(order["orderId"], "CANCELED", reason="out of mugs").raise_for_status()
        show_order(desk, order)
        placed, paid, canceled = [one.text for one in desk.all(".timeline li")]
        assert placed.startswith("Placed by the customer")
        assert paid.startswith("Paid by the platform (settle-payments)")
        assert canceled.startswith(f"Canceled by staff ({staff.id}) out of mugs")

    def test_the_customer_reads_why_their_order_was_canceled(
        self, desk: Tab, deployment: Deployment
    ) -> None:
        customer = deployment.new_customer()
        order = customer.place()
        show_order(desk, order)
        desk.press("c")
        desk.find("textarea").send_keys("You asked us to, on the phone.")
        desk.find(".question button.primary").click()
        desk.see("Done: the order is canceled.")
        desk.find("main > article > section .timeline li", "You asked us to, on the phone.")
        last = customer.timeline(order["orderId"])[-1]
        assert (last["status"], last["actor"], last["reason"]) == (
            "CANCELED",
            "staff",
            "You asked us to, on the phone.",
        )

    @pytest.mark.parametrize("reason", ["", " \N{NO-BREAK SPACE}"])
    def test_an_order_is_canceled_with_a_reason_alone(
        self, desk: Tab, customer: Caller, reason: str
    ) -> None:
        order = customer.place()
        show_order(desk, order)
        desk.press("c")
        field = desk.find("textarea")
        field.send_keys(reason)
        desk.find(".question button.primary").click()
        assert field.get_property("validationMessage") == "Say why."
        assert desk.browser.switch_to.active_element == field
        field.send_keys(" ordered twice \n")
        desk.find(".question button.primary").click()
        desk.see("Done: the order is canceled.")
        assert [event["reason"] for event in customer.timeline(order["orderId"])] == [
            None,
            "ordered twice",
        ]

    def test_a_reason_that_is_refused_stays_beside_the_words_why(
        self, desk: Tab, customer: Caller
    ) -> None:
        order = customer.place()
        show_order(desk, order)
        desk.press("c")
        reason = desk.find("textarea")
        reason.send_keys("expired")
        desk.find(".question button.primary").click()
        fault = desk.find(".question .fault", "This reason is reserved for the platform.")
        reason = desk.find("textarea")
        assert reason.get_attribute("value") == "expired"
        assert reason.get_attribute("aria-invalid") == "true"
        assert reason.get_attribute("aria-describedby") == fault.get_attribute("id")
        assert customer.get(order["orderId"]).json()["status"] == "PENDING"
        reason.send_keys(" card")
        desk.find(".question button.primary").click()
        desk.see("Done: the order is canceled.")
        assert customer.timeline(order["orderId"])[-1]["reason"] == "expired card"


def test_a_customers_token_is_refused_in_friendly_words_and_shows_nothing(
    deployment: Deployment, tab: Tab, order: Json
) -> None:
    tab.open(f"{deployment.stack.api_url}/desk#token={deployment.new_customer().token}")
    tab.find("h1", "This desk is for staff")
    tab.open(f"{deployment.stack.api_url}/desk#/orders/{order['orderNumber']}")
    tab.find("h1", "This desk is for staff")
    assert order["orderId"] not in tab.browser.page_source
    tab.click("Sign out")
    tab.find("h1", "Sign in")
