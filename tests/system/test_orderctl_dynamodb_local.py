"""DynamoDB Local accepts what orderctl asks of the emulated DynamoDB, which is lax.

All calls of a session's tests are recorded, and these tests come last. Alone they have the calls of
each command, run once, and of the options that filter and that mend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator import ROOT
from orderctl.reference import COMMANDS
from system.deployment import TABLE
from system.sent_to_dynamodb import never_sent, of_each_form, refused_by_dynamodb_local
from system.test_orderctl_rights import PREPARED, RESTORED, quiet

if TYPE_CHECKING:
    from proof.proxy import Request
    from system.deployment import Deployment


def order_with_a_damaged_row(deployment: Deployment) -> str:
    """One attribute is missing, and one of a type that no row has; the other table has both."""
    dynamodb, order_id = deployment.aws("dynamodb"), str(deployment.customer.place()["orderId"])
    rows = deployment.rows(order_id)
    for row in rows.values():
        dynamodb.put_item(TableName=RESTORED, Item=row)
    detail = rows["DETAIL"] | {"currency": {"SS": ["USD", "EUR"]}}
    del detail["amount"]
    dynamodb.put_item(TableName=TABLE, Item=detail)
    return order_id


@pytest.fixture(scope="module")
def sent(deployment: Deployment) -> list[Request]:
    """Of each form one."""
    for command in COMMANDS:
        deployment.orderctl(*command.name.split(), *PREPARED[command.name](deployment))
    deployment.orderctl("replay", *quiet(deployment, "--type", "ORDER_CREATED", "--yes"))
    damaged = order_with_a_damaged_row(deployment)
    deployment.orderctl("restore", "--from", RESTORED, "--order", damaged, "--yes")
    calls = deployment.calls.of_dynamodb(by_operators=True)
    forms = of_each_form(calls)
    print(f"\nDynamoDB: {len(calls)} calls of orderctl, {len(forms)} forms")
    return forms


def test_dynamodb_local_accepts_every_form_of_call(sent: list[Request]) -> None:
    refused = refused_by_dynamodb_local(sent)
    assert not refused, "\n".join(refused)


def test_every_expression_in_the_code_was_sent(sent: list[Request]) -> None:
    never = never_sent(ROOT / "src" / "orderctl", sent)
    assert not never, "\n".join(never)
