"""Signing in at the desk: at an OpenID Connect issuer, by a link, with a token."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
import pytest

from system.deployment import eventually
from system.identity_provider import CLIENT, CUSTOMER, STAFF, accepted, identity_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.browser import Tab
    from system.deployment import Caller, Deployment, Json
    from system.identity_provider import IdentityProvider

HOUR: Final = timedelta(hours=1)
MOMENT: Final = timedelta(seconds=4)
PENDING: Final = "#/orders?status=PENDING&sort=newest"
ENDED: Final = "Your session has ended."
TWO_HOURS_AHEAD: Final = "const now = Date.now; Date.now = () => now() + 2 * 3600 * 1000;"


@contextlib.contextmanager
def issued_by(deployment: Deployment, lifetime: timedelta = HOUR) -> Iterator[IdentityProvider]:
    """The desk and the API have an issuer whose tokens live that long."""
    with (
        identity_provider(lifetime) as provider,
        accepted(deployment, provider.url),
        deployment.changed_environment(
            "desk", DESK_ISSUER=provider.url, DESK_CLIENT_ID=CLIENT, DESK_TOKEN_IN_LINK="false"
        ),
    ):
        yield provider


@pytest.fixture
def provider(deployment: Deployment) -> Iterator[IdentityProvider]:
    with issued_by(deployment) as provider:
        yield provider


@pytest.fixture
def address(deployment: Deployment) -> str:
    return f"{deployment.stack.api_url}/desk"


@pytest.fixture
def tab(tab: Tab) -> Tab:
    """It asks for the page each time: its settings change from test to test."""
    tab.cdp("Network.setCacheDisabled", cacheDisabled=True)
    return tab


def stored(tab: Tab) -> dict[str, str]:
    """All that the page keeps."""
    found: dict[str, str] = tab.run("return {...localStorage, ...sessionStorage}")
    return found


def history(tab: Tab) -> list[str]:
    """The addresses of the tab so far."""
    entries = tab.cdp("Page.getNavigationHistory")["entries"]
    return [entry["url"] for entry in entries]


def sign_in(tab: Tab, person: str = STAFF) -> None:
    tab.click("Sign in")
    tab.click(person)


def caller(deployment: Deployment, provider: IdentityProvider, person: str) -> Caller:
    return deployment.caller(person, provider.token(person))


def placed(deployment: Deployment, provider: IdentityProvider) -> Json:
    return caller(deployment, provider, CUSTOMER).place()


def list_with_an_order(
    deployment: Deployment, provider: IdentityProvider, tab: Tab, address: str
) -> Json:
    """Sign in to a list, and return an order that is in it."""
    order = placed(deployment, provider)
    tab.open(address + PENDING)
    sign_in(tab)
    tab.find("table.orders", order["orderNumber"])
    return order


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class TestAtTheIssuer:
    def test_staff_come_back_to_where_they_were_and_see_the_list(
        self, deployment: Deployment, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        order = placed(deployment, provider)
        tab.open(address + PENDING)
        tab.find("h1", "Sign in")
        tab.screenshot("sign-in")
        sign_in(tab)
        tab.find("table.orders", order["orderNumber"])
        assert tab.address == address + PENDING
        assert [one for one in tab.complaints() if provider.url not in one] == []

    def test_the_code_is_asked_for_with_pkce_a_state_and_a_nonce(
        self, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        tab.open(f"{address}?from=mail{PENDING}")
        sign_in(tab)
        tab.find("h1", "Unpaid")
        (asked,) = provider.authorizations
        (exchanged,) = provider.token_requests
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(exchanged["code_verifier"].encode()).digest()
        )
        assert asked == {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": address,
            "scope": "openid",
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
            "state": asked["state"],
            "nonce": asked["nonce"],
        }
        assert len({asked["state"], asked["nonce"], exchanged["code_verifier"]}) == 3
        assert exchanged["redirect_uri"] == address

    def test_the_audience_and_the_scope_are_those_of_the_stage(
        self, deployment: Deployment, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        with deployment.changed_environment(
            "desk", DESK_SCOPE="openid email", DESK_AUDIENCE="https://orders.example.com"
        ):
            tab.open(address)
            tab.click("Sign in")
            tab.find("button", STAFF)
        (asked,) = provider.authorizations
        assert asked["scope"] == "openid email"
        assert asked["audience"] == "https://orders.example.com"

    def test_no_request_goes_to_another_host_and_no_address_holds_a_code_or_token(
        self, deployment: Deployment, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        list_with_an_order(deployment, provider, tab, address)
        kept = stored(tab)["desk.tokens"]
        requests = tab.requests()
        assert {origin(one["url"]) for one in requests} == {origin(address), provider.url}
        referrers = [one["headers"].get("Referer", "") for one in requests]
        assert not any(one.startswith(origin(address)) for one in referrers)
        assert tab.run("return {...localStorage}") == {}
        tab.click("Sign out")
        tab.find("button", "End session")
        requests += tab.requests()
        addresses = [*history(tab), *(one["url"] for one in requests if "?code=" not in one["url"])]
        assert any("/oauth2/end_session?" in one for one in addresses)
        tokens = json.loads(kept)
        for name in ("accessToken", "refreshToken", "idToken"):
            assert not any(tokens[name] in one for one in addresses), name
        assert not any("code=" in one or "token=" in one for one in addresses)

    def test_the_page_may_connect_to_the_api_and_the_issuer_alone(
        self, provider: IdentityProvider, address: str
    ) -> None:
        policy = httpx.get(address, trust_env=False).headers["Content-Security-Policy"]
        (connect,) = [one for one in policy.split("; ") if one.startswith("connect-src ")]
        assert connect == f"connect-src 'self' {provider.url}"
        assert policy.count(provider.url) == 1

    def test_a_customer_is_told_that_the_desk_is_for_staff(
        self, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        assert provider.token_requests == []
        tab.open(address)
        sign_in(tab, CUSTOMER)
        tab.find("h1", "This desk is for staff")
        assert tab.all("table.orders") == []


class TestWhatGoesWrong:
    def test_who_is_not_let_in_can_try_again(
        self, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        tab.open(address + PENDING)
        tab.click("Sign in")
        tab.click("Deny")
        tab.see("The sign-in failed: it was canceled or not allowed.")
        assert tab.address == address + PENDING
        assert provider.token_requests == []
        tab.screenshot("sign-in-denied")
        sign_in(tab)
        tab.find("h1", "Unpaid")

    @pytest.mark.parametrize("has_begun", [False, True], ids=["never begun", "another's state"])
    def test_a_response_that_was_not_asked_for_here_signs_nobody_in(
        self, provider: IdentityProvider, tab: Tab, address: str, *, has_begun: bool
    ) -> None:
        tab.open(address)
        if has_begun:
            tab.click("Sign in")
            tab.find("button", STAFF)
        tab.open(f"{address}?code=of-somebody-else&state=of-somebody-else")
        tab.see("The sign-in failed: it was started in another tab, or has already been used.")
        assert tab.address == address
        assert provider.token_requests == []
        assert stored(tab) == {}

    def test_such_a_response_says_nothing_to_who_is_signed_in_when_their_session_ends(
        self, deployment: Deployment, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        tab.open(address)
        sign_in(tab)
        tab.find("h1", "To ship")
        tab.open(f"{address}?code=of-somebody-else&state=of-somebody-else")
        tab.find("h1", "To ship")
        with accepted(deployment, provider.url, "nobody"):
            tab.click("Refresh")
            assert "failed" not in tab.find("dialog", ENDED).text
            tab.look(360, 640)
            tab.screenshot("session-ended-phone")

    def test_an_issuer_out_of_reach_is_said_and_can_be_tried_again(
        self, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        provider.is_down = True
        tab.open(address)
        tab.click("Sign in")
        tab.see("The sign-in failed: the sign-in service can’t be reached.")
        provider.is_down = False
        sign_in(tab)
        tab.find("h1", "To ship")

    def test_a_wrong_clock_is_said(
        self, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        assert provider.lifetime < timedelta(hours=2)
        tab.cdp("Page.addScriptToEvaluateOnNewDocument", source=TWO_HOURS_AHEAD)
        tab.open(address)
        sign_in(tab)
        tab.see("The sign-in failed: the clock of this computer is wrong.")
        assert stored(tab) == {}


class TestRenewal:
    def test_a_token_is_renewed_without_being_asked(
        self, deployment: Deployment, tab: Tab, address: str
    ) -> None:
        with issued_by(deployment, MOMENT) as provider:
            tab.open(address)
            sign_in(tab)
            tab.find("h1", "To ship")
            first = stored(tab)["desk.tokens"]
            eventually(lambda: stored(tab)["desk.tokens"], lambda tokens: tokens != first)
            tab.click("Refresh")
            tab.find("h1", "To ship")
        assert tab.all("dialog") == []
        assert len(provider.renewals()) == 1

    def test_an_issuer_out_of_reach_does_not_end_the_session(
        self, deployment: Deployment, tab: Tab, address: str
    ) -> None:
        with issued_by(deployment, MOMENT) as provider:
            tab.open(address)
            sign_in(tab)
            tab.find("h1", "To ship")
            provider.is_down = True
            expired = int(time.time()) + MOMENT.total_seconds() + 1
            eventually(time.time, lambda now: now > expired)
            tab.click("Refresh")
            tab.see("No connection to the platform.")
            assert tab.all("dialog") == []
            provider.is_down = False
            tab.click("Try again")
            tab.find("button", "Refresh")
        assert tab.all("dialog") == []

    def test_an_issuer_that_refuses_ends_the_session(
        self, deployment: Deployment, tab: Tab, address: str
    ) -> None:
        with issued_by(deployment, MOMENT) as provider:
            tab.open(address)
            sign_in(tab)
            tab.find("h1", "To ship")
            httpx.post(f"{provider.url}/users/{STAFF}/revoke-tokens", trust_env=False)
            tab.find("dialog", ENDED)
            tab.click("Sign in again")
            tab.click(STAFF)
            tab.find("h1", "To ship")

    def test_what_was_typed_is_there_after_the_api_refused_the_token_and_a_new_sign_in(
        self, deployment: Deployment, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        order = placed(deployment, provider)
        tab.open(f"{address}#/orders/{order['orderNumber']}")
        sign_in(tab)
        tab.click("Cancel the order")
        tab.find("textarea").send_keys("ordered twice")
        with accepted(deployment, provider.url, "nobody"):
            tab.find("form.question button.primary").click()
            tab.find("dialog", ENDED)
            assert len(provider.renewals()) == 1
            tab.screenshot("session-ended")
        tab.click("Sign in again")
        tab.click(STAFF)
        tab.see("Done: the order is canceled.")
        timeline = caller(deployment, provider, CUSTOMER).timeline(order["orderId"])
        assert [event["reason"] for event in timeline] == [None, "ordered twice"]


class TestSigningOut:
    def test_nothing_is_left_and_the_back_button_shows_nothing(
        self, deployment: Deployment, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        order = list_with_an_order(deployment, provider, tab, address)
        tab.open(deployment.stack.api_url + "/docs")
        tab.open(address + PENDING)
        tab.find("table.orders", order["orderNumber"])
        tab.click("Sign out")
        tab.click("End session")
        tab.find("h1", "Sign in")
        assert stored(tab) == {"desk.signed-out": "true"}
        before = [one for one in history(tab)[:-1] if one.startswith("http")]
        assert len(before) > 2
        for one in reversed(before):
            tab.browser.back()
            eventually(lambda: tab.address, one.__eq__)
            if one.startswith(address):
                tab.find("h1", "Sign in")
            assert order["orderNumber"] not in tab.text
            assert tab.all("table.orders") == []

    @pytest.mark.parametrize("audience", ["", "https://orders.example.com"])
    def test_the_issuer_revokes_the_refresh_token_and_ends_its_session(
        self,
        deployment: Deployment,
        provider: IdentityProvider,
        tab: Tab,
        address: str,
        audience: str,
    ) -> None:
        with deployment.changed_environment("desk", DESK_AUDIENCE=audience):
            tab.open(address)
            sign_in(tab)
            tab.find("h1", "To ship")
        tab.click("Sign out")
        tab.find("button", "End session")
        (revoked,) = provider.revoked
        (ended,) = provider.ended
        assert len(revoked) > 20
        # Without an audience of its own, the API takes ID tokens too.
        assert ended.pop("id_token_hint", "").count(".") == (2 if audience else 0)
        assert ended == {
            "client_id": CLIENT,
            "post_logout_redirect_uri": address,
            "logout_uri": address,
        }

    def test_a_sign_out_waits_for_no_revocation_and_offers_no_sign_in_meanwhile(
        self, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        provider.revokes.clear()
        tab.open(address)
        sign_in(tab)
        tab.find("h1", "To ship")
        tab.click("Sign out")
        tab.find("h1", "Signing out …")
        assert [one for one in tab.all("button") if one.text] == []
        tab.screenshot("signing-out")
        tab.find("button", "End session")
        assert len(provider.revoked) == 1

    def test_an_issuer_out_of_reach_is_named_as_one_that_may_still_know_who_signed_out(
        self, provider: IdentityProvider, tab: Tab, address: str
    ) -> None:
        tab.open(address)
        sign_in(tab)
        tab.find("h1", "To ship")
        tab.browser.refresh()  # what the issuer said about itself is forgotten
        tab.find("h1", "To ship")
        provider.is_down = True
        tab.click("Sign out")
        issuer = provider.url.removeprefix("http://")
        tab.see(f"You are signed out here, but maybe not at {issuer}.")
        tab.screenshot("signed-out-here")
        provider.is_down = False
        assert [one.get("prompt") for one in provider.authorizations] == [None]
        for _ in range(2):  # until somebody has signed in
            tab.click("Sign in")
            tab.click("Deny")
            tab.see("The sign-in failed")
        sign_in(tab)
        tab.find("h1", "To ship")
        assert [one.get("prompt") for one in provider.authorizations[1:]] == ["login"] * 3
        assert "desk.signed-out" not in stored(tab)


class TestToken:
    """Where the stage has no client of an issuer."""

    @pytest.mark.parametrize("form", ["{}", "Bearer {}", "  bearer  {} \n"])
    def test_staff_paste_it(self, staff: Caller, tab: Tab, address: str, form: str) -> None:
        tab.open(address + PENDING)
        tab.find("input[name=token]").send_keys(form.format(staff.token).strip("\n"))
        tab.click("Sign in")
        tab.find("h1", "Unpaid")

    @pytest.mark.parametrize("text", ["secret", "a.b", "two words.and.dots", "a.b.c.d.e"])
    def test_what_is_no_token_is_not_sent(self, tab: Tab, address: str, text: str) -> None:
        tab.open(address)
        tab.find("input[name=token]").send_keys(text)
        tab.click("Sign in")
        tab.see("This is not an access token")
        assert stored(tab) == {}

    def test_a_link_signs_in_on_the_local_stage_and_the_token_does_not_stay_in_the_address(
        self, staff: Caller, tab: Tab, address: str
    ) -> None:
        tab.open(f"{address}#token={staff.token}")
        tab.find("h1", "To ship")
        assert staff.token not in "".join(history(tab))

    def test_a_link_in_a_page_that_is_open_signs_in_too(
        self, staff: Caller, tab: Tab, address: str
    ) -> None:
        tab.open(address)
        tab.find("h1", "Sign in")
        tab.run(f"location.hash = 'token={staff.token}'")
        tab.find("h1", "To ship")
        assert staff.token not in "".join(history(tab))

    def test_no_link_signs_anybody_in_elsewhere(
        self, deployment: Deployment, staff: Caller, tab: Tab, address: str
    ) -> None:
        with deployment.changed_environment("desk", DESK_TOKEN_IN_LINK="false"):
            tab.open(f"{address}#token={staff.token}")
            tab.find("h1", "Sign in")
            tab.run(f"location.hash = 'token={staff.token}'")
            tab.wait(lambda _: "token=" not in tab.address)
            tab.find("h1", "Sign in")
        assert stored(tab) == {}
        assert staff.token not in "".join(history(tab))
