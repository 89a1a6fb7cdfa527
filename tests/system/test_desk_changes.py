"""Changes at the desk when something goes wrong: each is made once, and nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions

from proof.proxy import Response, untouched
from system.browser import PATIENCE
from system.deployment import eventually
from system.desk_order import (
    Connection,
    Held,
    Times,
    lost,
    show_order,
    sign_in,
    statuses,
    without_response,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.remote.webelement import WebElement

    from proof.proxy import PassOn, Request, Treatment
    from system.browser import Tab
    from system.deployment import Caller, Deployment, Json

WAITING = "Retrying until"
SHIPPED = ["PENDING", "PAID", "SHIPPED"]


@pytest.fixture
def connection(deployment: Deployment) -> Iterator[Connection]:
    with Connection(deployment) as open_connection:
        yield open_connection


@pytest.fixture
def paid(customer: Caller, staff: Caller) -> Json:
    """A new order that is paid."""
    order_id = customer.place()["orderId"]
    paid: Json = staff.patch(order_id, "PAID").raise_for_status().json()
    return paid


@pytest.fixture
def shown(tab: Tab, connection: Connection, staff: Caller, paid: Json) -> Json:
    """A paid order, at the desk behind a connection that can break."""
    sign_in(tab, connection.api_url, staff)
    show_order(tab, paid)
    return paid


class TestTwoStaff:
    @pytest.fixture
    def other_staff(self, deployment: Deployment) -> Caller:
        return deployment.new_customer(group="staff")

    def test_who_was_slower_sees_what_happened_and_is_asked_again_with_all_that_they_typed(
        self, deployment: Deployment, tab: Tab, connection: Connection, staff: Caller
    ) -> None:
        order = deployment.new_customer().place()
        other_staff = deployment.new_customer(group="staff")
        sign_in(tab, connection.api_url, staff)
        show_order(tab, order)
        tab.click("Cancel the order")
        tab.find("textarea").send_keys("asked on the phone")
        other_staff.patch(order["orderId"], "PAID").raise_for_status()

        tab.find(".question button.primary").click()
        tab.see("Someone else has changed this order")
        happened = tab.find(".question .timeline")
        assert "Paid by staff" in happened.text
        assert other_staff.id in happened.text
        assert "Placed" not in happened.text, "only what happened since"
        tab.see("Do you still want this?")
        tab.screenshot("conflict")
        assert tab.find("textarea").get_attribute("value") == "asked on the phone"
        assert staff.get(order["orderId"]).json()["status"] == "PAID"

        tab.find(".question button.primary:enabled").click()
        tab.see("Done: the order is canceled.")
        assert [change.headers["If-Match"] for change in connection.changes] == ['"1"', '"2"']
        assert len(connection.keys) == 2
        last = staff.timeline(order["orderId"])[-1]
        assert (last["status"], last["reason"]) == ("CANCELED", "asked on the phone")

    def test_what_is_not_possible_any_more_is_not_offered_and_stays_to_be_read(
        self, tab: Tab, shown: Json, connection: Connection, other_staff: Caller
    ) -> None:
        tab.click("Cancel the order")
        tab.find("textarea").send_keys("asked on the phone")
        other_staff.patch(shown["orderId"], "SHIPPED").raise_for_status()
        tab.find(".question button.primary").click()
        tab.see("This change is no longer possible.")
        assert not tab.all(".question button.primary")
        tab.see("You had written: asked on the phone")
        assert not tab.all("textarea")
        tab.click("OK")
        tab.see("This order is final")
        assert len(connection.changes) == 1

    def test_what_both_wanted_is_not_asked_again(
        self, tab: Tab, shown: Json, other_staff: Caller
    ) -> None:
        other_staff.patch(shown["orderId"], "SHIPPED").raise_for_status()
        tab.press("s")
        tab.see("The order already has this status.")

    def test_the_question_waits_while_the_order_cannot_be_loaded(
        self, tab: Tab, shown: Json, connection: Connection, other_staff: Caller
    ) -> None:
        tab.click("Cancel the order")
        tab.find("textarea").send_keys("asked on the phone")
        other_staff.patch(shown["orderId"], "SHIPPED").raise_for_status()
        connection.treat_read = lost
        tab.find(".question button.primary").click()
        tab.see("No connection to the platform.")
        assert tab.find("textarea").get_attribute("value") == "asked on the phone"
        assert not tab.find(".question button.primary").is_enabled()

        connection.treat_read = untouched
        tab.click("Try again")
        tab.see("This change is no longer possible.")
        assert "No connection" not in tab.text


class TestBrokenConnection:
    @pytest.mark.parametrize("treatment", [lost, without_response])
    def test_a_change_is_repeated_with_its_key_until_its_outcome_is_known(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller, treatment: Treatment
    ) -> None:
        connection.treat_change = treatment
        tab.press("s")
        tab.see(WAITING)
        assert tab.find(".order > header .status").text == "Paid", "nothing is known yet"

        connection.treat_change = untouched
        tab.see("Done: the order is shipped.")
        tab.find(".order > header .status", "Shipped")
        assert len(connection.changes) > 1
        assert len(connection.keys) == 1
        assert statuses(staff, shown) == SHIPPED

    def test_offline_waits_and_goes_on_by_itself_when_the_network_is_back(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        tab.browser.set_network_conditions(offline=True, latency=0, throughput=-1)
        tab.press("s")
        tab.see(WAITING)
        assert not connection.changes
        tab.browser.delete_network_conditions()
        tab.see("Done: the order is shipped.")
        assert len(connection.changes) == 1
        assert statuses(staff, shown) == SHIPPED

    def test_a_reload_goes_on_with_the_same_key(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        connection.treat_change = without_response
        tab.press("s")
        tab.see(WAITING)
        tab.browser.refresh()
        tab.see(WAITING)
        connection.treat_change = untouched
        tab.see("Done: the order is shipped.")
        assert len(connection.keys) == 1
        assert statuses(staff, shown) == SHIPPED

    def test_what_was_being_typed_outlives_a_reload(self, tab: Tab, shown: Json) -> None:
        tab.see(shown["orderId"])
        tab.click("Cancel the order")
        tab.find("textarea").send_keys("asked on")
        tab.browser.refresh()
        assert tab.find("textarea").get_attribute("value") == "asked on"

    def test_a_change_goes_on_when_its_order_is_left_and_says_so_while_it_cannot(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        connection.treat_change = lost
        tab.press("s")
        tab.see(WAITING)
        tab.press("u")
        tab.find("h1", "To ship")
        tab.see(f"Still unsaved: {shown['orderNumber']}")
        connection.treat_change = untouched
        eventually(lambda: statuses(staff, shown), lambda found: found == SHIPPED)
        tab.wait(lambda _: "Still unsaved" not in tab.text)
        assert len(connection.keys) == 1
        show_order(tab, shown)
        tab.find(".order > header .status", "Shipped")

    def test_coming_back_finds_the_change_under_way(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        connection.treat_change = held = Held()
        tab.press("s")
        assert held.came.wait(PATIENCE)
        tab.press("u")
        tab.find("h1", "To ship")
        show_order(tab, shown)
        tab.see("Saving …")
        held.let_go.set()
        tab.see("Done: the order is shipped.")
        assert len(connection.changes) == 1
        assert statuses(staff, shown) == SHIPPED

    def test_leaving_the_desk_would_abandon_a_change_and_asks_first(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        leaves = "return dispatchEvent(new Event('beforeunload', { cancelable: true }))"
        assert tab.run(leaves)
        connection.treat_change = lost
        tab.press("s")
        tab.see(WAITING)
        assert not tab.run(leaves)
        tab.click("Sign out")
        question = tab.wait(expected_conditions.alert_is_present())
        assert shown["orderNumber"] in question.text
        # The page stands still while it asks: its next repetition is the one that comes through.
        connection.treat_change = untouched
        question.dismiss()
        tab.see("Done: the order is shipped.")
        assert tab.run(leaves)
        assert statuses(staff, shown) == SHIPPED
        tab.click("Sign out")
        tab.find("h1", "Sign in")

    def test_an_order_that_is_shown_stays_when_it_cannot_be_loaded_again(
        self, tab: Tab, shown: Json, connection: Connection
    ) -> None:
        connection.treat_read = lost
        tab.press("s")
        tab.see("No connection to the platform.")
        tab.see("Done: the order is shipped.")
        tab.see(shown["orderId"])
        connection.treat_read = untouched
        tab.click("Try again")
        tab.find("main > article > section .timeline li", "Shipped")


class TestBusyPlatform:
    @pytest.mark.parametrize("status", [429, 503])
    def test_a_change_is_repeated_with_its_key_after_the_pause_that_was_asked_for(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller, status: int
    ) -> None:
        connection.treat_change = Times(1, status, Retry_After="2")
        tab.press("s")
        tab.see("The platform is busy.")
        tab.see("Done: the order is shipped.")
        assert list(connection.keys.values()) == [2]
        assert statuses(staff, shown) == SHIPPED

    def test_a_pause_that_was_asked_for_is_kept(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        # Longer than anybody waits here: what comes sooner has not kept it.
        connection.treat_change = Times(1, 503, Retry_After="3600")
        tab.press("s")
        tab.see("The platform is busy.")
        tab.click("Try now")
        tab.see("Done: the order is shipped.")
        assert statuses(staff, shown) == SHIPPED

    def test_a_refusal_is_said_in_the_words_of_the_platform(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        async def illegal(_: Request, __: PassOn) -> Response:
            problem = {
                "type": "/docs#illegal-transition",
                "detail": "An order that is PAID cannot become SHIPPED.",
            }
            headers = {"Content-Type": "application/problem+json"}
            return Response(409, headers, json.dumps(problem).encode())

        connection.treat_change = illegal
        tab.press("s")
        tab.see("Not changed: An order that is PAID cannot become SHIPPED.")
        connection.treat_change = untouched
        tab.find(".question button.primary").click()
        tab.see("Done: the order is shipped.")
        assert len(connection.keys) == 2, "a refusal is an outcome"
        assert statuses(staff, shown) == SHIPPED


def pressable(tab: Tab, change: str) -> WebElement:
    """The button of a change, once the pointer can press it."""
    button = tab.find(".actions .change", change)
    tab.wait(lambda _: button.value_of_css_property("pointer-events") == "auto")
    return button


def middle(tab: Tab, element: WebElement) -> tuple[float, float]:
    x, y = tab.run(
        "const box = arguments[0].getBoundingClientRect();"
        "return [box.x + box.width / 2, box.y + box.height / 2]",
        element,
    )
    return x, y


def click_at(tab: Tab, place: tuple[float, float]) -> None:
    """Click, and wait for what comes of it. However fast, no part of a double click."""
    x, y = place
    for kind in ("mousePressed", "mouseReleased"):
        tab.cdp("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    tab.wait(lambda _: "Loading" not in tab.text and "Saving" not in tab.text, "the outcome")


class TestImpatience:
    @pytest.fixture
    def row(
        self, deployment: Deployment, tab: Tab, connection: Connection, staff: Caller
    ) -> list[Json]:
        """Three orders to ship; the first is shown, and the others are next."""
        customer = deployment.new_customer()
        orders = [customer.place() for _ in range(3)]
        for order in orders:
            staff.patch(order["orderId"], "PAID").raise_for_status()
        sign_in(tab, connection.api_url, staff)
        tab.open(f"{connection.api_url}/desk#/customers/{customer.id}?sort=oldest")
        tab.click(orders[0]["orderNumber"])
        tab.see(orders[0]["orderId"])
        return orders

    @pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 640)])
    def test_clicks_on_one_place_ship_no_order_that_nobody_has_seen(
        self, tab: Tab, row: list[Json], staff: Caller, width: int, height: int
    ) -> None:
        tab.look(width, height)
        following = middle(tab, tab.find(".next"))
        shipping = middle(tab, pressable(tab, "Mark as shipped"))
        for _ in range(5):
            click_at(tab, shipping)
        tab.see("Done: the order is shipped.")
        assert middle(tab, tab.find(".next")) == following, "it stays where it was"
        assert [statuses(staff, order)[-1] for order in row] == ["SHIPPED", "PAID", "PAID"]

        click_at(tab, following)
        tab.see(row[1]["orderId"])
        assert middle(tab, tab.find(".next")) == following
        click_at(tab, following)
        tab.see(row[2]["orderId"])
        click_at(tab, following)
        tab.see("That was the last order in the list.")
        assert [statuses(staff, order)[-1] for order in row] == ["SHIPPED", "PAID", "PAID"]

    def test_what_has_just_appeared_is_not_pressed_by_the_pointer_but_by_its_key(
        self, tab: Tab, row: list[Json], connection: Connection, staff: Caller
    ) -> None:
        tab.cdp("Animation.enable")
        tab.cdp("Animation.setPlaybackRate", playbackRate=0)  # no time passes
        tab.press("n")
        tab.see(row[1]["orderId"])
        click_at(tab, middle(tab, tab.find(".actions .change", "Mark as shipped")))
        assert not connection.changes
        tab.press("s")
        tab.see("Done: the order is shipped.")
        assert statuses(staff, row[1]) == SHIPPED

    def test_a_key_that_is_pressed_twice_makes_one_change(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        tab.press("s", "s", "s")
        tab.see("Done: the order is shipped.")
        tab.press("s")
        assert len(connection.changes) == 1
        assert statuses(staff, shown) == SHIPPED

    def test_a_double_click_makes_one_change(
        self, tab: Tab, shown: Json, connection: Connection, staff: Caller
    ) -> None:
        button = pressable(tab, "Mark as shipped")
        ActionChains(tab.browser).double_click(button).perform()
        tab.see("Done: the order is shipped.")
        assert len(connection.changes) == 1
        assert statuses(staff, shown) == SHIPPED

    def test_a_double_click_asks_and_does_not_confirm(
        self, tab: Tab, connection: Connection, customer: Caller, staff: Caller
    ) -> None:
        order = customer.place()
        sign_in(tab, connection.api_url, staff)
        show_order(tab, order)
        # What is asked comes to stand where the pointer is.
        tab.browser.execute_script(
            "document.styleSheets[0].insertRule('.asked { position: absolute; top: 3000px }')"
        )
        button = pressable(tab, "Mark as paid")
        ActionChains(tab.browser).double_click(button).perform()
        tab.see("Mark as paid: $59.97?")
        assert not connection.changes

    def test_a_key_that_is_held_down_asks_and_does_not_confirm(
        self, tab: Tab, connection: Connection, customer: Caller, staff: Caller
    ) -> None:
        order = customer.place()
        sign_in(tab, connection.api_url, staff)
        show_order(tab, order)
        tab.browser.execute_script("arguments[0].focus()", tab.find(".actions button"))
        _key_down(tab, is_repeated=False)
        tab.see("Mark as paid: $59.97?")
        confirm = tab.find(".question button.primary")
        tab.wait(lambda browser: browser.switch_to.active_element == confirm)
        _key_down(tab, is_repeated=True)
        assert confirm.is_displayed()
        assert not connection.changes
        tab.press(Keys.ENTER)
        tab.see("Done: the order is paid.")
        assert statuses(staff, order) == ["PENDING", "PAID"]

    def test_the_next_order_at_once_does_not_cut_off_the_change(
        self, tab: Tab, row: list[Json], connection: Connection, staff: Caller
    ) -> None:
        connection.treat_change = held = Held()
        connection.treat_read = reads = Held()
        tab.press("s", "n", "n", "s")
        assert held.came.wait(PATIENCE)
        reads.let_go.set()
        held.let_go.set()
        tab.see(row[1]["orderId"])
        eventually(lambda: statuses(staff, row[0]), lambda found: found == SHIPPED)
        assert statuses(staff, row[1]) == ["PENDING", "PAID"], "it was not shown yet"
        assert len(connection.changes) == 1


def _key_down(tab: Tab, *, is_repeated: bool) -> None:
    """Press Enter without letting it go."""
    tab.browser.execute_cdp_cmd(
        "Input.dispatchKeyEvent",
        {"type": "keyDown", "key": "Enter", "code": "Enter", "text": "\r"}
        | {"windowsVirtualKeyCode": 13, "autoRepeat": is_repeated},
    )


def test_a_token_that_expires_meanwhile_is_asked_for_and_the_same_change_goes_on(
    tab: Tab, shown: Json, connection: Connection, staff: Caller
) -> None:
    connection.treat_change = Times(1, 401)
    tab.press("s")
    tab.find("dialog[open]")
    assert len(connection.changes) == 1
    tab.find("dialog input").send_keys(staff.token)
    tab.click("Sign in again")
    tab.see("Done: the order is shipped.")
    assert not tab.all("dialog[open]")
    assert list(connection.keys.values()) == [2]
    assert statuses(staff, shown) == SHIPPED


class TestAnotherPerson:
    """Somebody signs in where somebody else's session has ended."""

    @pytest.fixture
    def orders(self, tab: Tab, shown: Json, connection: Connection, customer: Caller) -> list[Json]:
        """One whose reason was being typed, and one whose change was sent when the token ended."""
        other = customer.place()
        for order in (other, shown):
            show_order(tab, order)
            tab.click("Cancel the order")
            tab.find("textarea").send_keys("asked on the phone")
        connection.treat_change = Times(1, 401)
        tab.find(".question button.primary").click()
        tab.find("dialog[open]")
        return [other, shown]

    @pytest.fixture(params=["staff", "customer"])
    def another(
        self, request: pytest.FixtureRequest, deployment: Deployment, customer: Caller
    ) -> Caller:
        return deployment.new_customer(group="staff") if request.param == "staff" else customer

    @pytest.mark.parametrize("way", ["form", "link"])
    def test_nothing_that_the_other_asked_for_is_shown_to_them_or_made_in_their_name(
        self, tab: Tab, staff: Caller, orders: list[Json], another: Caller, way: str
    ) -> None:
        if way == "form":
            tab.find("dialog input").send_keys(another.token)
            tab.click("Sign in again")
        else:
            tab.open(f"{tab.address.partition('#')[0]}#token={another.token}")
            tab.wait(lambda _: "#token" not in tab.address)
        if another.id == orders[0]["customerId"]:
            tab.find("h1", "This desk is for staff")
        else:
            for order in orders:
                show_order(tab, order)
                assert not tab.all(".question")
        kept = tab.run("return Object.keys(sessionStorage)")
        assert not [name for name in kept if name.startswith("desk.draft.")]
        assert [statuses(staff, order)[-1] for order in orders] == ["PENDING", "PAID"]


