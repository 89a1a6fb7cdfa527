"""What each function may do: all that its role allows, written out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infrastructure.templates import listed

if TYPE_CHECKING:
    from infrastructure.templates import Template

TABLE = '{"Fn::GetAtt": ["OrdersTable", "Arn"]}'
INDEX = '{"Fn::Sub": "${OrdersTable.Arn}/index/gsi1"}'
STREAM = '{"Fn::GetAtt": ["OrdersTable", "StreamArn"]}'
EVENTS = '{"Fn::GetAtt": ["OrderEventsQueue", "Arn"]}'
DEAD_LETTERS = '{"Fn::GetAtt": ["OrderEventsDeadLetterQueue", "Arn"]}'
FAILURES = '{"Fn::GetAtt": ["OrderStreamDeadLetterQueue", "Arn"]}'

READ_STREAM = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
RECEIVE = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

# In a transaction, each put or update asks for the action of its own.
ALLOWED: dict[str, dict[str, set[str]]] = {
    "create-order": {TABLE: {"dynamodb:GetItem", "dynamodb:PutItem"}},
    "get-order": {TABLE: {"dynamodb:GetItem"}},
    "list-customer-orders": {TABLE: {"dynamodb:Query"}, INDEX: {"dynamodb:Query"}},
    "update-order": {
        TABLE: {
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        }
    },
    "get-order-timeline": {TABLE: {"dynamodb:GetItem", "dynamodb:Query"}},
    "list-orders-by-status": {INDEX: {"dynamodb:Query"}},
    "list-events": {INDEX: {"dynamodb:Query"}},
    "get-daily-report": {TABLE: {"dynamodb:GetItem"}},
    "health": {},
    "api-docs": {},
    "not-found": {},
    "publish-order-events": {
        STREAM: READ_STREAM,
        EVENTS: {"sqs:SendMessage"},
        FAILURES: {"sqs:SendMessage"},
    },
    "settle-payments": {
        EVENTS: RECEIVE | {"sqs:ChangeMessageVisibility"},
        DEAD_LETTERS: {"sqs:SendMessage"},
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
    },
    "daily-report": {
        INDEX: {"dynamodb:Query"},
        TABLE: {"dynamodb:PutItem"},
    },
    "expire-stale-orders": {
        INDEX: {"dynamodb:Query"},
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
    },
}


def allowed(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The actions on each resource; the resource is JSON text, as CloudFormation refers to it."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        assert statement.keys() == {"Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        for resource in listed(statement["Resource"]):
            found.setdefault(json.dumps(resource), set()).update(listed(statement["Action"]))
    return found


def test_the_table_above_names_every_function(production: Template) -> None:
    assert ALLOWED.keys() == production.functions.keys()


@pytest.mark.parametrize("function", ALLOWED)
class TestRole:
    def test_it_allows_what_the_function_needs_and_nothing_else(
        self, function: str, production: Template
    ) -> None:
        log_group = (
            "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
            f"/aws/lambda/orders-prod-{function}:*:*"
        )
        every_function = {
            json.dumps({"Fn::Sub": log_group}): {"logs:CreateLogStream", "logs:PutLogEvents"},
            # X-Ray knows no resource to name.
            '"*"': {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
        }
        assert allowed(production.statements(function)) == every_function | ALLOWED[function]

    def test_no_action_is_a_pattern(self, function: str, production: Template) -> None:
        for statement in production.statements(function):
            assert not [action for action in listed(statement["Action"]) if "*" in action]

    def test_only_lambda_takes_it_on(self, function: str, production: Template) -> None:
        role = production.named(production.functions[function]["Role"]["Fn::GetAtt"][0])
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": ["lambda.amazonaws.com"]}
        assert trust["Action"] == ["sts:AssumeRole"]

    def test_every_stage_allows_the_same(
        self, function: str, production: Template, development: Template
    ) -> None:
        assert named_alike(development, function) == named_alike(production, function)

    def test_only_the_local_stage_grants_an_action_that_aws_does_not_know(
        self, function: str, production: Template, local: Template
    ) -> None:
        """It is granted together with the action that AWS asks for in its place."""
        same = named_alike(local, function)
        for actions in same.values():
            if "sqs:SendMessage" in actions:
                actions.discard("sqs:SendMessageBatch")
        assert same == named_alike(production, function)


def named_alike(template: Template, function: str) -> dict[str, set[str]]:
    """What the function may do, with its log group named as if there were one stage."""
    name = template.functions[function]["FunctionName"]
    statements = template.statements(function)
    return {
        resource.replace(name, function): actions
        for resource, actions in allowed(statements).items()
    }


def test_there_is_no_role_of_the_union_of_all_permissions(production: Template) -> None:
    roles = production.properties("AWS::IAM::Role")
    assert "IamRoleLambdaExecution" not in roles
    assert len(roles) == len(production.functions)


def test_names_of_roles_fit_for_the_longest_name_of_a_stage(customized: Template) -> None:
    for role in customized.properties("AWS::IAM::Role").values():
        separator, parts = role["RoleName"]["Fn::Join"]
        # No region's name is longer.
        name = separator.join(
            "ap-southeast-1" if isinstance(part, dict) else part for part in parts
        )
        assert len(name) <= 64
