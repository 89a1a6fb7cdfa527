"""A request, as API Gateway's HTTP API passes it (payload format 2.0)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

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
    r"(?:(?i:bearer) +)?[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*"
)
"""An `Authorization` header with exactly one JWT (RFC 7515, section 3.1) and nothing else, which
can only be the token that the gateway verified."""

_decode_object: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Request:
    """Reads the event on demand, and raises a RequestError for what is invalid in it."""

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
        """The path without the prefix that precedes the routes' paths, if any.

        On the API's own domain the prefix is the stage, unless that is `$default`; on a custom
        domain it is the mapping's key, the `base_path` of the public address, such as `/v1`.
        """
        path = str(self._event["rawPath"])
        for prefix in (f"/{self._context.get('stage')}", base_path):
            if path == prefix or path.startswith(f"{prefix}/"):
                path = path[len(prefix) :]
        return path or "/"

    @property
    def route(self) -> str:
        """The route key, such as `GET /orders/{orderId}`: path values don't belong in logs."""
        return str(self._event.get("routeKey", ""))

    @property
    def is_preflight(self) -> bool:
        """Whether this is a browser's CORS preflight request."""
        names = ("origin", "access-control-request-method")
        return self.method == "OPTIONS" and all(self.header(name) for name in names)

    @property
    def claims(self) -> Mapping[str, Any] | None:
        """The payload of the token that the gateway's JWT authorizer verified; None without one.

        Of duplicate members the last counts (RFC 7519, section 4). The gateway's own rendering of
        the claims is ambiguous: it writes both `["former staff"]` and `["former", "staff"]` as
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
        """The header of this lower-case name, which is how the gateway sends them."""
        value = (self._event.get("headers") or {}).get(name)
        return None if value is None else str(value).strip(" \t")

    def path_parameter(self, name: str) -> str:
        """Percent-decoded. Decoding twice is harmless, since no id may contain `%`."""
        value = str((self._event.get("pathParameters") or {}).get(name, ""))
        if "%" not in value:
            return value
        from urllib.parse import unquote  # noqa: PLC0415 - few ids need it

        return unquote(value)

    def query(self, allowed: Collection[str]) -> Mapping[str, str]:
        """Raises MalformedRequest for a parameter that the route doesn't accept."""
        parameters: dict[str, str] = self._event.get("queryStringParameters") or {}
        for name in parameters:
            if name not in allowed:
                known = ", ".join(sorted(allowed)) or "none"
                raise MalformedRequest(
                    f"Unknown query parameter {name[:40]!r}; this route accepts: {known}."
                )
        return parameters

    def base_address(self, public_address: str) -> str:
        """The configured public address, else the request's domain and stage; no final `/`."""
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
            raise MalformedRequest("The body could not be parsed as JSON.") from error

    def _content(self) -> bytes:
        body = self._event.get("body") or ""
        if not self._event.get("isBase64Encoded"):
            return str(body).encode(errors="surrogatepass")
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedRequest("The body is not valid base64.") from error


def _names_identity_alone(codings: str) -> bool:
    """Of a Content-Encoding (RFC 9110, section 8.4); ignores empty elements of the list."""
    return {coding.strip(" \t").lower() for coding in codings.split(",")} <= {"", "identity"}
