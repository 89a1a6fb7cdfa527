"""What the functions may do, read from the compiled template, and what Lambda does for them.

A resource is named by what follows the account in its ARN: `table/orders_app`, a queue's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from infrastructure.templates import listed

if TYPE_CHECKING:
    from infrastructure.templates import Template, Value


class Right(NamedTuple):
    """To do something with something."""

    function: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.function}: {self.action} on {self.resource}"


EMULATORS_OWN: Final = {"sqs:SendMessage": "sqs:SendMessageBatch"}
"""What the emulator asks for in a batch's case, where AWS asks for the first action."""

# As docs.aws.amazon.com/lambda/latest/dg/ has it: monitoring-cloudwatchlogs.html,
# services-xray.html, services-ddb-eventsourcemapping.html, services-sqs-configure.html.
_LOG: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
_TRACES: Final = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
_READ_STREAM: Final = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)
_READ_QUEUE: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

_ARN_ENDS: Final = {
    "AWS::DynamoDB::Table": "table/{TableName}",
    "AWS::SQS::Queue": "{QueueName}",
}


def granted(template: Template) -> list[Right]:
    """All that the roles allow, without what only the emulator knows; each once, in order."""
    rights = (
        Right(function, action, _resource(template, target))
        for function in template.functions
        for statement in template.statements(function)
        for target in listed(statement["Resource"])
        for action in listed(statement["Action"])
        if action not in EMULATORS_OWN.values()
    )
    return list(dict.fromkeys(rights))


def used_by_lambda(template: Template) -> set[Right]:
    """What Lambda does in a function's name and with its role."""
    used: set[Right] = set()

    def uses(function: str, actions: tuple[str, ...], resource: str) -> None:
        used.update(Right(function, action, resource) for action in actions)

    for function, properties in template.functions.items():
        log_group = f"log-group:/aws/lambda/{properties['FunctionName']}:*:*"
        uses(function, _LOG, log_group)
        uses(function, _TRACES, "*")
    for mapping in template.properties("AWS::Lambda::EventSourceMapping").values():
        function = template.target(mapping["FunctionName"])
        source = _resource(template, mapping["EventSourceArn"])
        if source.endswith("/stream"):
            uses(function, _READ_STREAM, source)
        else:
            uses(function, _READ_QUEUE, source)
        if failures := mapping.get("DestinationConfig"):
            destination = _resource(template, failures["OnFailure"]["Destination"])
            uses(function, ("sqs:SendMessage",), destination)
    return used


def _resource(template: Template, target: Value) -> str:
    if target == "*":
        return "*"
    if "Fn::GetAtt" in target:
        return _arn_end(template, *target["Fn::GetAtt"])
    text = re.sub(r"\$\{AWS::\w+\}", "", target["Fn::Sub"])
    text = re.sub(r"\$\{(\w+)\.(\w+)\}", lambda found: _arn_end(template, *found.groups()), text)
    return text.split(":", 5)[-1] if text.startswith("arn:") else text


def _arn_end(template: Template, logical_id: str, attribute: str) -> str:
    resource = template.resources[logical_id]
    name = _ARN_ENDS[resource["Type"]].format_map(resource["Properties"])
    return name + {"Arn": "", "StreamArn": "/stream"}[attribute]
