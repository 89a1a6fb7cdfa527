"""What roles may allow. docs/permissions.md lists what each does allow, and its diff is reviewed.

That a function uses all of it and nothing else is tested on the deployed stack.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infrastructure.lambda_rights import LOG, READ_QUEUE, READ_STREAM, TRACES
from infrastructure.templates import listed

if TYPE_CHECKING:
    from infrastructure.templates import Template


def allowed(template: Template, function: str) -> dict[str, set[str]]:
    """The actions on each resource; the resource is JSON text, as CloudFormation refers to it."""
    found: dict[str, set[str]] = {}
    for statement in template.statements(function):
        assert statement.keys() == {"Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        for resource in listed(statement["Resource"]):
            found.setdefault(json.dumps(resource), set()).update(listed(statement["Action"]))
    return found


def log_group(template: Template, function: str) -> str:
    name = template.functions[function]["FunctionName"]
    return json.dumps(
        {
            "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
            f"/aws/lambda/{name}:*:*"
        }
    )


def test_a_function_may_write_its_own_log_and_its_traces(watched: Template) -> None:
    for function in watched.functions:
        rights = allowed(watched, function)
        assert rights[log_group(watched, function)] == LOG, function
        assert rights['"*"'] == TRACES, function  # X-Ray has no resource to name


def test_all_else_is_allowed_by_name_on_a_resource_of_the_template(watched: Template) -> None:
    for function in watched.functions:
        rights = allowed(watched, function)
        own = rights.keys() - {log_group(watched, function), '"*"'}
        assert not [action for one in own for action in rights[one] if "*" in action], function
        assert all("Fn::" in one or "Ref" in one for one in own), function
        assert not [one for one in own if '"*' in one or ":*" in one], function


def test_lambda_may_read_for_a_function_what_triggers_it_and_set_aside_what_failed(
    watched: Template,
) -> None:
    """The framework leaves out the right to send to a stream's dead-letter queue."""
    for function, mapping in watched.triggers.items():
        rights = allowed(watched, function)
        source = mapping["EventSourceArn"]
        reads = READ_STREAM if source["Fn::GetAtt"][1] == "StreamArn" else READ_QUEUE
        assert rights.get(json.dumps(source), set()) >= reads, function
        if failures := mapping.get("DestinationConfig"):
            destination = json.dumps(failures["OnFailure"]["Destination"])
            assert "sqs:SendMessage" in rights.get(destination, ()), function


def test_only_lambda_assumes_a_role(watched: Template) -> None:
    for role in watched.properties("AWS::IAM::Role").values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": ["lambda.amazonaws.com"]}
        assert trust["Action"] == ["sts:AssumeRole"]


def test_each_function_has_a_role_of_its_own_and_there_is_no_other(watched: Template) -> None:
    roles = [one["Role"]["Fn::GetAtt"][0] for one in watched.functions.values()]
    assert sorted(roles) == sorted(watched.properties("AWS::IAM::Role"))


def test_every_stage_allows_the_same(production: Template, development: Template) -> None:
    assert named_alike(development) == named_alike(production)


def test_only_the_local_stage_grants_an_action_that_aws_does_not_know(
    production: Template, local: Template
) -> None:
    """It is granted together with the action that AWS asks for in its place."""
    rights = named_alike(local)
    for actions in rights.values():
        if "sqs:SendMessage" in actions:
            actions.discard("sqs:SendMessageBatch")
    assert rights == named_alike(production)


def named_alike(template: Template) -> dict[tuple[str, str], set[str]]:
    """What each function may do, with log groups named as if there were one stage."""
    return {
        (
            function,
            resource.replace(template.functions[function]["FunctionName"], function),
        ): actions
        for function in template.functions
        for resource, actions in allowed(template, function).items()
    }


def test_names_of_roles_fit_for_the_longest_name_of_a_stage(customized: Template) -> None:
    for role in customized.properties("AWS::IAM::Role").values():
        separator, parts = role["RoleName"]["Fn::Join"]
        # No region's name is longer.
        name = separator.join(
            "ap-southeast-1" if isinstance(part, dict) else part for part in parts
        )
        assert len(name) <= 64, f"{name}: give the function a shorter name"
