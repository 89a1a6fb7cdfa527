"""Everybody can use the desk: WCAG 2.2 AA, by keyboard alone, on a phone, at 200 %, in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from selenium.webdriver.common.keys import Keys

from emulator import ROOT
from system.browser import DESKTOP, PHONE
from system.desk_order import sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from system.browser import Tab
    from system.deployment import Caller, Deployment

AXE: Final = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "desktop": DESKTOP,
    "phone": PHONE,
    "320 px": {"width": 320, "height": 640, "scale": 2, "touch": True},
    "200 %": {"width": 640, "height": 400, "scale": 2},
}

REACHABLE: Final = """
    return [...document.querySelectorAll("a[href], button, input, select, textarea")]
      .filter((one) => one.checkVisibility() && !one.disabled)
      .filter((one) => !document.querySelector("dialog") || one.closest("dialog"))
      .map((one) => one.id || one.textContent || one.ariaLabel || one.name || one.type);
"""
FOCUSED: Final = """
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const { left, top, width, height } = one.getBoundingClientRect();
    const outlines = [getComputedStyle(one), getComputedStyle(one, "::after")];
    const seen = [0.1, 0.5, 0.9].some((part) => {
      const hit = document.elementFromPoint(left + width * part, top + height / 2);
      return hit && (one.contains(hit) || hit.contains(one));
    });
    return {
      name: one.id || one.textContent || one.ariaLabel || one.name || one.type,
      isOutlined: outlines.some((style) => style.outlineStyle === "solid"),
      isSeen: seen,
    };