class TestNews:
    def test_an_order_that_changed_elsewhere_says_so_and_moves_nothing(
        self, tab: Tab, shown: Json, deployment: Deployment
    ) -> None:
        tab.click("Cancel the order")
        tab.find("textarea").send_keys("asked on the phone")
        deployment.staff.patch(shown["orderId"], "SHIPPED").raise_for_status()
        tab.see("This order has changed: it is shipped now.")
        assert tab.find(".order > header .status").text == "Paid"
        assert tab.find("textarea").get_attribute("value") == "asked on the phone"
        assert tab.browser.switch_to.active_element.tag_name == "textarea"
        tab.click("Show it")
        tab.find(".order > header .status", "Shipped")
        tab.see("This change is no longer possible.")
        tab.see("You had written: asked on the phone")
        assert "This order has changed" not in tab.text

    def test_statuses_that_this_desk_does_not_know_are_shown_and_asked_about(
        self, tab: Tab, connection: Connection, staff: Caller, paid: Json
    ) -> None:
        async def of_a_later_release(request: Request, pass_on: PassOn) -> Response:
            response = await pass_on(request)
            if not request.target.endswith(f"/orders/{paid['orderNumber']}"):
                return response
            later = {"status": "NUMBERED", "allowedTransitions": ["UNBOXED", "BOXED", "SHIPPED"]}
            body = json.dumps(json.loads(response.body) | later).encode()
            headers = {"Content-Type": "application/json"}
            return Response(response.status, headers, body)

        connection.treat_read = of_a_later_release
        sign_in(tab, connection.api_url, staff)
        show_order(tab, paid)
        assert tab.find(".order > header .status").text == "NUMBERED"
        assert [one.text for one in tab.all(".actions button")][:3] == [
            "Change to UNBOXED",
            "Change to BOXED",
            "Mark as shipped",
        ]
        tab.press("?")
        keys = dict(one.text.split("\n") for one in tab.all("dialog .keys div"))
        assert {
            "o": "Change to UNBOXED",
            "x": "Change to BOXED",
            "s": "Mark as shipped",
            "u": "Back to the list",
        }.items() <= keys.items()
        tab.click("Close")
        tab.press("x")
        tab.see("Change to BOXED: $59.97?")
        assert not connection.changes
        tab.find(".question button.primary").click()
        tab.see("Not changed: ")
        assert [json.loads(change.body) for change in connection.changes] == [{"status": "BOXED"}]


