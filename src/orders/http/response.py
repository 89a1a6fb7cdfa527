"""A response, as API Gateway's HTTP API expects it (payload format 2.0)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

PRIVATE: Final = {"Cache-Control": "private, no-cache"}
JSON_HEADERS: Final = {"Content-Type": "application/json"} | PRIVATE


class Response(NamedTuple):
    """`body` is text, or base64 where `is_base64` says so."""

    status: int
    body: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    is_base64: bool = False

    def without_body(self) -> Response:
        """For HEAD: the status and headers of the GET response."""
        return self._replace(body="", is_base64=False)

    def to_lambda(self, request_id: str) -> dict[str, Any]:
        return {
            "statusCode": self.status,
            "headers": {"X-Request-Id": request_id, **self.headers},
            "body": self.body,
            "isBase64Encoded": self.is_base64,
        }
