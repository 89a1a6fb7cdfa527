"""What the OpenAPI document can't tell schemathesis: which valid requests succeed.

A JSON Schema says how a request looks, not which orders there are or what their items come to.
So a request that follows the document is completed with that, and must then succeed, but for the
exceptions below. A request that breaks it is sent unchanged, and must be refused.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote
from uuid import uuid4

import requests
from schemathesis.specs.openapi.checks import positive_data_acceptance

from orders.domain.money import MAX_AMOUNT
from orders.openapi.parameters import ENTITY_TAGS_PATTERN
from proof import oracle
from proof.oracle import Audience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemathesis import Case, Response
    from schemathesis.engine.recorder import ScenarioRecorder

    from system.deployment import Caller, Deployment

MAX_KEY: Final = 255
Page = tuple[dict[str, Any], dict[str, Any]]
"""The parameters that it was requested with, of the path and of the query."""
_TAGS: Final = re.compile(ENTITY_TAGS_PATTERN)
_CONDITIONS: Final = ("If-Match", "If-None-Match")


class Refused(NamedTuple):
    """A request that follows the document, and is refused by a rule that the document can't state.

    `problem` is the type of the response; the rule is about requests that it `can_concern`.
    """

    problem: str
    why: str
    can_concern: Callable[[Case[Any]], bool]


def _breaks_the_rule_of_tags(case: Case[Any]) -> bool:
    sent = [case.headers[name] for name in _CONDITIONS if name in case.headers]
    return not all(map(_TAGS.fullmatch, sent))


def _body(case: Case[Any]) -> Mapping[str, Any]:
    body: Any = case.body
    return body if isinstance(body, dict) else {}


def _asks_for_a_status(case: Case[Any]) -> bool:
    return "status" in _body(case)


def _is_too_much(case: Case[Any]) -> bool:
    return oracle.amount_of(_body(case).get("items", [])) > MAX_AMOUNT


def _is_for_staff(case: Case[Any]) -> bool:
    if _asks_for_a_status(case):
        wanted = _body(case)["status"]
        return not any(oracle.customer_may_request(wanted, of=now) for now in oracle.STATUSES)
    return oracle.ROUTES[case.operation.label].audience is Audience.STAFF


EXCEPTIONS: Final = (
    Refused(
        "invalid-cursor",
        "a random cursor belongs to no list, though it looks like one",
        lambda case: "cursor" in case.query,
    ),
    Refused(
        "validation-failed",
        "each item is within its limits, their sum is above that of an order",
        _is_too_much,
    ),
    Refused(
        "precondition-failed",
        "the document names neither the versions of an order nor its own tag",
        lambda case: not case.headers.keys().isdisjoint(_CONDITIONS),
    ),
    Refused(
        "malformed-request",
        "schemathesis takes 0 for a list of entity tags, the document's pattern doesn't",
        _breaks_the_rule_of_tags,
    ),
    Refused(
        "illegal-transition",
        "which status can follow depends on the order's own",
        _asks_for_a_status,
    ),
    Refused(
        "report-not-found",
        "most days have no report",
        lambda case: "date" in case.path_parameters,
    ),
)

EXCEPTIONS_FOR_CUSTOMERS: Final = (
    *EXCEPTIONS,
    Refused("forbidden", "some routes and transitions are for staff", _is_for_staff),
)


@dataclass(slots=True)
class Tally:
    """Counts of responses by operation and status, and of exceptions by their problem."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)


def follows_the_document(case: Case[Any]) -> bool:
    """Whether schemathesis meant it to; otherwise it is meant to break the document."""
    return case.meta is not None and case.meta.generation.mode.is_positive


class Client:
    """Sends schemathesis' requests as one caller, and checks the responses."""

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
        self._exceptions = EXCEPTIONS if is_staff else EXCEPTIONS_FOR_CUSTOMERS

    def send(self, case: Case[Any]) -> Response:
        if follows_the_document(case):
            self._complete(case)
        response = case.call(self._base_url, self._session, self._headers)
        self._tally.statuses[case.operation.label, response.status_code] += 1
        if response.status_code in {200, 201} and "json" in response.headers["content-type"][0]:
            self._remember(case, response.json())
        return response

    def check(
        self, case: Case[Any], response: Response, recorder: ScenarioRecorder | None = None
    ) -> None:
        """Raises FailureGroup, with all that is wrong with the response."""
        exception = self._exception(case, response)
        if exception:
            self._tally.exceptions[exception.problem] += 1
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
        return next(
            (one for one in self._exceptions if one.problem == problem and one.can_concern(case)),
            None,
        )

    def _complete(self, case: Case[Any]) -> None:
        """Make a request that follows the document refer to things that exist.

        - A random order id is replaced by that of a new order.
        - A random cursor is replaced by one that a page returned, with the rest of its query.
        - A key is replaced by a similar, unused one.
        - The amount is the sum of the items.
        - Whole numbers lose their decimal point: 3.0 is an integer to JSON Schema, not to the API.
        - Customers order for themselves, staff for anyone.
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
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = _made_new(case.headers["Idempotency-Key"])
        body: Any = case.body
        if "items" in _body(case):
            for item in body["items"]:
                item["quantity"] = int(item["quantity"])
                item["unitAmount"] = int(item["unitAmount"])
            if "amount" in body:
                body["amount"] = oracle.amount_of(body["items"])
            if not self.is_staff:
                body["customerId"] = self.caller.id

    def _remember(self, case: Case[Any], body: Mapping[str, Any]) -> None:
        if "orderId" in body:
            self._orders.add(body["orderId"])
        elif cursor := body.get("nextCursor"):
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
