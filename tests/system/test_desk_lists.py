"""Lists at the desk: what they show, and that nothing moves while somebody reads."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from examples import new_order
from orders.adapters.dynamodb import rows
from orders.domain.actor import CUSTOMER
from orders.domain.customer_id import CustomerId
from orders.domain.order_id import make_order_id
from orders.domain.order_number import order_number
from orders.domain.status import OrderStatus
from system import desk_order
from system.browser import Tab
from system.deployment import TABLE
from system.past_orders import STAFF, PastOrders, deployed_table, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.chrome.webdriver import WebDriver

    from orders.domain.order import Order
    from system.deployment import Caller, Deployment

LONG_AGO: Final = datetime(2021, 3, 1, 12, tzinfo=UTC)
MANY: Final = 10_000
PAGE: Final = 50

FAST: Final = "const wait = setTimeout; setTimeout = (run, ms) => wait(run, ms / 100);"
"""Every pause of the page takes a hundredth of its time."""
SKEWED: Final = (
    "const clock = Date.now; Date.now = () => clock() + (window.skew ?? {hours} * 36e5);"
)
POLLS: Final = """
    return performance.getEntriesByType("resource").filter((one) => one.name.includes("/events?"))
        .length;
"""
TICKS: Final = """
    const done = arguments[arguments.length - 1];
    let left = 5;
    const tick = () => (left-- ? setTimeout(tick, 10_000) : done());
    tick();
"""
"""Five times the pause between two polls, in the page's own time."""


PLACES: Final = """
    return [...document.querySelectorAll(".head, .filter, table.orders tbody tr")]
        .map((one) => one.getBoundingClientRect().top).concat(scrollY);
"""
"""Some browsers scroll to keep a row where it is."""
ROWS: Final = "return document.querySelectorAll('table.orders tbody tr').length"
WALK: Final = """
    const rows = document.querySelector("table.orders").getElementsByTagName("a");
    window.appends = [];
    let before = rows.length;
    const step = () => {
      requestAnimationFrame(step);
      scrollTo(0, document.body.scrollHeight);
      if (rows.length === before) return;
      before = rows.length;
      const responses = performance.getEntriesByType("resource");
      const last = responses.findLast((one) => one.name.includes("/orders?"));
      if (last) window.appends.push(performance.now() - last.responseEnd);
      performance.clearResourceTimings();
    };
    step();
"""
"""Scrolls on and on, and keeps how long each page took from its response to its layout."""


def bulk(count: int, first: datetime, customer: str = "cus_many") -> list[Order]:
    """Canceled orders, a millisecond apart."""
    orders = []
    for number in range(count):
        made = first + timedelta(milliseconds=number)
        request = new_order(customer_id=CustomerId(customer))
        order, _ = request.placed(make_order_id(made, number.to_bytes(3)), by=CUSTOMER)
        orders.append(order.changed_to(OrderStatus.CANCELED, by=STAFF, at=made)[0])
    return orders


@pytest.fixture(scope="module")
def past(deployment: Deployment) -> PastOrders:
    return PastOrders(deployment)


