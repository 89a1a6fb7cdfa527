"""A request, as API Gateway's HTTP API hands it over (payload format 2.0)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import msgspec

from orders.http.problems import (
    MalformedRequest,
    PayloadTooLarge,
    UnsupportedContentCoding,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_BODY_BYTES: Final = 256 * 1024
JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"

_ONE_TOKEN: Final = re.compile(
    r"(?:bearer +)?[a-z0-9_-]+\.([a-z0-9_-]+)\.[a-z0-9_-]*", re.ASCII | re.IGNORECASE
)
"""A whole `Authorization` header with one JWT (RFC 7515, 3.1) in it and nothing else: the token
whose payload this finds can only be the one that the gateway verified."""

_decode_object: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Request:
    """Reads the event where it is asked, and refuses what it finds wrong there."""

    __slots__ = ("_event",)

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event

    @property
    def _context(self) -> dict[str, Any]:
        return self._event.get("requestContext") or {}

    @property
    def request_id(self) -> str:
        return str(self._context.get("requestId", ""))

    @property
    def method(self) -> str:
        return str(self._context["http"]["method"])

    @property
    def is_head(self) -> bool:
        return bool((self._context.get("http") or {}).get("method") == "HEAD")

    def path_below(self, base_path: str) -> str:
        """Without what precedes a route's path, if it does.

        On the API's own domain that is the stage, unless it is `$default`; on a custom domain the
        key of its mapping, which is the `base_path` of the public address, as `/v1`.
        """
        path = str(self._event["rawPath"])
        for prefix in (f"/{self._context.get('stage')}", base_path):
            if path == prefix or path.startswith(f"{prefix}/"):
                path = path[len(prefix) :]
        return path or "/"

    @property
    def route(self) -> str:
        """The template, as `GET /orders/{orderId}`: a path's values don't belong in logs."""
        return str(self._event.get("routeKey", ""))

    @property
    def is_preflight(self) -> bool:
        """Whether a browser asks if a page of another origin may send a request."""
        names = ("origin", "access-control-request-method")
        return self.method == "OPTIONS" and all(self.header(name) for name in names)

    @property
    def claims(self) -> Mapping[str, Any] | None:
        """The payload of the token that the gateway's JWT authorizer verified; None without one.

        Of duplicate members the last counts (RFC 7519, 4). The gateway's own rendering of the
        claims won't do: it writes both `["former staff"]` and `["former", "staff"]` as
        `[former staff]`.
        """
        authorizer = self._context.get("authorizer") or {}
        verified = (authorizer.get("jwt") or {}).get("claims")
        token = _ONE_TOKEN.fullmatch(self.header("authorization") or "")
        if not verified or token is None:
            return None
        try:
            return _decode_object(base64.urlsafe_b64decode(token[1] + "=="))
        except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def header(self, name: str) -> str | None:
        """By its lower-case name, which is how they arrive."""
        value = (self._event.get("headers") or {}).get(name)
        return None if value is None else str(value).strip(" \t")

    def path_parameter(self, name: str) -> str:
        """Decoded; a second decoding changes no id, since none may contain `%`."""
        return unquote(str((self._event.get("pathParameters") or {}).get(name, "")))

    def query(self, allowed: Collection[str]) -> Mapping[str, str]:
        """Raises MalformedRequest for a parameter that the route doesn't know."""
        parameters: dict[str, str] = self._event.get("queryStringParameters") or {}
        for name in parameters:
            if name not in allowed:
                known = ", ".join(sorted(allowed)) or "none"
                detail = f"Unknown query parameter {name[:40]!r}; this route accepts: {known}."
                raise MalformedRequest(detail)
        return parameters

    def base_address(self, public_address: str) -> str:
        """The configured public address, else the request's domain and stage; no `/` at its end."""
        if public_address:
            return public_address.removesuffix("/")
        stage = self._context.get("stage", "$default")
        suffix = "" if stage == "$default" else f"/{stage}"
        return f"https://{self._context['domainName']}{suffix}"

    def json(self, media_types: Collection[str]) -> object:
        """The body, parsed.

        Raises:
            UnsupportedContentCoding, UnsupportedMediaType, PayloadTooLarge, MalformedRequest:
                checked in this order.
        """
        codings = self.header("content-encoding")
        if codings and not _names_identity_alone(codings):
            raise UnsupportedContentCoding
        media_type = (self.header("content-type") or "").partition(";")[0].strip().lower()
        if media_type not in media_types:
            raise UnsupportedMediaType(media_types, self.method)
        content = self._content()
        if len(content) > MAX_BODY_BYTES:
            raise PayloadTooLarge(MAX_BODY_BYTES)
        try:
            return msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            detail = "The body could not be parsed as JSON."
            raise MalformedRequest(detail) from error

    def _content(self) -> bytes:
        body = self._event.get("body") or ""
        if not self._event.get("isBase64Encoded"):
            return str(body).encode(errors="surrogatepass")
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            detail = "The body is not valid base64."
            raise MalformedRequest(detail) from error


def _names_identity_alone(codings: str) -> bool:
    """Of a Content-Encoding (RFC 9110, section 8.4); empty elements of the list don't count."""
    return {coding.strip(" \t").lower() for coding in codings.split(",")} <= {"", "identity"}
