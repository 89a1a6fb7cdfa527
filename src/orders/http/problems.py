"""Problem details (RFC 9457): every error that a function returns, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from orders.application import errors
from orders.domain.errors import IllegalTransition, InvalidOrder, OrderError
from orders.domain.status import transitions_from
from orders.http.response import Response

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class ProblemType(NamedTuple):
    """One row of the table. `slug` is its anchor in the documentation."""

    slug: str
    status: int
    title: str


MALFORMED_REQUEST: Final = ProblemType("malformed-request", 400, "Malformed request")
INVALID_CURSOR: Final = ProblemType("invalid-cursor", 400, "Invalid cursor")
INVALID_IDEMPOTENCY_KEY: Final = ProblemType(
    "invalid-idempotency-key", 400, "Invalid idempotency key"
)
UNAUTHENTICATED: Final = ProblemType("unauthenticated", 401, "Unauthenticated")
FORBIDDEN: Final = ProblemType("forbidden", 403, "Forbidden")
ORDER_NOT_FOUND: Final = ProblemType("order-not-found", 404, "Order not found")
REPORT_NOT_FOUND: Final = ProblemType("report-not-found", 404, "Report not found")
ROUTE_NOT_FOUND: Final = ProblemType("route-not-found", 404, "Route not found")
METHOD_NOT_ALLOWED: Final = ProblemType("method-not-allowed", 405, "Method not allowed")
ILLEGAL_TRANSITION: Final = ProblemType("illegal-transition", 409, "Illegal transition")
PRECONDITION_FAILED: Final = ProblemType("precondition-failed", 412, "Precondition failed")
PAYLOAD_TOO_LARGE: Final = ProblemType("payload-too-large", 413, "Payload too large")
UNSUPPORTED_MEDIA_TYPE: Final = ProblemType("unsupported-media-type", 415, "Unsupported media type")
VALIDATION_FAILED: Final = ProblemType("validation-failed", 422, "Validation failed")
PAYMENTS_NOT_CONFIGURED: Final = ProblemType(
    "payments-not-configured", 422, "Payments not configured"
)
IDEMPOTENCY_KEY_REUSED: Final = ProblemType("idempotency-key-reused", 422, "Idempotency key reused")
INTERNAL_ERROR: Final = ProblemType("internal-error", 500, "Internal error")
TRY_AGAIN: Final = ProblemType("try-again", 503, "Try again")

DOCUMENTATION: Final = "/docs#"
"""What `type` begins with: the page that explains the problems, on the API's own address. The
whole of `type` is the same on every deployment, so that clients can compare it."""

RETRY_AFTER_SECONDS: Final = 1


class FieldError(msgspec.Struct):
    """Which field is at fault, as a JSON Pointer (RFC 6901), and why."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, rename="camel", omit_defaults=True):
    """The body of every error: `instance` is the request's id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET
    current_status: str | msgspec.UnsetType = msgspec.UNSET
    allowed_transitions: list[str] | msgspec.UnsetType = msgspec.UNSET


class RequestError(Exception):
    """What is wrong with a request before any use case sees it."""

    type: ProblemType

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers: dict[str, str] = {}


class MalformedRequest(RequestError):
    """Not JSON, or a query parameter that makes no sense."""

    type = MALFORMED_REQUEST


class InvalidCursor(RequestError):
    """Damaged, or made for another list."""

    type = INVALID_CURSOR

    def __init__(self) -> None:
        super().__init__(
            "Send a cursor exactly as this list returned it, with the same other parameters."
        )


class InvalidIdempotencyKey(RequestError):
    """Not a key."""

    type = INVALID_IDEMPOTENCY_KEY

    def __init__(self) -> None:
        super().__init__(
            "Send one key of 1 to 255 visible ASCII characters, bare and without a comma, or as a"
            " quoted string."
        )


class Unauthenticated(RequestError):
    """No claims, or not those of an access token."""

    type = UNAUTHENTICATED

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.headers["WWW-Authenticate"] = "Bearer"


class RouteNotFound(RequestError):
    """There is no such route."""

    type = ROUTE_NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such route.")


class MistypedOrderNumber(RequestError):
    """The check character of an order number shows a typing error."""

    type = ORDER_NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This order number has a typing error.")


class MethodNotAllowed(RequestError):
    """The path has routes, for other methods."""

    type = METHOD_NOT_ALLOWED

    def __init__(self, allowed: Collection[str]) -> None:
        super().__init__("This path does not support this method.")
        self.headers["Allow"] = ", ".join(allowed)


class PayloadTooLarge(RequestError):
    """More bytes than a request may have."""

    type = PAYLOAD_TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have at most {limit} bytes.")


class UnsupportedMediaType(RequestError):
    """The route does not read this Content-Type."""

    type = UNSUPPORTED_MEDIA_TYPE

    def __init__(self, allowed: Collection[str], method: str) -> None:
        super().__init__(f"Send {' or '.join(allowed)}.")
        header = "Accept-Patch" if method == "PATCH" else "Accept"
        self.headers[header] = ", ".join(allowed)


class UnsupportedContentCoding(RequestError):
    """The body is compressed, or encoded in some other way."""

    type = UNSUPPORTED_MEDIA_TYPE

    def __init__(self) -> None:
        super().__init__("Send the body without a Content-Encoding.")
        self.headers["Accept-Encoding"] = "identity"


class PreconditionFailed(RequestError):
    """If-Match names no tag of what a read found."""

    type = PRECONDITION_FAILED

    def __init__(self, current_tag: str) -> None:
        super().__init__(f"The current ETag is {current_tag}.")


class ValidationFailed(RequestError):
    """A field breaks a rule."""

    type = VALIDATION_FAILED

    def __init__(self, error: FieldError) -> None:
        super().__init__(error.detail)
        self.error = error


class PaymentsNotConfigured(ValidationFailed):
    """The order asks for a charge, and there is no payment gateway."""

    type = PAYMENTS_NOT_CONFIGURED

    def __init__(self) -> None:
        super().__init__(
            FieldError("/paymentToken", "No payment gateway is configured; omit this field.")
        )


PROBLEM_TYPES: Final[Mapping[type[OrderError], ProblemType]] = {
    InvalidOrder: VALIDATION_FAILED,
    errors.OrderNotFound: ORDER_NOT_FOUND,
    errors.ReportNotFound: REPORT_NOT_FOUND,
    errors.Forbidden: FORBIDDEN,
    errors.VersionMismatch: PRECONDITION_FAILED,
    IllegalTransition: ILLEGAL_TRANSITION,
    errors.IdempotencyKeyReused: IDEMPOTENCY_KEY_REUSED,
    errors.TryAgain: TRY_AGAIN,
}


def problem_response(error: Exception, request_id: str) -> Response:
    """The response to an error; one that is in no table is an internal error, and says no more."""
    headers: dict[str, str] = {}
    if isinstance(error, RequestError):
        problem = _problem(error.type, error.detail, request_id)
        headers = error.headers
    elif isinstance(error, OrderError):
        problem = _problem(PROBLEM_TYPES[type(error)], error.detail, request_id)
    elif isinstance(error, errors.NewerRow):
        detail = "This was written by a later release, which this one cannot read."
        problem = _problem(TRY_AGAIN, detail, request_id)
    else:
        problem = _problem(INTERNAL_ERROR, "The request could not be processed.", request_id)
    match error:
        case ValidationFailed():
            problem.errors = [error.error]
        case InvalidOrder():
            problem.errors = [FieldError(error.pointer, error.detail)]
        case IllegalTransition():
            problem.current_status = str(error.current)
            problem.allowed_transitions = [
                status.value for status in transitions_from(error.current)
            ]
        case errors.TryAgain() | errors.NewerRow():
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Response(
        problem.status,
        msgspec.json.encode(problem).decode(),
        {"Content-Type": "application/problem+json", "Cache-Control": "no-store"} | headers,
    )


def _problem(kind: ProblemType, detail: str, request_id: str) -> Problem:
    return Problem(DOCUMENTATION + kind.slug, kind.title, kind.status, detail, request_id)
