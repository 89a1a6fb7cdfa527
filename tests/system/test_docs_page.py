"""The docs page as a browser shows it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from emulator import ROOT
from orders.http import problems
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.chrome.webdriver import WebDriver

    from system.deployment import Deployment

SCREENSHOTS = ROOT / "build" / "screenshots"
PATIENCE = 60
"""Seconds; nothing waits longer than it must."""

SLUGS = [each.slug for each in vars(problems).values() if isinstance(each, problems.ProblemType)]


@pytest.fixture(scope="module")
def api_address(deployment: Deployment) -> str:
    """Has a path in it, as a stage of API Gateway has."""
    return deployment.stack.api_url


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    """Headless Chromium that can reach this machine only."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        missing("No chromium and chromedriver on PATH; on Debian: apt install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",  # its sandbox refuses root, which containers run as
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--window-size=1280,1600",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    with webdriver.Chrome(options=options, service=service) as started:
        yield started


def opened(browser: WebDriver, address: str) -> WebDriver:
    """The page, once the viewer shows the operations."""
    browser.get("about:blank")
    entries(browser, "browser")  # read entries are gone
    entries(browser, "performance")
    browser.get(address)
    WebDriverWait(browser, PATIENCE).until(
        lambda page: page.find_elements(By.ID, "operations-Orders-createOrder")
    )
    return browser


def entries(browser: WebDriver, log: str) -> list[dict[str, Any]]:
    """The log's entries since the last call."""
    found: list[dict[str, Any]] = browser.get_log(log)  # type: ignore[no-untyped-call]  # Selenium leaves it out
    return found


def requested_urls(browser: WebDriver) -> list[str]:
    """The URLs that the page has requested."""
    messages = [
        json.loads(entry["message"])["message"] for entry in entries(browser, "performance")
    ]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def test_the_page_shows_the_operations_and_loads_nothing_from_elsewhere(
    browser: WebDriver, api_address: str
) -> None:
    page = opened(browser, f"{api_address}/docs")

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    assert page.save_screenshot(SCREENSHOTS / "docs.png")
    from_network = [url for url in requested_urls(page) if not url.startswith("data:")]
    assert set(from_network) == {f"{api_address}/docs", f"{api_address}/openapi.json"}
    # Among what a browser complains of: whatever the Content-Security-Policy kept out.
    assert entries(page, "browser") == []
    assert page.find_element(By.CSS_SELECTOR, ".servers option").text == api_address


def test_an_operation_opens_with_its_examples(browser: WebDriver, api_address: str) -> None:
    page = opened(browser, f"{api_address}/docs")

    page.find_element(By.CSS_SELECTOR, "#operations-Orders-createOrder button").click()

    shown = WebDriverWait(page, PATIENCE).until(
        lambda page: page.find_elements(
            By.CSS_SELECTOR, "#operations-Orders-createOrder .responses-wrapper"
        )
    )
    assert "Idempotent-Replayed" in shown[0].text
    page.execute_script(
        "arguments[0].scrollIntoView()", page.find_element(By.ID, "operations-Orders-createOrder")
    )
    assert page.save_screenshot(SCREENSHOTS / "docs-operation.png")
    assert entries(page, "browser") == []


def test_a_problem_type_leads_to_its_explanation(browser: WebDriver, api_address: str) -> None:
    # Some browsers hold what is in view in its place by themselves; others don't.
    source = """
        const sheet = new CSSStyleSheet();
        sheet.replaceSync("* { overflow-anchor: none !important; }");
        document.adoptedStyleSheets = [sheet];
    """
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})

    page = opened(browser, f"{api_address}/docs#order-not-found")

    def is_in_view(page: WebDriver) -> bool:
        top: float = page.execute_script(
            "return document.getElementById('order-not-found').getBoundingClientRect().top"
        )
        return bool(0 <= top < page.get_window_size()["height"] / 2)

    WebDriverWait(page, PATIENCE).until(is_in_view)
    assert page.save_screenshot(SCREENSHOTS / "docs-problem-type.png")


def test_the_page_explains_every_problem_type(browser: WebDriver, api_address: str) -> None:
    page = opened(browser, f"{api_address}/docs")

    articles = page.find_elements(By.CSS_SELECTOR, "#problem-types article")

    assert sorted(article.get_attribute("id") or "" for article in articles) == sorted(SLUGS)
    assert all(len(article.text) > 100 for article in articles)
