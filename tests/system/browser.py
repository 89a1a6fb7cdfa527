"""Headless Chromium, and the pages in it as a person meets them."""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from emulator import ROOT
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

PROGRAMS: Final = ("chromium", "chromedriver")
SCREENSHOTS: Final = ROOT / "build" / "screenshots"
DESKTOP: Final[dict[str, Any]] = {"width": 1280, "height": 800}
PHONE: Final[dict[str, Any]] = {"width": 390, "height": 844, "scale": 2, "touch": True}
PATIENCE: Final = 60
"""Seconds; nothing waits longer than it must."""


@contextlib.contextmanager
def chromium() -> Iterator[WebDriver]:
    """A browser that can reach this machine only."""
    program, driver = map(shutil.which, PROGRAMS)
    if program is None or driver is None:
        missing("No chromium and chromedriver on PATH; on Debian: apt install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new",
        "--no-sandbox",  # its sandbox refuses root, which containers run as
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--window-size=1280,1600",
        "--lang=en-US",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    with webdriver.Chrome(options=options, service=service) as started:
        yield started


class Tab:
    """A page in a tab of its own, with a session storage of its own."""

    def __init__(self, browser: WebDriver) -> None:
        self.browser = browser
        browser.switch_to.new_window("tab")
        self._handle = browser.current_window_handle
        self._entries("browser")  # read entries are gone
        self._entries("performance")

    def close(self) -> None:
        self.front()
        self.browser.close()
        self.browser.switch_to.window(self.browser.window_handles[0])

    def front(self) -> None:
        """What is typed goes to the tab in front."""
        self.browser.switch_to.window(self._handle)

    def open(self, address: str) -> None:
        self.browser.get(address)

    def wait(self, holds: Callable[[WebDriver], Any], what: str = "") -> Any:  # noqa: ANN401 - whatever it returns
        """Wait until it holds, whatever page is there; what it finds may go away meanwhile."""
        # Chromedriver has several for an element of a page that is gone.
        waiting = WebDriverWait(self.browser, PATIENCE, ignored_exceptions=[WebDriverException])
        try:
            return waiting.until(holds)
        except TimeoutException as error:
            message = f"{what} is not in: {self.text[:2000]}"
            raise AssertionError(message) from error

    def find(self, css: str, text: str = "") -> WebElement:
        """Wait for an element that is shown and contains the text."""

        def found(browser: WebDriver) -> WebElement | None:
            elements = browser.find_elements(By.CSS_SELECTOR, css)
            return next((one for one in elements if one.is_displayed() and text in one.text), None)

        element: WebElement = self.wait(found, f"{css} {text!r}")
        return element

    def all(self, css: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def see(self, text: str) -> None:
        """Wait for a text anywhere on the page."""
        self.wait(lambda _: text in self.text, repr(text))

    def click(self, text: str) -> None:
        """Wait for a button or link with exactly this text, and click it."""

        def clicked(browser: WebDriver) -> bool:
            for one in browser.find_elements(By.CSS_SELECTOR, "button, a"):
                if one.is_displayed() and one.text == text:
                    one.click()
                    return True
            return False

        self.wait(clicked, f"button {text!r}")

    def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever it returns
        """What the script `return`s; `arguments[0]` is the first argument."""
        return self.browser.execute_script(script, *arguments)

    def run_first(self, script: str) -> None:
        """Run the script in each page from now on, before its own."""
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)

    def cdp(self, command: str, **parameters: object) -> Any:  # noqa: ANN401 - as the command
        """Send a command of the Chrome DevTools Protocol; for this tab alone."""
        return self.browser.execute_cdp_cmd(command, parameters)

    def look(self, width: int, height: int, *, scale: int = 1, touch: bool = False) -> None:
        """Look through a window of this size, in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": touch}
        self.cdp("Emulation.setDeviceMetricsOverride", **size)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=touch)

    def prefer(self, **features: str) -> None:
        """Set media features, such as `prefers_color_scheme="dark"`; the others are reset."""
        wanted = [
            {"name": name.replace("_", "-"), "value": value}
            for name, value in ({"prefers_color_scheme": "light"} | features).items()
        ]
        self.cdp("Emulation.setEmulatedMedia", features=wanted)

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    @property
    def text(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "body").text

    @property
    def address(self) -> str:
        return self.browser.current_url

    def screenshot(self, name: str) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        assert self.browser.save_screenshot(path)
        return path

    def complaints(self) -> list[str]:
        """What the console says, such as what the Content-Security-Policy kept out."""
        return [entry["message"] for entry in self._entries("browser")]

    def requests(self) -> list[dict[str, Any]]:
        """The requests since the last call: `method`, `url`, `headers`."""
        messages = [
            json.loads(entry["message"])["message"] for entry in self._entries("performance")
        ]
        return [
            message["params"]["request"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            and not message["params"]["request"]["url"].startswith("data:")
        ]

    def _entries(self, log: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.browser.get_log(log)  # type: ignore[no-untyped-call]  # Selenium leaves it out
        return found
