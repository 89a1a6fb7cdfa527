"""GET /desk."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

import pytest

from gateway import request
from orders.environment import InvalidSetting
from orders.functions import api_docs, desk, not_found
from orders.functions.desk import DeskSettings
from orders.functions.settings import Settings
from orders.http.endpoint import endpoint
from orders.http.pages import Page

if TYPE_CHECKING:
    from gateway import Event

HTML: Final = (
    "<!doctype html><title>Desk</title>"
    '<script id="settings" type="application/json">{}</script><script>start()</script>'
)
POLICY: Final = "default-src 'none'; connect-src 'self'; script-src 'sha256-abc'"
PAGE: Final = Page(
    POLICY, '"of-the-build"', base64.b64encode(gzip.compress(HTML.encode())).decode()
)
NONE: Final = DeskSettings("", "", "openid", "", "", takes_token_in_link=False)
ISSUER: Final = "https://login.example.com/tenant/"
SIGN_IN: Final = NONE._replace(issuer=ISSUER, client_id="the-desk")


class Desk:
    """The function of a stage, and how often it has read what was built."""

    def __init__(self, settings: DeskSettings = NONE) -> None:
        self.reads = 0
        self._handler = endpoint(desk.route(Settings(), self._read, lambda: settings))

    def _read(self) -> Page:
        self.reads += 1
        return PAGE

    def get(self, method: str = "GET", **headers: str) -> Event:
        return self._handler(request(method, "/desk", claims=None, headers=headers), None)


def policy(settings: DeskSettings) -> list[str]:
    found: str = Desk(settings).get()["headers"]["Content-Security-Policy"]
    return found.split("; ")


class Elements(HTMLParser):
    """The names of a page's elements, and the settings in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text = ""
        self._is_settings = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self._is_settings = ("id", "settings") in attrs

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - its name is the parser's
        self._is_settings = False

    def handle_data(self, data: str) -> None:
        if self._is_settings:
            self.text += data


def shown(settings: DeskSettings) -> dict[str, Any]:
    """What the page reads, and that it is the page that was built besides."""
    html = Desk(settings).get()["body"]
    elements = Elements(html)
    assert elements.names == Elements(HTML).names
    assert re.sub(r"(json\">).*?(</script>)", r"\1{}\2", html) == HTML
    found: dict[str, Any] = json.loads(elements.text)
    return found


def test_the_page_knows_how_its_stage_signs_in() -> None:
    assert shown(NONE) == {
        "issuer": "",
        "clientId": "",
        "scope": "openid",
        "audience": "",
        "takesTokenInLink": False,
    }
    assert shown(
        SIGN_IN._replace(scope="openid a", audience="https://orders", takes_token_in_link=True)
    ) == {
        "issuer": ISSUER,
        "clientId": "the-desk",
        "scope": "openid a",
        "audience": "https://orders",
        "takesTokenInLink": True,
    }


@pytest.mark.parametrize(
    "client",
    [
        "</script><script>alert(1)</script>",
        "</SCRIPT ><img src=x onerror=alert(1)>",
        "<!--<script>",
        "]]>",
        '"},"issuer":"https://elsewhere.example"',
        "\\",
        "\u2028 ü \\u003c",
        "{}",
        r"\1 \g<0>",
    ],
)
def test_no_setting_is_taken_for_anything_else(client: str) -> None:
    assert shown(SIGN_IN._replace(client_id=client))["clientId"] == client
    assert shown(SIGN_IN._replace(client_id=client))["issuer"] == ISSUER


def test_the_page_may_connect_to_the_hosts_that_signing_in_takes_and_to_no_others() -> None:
    rest = ["default-src 'none'", "script-src 'sha256-abc'"]
    issuer = "https://login.example.com"
    elsewhere = "https://shop.auth.example.com"
    for settings, hosts in (
        (NONE, []),
        (SIGN_IN, [issuer]),
        (SIGN_IN._replace(sign_in_origin=elsewhere), [issuer, elsewhere]),
        (SIGN_IN._replace(sign_in_origin=issuer), [issuer]),
        (SIGN_IN._replace(issuer="http://127.0.0.1:8080/a"), ["http://127.0.0.1:8080"]),
    ):
        connect = " ".join(["connect-src", "'self'", *hosts])
        assert sorted(policy(settings)) == sorted([connect, *rest])


