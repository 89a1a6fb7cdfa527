"""Wraps a route's own code in what every route needs: problems, logs, metrics, HEAD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orders.application.errors import NewerRow, TryAgain
from orders.domain.errors import OrderError
from orders.http.problems import RequestError, problem_response
from orders.http.request import Request
from orders.telemetry import cause_of, count, invocation, log_end, log_exception, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.response import Response
    from orders.telemetry import Handler

_CONFLICTS: Final = frozenset({409, 412, 503})


def endpoint(handle: Callable[[Request], Response]) -> Handler:
    """The Lambda handler of a route. Every exception becomes a problem response."""

    def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
        request = Request(event)
        request_id = request.request_id
        with invocation(request_id) as elapsed:
            try:
                response = handle(request)
            except (RequestError, OrderError, NewerRow) as error:
                response = problem_response(error, request_id)
                if response.status in _CONFLICTS:
                    count("Conflicts")
                if isinstance(error, NewerRow):
                    logger.error("row of a later release", cause=str(error))
                if isinstance(error, TryAgain):
                    cause = error.__cause__
                    logger.warning("try again", cause=cause_of(cause) if cause else "races")
            except Exception as error:  # noqa: BLE001 - the last resort: nothing may escape
                response = problem_response(error, request_id)
                log_exception("internal error", error)
            log_end(request.route, status=response.status, duration_ms=elapsed())
        if request.is_head:
            response = response.without_body()
        return response.to_lambda(request_id)

    return handler
