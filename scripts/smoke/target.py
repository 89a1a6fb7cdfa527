"""Which API the claims are made of, and by whom: read from the environment."""

from __future__ import annotations

import base64
import json
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn
from urllib.parse import urlsplit

import httpx

from orders.domain.customer_id import parse_customer_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Claims = dict[str, Any]

LEFT_SECONDS: Final = 120
"""How long a token has to be valid still: longer than a run takes."""

_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_HOW: Final = "make smoke API_URL=https://api.example.com"
_FRESH: Final = "Get fresh tokens from the issuer; on the local stack: make up && . .local/env"


class WrongUsage(Exception):
    """What is wrong with the environment, and what to type."""


class Target(NamedTuple):
    """`api` is in its normal form, without a slash at its end.

    `expected_version` and `stage` are empty if not given.
    """

    api: str
    customer: str
    staff: str
    expected_version: str = ""
    stage: str = ""

    @property
    def is_on_this_machine(self) -> bool:
        return _is_loopback(urlsplit(self.api).hostname or "")

    @property
    def place(self) -> str:
        """The region if the address names one, or else the host."""
        host = urlsplit(self.api).hostname or ""
        found = re.fullmatch(r"[^.]+\.execute-api\.([^.]+)\.amazonaws\.com(\.cn)?", host)
        return "this machine" if self.is_on_this_machine else found[1] if found else host

    @property
    def customer_ids(self) -> list[tuple[str, str]]:
        """What may be the customer's id: claims that have the form of one, `sub` first."""
        found = dict(_texts(claims_of(self.customer)))
        likely = sorted(found, key=lambda name: name != "sub")
        return [(name, found[name]) for name in likely if parse_customer_id(found[name])]

    def without_secrets(self, text: str) -> str:
        for token in (self.customer, self.staff):
            for secret in (token, *token.split(".")):
                text = text.replace(secret, "…")
        return text


def read_target(environment: Mapping[str, str], now: float) -> Target:
    """`now` is in seconds since the epoch. Raises WrongUsage."""
    api = _address(environment.get("API_URL", "").strip())
    tokens = {}
    for name in ("CUSTOMER_TOKEN", "STAFF_TOKEN"):
        tokens[name] = environment.get(name, "").strip()
        _require_token(name, tokens[name], now)
    customer, staff = tokens.values()
    if customer == staff:
        raise WrongUsage(
            "CUSTOMER_TOKEN and STAFF_TOKEN are the same token: the first has to be that of a test "
            "customer who is not staff."
        )
    return Target(
        api,
        customer,
        staff,
        environment.get("EXPECT_VERSION", "").strip(),
        environment.get("STAGE", "").strip(),
    )


def claims_of(token: str) -> Claims:
    """Without a look at the signature. Raises ValueError: the token is no JWT."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not isinstance(claims, dict):
        raise ValueError  # noqa: TRY004 - of the token's, not of ours
    return claims


def _address(given: str) -> str:
    if not given:
        raise WrongUsage(f"API_URL is not set. Type: {_HOW}")
    if "://" not in given and "[" not in given:
        scheme = "http" if _is_loopback(urlsplit(f"//{given}").hostname or "") else "https"
        raise WrongUsage(f"API_URL needs its scheme. Type: API_URL={scheme}://{given}")
    try:
        url = urlsplit(given)
        host, _ = url.hostname or "", url.port
        host.encode("idna")
        # Its scheme and its host in small letters, without a port that is the scheme's own.
        normal = str(httpx.URL(url.geturl()))
    except (ValueError, httpx.InvalidURL):
        host = ""
    if not host or re.search(r"\s", given):
        raise WrongUsage(f"API_URL is no address: {given!r}. Type: {_HOW}")
    if url.username is not None or url.query or url.fragment:
        raise WrongUsage(
            "API_URL is the API's address alone, with its base path if it has one, without user, "
            f"? and #. Type: API_URL={url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
        )
    if url.scheme not in {"http", "https"}:
        raise WrongUsage(f"API_URL is an https address, not {url.scheme}. Type: {_HOW}")
    if url.scheme == "http" and not _is_loopback(host):
        raise WrongUsage(
            f"API_URL would send the tokens in clear text to {host}. "
            f"Type: API_URL=https://{url.netloc}{url.path}"
        )
    return normal.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _require_token(name: str, token: str, now: float) -> None:
    if not token:
        raise WrongUsage(
            f"{name} is not set. make smoke needs an access token of a test customer in "
            "CUSTOMER_TOKEN and one of a staff member in STAFF_TOKEN, both exported; on the local "
            "stack: make up && . .local/env"
        )
    if token.lower().startswith("bearer "):
        raise WrongUsage(f"{name} is the token alone, without the word Bearer.")
    try:
        claims = claims_of(token) if _JWT.fullmatch(token) else _no_jwt()
    except ValueError as error:
        raise WrongUsage(
            f"{name} is no JWT (three parts with dots between). Some issuers give an opaque token "
            "to whoever doesn't ask for the API: name its audience."
        ) from error
    kind = claims.get("token_use", "access")
    if kind != "access":
        raise WrongUsage(f"{name} is an {kind} token: the API takes access tokens.")
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires < now + LEFT_SECONDS:
        when = (
            f"expired {_span(now - expires)} ago"
            if expires <= now
            else f"expires in {_span(expires - now)}, before a run would surely have ended"
        )
        raise WrongUsage(f"{name} {when}. {_FRESH}")


def _no_jwt() -> NoReturn:
    raise ValueError


def _span(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _texts(claims: Claims) -> Iterator[tuple[str, str]]:
    """Every text with its name in the settings: nested ones have JSON Pointers."""
    for name, value in claims.items():
        if isinstance(value, dict):
            yield from _nested(value, f"/{_escaped(name)}")
        elif isinstance(value, str):
            yield name, value


def _nested(claims: Claims, pointer: str) -> Iterator[tuple[str, str]]:
    for name, value in claims.items():
        inner = f"{pointer}/{_escaped(name)}"
        if isinstance(value, dict):
            yield from _nested(value, inner)
        elif isinstance(value, str):
            yield inner, value


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
