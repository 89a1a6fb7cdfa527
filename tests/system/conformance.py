"""What the OpenAPI document can't tell schemathesis: which requests are good ones here.

A JSON Schema says how a request looks, not which orders there are or what their items come to.
So a request that follows the document is completed with that, and must then succeed, but for the
exceptions below. A request that breaks it is sent as it was made, and must be refused.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote
from uuid import uuid4

import requests
from schemathesis.specs.openapi.checks import positive_data_acceptance

from orders.domain.money import MAX_AMOUNT
from orders.openapi.parameters import ENTITY_TAGS_PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemathesis import Case, Response
    from schemathesis.engine.recorder import ScenarioRecorder

    from system.deployment import Caller, Deployment

CREATE: Final = "POST /orders"
QUEUE: Final = "GET /orders"
GET: Final = "GET /orders/{orderId}"
UPDATE: Final = "PATCH /orders/{orderId}"
TIMELINE: Final = "GET /orders/{orderId}/timeline"
LIST: Final = "GET /customers/{customerId}/orders"
FEED: Final = "GET /events"
REPORT: Final = "GET /reports/daily/{date}"
PUBLISHED: Final = ("GET /docs", "GET /openapi.json")
ANSWERED_WITH_AN_ORDER: Final = frozenset({CREATE, GET, UPDATE})
Page = tuple[dict[str, Any], dict[str, Any]]
"""The parameters that it was requested with, of the path and of the query."""
PAGED: Final = frozenset({QUEUE, LIST, TIMELINE, FEED})
MAX_KEY: Final = 255
_TAGS: Final = re.compile(ENTITY_TAGS_PATTERN)


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that follows the document, and is refused by a rule that the document can't say.

    `problem` is the type of the response; the exception is for these operations only, and for
    requests that the rule `can_concern`.
    """

    problem: str
    operations: frozenset[str]
    why: str
    can_concern: Callable[[Case[Any]], bool]


def _always(_: Case[Any]) -> bool:
    return True


def _has_cursor(case: Case[Any]) -> bool:
    return "cursor" in case.query


def _is_conditional(case: Case[Any]) -> bool:
    return not {"If-Match", "If-None-Match"}.isdisjoint(case.headers)


def _has_no_tags(case: Case[Any]) -> bool:
    sent = [case.headers[name] for name in ("If-Match", "If-None-Match") if name in case.headers]
    return not all(map(_TAGS.fullmatch, sent))


def _is_too_much(case: Case[Any]) -> bool:
    body: Any = case.body
    total: int = sum(each["quantity"] * each["unitAmount"] for each in body["items"])
    return total > MAX_AMOUNT


def _does_not_cancel(case: Case[Any]) -> bool:
    body: Any = case.body
    return bool(body["status"] != "CANCELED")


EXCEPTIONS: Final = (
    Refused(
        "invalid-cursor",
        PAGED,
        "a cursor that was made up is of no list, though it looks like one",
        _has_cursor,
    ),
    Refused(
        "validation-failed",
        frozenset({CREATE}),
        "each item is within its limits, their sum is above that of an order",
        _is_too_much,
    ),
    Refused(
        "precondition-failed",
        frozenset({GET, UPDATE, *PUBLISHED}),
        "which versions an order has had is not in the document, nor which tag the document has",
        _is_conditional,
    ),
    Refused(
        "malformed-request",
        frozenset({GET, UPDATE, *PUBLISHED}),
        "schemathesis takes 0 for a list of entity tags, the document's pattern doesn't",
        _has_no_tags,
    ),
    Refused(
        "illegal-transition",
        frozenset({UPDATE}),
        "which status can follow depends on the order's own",
        _always,
    ),
    Refused(
        "report-not-found",
        frozenset({REPORT}),
        "most days have no report",
        _always,
    ),
)

EXCEPTIONS_FOR_CUSTOMERS: Final = (
    Refused(
        "forbidden",
        frozenset({QUEUE, FEED, REPORT}),
        "these are for staff",
        _always,
    ),
    Refused(
        "forbidden",
        frozenset({UPDATE}),
        "customers may cancel and nothing else",
        _does_not_cancel,
    ),
)


@dataclass(slots=True)
class Tally:
    """What was sent and answered."""

    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By operation and kind of request: one that `follows` the document, or `breaks` it."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    exceptions: Counter[Refused] = field(default_factory=Counter)
    further_pages: int = 0
    """Responses to a cursor that a page before had given."""

    def add(self, case: Case[Any], response: Response) -> None:
        label = case.operation.label
        self.cases[label, "follows" if follows_the_document(case) else "breaks"] += 1
        self.statuses[label, response.status_code] += 1

    def lines(self) -> list[str]:
        """A table in Markdown."""
        lines = [
            "| Operation | requests that follow the document | that break it | answers |",
            "|---|---:|---:|---|",
        ]
        for label in sorted({label for label, _ in self.cases}, key=lambda label: label.split()[1]):
            responses = {status: n for (of, status), n in self.statuses.items() if of == label}
            lines.append(
                f"| `{label}` | {self.cases[label, 'follows']} | {self.cases[label, 'breaks']} | "
                + ", ".join(f"{n} × {status}" for status, n in sorted(responses.items()))
                + " |"
            )
        refused = self.exceptions.most_common()
        return [
            f"{self.cases.total()} requests, {self.further_pages} of them with a page's cursor.",
            "",
            *lines,
            "",
            "Refused though they follow the document:",
            "",
            *(f"- {n} × `{exception.problem}`: {exception.why}." for exception, n in refused),
        ]


