"""Idempotency over HTTP: the key of a request and the stored form of its response.

The header follows draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec

from orders.application.idempotency import IdempotencyKey, StoredResponse
from orders.http.problems import InvalidIdempotencyKey
from orders.http.response import JSON_HEADERS, Response
from orders.telemetry import count

if TYPE_CHECKING:
    from orders.application.caller import Caller
    from orders.application.idempotency import Outcome
    from orders.http.request import Request

_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_KEY: Final = re.compile(r"[!-~]{1,255}")
_canonical: Final = msgspec.json.Encoder(order="deterministic")


def scoped_key(
    key: str | None, caller: Caller, operation: str, body: msgspec.Struct, about: str = ""
) -> IdempotencyKey | None:
    """The key in its scope of caller and operation; None if the request has no key.

    The fingerprint covers the parsed body and `about`, so white space and member order don't
    matter.
    """
    if key is None:
        return None
    scope = hashlib.sha256(f"{operation} {key}".encode()).hexdigest()
    fingerprint = hashlib.sha256(f"{about} ".encode() + _canonical.encode(body)).hexdigest()
    return IdempotencyKey(f"{caller.id}#{scope}", fingerprint)


def parse_key(request: Request) -> str | None:
    """The header's key; both spellings give the same key.

    Raises:
        InvalidIdempotencyKey: the header is neither a bare nor a quoted key. A bare key must not
        contain a comma, because API Gateway joins a header sent twice with one.
    """
    header = request.header("idempotency-key")
    if header is None:
        return None
    key = header
    if header.startswith('"'):
        quoted = _QUOTED.fullmatch(header)
        if quoted is None:
            raise InvalidIdempotencyKey
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    elif "," in header:
        raise InvalidIdempotencyKey
    if _KEY.fullmatch(key) is None:
        raise InvalidIdempotencyKey
    return key


def stored(response: Response) -> StoredResponse:
    """Three lines for status, `ETag` and `Location`, then the body unchanged.

    Content-Type and Cache-Control are the same on every stored response.
    """
    location = response.headers.get("Location", "")
    head = f"{response.status}\n{response.headers['ETag']}\n{location}\n"
    return StoredResponse(head + response.body)


def outcome_response(outcome: Outcome) -> Response:
    """The response that was passed to `stored`, marked if this is a replay."""
    status, etag, location, body = outcome.response.split("\n", 3)
    headers = JSON_HEADERS | {"ETag": etag}
    if location:
        headers["Location"] = location
    if outcome.replayed:
        headers["Idempotent-Replayed"] = "true"
        count("Replays")
    return Response(int(status), body, headers)
