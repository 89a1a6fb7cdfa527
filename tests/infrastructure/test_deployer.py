"""What the role that deploys a stage may do: what CloudFormation needs for the stage, no more.

AWS's resource schemas name the permissions that CloudFormation asks the deploying role for. No
emulator asks for those; tests/system/test_deployer.py is about the others.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest

from infrastructure.arns import PSEUDO, Stack
from infrastructure.deployer import REPOSITORY, Deployer
from infrastructure.templates import ROOT, compiled, listed
from infrastructure.test_operators import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infrastructure.templates import Template

Json = dict[str, Any]

FACTS: Final[Json] = json.loads(
    (ROOT / "tests/infrastructure/permissions_by_type.json").read_text()
)
LARGEST_OF_A_ROLE: Final = 10_240
"""Characters of all inline policies of a role, white space left out."""

UNUSED: Final = {
    "a key of one's own in KMS": "kms:*",
    "a log group's own key": "logs:*sociateKmsKey",
    "a function in a VPC": "ec2:Describe*",
    "a function with EFS": "elasticfilesystem:*",
    "a function with S3 files": "s3files:*",
    "a function whose code is signed": "lambda:*CodeSigningConfig",
    "a function with layers": "lambda:GetLayerVersion",
    "a function with reserved concurrency": "lambda:*FunctionConcurrency",
    "a function on instances of one's own": "lambda:PassCapacityProvider",
    "a function that scales in its own way": "lambda:PutFunctionScalingConfig",
    "a function that may call itself": "lambda:PutFunctionRecursionConfig",
    "a function whose runtime is pinned": "lambda:PutRuntimeManagementConfig",
    "a function with versions": "lambda:PublishVersion",
    "code from a bucket with versions": "s3:GetObjectVersion",
    "a table with replicas (reading and writing of items)": "dynamodb:*Item",
    "a table with replicas (reading of all items)": "dynamodb:Query",
    "a table with replicas (reading of all items, too)": "dynamodb:Scan",
    "a table with replicas": "dynamodb:*TableReplica",
    "a table that is filled from S3": "dynamodb:*Import*",
    "the log of a table that is filled from S3": "logs:DescribeLogStreams",
    "the objects that a table is filled from": "s3:GetObjectMetadata",
    "a table whose changes go to Kinesis": "dynamodb:*KinesisStreamingDestination",
    "Kinesis itself": "kinesis:*",
    "a table with a policy of its own": "dynamodb:*ResourcePolicy",
    "a table with Contributor Insights": "dynamodb:UpdateContributorInsights",
    "managed policies that a deployment attaches": "iam:Attach*Policy",
    "managed policies that a deployment detaches": "iam:Detach*Policy",
    "a role that loses its boundary": "iam:DeleteRolePermissionsBoundary",
    "a log group whose data is masked": "logs:PutDataProtectionPolicy",
    "a log group with an index": "logs:*IndexPolicy",
    "a log group with a policy of its own": "logs:DeleteResourcePolicy",
    "a log group that can't be deleted": "logs:PutLogGroupDeletionProtection",
    "a log group written to with a bearer token": "logs:PutBearerTokenAuthentication",
    "a log group that is delivered to Firehose": "firehose:*",
    "a log group that is delivered to S3": "s3:REST.PUT.OBJECT",
    "a topic whose data is masked": "sns:PutDataProtectionPolicy",
    "subscriptions": "sns:*ubscribe",
    "a bucket with acceleration or analytics": "s3:PutA*Configuration",
    "a bucket with inventories or tiers": "s3:PutI*Configuration",
    "a bucket whose objects expire": "s3:PutLifecycleConfiguration",
    "a bucket whose requests are counted": "s3:PutMetricsConfiguration",
    "a bucket whose objects are locked": "s3:Put*ObjectLockConfiguration",
    "a bucket that loses what it doesn't have": "s3:DeleteBucket[!P]*",
    "a bucket with metadata tables": "s3:*MetadataTableConfiguration",
    "a bucket with metadata tables, of each kind": "s3:UpdateBucketMetadata*",
    "metadata tables themselves": "s3tables:*",
    "a bucket with access by tags": "s3:PutBucketAbac",
    "a bucket with access lists": "s3:Put*Acl",
    "a bucket for a website's scripts": "s3:PutBucketCORS",
    "a bucket for a website": "s3:PutBucketWebsite",
    "a bucket whose requests are logged": "s3:PutBucketLogging",
    "a bucket that notifies": "s3:PutBucketNotification",
    "a bucket with owners": "s3:PutBucketOwnershipControls",
    "a bucket that is copied": "s3:Put*Replication*",
    "a bucket with versions": "s3:PutBucketVersioning",
    "tags of an API, which IAM knows as POST and DELETE on /tags": "apigateway:*agResource",
}
"""Features that no resource uses, and the permissions of AWS's schemas that are for them."""