def follows_the_document(case: Case[Any]) -> bool:
    """Whether it was made to; if not, it was made to break it."""
    return case.meta is not None and case.meta.generation.mode.is_positive


class Client:
    """Sends requests that schemathesis made as one caller, and checks the responses."""

    def __init__(
        self, deployment: Deployment, caller: Caller, tally: Tally, *, is_staff: bool
    ) -> None:
        self.caller = caller
        self._base_url = deployment.stack.api_url
        self.is_staff = is_staff
        self._headers = {"Authorization": f"Bearer {caller.token}"}
        self._tally = tally
        self._orders: set[str] = set()
        self._pages: defaultdict[str, dict[str, Page]] = defaultdict(dict)
        self._session = requests.Session()
        self._session.trust_env = False
        self._exceptions: Sequence[Refused] = (
            EXCEPTIONS if is_staff else EXCEPTIONS + EXCEPTIONS_FOR_CUSTOMERS
        )

    def send(self, case: Case[Any]) -> Response:
        if follows_the_document(case):
            self._complete(case)
        response = case.call(self._base_url, self._session, self._headers)
        self._tally.add(case, response)
        if response.status_code in {200, 201}:
            self._remember(case, response)
        return response

    def check(
        self, case: Case[Any], response: Response, recorder: ScenarioRecorder | None = None
    ) -> None:
        """Raises FailureGroup, with all that is wrong with the response."""
        exception = self._exception(case, response)
        if exception:
            self._tally.exceptions[exception] += 1
        case.validate_response(
            response,
            headers=self._headers,
            excluded_checks=[positive_data_acceptance] if exception else [],
            transport_kwargs={
                "base_url": self._base_url,
                "session": self._session,
                "headers": self._headers,
            },
            recorder=recorder,
        )

    def _exception(self, case: Case[Any], response: Response) -> Refused | None:
        """The one that allows this response, if the response needs one."""
        if response.status_code < 400 or not follows_the_document(case):
            return None
        if case.query.get("cursor", "") in self._pages[case.operation.label]:
            return None
        problem = _problem_of(response)
        for exception in self._exceptions:
            concerned = (
                exception.problem == problem and case.operation.label in exception.operations
            )
            if concerned and exception.can_concern(case):
                return exception
        return None

    def _complete(self, case: Case[Any]) -> None:
        """Have a request that follows the document mean something that is there.

        - In place of an order id that was made up, that of an order made just now.
        - In place of a cursor that was made up, one that a page gave, if one has, and always with
          the other parameters of that page.
        - In place of a key, a similar one that is new.
        - As the amount, the items' sum.
        - Whole numbers without a decimal point: 3.0 is an integer to JSON Schema, a fraction here.
        - A customer speaks for themselves; staff for anyone.
        """
        path = case.path_parameters
        if "orderId" in path and path["orderId"] not in self._orders:
            path["orderId"] = self.caller.place()["orderId"]
        if "customerId" in path and not self.is_staff:
            path["customerId"] = self.caller.id
        if "cursor" in case.query and (pages := self._pages[case.operation.label]):
            made_up = case.query["cursor"] not in pages
            cursor = next(reversed(pages)) if made_up else case.query["cursor"]
            case.path_parameters, query = pages[cursor]
            case.query = query | {"cursor": cursor}
            self._tally.further_pages += 1
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = _made_new(case.headers["Idempotency-Key"])
        if case.operation.label == CREATE:
            self._complete_order(case.body)

    def _complete_order(self, body: Any) -> None:  # noqa: ANN401 - JSON
        for item in body["items"]:
            item["quantity"] = int(item["quantity"])
            item["unitAmount"] = int(item["unitAmount"])
        if "amount" in body:
            body["amount"] = sum(item["quantity"] * item["unitAmount"] for item in body["items"])
        if not self.is_staff:
            body["customerId"] = self.caller.id

    def _remember(self, case: Case[Any], response: Response) -> None:
        if case.operation.label in ANSWERED_WITH_AN_ORDER:
            self._orders.add(response.json()["orderId"])
        elif case.operation.label in PAGED and (cursor := response.json()["nextCursor"]):
            path = {name: unquote(value) for name, value in case.path_parameters.items()}
            self._pages[case.operation.label][cursor] = (path, case.query)


def _made_new(key: str) -> str:
    """Spelled in the same way, and at most as long as a key may be."""
    new = uuid4().hex
    if not key.startswith('"'):
        return (new + key)[:MAX_KEY]
    return f'"{new}{key[1:]}' if len(new + key) <= MAX_KEY else f'"{new}"'


def _problem_of(response: Response) -> str:
    """The last part of the problem's type; empty where there is none."""
    try:
        return str(response.json()["type"]).rpartition("#")[2]
    except (ValueError, TypeError, KeyError):
        return ""