@pytest.fixture
def _many(deployment: Deployment) -> Iterator[None]:
    """Ten thousand canceled orders of one day, which are there for these tests alone."""
    written = [rows.detail_row(order) for order in bulk(MANY, LONG_AGO)]
    write_rows(deployed_table(deployment.stack), written)
    yield
    keys = [{"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}} for row in written]
    deletes = [{"DeleteRequest": {"Key": key}} for key in keys]
    for start in range(0, len(deletes), 25):
        some = {TABLE: deletes[start : start + 25]}
        deployment.aws("dynamodb").batch_write_item(RequestItems=some)


def list_of(status: str, day: datetime, sort: str = "oldest") -> str:
    return f"#/orders?status={status}&sort={sort}&from={day.date()}&to={day.date()}"


def list_of_customer(customer: Caller, more: str = "") -> str:
    return f"#/customers/{customer.id}?sort=newest{more}"


def sign_in(deployment: Deployment, tab: Tab, place: str = "") -> None:
    desk_order.sign_in(tab, deployment.stack.api_url, deployment.staff)
    tab.find("h1", "To ship")
    if place:
        show(deployment, tab, place)


def show(deployment: Deployment, tab: Tab, place: str) -> None:
    tab.open(f"{deployment.stack.api_url}/desk{place}")
    tab.find(".end [role=status]", "order")


def shown(tab: Tab) -> list[str]:
    """The numbers of the orders, from top to bottom."""
    numbers: list[str] = tab.run(
        "return [...document.querySelectorAll('table.orders tbody a')].map((one) => one.id)"
    )
    return numbers


def scrolled(tab: Tab) -> float:
    return float(tab.run("return scrollY"))


def reaches(tab: Tab, row: int, _: WebDriver) -> bool:
    return int(tab.run(ROWS)) >= row


def poll(tab: Tab) -> None:
    """Ask for news now, as the page does when it comes to the front."""
    tab.run("document.dispatchEvent(new Event('visibilitychange'))")


def news(tab: Tab, text: str) -> None:
    """Wait for the announcement; the feed holds events back for some seconds."""

    def announced(browser: WebDriver) -> bool:
        poll(tab)
        return text in browser.find_element(By.CSS_SELECTOR, ".news").text

    tab.wait(announced, text)


def test_range_and_order_are_in_the_address_so_that_a_reload_and_a_sent_link_show_the_same(
    deployment: Deployment, tab: Tab, past: PastOrders, browser: WebDriver
) -> None:
    day = LONG_AGO + timedelta(days=10)
    for hours in (-48, 0, 1, 2, 48):
        past.place(day + timedelta(hours=hours), OrderStatus.CANCELED)
    sign_in(deployment, tab)
    tab.click("Canceled")
    tab.find("h1", "Canceled")

    for field in tab.all("input[type=date]"):
        field.send_keys(f"{day:%m%d%Y}")
    tab.wait(lambda _: len(shown(tab)) == 3, "three orders of the day")
    newest = shown(tab)
    tab.find("select").send_keys("Oldest first")
    tab.wait(lambda _: shown(tab) == newest[::-1], "the oldest first")
    address = tab.address
    assert address.endswith(f"sort=oldest&from={day.date()}&to={day.date()}")

    browser.refresh()
    tab.wait(lambda _: shown(tab) == newest[::-1], "the same")
    other = Tab(browser)
    try:
        other.open(address)
        other.find("input[name=token]").send_keys(deployment.staff.token)
        other.click("Sign in")
        other.wait(lambda _: shown(other) == newest[::-1], "the same")
    finally:
        other.close()


def test_focus_stays_in_the_range_while_it_is_typed(deployment: Deployment, tab: Tab) -> None:
    sign_in(deployment, tab, list_of("CANCELED", LONG_AGO + timedelta(days=400)))
    first = tab.find("input[type=date]")
    first.send_keys("02282021")
    tab.wait(lambda _: "from=2021-02-28" in tab.address, "the day in the address")
    assert tab.browser.switch_to.active_element == first


@pytest.mark.parametrize("how", ["scrolling", "button"])
def test_pages_are_appended_and_no_order_is_repeated(
    how: str, deployment: Deployment, tab: Tab
) -> None:
    owner = deployment.new_customer()
    orders = bulk(2 * PAGE + 20, LONG_AGO + timedelta(days=20), owner.id)
    write_rows(deployed_table(deployment.stack), [rows.customer_row(order) for order in orders])
    tab.look(1280, 700)
    sign_in(deployment, tab, list_of_customer(owner))
    for loaded in (PAGE, 2 * PAGE, len(orders)):
        tab.see(f"{loaded} orders shown")
        assert len(shown(tab)) == loaded
        if loaded == len(orders):
            break
        if how == "button":
            tab.run("arguments[0].focus({ preventScroll: true })", tab.find(".end button"))
            tab.press(Keys.ENTER)
        else:
            tab.run("scrollTo(0, document.body.scrollHeight)")
    assert len(set(shown(tab))) == len(orders)
    assert (scrolled(tab) == 0) == (how == "button")


@pytest.mark.parametrize("width", [1280, 360])
def test_a_new_order_is_announced_and_nothing_moves_until_it_is_asked_for(
    width: int, deployment: Deployment, tab: Tab
) -> None:
    owner = deployment.new_customer()
    for _ in range(30):
        owner.place()
    tab.look(width, 640)
    sign_in(deployment, tab, list_of_customer(owner))
    before = shown(tab)
    tab.run("scrollTo(0, 300)")
    places = tab.run(PLACES)

    new = owner.place()
    news(tab, "1 new order")
    assert shown(tab) == before
    assert tab.run(PLACES) == places

    tab.click("Show 1 new order")
    tab.wait(lambda _: shown(tab) == [new["orderNumber"], *before], "the new order")
    assert scrolled(tab) == 0
    assert "new order" not in tab.text


def test_a_range_announces_no_order_outside_of_it_and_marks_what_changed_elsewhere(
    deployment: Deployment, tab: Tab, past: PastOrders, staff: Caller
) -> None:
    owner = deployment.new_customer()
    day = LONG_AGO + timedelta(days=30)
    old = past.place(day, OrderStatus.PAID, customer_id=CustomerId(owner.id))
    sign_in(deployment, tab, list_of_customer(owner, f"&from={day.date()}&to={day.date()}"))

    owner.place()
    staff.patch(old.order_id, "SHIPPED").raise_for_status()

    def marked(_: WebDriver) -> bool:
        poll(tab)
        return "now shipped" in tab.text

    tab.wait(marked, "now shipped")

    assert len(shown(tab)) == 1
    assert tab.find(".news").text == "Refresh"
    assert tab.find("table.orders tbody .customer").text == "Paid"


def test_back_from_an_order_the_list_is_as_it_was_left(deployment: Deployment, tab: Tab) -> None:
    owner = deployment.new_customer()
    orders = bulk(2 * PAGE, LONG_AGO + timedelta(days=40), owner.id)
    table = deployed_table(deployment.stack)
    write_rows(table, [rows.customer_row(order) for order in orders])
    write_rows(table, [rows.detail_row(order) for order in orders])
    tab.look(1280, 700)
    sign_in(deployment, tab, list_of_customer(owner))
    tab.run("scrollTo(0, document.body.scrollHeight)")
    tab.wait(lambda _: len(shown(tab)) == len(orders), "two pages")
    before, wanted = shown(tab), shown(tab)[60]
    tab.run("document.getElementById(arguments[0]).scrollIntoView({ block: 'center' })", wanted)
    where = scrolled(tab)

    tab.run("document.getElementById(arguments[0]).focus({ preventScroll: true })", wanted)
    tab.press(Keys.ENTER)
    tab.find("h1", wanted)
    assert scrolled(tab) == 0
    tab.requests()
    tab.browser.back()
    tab.wait(lambda _: shown(tab) == before, "the same rows")

    tab.wait(lambda _: scrolled(tab) == where, "the same place")
    assert tab.browser.switch_to.active_element.get_attribute("id") == wanted
    assert not [one for one in tab.requests() if "/customers/" in one["url"]]


def test_an_unpaid_order_shows_how_long_it_has_been_waiting_in_english_wherever_the_reader_is(
    deployment: Deployment, tab: Tab, past: PastOrders
) -> None:
    order = past.place(datetime.now(UTC) - timedelta(hours=3, minutes=5))
    tab.cdp("Emulation.setLocaleOverride", locale="de-DE")
    sign_in(deployment, tab)
    tab.click("Unpaid")
    tab.find("h1", "Unpaid")
    number = order_number(order.order_id)
    tab.wait(lambda _: number in shown(tab), "the order")
    row = f"//tr[.//a[@id='{number}']]"
    words = tab.browser.find_element(By.XPATH, row).text
    assert "3 hours ago" in words
    assert "59,97" in words


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("status=BOXED", "No order can have the status “BOXED”."),
        ("status=PAID&from=2021-03-02&to=2021-03-01", "The range ends before it begins"),
    ],
)
def test_an_address_of_no_list_is_explained_and_nothing_is_requested(
    query: str, word: str, deployment: Deployment, tab: Tab
) -> None:
    sign_in(deployment, tab)
    tab.requests()
    tab.open(f"{deployment.stack.api_url}/desk#/orders?{query}")
    tab.find("main .message", word)
    assert not [one for one in tab.requests() if query.partition("&")[0] in one["url"]]


