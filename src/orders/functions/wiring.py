"""What several functions are made of. Everything here runs once, when a function starts."""

from __future__ import annotations

from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table, connect
from orders.environment import one_of, optional, required
from orders.http.claims import Claims


def table(attempt_seconds: float = 2.3) -> Table:
    """By default a call gives up within nine seconds, a request's calls within its time."""
    return Table(connect(attempt_seconds), required("TABLE_NAME"))


def orders(table: Table) -> DynamoDbOrders:
    return DynamoDbOrders(table, optional("GSI1_NAME", "gsi1"))


def claims() -> Claims:
    return Claims(
        customer_id=optional("CUSTOMER_ID_CLAIM", "sub"),
        staff=optional("STAFF_CLAIM", "cognito:groups"),
        staff_value=optional("STAFF_VALUE", "staff"),
    )


def payments() -> str:
    """What settles payments on this stage: `mock`, or `none`."""
    return one_of("PAYMENTS", ("mock", "none"))


def public_address() -> str:
    """Empty where the request's own domain is the address."""
    return optional("PUBLIC_BASE_URL", "")
