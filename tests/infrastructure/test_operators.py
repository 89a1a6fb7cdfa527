"""What the managed policies of operators allow, with every reference resolved as AWS would."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_OID, uuid5

from infrastructure.templates import ROOT, compiled, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infrastructure.templates import Template

REGION: Final = "ap-southeast-1"
"""No region's name is longer."""
PSEUDO: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": "123456789012",
}
LARGEST: Final = 6144
"""Characters of a managed policy, white space left out."""
NAMES: Final = {
    "AWS::DynamoDB::Table": ("dynamodb", "table/", "TableName", ""),
    "AWS::Events::Rule": ("events", "rule/", "Name", ""),
    "AWS::Lambda::EventSourceMapping": ("lambda", "event-source-mapping:", "", ""),
    "AWS::Lambda::Function": ("lambda", "function:", "FunctionName", ""),
    "AWS::Logs::LogGroup": ("logs", "log-group:", "LogGroupName", ":*"),
    "AWS::SNS::Topic": ("sns", "", "TopicName", ""),
    "AWS::SQS::Queue": ("sqs", "", "QueueName", ""),
}
"""Of each type: the service, and what surrounds the named property in its ARN."""
ANYWHERE: Final = {"*", "any queue"}
"""Where a role may reach beyond its stage."""


class Stack:
    """A template whose references have values."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def arn(self, logical_id: str) -> str:
        kind = self._template.resources[logical_id]["Type"]
        service, before, _, after = NAMES[kind]
        where = f"arn:aws:{service}:{REGION}:{PSEUDO['AWS::AccountId']}"
        return f"{where}:{before}{self._name(logical_id)}{after}"

    def arns(self) -> Iterator[str]:
        """Of all resources that operators may have to do with."""
        for logical_id, resource in self._template.resources.items():
            if resource["Type"] in NAMES:
                yield self.arn(logical_id)

    def resolved(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, list):
            return [self.resolved(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "Fn::GetAtt" in value:
            return self.arn(value["Fn::GetAtt"][0])
        if "Ref" in value:
            return self.arn(value["Ref"])
        if "Fn::Sub" in value:
            return re.sub(r"\$\{([^}]+)\}", self._substituted, value["Fn::Sub"])
        return {key: self.resolved(one) for key, one in value.items()}

    def policies(self) -> dict[str, Any]:
        """The documents, by role."""
        found = self._template.properties("AWS::IAM::ManagedPolicy").items()
        return {
            logical_id.removesuffix("Policy").lower(): self.resolved(one["PolicyDocument"])
            for logical_id, one in found
        }

    def _substituted(self, reference: re.Match[str]) -> str:
        name, _, attribute = reference[1].partition(".")
        if name in PSEUDO:
            return PSEUDO[name]
        return self.arn(name) if attribute == "Arn" else self._name(name)

    def _name(self, logical_id: str) -> str:
        resource = self._template.resources[logical_id]
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            return str(uuid5(NAMESPACE_OID, f"{self._template.stage}/{logical_id}"))
        name = NAMES[resource["Type"]][2]
        made_up = f"{self._template.stage}-{logical_id}-{'X' * 64}"[:64]
        return str(resource["Properties"].get(name, made_up))


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