OF_DEPLOYMENTS: Final = {
    # What make deploy calls: see the table that tests/system/test_deployer.py prints.
    **dict.fromkeys(
        (
            *("cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"),
            *("cloudformation:DescribeChangeSet", "cloudformation:DescribeStackEvents"),
            *("cloudformation:DescribeStackResource", "cloudformation:DescribeStacks"),
            *("cloudformation:ExecuteChangeSet", "cloudformation:GetTemplate", "s3:PutObject"),
        ),
        "a deployment",
    ),
    "cloudformation:DescribeEvents": "why CloudFormation refuses a template",
    "cloudformation:ContinueUpdateRollback": "the way out of a failed rollback",
    "cloudformation:DeleteStack": "another try after a first deployment that failed",
    "cloudformation:TagResource": "the version, as the stack's tag",
    "cloudformation:UntagResource": "the same",
    "logs:CreateLogStream": "who deployed which version",
    "logs:PutLogEvents": "the same",
    # docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
    "logs:DeleteLogDelivery": "API Gateway, for the access logs of an HTTP API",
    "logs:GetLogDelivery": "the same",
    "logs:ListLogDeliveries": "the same",
    "logs:UpdateLogDelivery": "the same",
}
"""Rights that are not for a resource of the template, and what for."""

DATA: Final = (
    *("dynamodb:*Item", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQL*"),
    *("dynamodb:GetRecords", "dynamodb:Export*", "dynamodb:Restore*", "dynamodb:*Backup"),
    *("dynamodb:*Replica", "dynamodb:PutResourcePolicy", "dynamodb:Enable*"),
    *("sqs:*Message", "sqs:PurgeQueue", "sqs:AddPermission", "sns:Publish", "sns:Subscribe"),
    *("lambda:Invoke*", "lambda:CreateFunctionUrlConfig", "s3:PutBucketAcl"),
    *("logs:Filter*", "logs:Get*Events", "logs:StartQuery", "logs:PutSubscriptionFilter"),
    *("kms:*", "secretsmanager:*", "sts:*"),
)
"""What would read or write orders, events, or what a log says of them."""

BOUNDARIES: Final = ("FunctionsBoundary", "OperatorsBoundary")


@pytest.fixture(scope="module")
def templates(production: Template, development: Template, with_topic: Template) -> list[Template]:
    return [production, development, with_topic]


def deployer_of(template: Template) -> Deployer:
    return Deployer(template.stage, production=template.stage == "prod")


def types_of(templates: list[Template]) -> set[str]:
    return {one["Type"] for template in templates for one in template.resources.values()}


def known_by(patterns: Mapping[str, str], permission: str) -> set[str]:
    """The patterns that it fits. IAM ignores case in actions."""
    return {
        pattern for pattern in patterns.values() if fnmatchcase(permission.lower(), pattern.lower())
    }


def covers(statement: Json, action: str, arn: str) -> bool:
    """Whether it allows the action on all that the ARN, or the pattern of one, stands for."""
    actions, resources = listed(statement["Action"]), listed(statement["Resource"])
    return action in actions and any(fnmatchcase(arn, pattern) for pattern in resources)


def asked_for(templates: list[Template]) -> set[str]:
    """What CloudFormation asks for to create, read, update and delete what the templates have."""
    unknown = types_of(templates) - set(FACTS["permissions"])
    assert not unknown, (
        f"add to tests/infrastructure/permissions_by_type.json what {sorted(unknown)} need, from "
        f"{FACTS['source']}, or from the schema that `aws cloudformation describe-type "
        "--type RESOURCE --type-name TYPE` shows"
    )
    return {one for type_ in types_of(templates) for one in FACTS["permissions"][type_]}


def test_it_may_do_all_that_resources_need_but_what_is_for_features_without_use(
    templates: list[Template],
) -> None:
    rights = {right.action.lower() for right in Deployer("dev").rights}
    missing = {one for one in asked_for(templates) if one.lower() not in rights}
    for_features = {one for one in missing if known_by(UNUSED, one)}
    print(
        f"\nAWS's schemas of {len(types_of(templates))} types ({FACTS['date']}): "
        f"{len(asked_for(templates))} permissions, {len(for_features)} of features without use"
    )
    assert sorted(missing - for_features) == []
    without_effect = set(UNUSED.values()) - {
        pattern for one in missing for pattern in known_by(UNUSED, one)
    }
    assert sorted(without_effect) == []


def test_the_facts_name_no_type_that_no_template_has(templates: list[Template]) -> None:
    assert set(FACTS["permissions"]) == types_of(templates)


def test_it_may_do_nothing_that_neither_a_resource_nor_a_deployment_needs(
    templates: list[Template],
) -> None:
    asked = {one.lower() for one in asked_for(templates)}
    actions = {one.action for one in Deployer("dev").rights}
    others = {one for one in actions if one.lower() not in asked}
    assert sorted(others - set(OF_DEPLOYMENTS)) == []
    assert sorted(set(OF_DEPLOYMENTS) - actions) == []
    changing = {one for one in actions if not re.match(r"\w+:(Describe|Get|List)", one)}
    assert [one for one in sorted(changing) if known_by(UNUSED, one)] == []


def test_production_keeps_its_table_and_that_is_all_that_it_may_do_less() -> None:
    production, other = Deployer("prod", production=True).rights, Deployer("dev").rights
    assert [str(one) for one in set(other) - set(production)] == ["dynamodb:DeleteTable (Table)"]
    assert set(production) <= set(other)


def test_it_reads_and_writes_no_data() -> None:
    for right, pattern in product(Deployer("dev").rights, DATA):
        if right == ("Record", "logs:PutLogEvents"):
            continue
        assert not fnmatchcase(right.action, pattern), right


def reached(statements: list[Json], arn: str) -> bool:
    """Whether any statement on named resources is about this one."""
    return any(
        fnmatchcase(arn, pattern)
        for statement in statements
        for pattern in listed(statement["Resource"])
        if pattern != "*" and not by_id(pattern)
    )


def by_id(pattern: str) -> bool:
    """AWS makes the ids of APIs and triggers: they are all alike."""
    return ":apigateway:" in pattern or ":event-source-mapping:" in pattern


def arns_of(template: Template) -> set[str]:
    stack = f"arn:aws:cloudformation:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:stack"
    bucket = f"arn:aws:s3:::orders-{template.stage}-serverlessdeploymentbuck-1abc2def3ghi"
    made = {one for one in Stack(template).arns() if not by_id(one)}
    return made | {f"{stack}/orders-{template.stage}/0000", bucket, f"{bucket}/serverless/a.zip"}


def test_it_reaches_all_that_its_stage_has_and_nothing_of_another(
    templates: list[Template],
) -> None:
    # The longer a stage's name, the more roles have names that the framework shortens.
    longer = [compiled("production"), compiled("sixteen0letters0")]
    others = [*templates, compiled("dev2"), *longer]
    for template in [*templates, *longer]:
        statements = deployer_of(template).statements
        for other in others:
            for arn in arns_of(other):
                assert reached(statements, arn) == (template.stage == other.stage), arn


@pytest.mark.parametrize("stage", ["dev-2", "-", "Dev", "2dev", "a" * 17, "dev*", ""])
def test_a_stage_whose_names_could_begin_with_another_s_gets_no_role(stage: str) -> None:
    assert not re.fullmatch(Deployer("dev").pattern("Stage"), stage)


def test_only_jobs_of_the_stage_s_environment_in_the_repository_get_the_role() -> None:
    role = Deployer("staging").properties("Deployer")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": f"repo:{REPOSITORY}:environment:staging",
        }
    }
    assert role["MaxSessionDuration"] == 3600
    allowed = Deployer("dev").pattern("Repository")
    for repository in ("*/orders", "shop/*", "shop", "shop/orders:ref", "shop/a/b", ""):
        assert not re.fullmatch(allowed, repository)
    for repository in ("shop@*/orders@*", "shop@1/orders", "shop/orders@2", "shop@1/orders@2:ref"):
        assert not re.fullmatch(allowed, repository)
    for repository in ("shop/orders", "shop@1/orders@2"):
        assert re.fullmatch(allowed, repository)