def test_the_entity_tag_changes_with_the_settings_and_only_with_them() -> None:
    elsewhere = SIGN_IN._replace(sign_in_origin="https://shop.auth.example.com")
    stages = [NONE, SIGN_IN, SIGN_IN._replace(scope="openid a"), elsewhere]
    tags = [Desk(settings).get()["headers"]["ETag"] for settings in [*stages, *stages]]
    assert tags[:4] == tags[4:]
    assert len(set(tags)) == 4, "elsewhere only the policy is another"
    assert PAGE.etag not in tags


def test_it_is_compressed_for_who_takes_it_and_the_same_page() -> None:
    plain = Desk(SIGN_IN).get()
    compressed = Desk(SIGN_IN).get(accept_encoding="gzip, br")
    assert compressed["isBase64Encoded"]
    assert compressed["headers"] == plain["headers"] | {"Content-Encoding": "gzip"}
    assert gzip.decompress(base64.b64decode(compressed["body"])).decode() == plain["body"]


def test_it_may_be_kept_for_a_while_and_sends_no_referrer() -> None:
    headers = Desk().get()["headers"]
    assert headers["Cache-Control"] == "public, max-age=300"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_head_gets_the_headers_and_no_body(accepted: str) -> None:
    head = Desk(SIGN_IN).get("HEAD", accept_encoding=accepted)
    assert head["body"] == ""
    assert head["headers"] == Desk(SIGN_IN).get(accept_encoding=accepted)["headers"]


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_who_has_it_is_not_sent_it_again(accepted: str) -> None:
    page = Desk(SIGN_IN)
    tag = page.get()["headers"]["ETag"]
    response = page.get(if_none_match=tag, accept_encoding=accepted)
    assert (response["statusCode"], response["body"]) == (304, "")
    assert response["headers"]["ETag"] == tag
    assert page.get(if_none_match='"another"')["statusCode"] == 200


def test_the_page_is_made_once_and_not_before_it_is_asked_for() -> None:
    page = Desk(SIGN_IN)
    assert page.reads == 0
    for encoding in ("gzip", "identity", "gzip"):
        page.get(accept_encoding=encoding)
    assert page.reads == 1


def test_the_settings_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DESK_ISSUER": ISSUER,
        "DESK_CLIENT_ID": "the-desk",
        "DESK_SCOPE": "openid a",
        "DESK_AUDIENCE": "orders",
        "DESK_SIGN_IN_ORIGIN": "https://shop.auth.example.com",
        "DESK_TOKEN_IN_LINK": "true",
    }.items():
        monkeypatch.setenv(name, value)
    assert DeskSettings.read() == DeskSettings(
        ISSUER,
        "the-desk",
        "openid a",
        "orders",
        "https://shop.auth.example.com",
        takes_token_in_link=True,
    )


def test_a_link_signs_in_only_where_the_stage_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not DeskSettings.read().takes_token_in_link
    monkeypatch.setenv("DESK_TOKEN_IN_LINK", "yes")
    with pytest.raises(InvalidSetting, match="DESK_TOKEN_IN_LINK"):
        DeskSettings.read()


def stage(*, has_desk: bool) -> Settings:
    settings = Settings()
    vars(settings).update(public_address="", has_desk=has_desk)
    return settings


def test_a_stage_without_it_has_no_such_route() -> None:
    without = endpoint(not_found.route(stage(has_desk=False)))
    for method in ("GET", "HEAD", "POST"):
        response = without(request(method, "/desk", claims=None), None)
        assert response["statusCode"] == 404
        assert "Allow" not in response["headers"]
    response = endpoint(not_found.route(stage(has_desk=True)))(request("POST", "/desk"), None)
    assert response["statusCode"] == 405
    assert response["headers"]["Allow"] == "GET, HEAD"


def test_a_stage_without_it_does_not_describe_it() -> None:
    paths = [
        json.loads(
            endpoint(api_docs.route(stage(has_desk=has_desk), lambda: PAGE))(
                request("GET", "/openapi.json"), None
            )["body"]
        )["paths"]
        for has_desk in (True, False)
    ]
    assert paths[0].keys() - paths[1].keys() == {"/desk"}
    assert {path: paths[0][path] for path in paths[1]} == paths[1]
