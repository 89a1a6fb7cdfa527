"""The docs page as a browser shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from orders.http import problems

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

    from system.browser import Tab
    from system.deployment import Deployment

SLUGS = [each.slug for each in vars(problems).values() if isinstance(each, problems.ProblemType)]


@pytest.fixture(scope="module")
def api_address(deployment: Deployment) -> str:
    """Has a path in it, as a stage of API Gateway has."""
    return deployment.stack.api_url


def opened(tab: Tab, address: str) -> Tab:
    """The page, once the viewer shows the operations."""
    tab.open(address)
    tab.find("#operations-Orders-createOrder")
    return tab


def test_the_page_shows_the_operations_and_loads_nothing_from_elsewhere(
    tab: Tab, api_address: str
) -> None:
    page = opened(tab, f"{api_address}/docs")

    page.screenshot("docs")
    urls = {request["url"] for request in page.requests()}
    assert urls == {f"{api_address}/docs", f"{api_address}/openapi.json"}
    assert page.complaints() == []
    assert page.find(".servers select").text.strip() == api_address


def test_an_operation_opens_with_its_examples(tab: Tab, api_address: str) -> None:
    page = opened(tab, f"{api_address}/docs")

    page.find("#operations-Orders-createOrder button").click()

    page.find("#operations-Orders-createOrder .responses-wrapper", "Idempotent-Replayed")
    page.browser.execute_script(
        "arguments[0].scrollIntoView()", page.find("#operations-Orders-createOrder")
    )
    page.screenshot("docs-operation")
    assert page.complaints() == []


def test_a_problem_type_leads_to_its_explanation(tab: Tab, api_address: str) -> None:
    # Some browsers hold what is in view in its place by themselves; others don't.
    source = """
        const sheet = new CSSStyleSheet();
        sheet.replaceSync("* { overflow-anchor: none !important; }");
        document.adoptedStyleSheets = [sheet];
    """
    tab.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})

    page = opened(tab, f"{api_address}/docs#order-not-found")

    def is_in_view(browser: WebDriver) -> bool:
        top: float = browser.execute_script(
            "return document.getElementById('order-not-found').getBoundingClientRect().top"
        )
        return bool(0 <= top < browser.get_window_size()["height"] / 2)

    page.wait(is_in_view)
    page.screenshot("docs-problem-type")


def test_the_page_explains_every_problem_type(tab: Tab, api_address: str) -> None:
    page = opened(tab, f"{api_address}/docs")

    articles = page.browser.find_elements(By.CSS_SELECTOR, "#problem-types article")

    assert sorted(article.get_attribute("id") or "" for article in articles) == sorted(SLUGS)
    assert all(len(article.text) > 100 for article in articles)


def test_the_page_does_not_scroll_sideways_on_a_phone(tab: Tab, api_address: str) -> None:
    page = opened(tab, f"{api_address}/docs")

    def sideways() -> list[int]:
        """The widths of phones on which something is wider than what is shown."""
        return [width for width in (390, 320) if is_sideways(width)]

    def is_sideways(width: int) -> bool:
        metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
        page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scrolls: bool = page.browser.execute_script(
            "const { scrollWidth, clientWidth } = document.documentElement;"
            "return scrollWidth > clientWidth"
        )
        return scrolls

    assert sideways() == []
    page.browser.execute_script(
        "for (const one of document.querySelectorAll('.opblock-summary-control')) one.click()"
    )
    page.wait(lambda _: len(page.all(".responses-wrapper")) == len(page.all(".opblock")))
    assert sideways() == []
    page.screenshot("docs-phone")
