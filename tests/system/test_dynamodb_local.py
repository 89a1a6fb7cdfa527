"""DynamoDB Local accepts what the functions ask of the emulated DynamoDB, which is lax.

All calls of a session's tests are recorded, and these tests come last. Alone they have the calls of
the marked traffic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator import ROOT
from system.sent_to_dynamodb import never_sent, of_each_form, refused_by_dynamodb_local

if TYPE_CHECKING:
    from proof.proxy import Request
    from system.deployment import Deployment
    from system.marked_traffic import MarkedTraffic


@pytest.fixture(scope="module")
def sent(deployment: Deployment, traffic: MarkedTraffic) -> list[Request]:
    """Of each form one."""
    assert traffic.request_ids
    calls = deployment.calls.of_dynamodb(by_operators=False)
    forms = of_each_form(calls)
    print(f"\nDynamoDB: {len(calls)} calls of functions, {len(forms)} forms")
    return forms


def test_dynamodb_local_accepts_every_form_of_call(sent: list[Request]) -> None:
    refused = refused_by_dynamodb_local(sent)
    assert not refused, "\n".join(refused)


def test_every_expression_in_the_code_was_sent(sent: list[Request]) -> None:
    never = never_sent(ROOT / "src" / "orders", sent)
    assert not never, "\n".join(never)