def test_the_focus_is_never_lost(
    tab: Tab, connection: Connection, customer: Caller, staff: Caller
) -> None:
    order = customer.place()
    sign_in(tab, connection.api_url, staff)
    show_order(tab, order)

    def focused() -> str:
        return tab.browser.switch_to.active_element.tag_name

    tab.wait(lambda _: focused() == "h1")
    tab.press("?")
    tab.wait(lambda _: focused() == "input")
    tab.press(Keys.ESCAPE)
    tab.wait(lambda _: focused() == "h1")
    tab.press("c")
    tab.wait(lambda _: focused() == "textarea")
    tab.press("asked on the phone", Keys.ESCAPE)
    tab.wait(lambda _: focused() == "div")
    tab.press("c")
    assert tab.find("textarea").get_attribute("value") == "", "what was dismissed is gone"
    tab.click("Keep the order as it is")
    tab.wait(lambda _: focused() == "div")
    connection.treat_read = Times(1, 401)
    poll = "document.dispatchEvent(new Event('visibilitychange'))"
    tab.wait(lambda _: tab.run(poll) or tab.all("dialog"), "the ended session")
    tab.find("dialog input").send_keys(staff.token, Keys.ENTER)
    tab.wait(lambda _: not tab.all("dialog") and focused() == "div")
    tab.press("p")
    tab.wait(lambda _: focused() == "button")
    connection.treat_change = lost
    tab.press(Keys.ENTER)
    tab.see(WAITING)
    tab.wait(lambda _: focused() == "div")
    connection.treat_change = untouched
    tab.see("Done: the order is paid.")
    tab.wait(lambda _: focused() == "div")
