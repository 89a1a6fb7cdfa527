"""What the clients write down of each request, for whoever counts afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


TRY_AGAIN: Final = frozenset({0, 502, 503, 504})
"""No answer, the gateway's own errors, and what asks the client to repeat its request."""

CREATE: Final = "POST /orders"
UPDATE: Final = "PATCH /orders/{orderId}"


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as its client saw it."""

    at: float
    """When it was sent, in seconds since the epoch."""
    milliseconds: float
    route: str
    status: int
    """0 where no response came."""
    request_id: str | None = None
    """X-Request-Id, which is also in the function's log. A gateway's own response has none."""
    error: str | None = None
    key: str | None = None
    """Idempotency-Key of a creation or change; the same when it is sent again."""
    order_id: str | None = None
    """The order that was made, or was to be changed."""
    version: int = 0
    """The order's, as the response to its creation or change has it."""
    paid_by_platform: bool = False
    """The order was made with a token, so the platform moves it to PAID by itself."""

    @property
    def failed(self) -> bool:
        """It was not answered as it should be; the load holds no request that is to be refused."""
        return not 200 <= self.status < 300  # noqa: PLR2004 - what HTTP calls success

    @property
    def unknown(self) -> bool:
        """It may have been done or not: no response, or the gateway's, or try again."""
        return self.status in TRY_AGAIN


def read(path: Path) -> list[Response]:
    """Return all that was written down, in the order of the responses."""
    decoder = msgspec.json.Decoder(Response)
    return decoder.decode_lines(path.read_bytes())