def test_on_a_phone_orders_are_in_sight_and_a_range_is_shown_where_there_is_one(
    deployment: Deployment, tab: Tab
) -> None:
    deployment.new_customer().place()
    tab.look(360, 640, touch=True)
    sign_in(deployment, tab, "#/orders?status=PENDING")
    assert tab.find("table.orders tbody tr").rect["y"] < 320
    assert not tab.find("summary").find_element(By.XPATH, "..").get_attribute("open")

    show(deployment, tab, "#/orders?status=PENDING&from=2021-03-01")
    assert tab.find("input[type=date]").get_attribute("value") == "2021-03-01"


def test_a_key_held_down_goes_on_through_the_rows_alone(deployment: Deployment, tab: Tab) -> None:
    owner = deployment.new_customer()
    for _ in range(3):
        owner.place()
    sign_in(deployment, tab, list_of_customer(owner))
    numbers = shown(tab)

    def hold(key: str) -> None:
        for repeated in (False, True, True):
            tab.cdp("Input.dispatchKeyEvent", type="keyDown", key=key, autoRepeat=repeated)

    hold("j")
    assert tab.browser.switch_to.active_element.get_attribute("id") == numbers[2]
    tab.requests()
    hold("r")
    tab.wait(lambda _: shown(tab) == numbers, "the list again")
    assert len([one for one in tab.requests() if "/customers/" in one["url"]]) == 1


