"""GET /desk: the page where staff work on orders, built from desk/."""

from __future__ import annotations

import base64
import gzip
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from orders.environment import one_of, optional
from orders.functions.settings import Settings
from orders.http.endpoint import endpoint
from orders.http.pages import Page, built_page, page_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request
    from orders.http.response import Response

_NO_SETTINGS: Final = '<script id="settings" type="application/json">{}</script>'


class DeskSettings(NamedTuple):
    """How staff sign in at the desk: by OpenID Connect if there is an issuer, else with a token.

    `sign_in_origin` is where the issuer's token endpoint is, if not at the issuer's own origin.
    `takes_token_in_link` lets a link sign in whoever opens it: for this machine only.
    """

    issuer: str
    client_id: str
    scope: str
    audience: str
    sign_in_origin: str
    takes_token_in_link: bool

    @classmethod
    def read(cls) -> DeskSettings:
        return cls(
            issuer=optional("DESK_ISSUER", ""),
            client_id=optional("DESK_CLIENT_ID", ""),
            scope=optional("DESK_SCOPE", "openid"),
            audience=optional("DESK_AUDIENCE", ""),
            sign_in_origin=optional("DESK_SIGN_IN_ORIGIN", ""),
            takes_token_in_link=one_of("DESK_TOKEN_IN_LINK", ("true", "false"), "false") == "true",
        )


@cache
def desk_page() -> Page:
    return built_page("desk")


def with_settings(page: Page, settings: DeskSettings) -> Page:
    """The page that knows how to sign in, and may connect to the hosts that this takes."""
    shown = {
        "issuer": settings.issuer,
        "clientId": settings.client_id,
        "scope": settings.scope,
        "audience": settings.audience,
        "takesTokenInLink": settings.takes_token_in_link,
    }
    # A script element ends at `</script`, whatever is in it.
    text = msgspec.json.encode(shown).decode().replace("<", "\\u003c")
    html = page.html.replace(_NO_SETTINGS, _NO_SETTINGS.replace("{}", text)).encode()
    urls = [urlsplit(url) for url in (settings.issuer, settings.sign_in_origin) if url]
    hosts = dict.fromkeys(["'self'", *(f"{url.scheme}://{url.netloc}" for url in urls)])
    policy = page.content_security_policy.replace(
        "connect-src 'self'", " ".join(["connect-src", *hosts])
    )
    # Who is told that it is the same page keeps the policy too.
    digest = hashlib.sha256(policy.encode() + html).digest()
    return Page(
        policy,
        f'"{base64.b64encode(digest).decode()}"',
        base64.b64encode(gzip.compress(html, mtime=0)).decode(),
    )


def route(
    _settings: Settings,
    read_page: Callable[[], Page] = desk_page,
    read_settings: Callable[[], DeskSettings] = DeskSettings.read,
) -> Callable[[Request], Response]:
    desk = read_settings()

    @cache
    def page() -> Page:
        return with_settings(read_page(), desk)

    def handle(request: Request) -> Response:
        return page_response(request, page())

    return handle


handler = endpoint(route(Settings()))
