"""Takes pictures of the staff desk, of sample orders on a local AWS of its own: `make screenshots`.

All of them are in build/screenshots; three small ones, for the documentation, in docs/images. The
page's clock stands still, so that they change only where the desk does.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from emulator import ROOT, reach_this_machine_directly
from local_stack import LocalStack
from offline import free_port
from orders.adapters.dynamodb import rows
from proof.stack import Platform
from sample_orders import DAYS, NOW, sample_orders
from system.browser import DESKTOP, PHONE, PROGRAMS, SCREENSHOTS, Tab, chromium
from system.past_orders import deployed_table, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES: Final = ROOT / "docs" / "images"
MAX_BYTES: Final = 100_000
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "desktop": DESKTOP,
    "desktop-dark": DESKTOP,
    "phone": PHONE,
    "phone-dark": PHONE,
}
STILL: Final = f"""
    const Moving = Date;
    Date = class extends Moving {{
      constructor(...time) {{ super(...(time.length ? time : [{NOW.timestamp() * 1000:.0f}])); }}
      static now() {{ return {NOW.timestamp() * 1000:.0f}; }}
    }};
"""


def fill(stack: LocalStack) -> None:
    """Write the sample orders, and the reports of their days."""
    written = []
    for order, events in sample_orders():
        written += [rows.detail_row(order), rows.customer_row(order)]
        written += map(rows.event_row, events)
    write_rows(deployed_table(stack), written)
    platform = Platform(stack)
    for days in range(1, DAYS + 1):
        platform.invoke("daily-report", {"date": f"{(NOW - timedelta(days=days)).date()}"})


def show_list(tab: Tab) -> None:
    """What is to be packed."""
    tab.click("To ship")
    tab.find("table.orders a")


def show_order(tab: Tab) -> None:
    """The fourth of these, which has several items."""
    show_list(tab)
    tab.all("table.orders a")[3].click()
    tab.find(".timeline")


def show_days(tab: Tab) -> None:
    """Thirty days, plotted."""
    tab.click("Daily revenue")
    tab.find("canvas")
    tab.wait(lambda _: "Loading" not in tab.text, "all days")


def show_conflict(tab: Tab, api_url: str, token: str) -> None:
    """Somebody ships an order that is about to be canceled."""
    show_order(tab)
    number = tab.address.rpartition("/")[2]
    tab.click("Cancel the order")
    tab.find("textarea").send_keys("The customer ordered twice.")
    httpx.patch(
        f"{api_url}/orders/{number}",
        json={"status": "SHIPPED"},
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    ).raise_for_status()
    tab.find(".question button.primary").click()
    tab.find(".question [role=alert]")


def save_small(tab: Tab, name: str) -> None:
    """Write what is shown to docs/images, 1,000 pixels wide."""
    clip = {"x": 0, "y": 0, "width": 1280, "height": 800, "scale": 1000 / 1280}
    shot = tab.cdp("Page.captureScreenshot", format="png", clip=clip)
    png = base64.b64decode(shot["data"])
    if len(png) > MAX_BYTES:
        raise SystemExit(f"{name}: {len(png):,} bytes are too many for docs/images.")
    (IMAGES / f"{name}.png").write_bytes(png)


def main() -> None:
    """Take them all."""
    if not all(map(shutil.which, PROGRAMS)):
        raise SystemExit(f"Pictures need {' and '.join(PROGRAMS)} on PATH.")
    reach_this_machine_directly()
    directory = Path(tempfile.mkdtemp(prefix="desk-"))
    stack = LocalStack(directory, free_port())
    try:
        environment = stack.up()
        fill(stack)
        IMAGES.mkdir(parents=True, exist_ok=True)
        api_url, token = environment["API_URL"], environment["STAFF_TOKEN"]
        screens: dict[str, Callable[[Tab], None]] = {
            "list": show_list,
            "order": show_order,
            "days": show_days,
        }
        with chromium() as browser:
            for look, size in LOOKS.items():
                tab = Tab(browser)
                tab.look(**size)
                scheme = "dark" if look.endswith("dark") else "light"
                tab.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
                tab.cdp("Emulation.setTimezoneOverride", timezoneId="Europe/Berlin")
                tab.run_first(STILL)
                tab.open(f"{api_url}/desk#token={token}")
                for name, show in screens.items():
                    show(tab)
                    tab.run("scrollTo(0, 0); document.activeElement.blur()")
                    tab.screenshot(f"desk-{name}-{look}")
                    if look == "desktop":
                        save_small(tab, f"desk-{name}")
                tab.close()
            tab = Tab(browser)
            tab.look(**DESKTOP)
            tab.cdp("Emulation.setTimezoneOverride", timezoneId="Europe/Berlin")
            tab.run_first(STILL)
            tab.open(f"{api_url}/desk#token={token}")
            show_conflict(tab, api_url, token)
            for look, size in LOOKS.items():
                tab.look(**size)
                tab.prefer(prefers_color_scheme="dark" if look.endswith("dark") else "light")
                tab.screenshot(f"desk-conflict-{look}")
    finally:
        stack.stop()
        shutil.rmtree(directory, ignore_errors=True)
    for picture in sorted([*SCREENSHOTS.glob("desk-*.png"), *IMAGES.glob("desk-*.png")]):
        print(picture.relative_to(ROOT), f"{picture.stat().st_size:,} bytes")  # noqa: T201 - its result


if __name__ == "__main__":
    main()
