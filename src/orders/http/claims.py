"""Identifies the caller by the claims of the token that API Gateway's authorizer verified."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orders.application.caller import Caller
from orders.domain.customer_id import parse_customer_id
from orders.http.problems import Unauthenticated

if TYPE_CHECKING:
    from orders.http.request import Request

_INDEX: Final = re.compile(r"0|[1-9][0-9]*")
_SCOPES: Final = (("scope",), ("scp",))
"""Space-separated lists (RFC 8693, section 4.2); some issuers call theirs `scp`."""


class Claims:
    """The claims that name the customer and mark staff; they differ between issuers.

    Each is given by its name or, if it begins with `/`, by a JSON Pointer (RFC 6901).
    """

    __slots__ = ("_customer_id_path", "_staff_path", "customer_id", "staff", "staff_value")

    def __init__(self, customer_id: str, staff: str, staff_value: str) -> None:
        self.customer_id = customer_id
        self.staff = staff
        self.staff_value = staff_value
        self._customer_id_path = _path(customer_id)
        self._staff_path = _path(staff)

    def identify(self, request: Request) -> Caller:
        """Raises Unauthenticated."""
        claims = request.claims
        if claims is None:
            raise Unauthenticated("Send an access token as a bearer token.")
        if claims.get("token_use", "access") != "access":
            raise Unauthenticated("This is not an access token.")
        claim = _found(claims, self._customer_id_path)
        caller_id = parse_customer_id(claim) if isinstance(claim, str) else None
        if caller_id is None:
            raise Unauthenticated(f"The token's claim {self.customer_id!r} is not a customer id.")
        return Caller(caller_id, self._marks_staff(_found(claims, self._staff_path)))

    def _marks_staff(self, claim: object) -> bool:
        """Compares lists by element, OAuth scopes by word and other strings as a whole."""
        if isinstance(claim, str):
            claim = claim.split(" ") if self._staff_path in _SCOPES else [claim]
        return isinstance(claim, list) and self.staff_value in claim


def _path(setting: str) -> tuple[str, ...]:
    """The claim's name alone, or the pointer's steps."""
    if not setting.startswith("/"):
        return (setting,)
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in setting[1:].split("/"))


def _found(claims: object, path: tuple[str, ...]) -> object:
    """None where the path leads nowhere."""
    found = claims
    for step in path:
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and _INDEX.fullmatch(step) and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found
