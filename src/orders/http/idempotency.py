"""Idempotency over HTTP: the key of a request, and the response that its record keeps.

The header is that of draft-ietf-httpapi-idempotency-key-header.
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
    """The key in its scope, of caller and operation; None if the request has none.

    The fingerprint is of the parsed body and of what the request is about, so that white space
    and the order of members don't matter.
    """
    if key is None:
        return None
    scope = hashlib.sha256(f"{operation} {key}".encode()).hexdigest()
    fingerprint = hashlib.sha256(f"{about} ".encode() + _canonical.encode(body)).hexdigest()
    return IdempotencyKey(f"{caller.id}#{scope}", fingerprint)


def parse_key(request: Request) -> str | None:
    """The header's key, the same for both of its spellings.

    Raises:
        InvalidIdempotencyKey: the header is neither a bare key nor a quoted one. A bare one with
            a comma isn't: API Gateway joins a header that was sent twice with a comma.
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
    """Three lines, of status, `ETag` and `Location`, and then the body, byte for byte.

    Content-Type and Cache-Control are the same on every response that is stored.
    """
    location = response.headers.get("Location", "")
    head = f"{response.status}\n{response.headers['ETag']}\n{location}\n"
    return StoredResponse(head + response.body)


def outcome_response(outcome: Outcome) -> Response:
    """The response that `stored` was given, marked if this is a replay of it."""
    status, etag, location, body = outcome.response.split("\n", 3)
    headers = JSON_HEADERS | {"ETag": etag}
    if location:
        headers["Location"] = location
    if outcome.replayed:
        headers["Idempotent-Replayed"] = "true"
        count("Replays")
    return Response(int(status), body, headers)
