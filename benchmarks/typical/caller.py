"""Who asks, by the claims that API Gateway's JWT authorizer verified."""

import re
from dataclasses import dataclass
from typing import Any

from benchmarks.typical.models import Order, OrderStatus
from benchmarks.typical.problems import Forbidden, Unauthenticated

STAFF_GROUP = "staff"

_CUSTOMER_ID = re.compile(r"[A-Za-z0-9._\-|:@+]{1,128}")


@dataclass(frozen=True)
class Caller:
    id: str
    is_staff: bool

    @property
    def name(self) -> str:
        return "staff" if self.is_staff else "customer"

    def acts_for(self, customer_id: str) -> bool:
        return self.is_staff or self.id == customer_id

    def require_acts_for(self, customer_id: str) -> None:
        if not self.acts_for(customer_id):
            raise Forbidden("A customer may only see and create their own orders.")

    def require_may_change(self, order: Order, status: OrderStatus) -> None:
        cancelable = order.status in {OrderStatus.PENDING, OrderStatus.CANCELED}
        if not (self.is_staff or (status is OrderStatus.CANCELED and cancelable)):
            raise Forbidden("A customer may only cancel an order that is PENDING.")


def caller_of(claims: dict[str, Any]) -> Caller:
    subject = claims.get("sub", "")
    if claims.get("token_use", "access") != "access" or not _CUSTOMER_ID.fullmatch(subject):
        raise Unauthenticated("Send an access token as a bearer token.")
    groups = claims.get("cognito:groups", "")
    if isinstance(groups, str):
        # The gateway renders a list as "[a b]".
        groups = groups.removeprefix("[").removesuffix("]").split()
    return Caller(subject, STAFF_GROUP in groups)
