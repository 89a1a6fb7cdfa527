"""What a change set does, in the form of AWS's ResourceChange, and what a template edits."""

from __future__ import annotations

from typing import Any

import pytest

from deploy import REFERS, TAGGED, edits, effect, refuse_losses
from orderctl.app import Problem

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
