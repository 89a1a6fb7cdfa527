"""The days at the desk: the daily reports as plots and as tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from emulator import REGION
from orders.adapters.aws.client import Client
from orders.adapters.aws.connection import Endpoint
from orders.adapters.aws.credentials import Credentials
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.adapters.dynamodb.table import Table
from orders.domain.daily_report import DailyReport
from orders.domain.status import OrderStatus
from system.deployment import TABLE
from system.desk_order import sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from system.browser import Tab
    from system.deployment import Deployment

TODAY = date(2035, 6, 15)
"""For the page, so that no midnight comes between, and nobody else has these reports."""
UNREPORTED = {3, 12, 40}
"""So many days ago."""
LARGEST_AMOUNT = 10**15
PLOTS = "[role=img].plot"


def report(days_ago: int) -> DailyReport:
    """One dollar for each day ago, paid; every tenth day yen, too."""
    day = TODAY - timedelta(days=days_ago)
    orders: dict[str, dict[str, int]] = {
        "USD": {OrderStatus.PAID: days_ago, OrderStatus.CANCELED: 1}
    }
    revenue = {"USD": 100 * days_ago}
    if days_ago % 10 == 0:
        orders["JPY"] = {OrderStatus.SHIPPED: 1}
        revenue["JPY"] = LARGEST_AMOUNT + 1
    return DailyReport(
        day=day,
        generated_at=datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1),
        orders=orders,
        revenue=revenue,
        cancellation_reasons={"expired": 1},
        left_out=2 if days_ago == 1 else 0,
    )


@pytest.fixture(scope="module", autouse=True)
def _reported(deployment: Deployment) -> None:
    endpoint = Endpoint(deployment.stack.endpoint, REGION, "dynamodb", attempt_seconds=10)
    client = Client(endpoint, "dynamodb", lambda: Credentials("test", "test", ""))
    reports = DynamoDbReports(Table(client, TABLE))
    for days_ago in set(range(1, 91)) - UNREPORTED:
        reports.put(report(days_ago))


@pytest.fixture
def days(deployment: Deployment, tab: Tab) -> Callable[[int], Tab]:
    """Opens the days, on that day."""
    before_each_page(tab, f"Date.now = () => Date.parse('{TODAY}T12:00:00Z');")

    def opened(count: int) -> Tab:
        sign_in(tab, deployment.stack.api_url, deployment.staff)
        show(tab, count)
        return tab

    return opened


def before_each_page(tab: Tab, script: str) -> None:
    tab.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})


def show(tab: Tab, count: int) -> None:
    tab.browser.execute_script("location.hash = arguments[0]", f"#/days?days={count}")


def loaded(tab: Tab, days_without_report: int) -> Tab:
    tab.see(f"{days_without_report} days have no report.")
    return tab


def reports_asked_for(tab: Tab) -> list[str]:
    urls = [request["url"].rsplit("/", 2) for request in tab.requests()]
    return [day for _, kind, day in urls if kind == "daily"]


def complaints(tab: Tab) -> list[str]:
    """The browser notes every 404, but no other comes as expected."""
    return [one for one in tab.complaints() if not ("/reports/daily/" in one and "404" in one)]


def labels(tab: Tab) -> list[str]:
    return [plot.get_attribute("aria-label") or "" for plot in tab.all(PLOTS)]


def drawn(tab: Tab, plot: int) -> int:
    """How many of the columns of pixels hold a bar: something in the color of accents."""
    columns: int = tab.browser.execute_script(
        """
        const canvas = document.querySelectorAll(arguments[0] + ' canvas')[arguments[1]];
        const { width, height } = canvas;
        const copy = document.createElement('canvas');
        Object.assign(copy, { width, height });
        const context = copy.getContext('2d', { willReadFrequently: true });
        context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--accent');
        context.fillRect(0, 0, 1, 1);
        const accent = context.getImageData(0, 0, 1, 1).data.join();
        context.clearRect(0, 0, 1, 1);
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, width, height);
        const columns = new Set();
        for (let place = 0; place < data.length; place += 4) {
          if (data.slice(place, place + 4).join() === accent) columns.add((place / 4) % width);
        }
        return columns.size;
        """,
        PLOTS,
        plot,
    )
    return columns


def table(tab: Tab, caption: str) -> list[list[str]]:
    rows: list[list[str]] = tab.browser.execute_script(
        """
        const table = [...document.querySelectorAll('table')].find(
          (one) => one.caption.textContent === arguments[0]);
        return [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent));
        """,
        caption,
    )
    return rows


def test_each_currency_has_its_plots_and_the_most_used_comes_first(
    days: Callable[[int], Tab],
) -> None:
    tab = loaded(days(30), 2)

    assert [heading.text for heading in tab.all("h2")] == [
        f"USD: ${sum(range(31)) - 15}.00 from {sum(range(31)) - 15 + 28} orders",
        "JPY: ¥3,000,000,000,000,003 from 3 orders",
    ]
    total, highest = "¥3,000,000,000,000,003", "¥1,000,000,000,000,001"
    span = "May 16, 2035 to Jun 14, 2035"
    assert labels(tab) == [
        f"Revenue per day, USD, {span}. Total: $450.00. Highest: $30.00 on May 16, 2035.",
        f"Orders per day, USD, {span}. Total: 478. Highest: 31 on May 16, 2035.",
        f"Revenue per day, JPY, {span}. Total: {total}. Highest: {highest} on May 16, 2035.",
        f"Orders per day, JPY, {span}. Total: 3. Highest: 1 on May 16, 2035.",
    ]
    assert drawn(tab, 0) > drawn(tab, 2) > 0
    assert complaints(tab) == []


def test_the_plots_can_be_read_as_tables_and_a_day_without_report_is_no_day_without_orders(
    days: Callable[[int], Tab],
) -> None:
    tab = loaded(days(30), 2)

    rows = table(tab, "Orders and revenue per day, JPY")
    assert len(rows) == 1 + 30 + 1
    assert rows[0] == ["Day (UTC)", "Orders", "Revenue"]
    assert rows[-2:] == [
        ["Jun 14, 2035", "0", "¥0"],
        ["Total", "3", "¥3,000,000,000,000,003"],
    ]
    assert rows[-4] == ["Jun 12, 2035", "no report"]
    assert table(tab, "Statuses, USD") == [["Paid", "450"], ["Canceled", "28"]]
    assert table(tab, "Statuses, JPY") == [["Shipped", "3"]]
    assert table(tab, "Cancellation reasons, all currencies") == [
        ["expired: not paid in time", "28"]
    ]
    tab.see("2 orders could not be read and are missing here.")
    tab.see("today has none yet")


def test_a_longer_range_asks_only_for_what_is_missing(days: Callable[[int], Tab]) -> None:
    tab = days(7)
    tab.see("1 day has no report.")
    assert len(reports_asked_for(tab)) == 7

    tab.click("Last 30 days")
    loaded(tab, 2)
    assert len(reports_asked_for(tab)) == 23

    tab.click("Last 90 days")
    loaded(tab, 3)
    assert len(reports_asked_for(tab)) == 60

    tab.click("Last 7 days")
    tab.see("1 day has no report.")
    assert reports_asked_for(tab) == []


def test_a_failed_request_can_be_tried_again_and_the_rest_stays(days: Callable[[int], Tab]) -> None:
    tab = days(7)
    tab.see("1 day has no report.")
    network: dict[str, Any] = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    tab.browser.execute_cdp_cmd("Network.enable", {})
    tab.browser.execute_cdp_cmd("Network.emulateNetworkConditions", network | {"offline": True})

    tab.click("Last 30 days")
    tab.see("23 days could not be loaded.")
    tab.see("No connection to the platform.")
    assert len(table(tab, "Orders and revenue per day, USD")) == 1 + 7 + 1

    tab.browser.execute_cdp_cmd("Network.emulateNetworkConditions", network | {"offline": False})
    tab.click("Try again")
    loaded(tab, 2)
    assert "could not be loaded" not in tab.text
    assert len(table(tab, "Orders and revenue per day, USD")) == 1 + 30 + 1


def test_plots_are_as_wide_as_their_place_and_follow_the_theme(
    days: Callable[[int], Tab],
) -> None:
    tab = loaded(days(90), 3)
    tab.screenshot("desk-days")

    def measured(script: str) -> Any:  # noqa: ANN401 - whatever it returns
        return tab.browser.execute_script(f"""
            const page = document.documentElement;
            const canvas = document.querySelector('{PLOTS} canvas');
            const place = document.querySelector('{PLOTS}');
            return {script};
        """)

    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    tab.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    tab.wait(lambda _: measured("canvas.clientWidth === place.clientWidth"), "a fitting plot")
    assert measured("place.clientWidth") < 390
    shapes = tab.run("""
        return [...document.querySelectorAll(".u-over")].map((one) => {
          const { left, width } = one.getBoundingClientRect();
          return [left, width].join();
        });
    """)
    assert len(shapes) == 4
    assert (shapes[0], shapes[2]) == (shapes[1], shapes[3]), "the same days below each other"
    assert drawn(tab, 0) > 0
    assert measured("page.scrollWidth <= page.clientWidth")
    tab.screenshot("desk-days-phone")

    scheme = {"name": "prefers-color-scheme", "value": "dark"}
    tab.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    tab.wait(lambda _: drawn(tab, 0) > 0, "a bar in the dark theme's color")
    tab.screenshot("desk-days-phone-dark")
    tab.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    tab.screenshot("desk-days-dark")
    assert complaints(tab) == []
