"""Refusals, as problem details (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Any, ClassVar

from aws_lambda_powertools.event_handler import Response

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that is refused. `members` are the problem's own, besides those all have."""

    status: ClassVar[HTTPStatus]
    slug: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, **members: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        super().__init__(detail)
        self.detail = detail
        self.members = members

    def response(self, request_id: str) -> Response[str]:
        body = {
            "type": f"/docs#{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": request_id,
            **self.members,
        }
        headers = {"Cache-Control": "no-store"}
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "1"
        return Response(self.status, CONTENT_TYPE, json.dumps(body), headers)


class MalformedRequest(Problem):
    status, slug, title = HTTPStatus.BAD_REQUEST, "malformed-request", "Malformed request"


class InvalidCursor(Problem):
    status, slug, title = HTTPStatus.BAD_REQUEST, "invalid-cursor", "Invalid cursor"


class InvalidIdempotencyKey(Problem):
    status, slug = HTTPStatus.BAD_REQUEST, "invalid-idempotency-key"
    title = "Invalid idempotency key"


class Unauthenticated(Problem):
    status, slug, title = HTTPStatus.UNAUTHORIZED, "unauthenticated", "Unauthenticated"


class Forbidden(Problem):
    status, slug, title = HTTPStatus.FORBIDDEN, "forbidden", "Forbidden"


class OrderNotFound(Problem):
    status, slug, title = HTTPStatus.NOT_FOUND, "order-not-found", "Order not found"


class RouteNotFound(Problem):
    status, slug, title = HTTPStatus.NOT_FOUND, "route-not-found", "Route not found"


class IllegalTransition(Problem):
    status, slug, title = HTTPStatus.CONFLICT, "illegal-transition", "Illegal transition"


class OrderChanged(Problem):
    status, slug, title = HTTPStatus.CONFLICT, "order-changed", "Order changed meanwhile"


class RequestInProgress(Problem):
    status, slug, title = HTTPStatus.CONFLICT, "request-in-progress", "Request in progress"


class PreconditionFailed(Problem):
    status, slug = HTTPStatus.PRECONDITION_FAILED, "precondition-failed"
    title = "Precondition failed"


class UnsupportedMediaType(Problem):
    status, slug = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type"
    title = "Unsupported media type"


class ValidationFailed(Problem):
    status, slug = HTTPStatus.UNPROCESSABLE_ENTITY, "validation-failed"
    title = "Validation failed"


class IdempotencyKeyReused(Problem):
    status, slug = HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused"
    title = "Idempotency key reused"


class InternalError(Problem):
    status, slug, title = HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "Internal error"


class TryAgain(Problem):
    status, slug, title = HTTPStatus.SERVICE_UNAVAILABLE, "try-again", "Try again"