def test_a_hidden_page_asks_for_no_news(
    deployment: Deployment, tab: Tab, browser: WebDriver
) -> None:
    tab.run_first(FAST)
    sign_in(deployment, tab)
    tab.wait(lambda _: tab.run(POLLS) > 2, "polls")
    shape = browser.get_window_rect()
    browser.minimize_window()
    try:
        tab.wait(lambda _: tab.run("return document.hidden"), "a hidden page")
        before = tab.run(POLLS)
        browser.execute_async_script(TICKS)
        assert tab.run(POLLS) - before <= 1  # it was on its way
    finally:
        browser.set_window_rect(**shape)
    tab.wait(lambda _: tab.run(POLLS) > before + 2, "polls again")


@pytest.mark.parametrize("hours", [-5, 5])
def test_new_orders_are_announced_though_the_clock_is_wrong(
    hours: int, deployment: Deployment, tab: Tab
) -> None:
    owner = deployment.new_customer()
    owner.place()
    tab.run_first(SKEWED.format(hours=hours))
    sign_in(deployment, tab, list_of_customer(owner))
    owner.place()
    news(tab, "1 new order")


def test_after_hours_of_sleep_the_list_says_that_it_is_not_up_to_date(
    deployment: Deployment, tab: Tab
) -> None:
    owner = deployment.new_customer()
    first = owner.place()
    tab.run_first(SKEWED.format(hours=0))
    sign_in(deployment, tab, list_of_customer(owner))
    tab.wait(lambda _: tab.run(POLLS) > 0, "a first poll")

    tab.run("window.skew = 9 * 36e5")
    news(tab, "Out of date: refresh")
    tab.click("Out of date: refresh")
    tab.wait(lambda _: shown(tab) == [first["orderNumber"]], "the list")
    tab.find("button", "Refresh")
    owner.place()
    news(tab, "1 new order")


def test_after_the_sign_out_nothing_is_asked_for(deployment: Deployment, tab: Tab) -> None:
    tab.run_first(FAST)
    sign_in(deployment, tab)
    tab.wait(lambda _: tab.run(POLLS) > 2, "polls")
    tab.click("Sign out")
    tab.find("h1", "Sign in")
    before = tab.run(POLLS)
    tab.browser.execute_async_script(TICKS)
    assert tab.run(POLLS) == before


def test_a_customer_is_told_that_the_desk_is_for_staff(
    deployment: Deployment, tab: Tab, customer: Caller
) -> None:
    tab.open(f"{deployment.stack.api_url}/desk#token={customer.token}")
    tab.find("h1", "This desk is for staff")
    tab.click("Sign out")
    tab.find("h1", "Sign in")


@pytest.mark.usefixtures("_many")
def test_ten_thousand_orders_are_walked_to_the_end_and_each_stands_there_once(
    deployment: Deployment, tab: Tab
) -> None:
    tab.look(1280, 800)
    sign_in(deployment, tab, list_of("CANCELED", LONG_AGO))
    tab.run(WALK)
    for reached in range(1000, MANY, 1000):
        tab.wait(partial(reaches, tab, reached), f"row {reached}")
    tab.wait(lambda _: f"{MANY:,} orders shown" in tab.find(".end").text, "the end")

    numbers = shown(tab)
    assert len(numbers) == MANY
    assert not [number for number, times in Counter(numbers).items() if times > 1]
    took: list[float] = tab.run("return window.appends")
    first, last = sum(took[:10]) / 10, sum(took[-10:]) / 10
    elements = tab.run("return document.querySelectorAll('*').length")
    print(
        f"{len(numbers)} rows, {elements} elements; from the response to its rows' layout: "
        f"{first:.0f} ms for the first ten pages, {last:.0f} ms for the last ten: "
        f"{last / first:.1f} times"
    )

    tab.press("j")
    assert tab.browser.switch_to.active_element.get_attribute("id") == numbers[0]
    tab.press("k", "j")
    assert tab.browser.switch_to.active_element.get_attribute("id") == numbers[1]
