"""Who is asking: from the claims that API Gateway's authorizer verified."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orders.application.caller import Caller
from orders.domain.order import CustomerId
from orders.http.problems import MalformedRequest, Unauthenticated

if TYPE_CHECKING:
    from orders.http.request import Request

CUSTOMER_ID_PATTERN: Final = r"^[A-Za-z0-9._\-|:@+]{1,128}$"
"""No `#`, which separates the parts of the table's keys."""

_CUSTOMER_ID: Final = re.compile(CUSTOMER_ID_PATTERN[1:-1])


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims that name the customer and mark staff; they differ between issuers."""

    customer_id: str
    staff: str
    staff_value: str

    def identify(self, request: Request) -> Caller:
        """Raises Unauthenticated."""
        claims = request.claims
        if claims is None:
            detail = "Send an access token as a bearer token."
            raise Unauthenticated(detail)
        if claims.get("token_use", "access") != "access":
            detail = "This is a token of another kind; send the access token."
            raise Unauthenticated(detail)
        caller_id = claims.get(self.customer_id)
        if not isinstance(caller_id, str) or _CUSTOMER_ID.fullmatch(caller_id) is None:
            detail = f"The token's claim {self.customer_id!r} is not a customer id."
            raise Unauthenticated(detail)
        is_staff = self.staff_value in _words(claims.get(self.staff))
        return Caller(CustomerId(caller_id), is_staff)


def customer_id_of(request: Request) -> CustomerId:
    """The path's customer id. Raises MalformedRequest."""
    text = request.path_parameter("customerId")
    if _CUSTOMER_ID.fullmatch(text) is None:
        detail = f"A customer id matches {CUSTOMER_ID_PATTERN}."
        raise MalformedRequest(detail)
    return CustomerId(text)


def _words(claim: Any) -> list[str]:  # noqa: ANN401 - a claim is what the issuer makes it
    """API Gateway renders a list claim as `[a b]`; others come as `a b`, or as a list."""
    if isinstance(claim, str):
        return claim.removeprefix("[").removesuffix("]").split()
    return [word for word in claim if isinstance(word, str)] if isinstance(claim, list) else []
