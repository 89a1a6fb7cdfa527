"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec

from orders.application.idempotency import IdempotencyKey
from orders.http.problems import InvalidIdempotencyKey

if TYPE_CHECKING:
    from orders.application.caller import Caller
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