def test_it_makes_nobody_administrator() -> None:
    deployer = Deployer("dev")
    protected = [
        f"arn:aws:iam::{PSEUDO['AWS::AccountId']}:{kind}/{deployer.properties(one)[name]}"
        for one, kind, name in (
            ("Deployer", "role", "RoleName"),
            ("FunctionsBoundary", "policy", "ManagedPolicyName"),
            ("OperatorsBoundary", "policy", "ManagedPolicyName"),
        )
    ]
    identity = [one for one in deployer.statements if "iam:" in str(one["Action"])]
    for statement in identity:
        assert statement["Effect"] == "Allow"
        assert "NotResource" not in statement
        for resource in listed(statement["Resource"]):
            assert not any(fnmatchcase(arn, resource) for arn in protected), resource
            kind, _, name = resource.split(":")[5].partition("/")
            assert kind in {"role", "policy"}
            assert name.startswith(("orders-dev-", "aws-service-role/ops.apigateway."))
    bounded = {"iam:PermissionsBoundary": "the ARN of FunctionsBoundary"}
    conditions = {
        action: one.get("Condition", {}).get("StringEquals")
        for one in identity
        for action in listed(one["Action"])
    }
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert conditions[action] == bounded
    assert conditions["iam:PassRole"] == {"iam:PassedToService": "lambda.amazonaws.com"}
    assert conditions["iam:CreateServiceLinkedRole"]


