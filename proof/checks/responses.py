"""Every response is one that the contract allows for its call, and no message was given up.

Failures need a fault that struck: a function that fails by itself, or can't start, is found here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from proof import oracle
from proof.checks.evidence import Operation, Outcome, has_form
from proof.checks.violations import Kind, Violation
from proof.faults import Fault
from proof.oracle import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from proof.checks.evidence import Evidence, Told

_FORBIDDEN: Final = {403: frozenset({"forbidden"})}
_KEY_REUSED: Final = {422: frozenset({"idempotency-key-reused"})}

_BY_AUDIENCE: Final[Mapping[Audience, Mapping[int, frozenset[str]]]] = {
    Audience.EVERYONE: {},
    Audience.OWNER: {404: frozenset({"order-not-found"})},
    Audience.CUSTOMER: _FORBIDDEN,
    Audience.STAFF: _FORBIDDEN,
}
_BY_OPERATION: Final[Mapping[str, Mapping[int, frozenset[str]]]] = {
    Operation.CREATE: _KEY_REUSED,
    Operation.UPDATE: _KEY_REUSED
    | _FORBIDDEN
    | {409: frozenset({"illegal-transition"}), 412: frozenset({"precondition-failed"})},
    Operation.REPORT: {404: frozenset({"report-not-found"})},
}

_OF_NO_ROUTE: Final = {
    404: frozenset({"route-not-found"}),
    405: frozenset({"method-not-allowed"}),
}
_FIRST_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429, {"message": "Too Many Requests"}
_UNAVAILABLE: Final = 503, {"message": "Service Unavailable"}
_BAD_GATEWAY: Final = 502
_KILLS: Final = frozenset({Fault.KILLED_BEFORE, Fault.KILLED_AFTER})
_STRUCK: Final[Mapping[int, frozenset[Fault]]] = {
    429: frozenset({Fault.THROTTLED}),
    503: frozenset({Fault.SERVER_ERROR, Fault.OUTAGE}),
}
_AROUND: Final = 1.0
"""Seconds: the gateway can hear of a killed function late, and from another request's kill."""


def check_responses(evidence: Evidence) -> Iterator[Violation]:
    for told in evidence.told:
        if told.problem == "internal-error":
            detail = f"an internal error, with status {told.call.status}"
            yield Violation(Kind.INTERNAL_ERROR, detail, _order_of(told), (told.id,))
        elif evidence.is_last(told) and _failed(told):
            detail = f"{told.operation} returned {_said(told)} when no faults were left"
            yield Violation(Kind.FAILED_WITHOUT_FAULT, detail, _order_of(told), (told.id,))
        elif not _is_expected(told):
            detail = f"{told.operation} returned {_said(told)}"
            yield Violation(Kind.RESPONSE_UNEXPECTED, detail, _order_of(told), (told.id,))
        elif not _is_explained(evidence, told):
            detail = f"{told.operation} returned {_said(told)}, and no fault had struck it"
            yield Violation(Kind.FAILED_WITHOUT_FAULT, detail, _order_of(told), (told.id,))
    yield from _reports_not_found(evidence)


def check_dead_letters(evidence: Evidence) -> Iterator[Violation]:
    by_queue: defaultdict[str, int] = defaultdict(int)
    for letter in evidence.history.dead_letters:
        queue = str(letter.get("queue"))
        by_queue[queue] += 1
        detail = f"number {by_queue[queue]} in {queue}: {str(letter.get('body'))[:300]}"
        yield Violation(Kind.DEAD_LETTER, detail)


def _order_of(told: Told) -> str | None:
    return told.subject if "{orderId}" in told.operation else None


def _failed(told: Told) -> bool:
    return told.call.status is None or told.call.status >= _FIRST_SERVER_ERROR


def _said(told: Told) -> str:
    return "nothing" if told.call.status is None else f"{told.call.status} {told.call.text[:200]}"


def _is_expected(told: Told) -> bool:
    status = told.call.status
    if status is None or status == _BAD_GATEWAY or (status, told.body) in (_TOO_MANY, _UNAVAILABLE):
        return True
    if status >= _FIRST_SERVER_ERROR:
        return (status, told.problem) == (503, "try-again")
    if told.outcome is Outcome.REFUSED:
        return told.problem in _refusals(told.operation).get(status, ())
    return has_form(told.operation, told.call, told.body)


def _refusals(operation: str) -> Mapping[int, frozenset[str]]:
    """The problem types of each status that requests like the workload's, well-formed, can get."""
    route = oracle.ROUTES.get(operation)
    if route is None:
        return _OF_NO_ROUTE
    return {**_BY_AUDIENCE[route.audience], **_BY_OPERATION.get(operation, {})}


def _is_explained(evidence: Evidence, told: Told) -> bool:
    """Whether what failed, other than for want of time, was struck by a fault that does this."""
    call = told.call
    if call.status == _BAD_GATEWAY:
        route = oracle.ROUTES.get(told.operation)
        function = route.function if route else "not-found"
        return any(
            strike.caller == function
            and strike.fault in _KILLS
            and strike.at - _AROUND <= call.end
            and call.start <= strike.until + _AROUND
            for strike in evidence.history.strikes
        )
    faults = _STRUCK.get(call.status or 0)
    if faults is None or told.problem == "try-again":
        return True
    return any(
        strike.caller == call.client
        and strike.fault in faults
        and strike.at <= call.end
        and call.start <= strike.until
        for strike in evidence.history.strikes
    )


def _reports_not_found(evidence: Evidence) -> Iterator[Violation]:
    """A report that was shown once is there for good."""
    shown: dict[str, Told] = {}
    for told in sorted(evidence.told, key=lambda each: each.call.end):
        if told.operation == Operation.REPORT and told.outcome is Outcome.DONE:
            shown.setdefault(told.subject, told)
    for told in evidence.told:
        before = shown.get(told.subject) if told.problem == "report-not-found" else None
        if before and before.call.end < told.call.start:
            detail = f"the report of {told.subject} was not found, though it had been shown"
            calls = before.id, told.id
            yield Violation(Kind.REPORT_VANISHED, detail, None, calls)