"""


class Desk:
    """The desk in a tab, with a customer who has no orders yet."""

    def __init__(self, deployment: Deployment, tab: Tab) -> None:
        self.deployment = deployment
        self.tab = tab
        self.owner = deployment.new_customer()

    def enter(self, token: str) -> None:
        self.tab.open(f"{self.deployment.stack.api_url}/desk#token={token}")

    def show(self, place: str) -> None:
        sign_in(self.tab, self.deployment.stack.api_url, self.deployment.staff)
        self.tab.open(f"{self.deployment.stack.api_url}/desk#/{place}")


class Screens(Desk):
    """How each screen is reached."""

    def sign_in(self) -> None:
        self.tab.open(f"{self.deployment.stack.api_url}/desk")
        self.tab.find("button", "Sign in")

    def list(self) -> None:
        self.owner.place()
        self.show("orders?status=PENDING&sort=newest")
        self.tab.find("table.orders")

    def empty_list(self) -> None:
        self.show("orders?status=SHIPPED&from=2001-01-01&to=2001-01-01")
        self.tab.see("No orders here.")

    def list_of_a_customer(self) -> None:
        for _ in range(15):
            self.owner.place()
        self.show(f"customers/{self.owner.id}")
        self.tab.find("table.orders")

    def order(self) -> str:
        order = self.owner.place()
        self.show(f"orders/{order['orderNumber']}")
        self.tab.find(".timeline")
        return str(order["orderId"])

    def question(self) -> None:
        self.order()
        self.tab.press("c")
        self.tab.find("textarea").send_keys("ordered twice")

    def conflict(self) -> None:
        order_id = self.order()
        self.tab.press("c")
        self.tab.find("textarea").send_keys("ordered twice")
        self.deployment.staff.patch(order_id, "PAID").raise_for_status()
        self.tab.find(".question button.primary").click()
        self.tab.see("Do you still want this?")

    def refusal(self) -> None:
        self.order()
        self.tab.press("c")
        self.tab.find("textarea").send_keys("expired")
        self.tab.find(".question button.primary").click()
        self.tab.see("This reason is reserved")

    def news(self) -> None:
        order_id = self.order()
        self.deployment.staff.patch(order_id, "PAID").raise_for_status()

        def told(_: object) -> bool:
            self.tab.run("document.dispatchEvent(new Event('visibilitychange'))")
            return "This order has changed" in self.tab.text

        self.tab.wait(told, "the news")

    def missing_order(self) -> None:
        self.show("orders/00000000-0000-7000-8000-000000000000")
        self.tab.find(".failure")

    def days(self) -> None:
        self.show("days?days=30")
        self.tab.find("h1", "Daily revenue")

    def help(self) -> None:
        self.order()
        self.tab.press("?")
        self.tab.find("dialog")

    def ended(self) -> None:
        self.enter("a.b.c")
        self.tab.see("Your session has ended.")

    def not_staff(self) -> None:
        self.enter(self.owner.token)
        self.tab.find("h1", "This desk is for staff")


SCREENS: Final[dict[str, Callable[[Screens], object]]] = {
    name: reach for name, reach in vars(Screens).items() if not name.startswith("__")
}


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_and_nothing_sticks_out(
    screen: str, deployment: Deployment, tab: Tab
) -> None:
    SCREENS[screen](Screens(deployment, tab))
    tab.cdp("Runtime.evaluate", expression=AXE.read_text())  # no policy of the page bars this
    for name, look in LOOKS.items():
        tab.look(**look)
        for scheme in ("light", "dark"):
            tab.prefer(prefers_color_scheme=scheme)
            assert violations(tab) == [], f"{name}, {scheme}"
        wide = tab.run("return document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name}: {wide} px"
        tab.screenshot(f"access-{screen}-{name.split()[0]}")


def violations(tab: Tab) -> list[str]:
    """What axe-core finds, where."""
    run = f"axe.run({{ runOnly: {TAGS} }}).then(({{ violations }}) => violations)"
    found = tab.cdp("Runtime.evaluate", expression=run, awaitPromise=True, returnByValue=True)
    return [
        f"{one['id']}: {[node['html'] for node in one['nodes']]}"
        for one in found["result"]["value"]
    ]


@pytest.mark.parametrize("look", ["desktop", "phone", "200 %"])
@pytest.mark.parametrize(
    "screen", ["list_of_a_customer", "order", "question", "conflict", "help", "ended"]
)
def test_every_control_is_reached_by_tab_in_sight_and_outlined(
    screen: str, look: str, deployment: Deployment, tab: Tab
) -> None:
    tab.look(**LOOKS[look])
    SCREENS[screen](Screens(deployment, tab))
    wanted = tab.run(REACHABLE)
    assert wanted
    tab.run("document.activeElement.blur()")
    seen = set()
    # A date has a stop for each of its parts.
    for _ in range(len(wanted) + 12):
        tab.press(Keys.TAB)
        focused = tab.run(FOCUSED)
        if focused:
            assert focused["isOutlined"], focused
            assert focused["isSeen"], focused
            seen.add(focused["name"])
    assert set(wanted) <= seen


def test_a_list_is_a_table_to_a_screen_reader(deployment: Deployment, tab: Tab) -> None:
    Screens(deployment, tab).list()
    roles = [
        tab.find(f"table.orders {css}".strip()).aria_role
        for css in ("", "tbody", "tbody tr", "tbody th", "tbody td")
    ]
    assert roles == ["table", "rowgroup", "row", "rowheader", "cell"]


def test_the_help_lists_the_shortcuts_of_the_screen(deployment: Deployment, tab: Tab) -> None:
    screens = Screens(deployment, tab)
    everywhere = ["/", "1", "2", "3", "4", "5", "?"]
    for reach, keys in (
        (screens.list, ["j", "↓", "k", "↑", "r"]),
        (screens.order, ["u", "p", "c"]),
    ):
        reach()
        tab.press("?")
        tab.find("dialog")
        assert {one.text for one in tab.all("kbd")} == {*everywhere, *keys}
        tab.click("Close")


def test_shortcuts_can_be_turned_off_and_stay_off(
    deployment: Deployment, tab: Tab, staff: Caller
) -> None:
    screens = Screens(deployment, tab)
    screens.order()
    tab.click("Keyboard shortcuts")
    tab.find("dialog input").click()
    tab.press(Keys.ESCAPE)
    tab.wait(lambda _: not tab.all("dialog"), "no dialog")
    screens.enter(staff.token)
    screens.order()

    tab.press("p", "?", "1")
    assert not tab.all("dialog, .question")
    assert "/orders/" in tab.address

    tab.click("Keyboard shortcuts")
    tab.find("dialog input").click()
    tab.click("Close")
    tab.press("1")
    tab.find("h1", "To ship")


def test_forced_colors_leave_the_current_range_to_be_seen(deployment: Deployment, tab: Tab) -> None:
    Screens(deployment, tab).days()
    tab.prefer(forced_colors="active")
    color = "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
    assert tab.run(color, ".range [aria-current]") != tab.run(color, "body")


def test_the_navigation_is_where_it_was_on_each_screen(deployment: Deployment, tab: Tab) -> None:
    tab.look(360, 640, touch=True)
    Screens(deployment, tab).list()
    places = """
        return [...document.querySelectorAll("nav a, form.find")].map((one) => {
          const { left, top, width } = one.getBoundingClientRect();
          return [left, top, width].join();
        });
    """
    before = tab.run(places)[:6]
    for name in ("To ship", "Shipped", "Canceled", "Daily revenue"):
        tab.click(name)
        tab.find("h1", name)
        assert tab.run(places)[:6] == before
