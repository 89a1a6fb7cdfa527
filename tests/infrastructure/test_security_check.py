"""`make check-infrastructure` and `make check-security` notice what they are there for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infrastructure.templates import ROOT
from prerequisites import missing

PYTHON = ROOT / ".local" / "lint" / "bin" / "python"
TABLE = {"Fn::GetAtt": ["OrdersTable", "Arn"]}
ON_THE_TABLE = {"ArnEquals": {"lambda:FunctionArn": TABLE}}
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"Action": "sqs:SendMessage", "Resource": TABLE}, "RESOURCE_MISMATCH sqs:SendMessage"),
    ({"Action": ["s3:NoAction", "sns:Publish"], "Resource": "*"}, "RESOURCE_STAR sns:Publish"),
    (
        {"Action": "dynamodb:PutItem", "Resource": TABLE, "Condition": ON_THE_TABLE},
        "UNKNOWN_CONDITION_FOR_ACTION dynamodb:PutItem",
    ),
]
NO_ACTIONS = ["dynamodb:GetItems", "sqs:SendMessageBatch", "dynamo:GetItem"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its faults are in policies with a number, and in a bucket that all may read."""
    statements = [statement for statement, _ in FAULTS]
    statements += [{"Action": action, "Resource": "*"} for action in NO_ACTIONS]
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}},
        "OrdersTable": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "t"}},
        **{f"Policy{number}": managed_policy(one) for number, one in enumerate(statements)},
    }
    path = tmp_path_factory.mktemp("faulty") / "template.json"
    path.write_text(json.dumps({"Resources": resources}))
    return path


def managed_policy(statement: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


@pytest.fixture(scope="module")
def said(template: Path) -> str:
    """What the check says."""
    if not PYTHON.exists():
        missing("The checks of templates are not installed: make check installs them.")
    result = run(str(PYTHON), str(ROOT / "scripts" / "check_security.py"), str(template))
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Mend these, or argue them in infra/accepted-findings.toml." in result.stderr
    return result.stdout


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_faulty_policy_is_found(said: str) -> None:
    for number, (_, finding) in enumerate(FAULTS):
        assert f"AWS::IAM::ManagedPolicy.Policy{number}: {finding}: " in said


def test_an_unsafe_resource_is_found_and_an_argument_speaks_for_its_own_alone(said: str) -> None:
    assert "AWS::S3::Bucket.Bucket: CKV_AWS_20: " in said  # READ permissions for everyone
    assert "AWS::S3::Bucket.Bucket: CKV_AWS_18: " in said  # argued for the framework's bucket
    assert "AWS::DynamoDB::Table.OrdersTable: CKV_AWS_119" not in said  # argued for the table


def test_an_argument_that_nothing_needs_is_found(said: str) -> None:
    unneeded = "CKV_AWS_117 on AWS::Lambda::Function.*: nothing needs this any more"
    assert f"accepted-findings.toml: {unneeded}" in said


def test_an_action_that_aws_does_not_have_is_found(template: Path) -> None:
    linted = run(
        str(Path(sys.executable).with_name("cfn-lint")),
        "--format",
        "parseable",
        "--",
        str(template),
    )
    for action in NO_ACTIONS:
        service, name = action.lower().split(":")
        wanted = name if service != "dynamo" else service
        assert f"W3037:'{wanted}' is not one of" in linted.stdout
