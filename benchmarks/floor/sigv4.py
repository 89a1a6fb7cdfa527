"""Signature Version 4 for calls of DynamoDB, by hand.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import os
import time

_KEY_ID = os.environ["AWS_ACCESS_KEY_ID"]
_SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]
_TOKEN = os.environ.get("AWS_SESSION_TOKEN", "")
_REGION = os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]

_SIGNED = "host;x-amz-date;" + ("x-amz-security-token;" if _TOKEN else "") + "x-amz-target"
_TOKEN_LINE = f"x-amz-security-token:{_TOKEN}\n" if _TOKEN else ""

_keys: dict[str, bytes] = {}
"""The key of each day."""


def headers(host: str, target: str, body: bytes, seconds: float | None = None) -> str:
    """The lines of a POST of `body` to `/`, signed now or at `seconds` since the epoch."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    day = now[:8]
    scope = f"{day}/{_REGION}/dynamodb/aws4_request"
    signed = f"host:{host}\nx-amz-date:{now}\n{_TOKEN_LINE}x-amz-target:{target}\n"
    request = f"POST\n/\n\n{signed}\n{_SIGNED}\n{hashlib.sha256(body).hexdigest()}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
    signature = _hmac(_key(day), to_sign).hex()
    return (
        f"{signed}"
        f"authorization:AWS4-HMAC-SHA256 Credential={_KEY_ID}/{scope},"
        f"SignedHeaders={_SIGNED},Signature={signature}\n"
        f"content-type:application/x-amz-json-1.0\ncontent-length:{len(body)}\n"
    )


def _key(day: str) -> bytes:
    if day not in _keys:
        _keys.clear()
        key = f"AWS4{_SECRET}".encode()
        for part in (day, _REGION, "dynamodb", "aws4_request"):
            key = _hmac(key, part)
        _keys[day] = key
    return _keys[day]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
