"""What the managed policies of operators allow, with every reference resolved as AWS would."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from infrastructure.arns import Stack
from infrastructure.templates import ROOT, compiled, listed

if TYPE_CHECKING:
    from infrastructure.templates import Template

LARGEST: Final = 6144
"""Characters of a managed policy, white space left out."""
ANYWHERE: Final = {"*", "any queue"}
"""Where a role may reach beyond its stage."""


def test_no_policy_reaches_a_stage_whose_name_begins_alike(
    production: Template, development: Template
) -> None:
    others = {*Stack(compiled("dev-2")).arns(), *Stack(production).arns()}
    roles = json.loads((ROOT / "infra" / "operators.json").read_text())
    for role, document in Stack(development).policies().items():
        # Neither stage has the topic.
        places = [one for one in roles[role] if one != "the events topic"]
        for place, statement in zip(places, document["Statement"], strict=True):
            reached = [
                arn
                for pattern in listed(statement["Resource"])
                for arn in others
                if fnmatchcase(arn, pattern)
            ]
            assert place in ANYWHERE or reached == [], (role, place)


def test_a_policy_is_as_large_as_may_be_at_the_longest_name_of_a_stage(
    customized: Template, watched: Template
) -> None:
    for template in (customized, watched):
        for role, document in Stack(template).policies().items():
            size = len(json.dumps(document, separators=(",", ":")))
            assert size <= LARGEST, f"{role}: {size}"


def test_the_report_is_all_that_operators_may_invoke(production: Template) -> None:
    """Whoever invokes another function can say that they are any customer, or staff."""
    functions = {
        arn.rpartition(":")[2]
        for document in Stack(production).policies().values()
        for statement in document["Statement"]
        if "lambda:InvokeFunction" in listed(statement["Action"])
        for arn in listed(statement["Resource"])
    }
    assert functions == {"orders-prod-daily-report"}


def test_a_trigger_may_be_handed_to_no_function_without_one(watched: Template) -> None:
    stack = Stack(watched)
    triggered = {watched.functions[one]["FunctionName"] for one in watched.triggers}
    for document in stack.policies().values():
        for statement in document["Statement"]:
            if "lambda:UpdateEventSourceMapping" in listed(statement["Action"]):
                arns = statement["Condition"]["ArnEquals"]["lambda:FunctionArn"]
                assert {arn.rpartition(":")[2] for arn in arns} == triggered


def test_what_an_account_has_once_is_named_by_its_region_too(production: Template) -> None:
    """Or a second region of the stage would not deploy."""
    named = [
        *(
            one["ManagedPolicyName"]
            for one in production.properties("AWS::IAM::ManagedPolicy").values()
        ),
        *(
            one["DashboardName"]
            for one in production.properties("AWS::CloudWatch::Dashboard").values()
        ),
        *(one["RoleName"] for one in production.properties("AWS::IAM::Role").values()),
    ]
    assert len(named) > 4
    assert [one for one in named if "AWS::Region" not in json.dumps(one)] == []
