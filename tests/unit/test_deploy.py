"""What a change set does, in the form of AWS's ResourceChange, and what a template edits."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deploy import REFERS, TAGGED, Stack, edits, effect, refuse_losses
from orderctl.app import Problem
from orderctl.stage import Stage
from orderctl.terminal import Terminal

FUNCTION = "AWS::Lambda::Function"
TABLE = "AWS::DynamoDB::Table"


def change(kind: str, replacement: str = "False", **recreation: str) -> dict[str, Any]:
    """A change of these properties, and of the tags."""
    targets = [
        {"Attribute": "Properties", "Name": name, "RequiresRecreation": how}
        for name, how in recreation.items()
    ]
    return {
        "Action": "Modify",
        "LogicalResourceId": "It",
        "ResourceType": kind,
        "Replacement": replacement,
        "Scope": ["Properties", "Tags"] if targets else ["Tags"],
        "Details": [
            {"Target": one}
            for one in [*targets, {"Attribute": "Tags", "RequiresRecreation": "Never"}]
        ],
    }


@pytest.mark.parametrize(
    ("one", "edited", "seen"),
    [
        (change(FUNCTION), [], TAGGED),
        (change(FUNCTION, Code="Never"), ["Code"], "Changed"),
        (change(FUNCTION, "True", FunctionName="Always"), ["FunctionName"], "Replaced"),
        (change(FUNCTION, "True", Role="Always"), [], "Replaced"),
        (change(FUNCTION, "Conditional", Role="Always"), [], REFERS),
        (change(FUNCTION, "Conditional", Role="Always"), ["Role"], "Perhaps replaced"),
        (change(FUNCTION, "Conditional", Role="Always", Code="Never"), ["Code"], "Changed"),
        (change(FUNCTION, Role="Never"), [], REFERS),
        (change(TABLE, "Conditional", TableName="Always"), [], "Perhaps replaced"),
        (change(FUNCTION) | {"Action": "Dynamic"}, [], "Perhaps replaced"),
    ],
)
def test_a_change_is_called_by_what_it_does(
    one: dict[str, Any], edited: list[str], seen: str
) -> None:
    assert effect(one, {"It": edited}) == seen


@pytest.mark.parametrize("action", ["Remove", "Dynamic", "Modify"])
def test_whatever_may_lose_a_table_is_refused(action: str) -> None:
    one = change(TABLE, "Conditional", TableName="Always") | {"Action": action}
    with pytest.raises(Problem, match="the orders in it lost"):
        refuse_losses([one], {"It": []})
    refuse_losses([one | {"ResourceType": FUNCTION}], {"It": []})


def test_edits_are_properties_and_attributes_that_differ() -> None:
    old = {"Type": TABLE, "Properties": {"A": 1, "B": [2], "C": 3}, "DeletionPolicy": "Retain"}
    new = {"Type": TABLE, "Properties": {"A": 1, "B": [3], "D": 4}}
    assert edits({"Resources": {"It": old}}, {"Resources": {"It": new}}) == {
        "It": ["B", "C", "D", "DeletionPolicy"]
    }


ID = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/make-deploy-1/1"
INVALID = {
    "EventType": "VALIDATION_ERROR",
    "LogicalResourceId": "OrdersTable",
    "ValidationPath": "/Resources/OrdersTable/Properties/TableName",
    "ValidationStatusReason": "Resource of type 'AWS::DynamoDB::Table' already exists",
}


@pytest.mark.parametrize(
    ("status", "events", "said"),
    [
        # Without the right, or where a hook of the account's refused, there is the reason alone.
        ("FAILED", None, "refuses the template: The following validation failed$"),
        ("FAILED", [{"EventType": "HOOK_INVOCATION_ERROR"}], "template: The following .* failed$"),
        ("FAILED", [INVALID], "\n  OrdersTable /Resources/.*: .* already exists$"),
        ("CREATE_IN_PROGRESS", None, "is still CREATE_IN_PROGRESS: deploy again"),
    ],
)
def test_a_change_set_that_is_not_ready_never_counts_as_no_change(
    monkeypatch: pytest.MonkeyPatch, status: str, events: list[Any] | None, said: str
) -> None:
    stage = Stage("dev", boto3.Session("key", "secret", region_name="eu-west-1"))
    client = stage.client("cloudformation")
    monkeypatch.setattr(client, "get_waiter", lambda _name: Ready())
    described = {"Status": status, "StatusReason": "The following validation failed"}
    with Stubber(client) as cloudformation:
        cloudformation.add_response("create_change_set", {"Id": ID, "StackId": "arn:stack"})
        cloudformation.add_response("describe_change_set", {"ChangeSetId": ID, **described})
        if events is None:
            cloudformation.add_client_error("describe_events", "AccessDenied")
        else:
            cloudformation.add_response("describe_events", {"OperationEvents": events})
        with pytest.raises(Problem, match=said):
            Stack(stage, Terminal(as_json=False))._create_change_set("v1", ChangeSetType="UPDATE")


class Ready:
    """A waiter that doesn't wait."""

    def wait(self, **_what: object) -> None:
        pass
