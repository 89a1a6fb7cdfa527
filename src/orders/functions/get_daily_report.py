"""GET /reports/daily/{date}."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from orders.application.errors import ReportNotFound
from orders.application.get_daily_report import GetDailyReport
from orders.functions.wiring import Wiring
from orders.http.bodies import DailyReportBody, to_json
from orders.http.endpoint import endpoint
from orders.http.response import JSON_HEADERS, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def route(wiring: Wiring) -> Callable[[Request], Response]:
    get, claims = GetDailyReport(wiring.reports), wiring.claims

    def handle(request: Request) -> Response:
        caller = claims.identify(request)
        request.query(())
        report = get(caller, _date_of(request))
        return Response(200, to_json(DailyReportBody.of(report)), JSON_HEADERS)

    return handle


def _date_of(request: Request) -> date:
    """Raises ReportNotFound, also if the path holds no valid date."""
    text = request.path_parameter("date")
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise ReportNotFound from error
    raise ReportNotFound


handler = endpoint(route(Wiring()))
