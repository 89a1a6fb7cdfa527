"""The ARNs of what a compiled template makes, and what its references resolve to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_OID, uuid5

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
NAMES: Final = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm:", "AlarmName", ""),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "dashboard/", "DashboardName", ""),
    "AWS::DynamoDB::Table": ("dynamodb", "table/", "TableName", ""),
    "AWS::Events::Rule": ("events", "rule/", "Name", ""),
    "AWS::IAM::ManagedPolicy": ("iam", "policy/", "ManagedPolicyName", ""),
    "AWS::IAM::Role": ("iam", "role/", "RoleName", ""),
    "AWS::Lambda::EventSourceMapping": ("lambda", "event-source-mapping:", "", ""),
    "AWS::Lambda::Function": ("lambda", "function:", "FunctionName", ""),
    "AWS::Logs::LogGroup": ("logs", "log-group:", "LogGroupName", ":*"),
    "AWS::SNS::Topic": ("sns", "", "TopicName", ""),
    "AWS::SQS::Queue": ("sqs", "", "QueueName", ""),
}
"""Of each type: the service, and what surrounds the named property in its ARN."""
OF_NO_REGION: Final = {"AWS::CloudWatch::Dashboard", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"}


class Stack:
    """A template whose references have values."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def arn(self, logical_id: str) -> str:
        kind = self._template.resources[logical_id]["Type"]
        service, before, _, after = NAMES[kind]
        region = "" if kind in OF_NO_REGION else REGION
        where = f"arn:aws:{service}:{region}:{PSEUDO['AWS::AccountId']}"
        return f"{where}:{before}{self._name(logical_id)}{after}"

    def arns(self) -> Iterator[str]:
        """Of all resources that have one by their name, or by an id that is made up here."""
        for logical_id, resource in self._template.resources.items():
            if resource["Type"] in NAMES:
                yield self.arn(logical_id)

    def resolved(self, value: Any) -> Any:  # noqa: ANN401, PLR0911 - JSON, in each of its forms
        if isinstance(value, list):
            return [self.resolved(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "Fn::GetAtt" in value:
            logical_id, attribute = value["Fn::GetAtt"]
            stream = "/stream/2026-11-23T04:36:00.123" if attribute == "StreamArn" else ""
            return self.arn(logical_id) + stream
        if "Ref" in value:
            return PSEUDO.get(value["Ref"]) or self.arn(value["Ref"])
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return separator.join(self.resolved(parts))
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
        made_up = f"orders-{self._template.stage}-{logical_id}-{'X' * 64}"[:64]
        return str(self.resolved(resource["Properties"].get(name, made_up)))
