"""Every answer is one that the contract has for its call, and no message was given up."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from prove.checks.evidence import Operation, has_form
from prove.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prove.checks.evidence import Evidence, Told

_UNREADABLE: Final = frozenset({"malformed-request"})
_KEYED: Final = {
    400: _UNREADABLE | {"invalid-idempotency-key"},
    413: frozenset({"payload-too-large"}),
    415: frozenset({"unsupported-media-type"}),
    422: frozenset({"validation-failed", "idempotency-key-reused"}),
}
_LISTED: Final = {400: _UNREADABLE | {"invalid-cursor"}}
_FORBIDDEN: Final = {403: frozenset({"forbidden"})}
_NOT_FOUND: Final = {404: frozenset({"order-not-found"})}
_CONFLICT: Final = {
    409: frozenset({"illegal-transition"}),
    412: frozenset({"precondition-failed"}),
}

REFUSALS: Final[Mapping[Operation, Mapping[int, frozenset[str]]]] = {
    Operation.CREATE: _KEYED | _FORBIDDEN,
    Operation.UPDATE: _KEYED | _FORBIDDEN | _NOT_FOUND | _CONFLICT,
    Operation.GET: {400: _UNREADABLE} | _NOT_FOUND,
    Operation.TIMELINE: _LISTED | _NOT_FOUND,
    Operation.LIST_CUSTOMER: _LISTED | _FORBIDDEN,
    Operation.LIST_STATUS: _LISTED | _FORBIDDEN,
    Operation.REPORT: {400: _UNREADABLE, 404: frozenset({"report-not-found"})} | _FORBIDDEN,
    Operation.HEALTH: {},
    Operation.OTHER: {
        404: frozenset({"route-not-found"}),
        405: frozenset({"method-not-allowed"}),
    },
}
"""The problem types of each status, without those that every operation can answer."""

_BY_THE_GATEWAY: Final = frozenset({401, 413, 429})
_UNKNOWN: Final = frozenset({500, 502, 503, 504})


def check_answers(evidence: Evidence) -> Iterator[Violation]:
    for told in evidence.told:
        if told.problem == "internal-error":
            detail = f"an internal error, answered {told.call.status}"
            yield Violation(Kind.INTERNAL_ERROR, detail, told.subject or None, (told.id,))
        elif told.call.status is not None and not _is_expected(told, told.call.status):
            detail = f"{told.operation} was answered {told.call.status} {told.call.text[:200]}"
            yield Violation(Kind.ANSWER_UNEXPECTED, detail, told.subject or None, (told.id,))


def check_dead_letters(evidence: Evidence) -> Iterator[Violation]:
    by_queue: defaultdict[str, int] = defaultdict(int)
    for letter in evidence.history.dead_letters:
        queue = str(letter.get("queue"))
        by_queue[queue] += 1
        detail = f"number {by_queue[queue]} in {queue}: {str(letter.get('body'))[:300]}"
        yield Violation(Kind.DEAD_LETTER, detail)


def _is_expected(told: Told, status: int) -> bool:
    if status in _UNKNOWN:
        return told.problem in {None, "try-again"}
    if status in REFUSALS[told.operation] and told.problem is not None:
        return told.problem in REFUSALS[told.operation][status]
    if status in _BY_THE_GATEWAY:
        return (told.body or {}).keys() == {"message"} or told.problem == "unauthenticated"
    return told.operation is not Operation.OTHER and has_form(told.operation, told.call, told.body)
