"""The docs page as a browser shows it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from orders.functions import api_docs
from orders.functions.settings import Settings
from orders.http import problems
from orders.http.endpoint import endpoint
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.chrome.webdriver import WebDriver

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
PATIENCE = 60
"""Seconds; a page that is there sooner is not waited for."""

SLUGS = [each.slug for each in vars(problems).values() if isinstance(each, problems.ProblemType)]


@pytest.fixture(scope="module")
def api_address() -> Iterator[str]:
    """The API's address, with a path in it as the local AWS has one."""
    if shutil.which("node") is None or not (ROOT / "node_modules" / "swagger-ui-dist").exists():
        missing("The page is built with Node.js and the packages that npm ci installs.")
    subprocess.run(["node", "scripts/build_docs_page.js"], cwd=ROOT, check=True)
    with served("/_aws/execute-api/0bde5000") as address:
        yield address


@contextmanager
def served(prefix: str) -> Iterator[str]:
    """Answers what API Gateway would hand to api-docs, and 404 to everything else."""

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix(prefix)
            if path not in {"/docs", "/openapi.json"}:
                self.send_error(404)
                return
            response = handler(
                {
                    "routeKey": f"GET {path}",
                    "rawPath": path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "requestContext": {"requestId": "r1", "http": {"method": "GET"}},
                },
                None,
            )
            self.send_response(response["statusCode"])
            for name, value in response["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body_of(response))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}{prefix}"
        settings = Settings()
        vars(settings).update(public_address=address)
        handler = endpoint(api_docs.route(settings))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()


def body_of(response: dict[str, Any]) -> bytes:
    body: str = response["body"]
    return base64.b64decode(body) if response["isBase64Encoded"] else body.encode()


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    """Chromium without a window, that finds no host but this machine."""
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
    """The page, when the viewer has shown the operations."""
    browser.get("about:blank")
    entries(browser, "browser")  # what was read is forgotten
    entries(browser, "performance")
    browser.get(address)
    WebDriverWait(browser, PATIENCE).until(
        lambda page: page.find_elements(By.ID, "operations-Orders-createOrder")
    )
    return browser


def entries(browser: WebDriver, log: str) -> list[dict[str, Any]]:
    """What came into the log since it was read last."""
    found: list[dict[str, Any]] = browser.get_log(log)  # type: ignore[no-untyped-call]  # Selenium leaves it out
    return found


def requested_urls(browser: WebDriver) -> list[str]:
    """What the page asked for, since it was opened."""
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
