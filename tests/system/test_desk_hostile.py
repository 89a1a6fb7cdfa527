"""Whatever stands in an order, the desk shows it as text, in its place, and does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from proof.oracle import ITEM, required
from system.desk_order import show_order, sign_in

if TYPE_CHECKING:
    from system.browser import Tab
    from system.deployment import Caller, Deployment, Json

TEXTS: Final = {
    "image": '<img src=x onerror="document.title=1">',
    "script": "<script>document.title=1</script>",
    "closing": "</textarea></script><h1>Sign in again</h1>",
    "entity": "&amp;&lt;b&gt;",
    "link": "javascript:alert(1)",
    "template": "{{constructor.constructor('alert(1)')()}} ${alert(1)}",
    "right to left": "\u202egnp.exe \u05d0\u05d1\u05d2 (",
    "isolates": "\u2067\u2066\u202e\u2069\u2069\u2069",
    "one word": "W" * 190,
    "emoji": "👩‍👩‍👧‍👦" * 8,
    "lines": "one\ntwo\n\n\nthree",
    "marks": "Z" + "\u0351" * 60,
    "property": "constructor",
    "prototype": "__proto__",
}


def order_of(customer: Caller, text: str) -> Json:
    """An order with the text wherever it is taken."""
    sku = text[:64].replace("\n", "").strip()
    item = required(ITEM) | {"sku": sku, "name": text, "quantity": 1_000_000, "unitAmount": 10**9}
    metadata = {text[:40]: text, "link": f"https://example.com/{text}"}
    return customer.place(items=[item], metadata=metadata)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_text_of_an_order_is_shown_as_text(
    deployment: Deployment, tab: Tab, customer: Caller, staff: Caller, text: str
) -> None:
    order = order_of(customer, text)
    staff.patch(order["orderId"], "CANCELED", reason=text).raise_for_status()
    sign_in(tab, deployment.stack.api_url, staff)
    tab.find("table.orders, .end p")
    tab.complaints()
    tab.requests()
    tab.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
    )
    show_order(tab, order)

    item = order["items"][0]
    for css, shown in (
        (".items .name", item["name"]),
        (".items .sku", item["sku"]),
        (".timeline li:last-child q", text),
    ):
        assert tab.find(css).get_property("textContent") == shown
    notes = [str(one.get_property("textContent")) for one in tab.all(".notes :is(dt, dd)")]
    assert dict(zip(notes[::2], notes[1::2], strict=True)) == order["metadata"]
    assert tab.browser.title == f"Order {order['orderNumber']} – Orders"
    assert not tab.all("main img, main script, main h1 ~ h1, main b")
    assert [one.get_attribute("href") for one in tab.all("main a")] == [
        f"{deployment.stack.api_url}/desk#/orders?status=PAID&sort=oldest",
        f"{deployment.stack.api_url}/desk#/customers/{customer.id}?sort=newest",
    ]
    wide, narrow = tab.browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= narrow, tab.screenshot("sideways")
    # A text that turns the direction turns nothing but itself.
    first, second = tab.browser.execute_script(
        "const { firstChild } = document.querySelector('.timeline li:last-child time');"
        "const range = document.createRange();"
        "return [0, 1].map((at) => (range.setStart(firstChild, at),"
        " range.setEnd(firstChild, at + 1), range.getBoundingClientRect().left))"
    )
    assert first < second
    assert not tab.complaints()
    addresses = [request["url"] for request in tab.requests()]
    assert addresses
    assert all(one.startswith(deployment.stack.api_url) for one in addresses)


def insert(tab: Tab, css: str, text: str) -> None:
    """Paste what a keyboard has no keys for, once a shortcut has led there."""
    tab.find(f"{css}:focus")
    tab.browser.execute_script("document.execCommand('insertText', false, arguments[0])", text)


def test_what_a_change_is_refused_with_is_shown_as_text(
    deployment: Deployment, tab: Tab, customer: Caller, staff: Caller
) -> None:
    order = customer.place()
    sign_in(tab, deployment.stack.api_url, staff)
    show_order(tab, order)
    text = '<img src=x onerror="document.title=1"> &amp; \u202e “quoted”'
    tab.press("c")
    insert(tab, "textarea", text)
    tab.find(".question button.primary").click()
    tab.see("Done: the order is canceled.")
    last = tab.find("main > article > section .timeline li:last-child q")
    assert last.get_property("textContent") == text
    assert customer.timeline(order["orderId"])[-1]["reason"] == text
    assert not tab.all("main img")
    assert not tab.complaints()


@pytest.mark.parametrize("text", [TEXTS["image"], TEXTS["one word"], TEXTS["right to left"]])
def test_what_is_searched_for_is_shown_as_text(
    deployment: Deployment, tab: Tab, staff: Caller, text: str
) -> None:
    sign_in(tab, deployment.stack.api_url, staff)
    tab.press("/")
    insert(tab, "form.find input", text)
    tab.find("form.find button").click()
    said = tab.find("form.find p", "No orders").get_property("textContent")
    repeated = text if len(text) <= 60 else f"{text[:60]}…"
    assert str(said).endswith(f"No orders found for customer “{repeated}”.")
    assert not tab.all("img")


@pytest.mark.parametrize(
    "place",
    [
        "#/orders/%3Cimg%20src=x%20onerror=alert(1)%3E",
        "#/orders/..%2F..%2Fhealth",
        "#/orders?status=%3Cscript%3E&from=%3Cb%3E&sort=__proto__",
        "#/customers/%3Csvg%20onload=alert(1)%3E",
        "#javascript:alert(1)",
        "#/%E0%A4%A",
        f"#/orders/{'9' * 2000}",
        "#token=a.b.c%22%3E",
    ],
)
def test_an_address_that_somebody_made_up_shows_nothing_but_text(
    deployment: Deployment, tab: Tab, staff: Caller, place: str
) -> None:
    sign_in(tab, deployment.stack.api_url, staff)
    tab.open(f"{deployment.stack.api_url}/desk{place}")
    tab.find("h1")
    tab.wait(lambda _: "Loading" not in tab.text)
    assert not tab.all("main img, main svg, main script")
    assert staff.token not in tab.address
    assert not [one for one in tab.complaints() if "Failed to load resource" not in one]


def test_nothing_is_asked_of_another_host_and_no_referrer_is_sent(
    deployment: Deployment, tab: Tab, customer: Caller, staff: Caller
) -> None:
    order = customer.place()
    tab.requests()
    sign_in(tab, deployment.stack.api_url, staff)
    show_order(tab, order)
    tab.press("c")
    tab.find("textarea").send_keys("https://example.com/")
    tab.find(".question button.primary").click()
    tab.see("Done: the order is canceled.")
    requests = tab.requests()
    api_url = deployment.stack.api_url
    assert {request["method"] for request in requests} == {"GET", "PATCH"}
    for request in requests:
        assert request["url"].startswith(f"{api_url}/"), request
        assert not request["headers"].get("Referer"), request
        assert staff.token not in request["url"], request
