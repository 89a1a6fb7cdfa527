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

    @property
    def title(self) -> str:
        return self.slug.replace("-", " ").capitalize()


MALFORMED_REQUEST: Final = ProblemType("malformed-request", 400)
INVALID_CURSOR: Final = ProblemType("invalid-cursor", 400)
INVALID_IDEMPOTENCY_KEY: Final = ProblemType("invalid-idempotency-key", 400)
UNAUTHENTICATED: Final = ProblemType("unauthenticated", 401)
FORBIDDEN: Final = ProblemType("forbidden", 403)
ORDER_NOT_FOUND: Final = ProblemType("order-not-found", 404)
REPORT_NOT_FOUND: Final = ProblemType("report-not-found", 404)
ROUTE_NOT_FOUND: Final = ProblemType("route-not-found", 404)
METHOD_NOT_ALLOWED: Final = ProblemType("method-not-allowed", 405)
ILLEGAL_TRANSITION: Final = ProblemType("illegal-transition", 409)
PRECONDITION_FAILED: Final = ProblemType("precondition-failed", 412)
PAYLOAD_TOO_LARGE: Final = ProblemType("payload-too-large", 413)
UNSUPPORTED_MEDIA_TYPE: Final = ProblemType("unsupported-media-type", 415)
VALIDATION_FAILED: Final = ProblemType("validation-failed", 422)
PAYMENTS_NOT_CONFIGURED: Final = ProblemType("payments-not-configured", 422)
IDEMPOTENCY_KEY_REUSED: Final = ProblemType("idempotency-key-reused", 422)
INTERNAL_ERROR: Final = ProblemType("internal-error", 500)
TRY_AGAIN: Final = ProblemType("try-again", 503)

DOCUMENTATION: Final = "/docs#"
"""The prefix of `type`: the page on the API's own address that explains the problem types. `type`
is the same on every deployment, so that clients can compare it."""

RETRY_AFTER_SECONDS: Final = 1


class FieldError(msgspec.Struct):
    """The invalid field, as a JSON Pointer (RFC 6901), and why."""

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
    """An error in a request, found before a use case sees it."""

    type: ProblemType
    detail: str

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or self.detail
        self.headers: dict[str, str] = {}
        super().__init__(self.detail)


class MalformedRequest(RequestError):
    """Not JSON, or an invalid parameter or header."""

    type = MALFORMED_REQUEST


class InvalidCursor(RequestError):
    """Damaged, or made for another list."""

    type = INVALID_CURSOR
    detail = "Send a cursor exactly as this list returned it, with the same other parameters."


class InvalidIdempotencyKey(RequestError):
    """The header holds no valid key."""

    type = INVALID_IDEMPOTENCY_KEY
    detail = (
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
    """No route has this path."""

    type = ROUTE_NOT_FOUND
    detail = "There is no such route."


class MistypedOrderNumber(RequestError):
    """The check character of an order number shows a typing error."""

    type = ORDER_NOT_FOUND
    detail = "This order number has a typing error."


class MethodNotAllowed(RequestError):
    """The path has routes, for other methods."""

    type = METHOD_NOT_ALLOWED
    detail = "This path does not support this method."

    def __init__(self, allowed: Collection[str]) -> None:
        super().__init__()
        self.headers["Allow"] = ", ".join(allowed)


class PayloadTooLarge(RequestError):
    """The body exceeds the size limit."""

    type = PAYLOAD_TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have at most {limit} bytes.")


class UnsupportedMediaType(RequestError):
    """The route does not accept this Content-Type."""

    type = UNSUPPORTED_MEDIA_TYPE

    def __init__(self, allowed: Collection[str], method: str) -> None:
        super().__init__(f"Send {' or '.join(allowed)}.")
        self.headers["Accept-Patch" if method == "PATCH" else "Accept"] = ", ".join(allowed)


class UnsupportedContentCoding(RequestError):
    """The body has a Content-Encoding."""

    type = UNSUPPORTED_MEDIA_TYPE
    detail = "Send the body without a Content-Encoding."

    def __init__(self) -> None:
        super().__init__()
        self.headers["Accept-Encoding"] = "identity"


class PreconditionFailed(RequestError):
    """If-Match does not name the current ETag."""

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


PROBLEM_TYPES: Final[Mapping[type[Exception], ProblemType]] = {
    InvalidOrder: VALIDATION_FAILED,
    errors.OrderNotFound: ORDER_NOT_FOUND,
    errors.ReportNotFound: REPORT_NOT_FOUND,
    errors.Forbidden: FORBIDDEN,
    errors.VersionMismatch: PRECONDITION_FAILED,
    IllegalTransition: ILLEGAL_TRANSITION,
    errors.IdempotencyKeyReused: IDEMPOTENCY_KEY_REUSED,
    errors.TryAgain: TRY_AGAIN,
    errors.NewerRow: TRY_AGAIN,
}


def problem_response(error: Exception, request_id: str) -> Response:
    """The response to an error. One without a problem type is internal, and says no more."""
    headers: dict[str, str] = {}
    if isinstance(error, RequestError):
        problem = _problem(error.type, error.detail, request_id)
        headers = error.headers
    elif isinstance(error, (OrderError, errors.NewerRow)):
        problem = _problem(PROBLEM_TYPES[type(error)], error.detail, request_id)
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