def test_policies_are_as_large_as_may_be_at_the_longest_name_of_a_stage() -> None:
    # No partition's name is longer.
    deployer = Deployer("a" * 16, partition="aws-us-gov")
    sizes = {name: size(document) for name, document in deployer.documents.items()}
    assert sum(sizes.values()) <= LARGEST_OF_A_ROLE, sizes
    for boundary in BOUNDARIES:
        assert size(deployer.properties(boundary)["PolicyDocument"]) <= LARGEST, boundary


def size(document: Json) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_functions_are_bounded_by_what_they_do(templates: list[Template]) -> None:
    for template in templates:
        boundary = deployer_of(template).boundary("FunctionsBoundary")
        stack = Stack(template)
        for function in template.functions:
            for statement in stack.resolved(template.statements(function)):
                assert_within(boundary, statement, f"{function} of {template.stage}")
    needed = {
        action
        for template in templates
        for function in template.functions
        for statement in template.statements(function)
        for action in listed(statement["Action"])
    }
    allowed = {action for one in boundary for action in listed(one["Action"])}
    assert allowed - needed == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_operators_are_bounded_by_what_their_policies_allow(templates: list[Template]) -> None:
    for template in templates:
        boundary = deployer_of(template).boundary("OperatorsBoundary")
        policies = Stack(template).policies()
        for role, document in policies.items():
            for statement in document["Statement"]:
                assert_within(boundary, statement, role)
    needed = {
        action
        for document in policies.values()
        for statement in document["Statement"]
        for action in listed(statement["Action"])
    }
    assert {action for one in boundary for action in listed(one["Action"])} == needed


def assert_within(boundary: list[Json], statement: Json, whose: str) -> None:
    for action, resource in product(listed(statement["Action"]), listed(statement["Resource"])):
        assert any(covers(one, action, resource) for one in boundary), (
            f"infra/deployer.yml: a boundary has to allow {action} on {resource}, for {whose}"
        )


def test_a_deployment_may_change_the_policies_of_operators_and_no_others(
    templates: list[Template],
) -> None:
    for template in templates:
        statements = deployer_of(template).statements
        (policies,) = (one for one in statements if "iam:CreatePolicy" in one["Action"])
        named = [arn for arn in Stack(template).arns() if ":policy/" in arn]
        assert sorted(policies["Resource"]) == sorted(named)


@pytest.mark.parametrize(
    ("given", "boundary"),
    [
        (
            "orders-dev-functions-boundary-ap-southeast-1",
            {
                "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/"
                "orders-dev-functions-boundary-ap-southeast-1"
            },
        ),
        ("arn:aws:iam::123456789012:policy/a", "arn:aws:iam::123456789012:policy/a"),
    ],
)
def test_every_role_of_the_template_has_the_boundary_that_is_given(
    given: str, boundary: Json | str
) -> None:
    roles = compiled("dev", f"--param=permissionsBoundary={given}").properties("AWS::IAM::Role")
    assert len(roles) > 10
    assert [one["PermissionsBoundary"] for one in roles.values()] == [boundary] * len(roles)


def test_no_role_has_a_boundary_without_one(development: Template) -> None:
    assert "PermissionsBoundary" not in json.dumps(development.properties("AWS::IAM::Role"))
