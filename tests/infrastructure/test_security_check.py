"""`make check-security` notices what it is there for."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from infrastructure.templates import ROOT
from prerequisites import missing

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = ROOT / ".local" / "lint" / "bin" / "python"
TABLE = {"Fn::GetAtt": ["OrdersTable", "Arn"]}
ON_THE_TABLE = {"ArnEquals": {"lambda:FunctionArn": TABLE}}
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"Action": "dynamodb:GetItems", "Resource": TABLE}, "UNKNOWN_ACTION"),
    ({"Action": "sqs:SendMessageBatch", "Resource": "*"}, "UNKNOWN_ACTION"),
    ({"Action": "sqs:SendMessage", "Resource": TABLE}, "RESOURCE_MISMATCH sqs:SendMessage"),
    ({"Action": "dynamo:GetItem", "Resource": TABLE}, "UNKNOWN_PREFIX"),
    ({"Action": "sns:Publish", "Resource": "*"}, "RESOURCE_STAR sns:Publish"),
    (
        {"Action": "dynamodb:PutItem", "Resource": TABLE, "Condition": ON_THE_TABLE},
        "UNKNOWN_CONDITION_FOR_ACTION",
    ),
]
UNNEEDED = "infra/accepted-findings.toml: CKV_AWS_117: nothing needs this any more"


def check(path: Path, resources: dict[str, Any]) -> str:
    """What the check says, which finds faults."""
    if not PYTHON.exists():
        missing("The checks of templates are not installed: make check installs them.")
    path.write_text(json.dumps({"Resources": resources}))
    result = subprocess.run(
        [str(PYTHON), str(ROOT / "scripts" / "check_security.py"), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Mend these, or argue them in infra/accepted-findings.toml." in result.stderr
    return result.stdout


def managed_policy(statement: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    faulty = {f"Policy{number}": managed_policy(one) for number, (one, _) in enumerate(FAULTS)}
    open_to_all = {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}}
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "t"}}
    path = tmp_path_factory.mktemp("faulty") / "template.json"
    return check(path, {"Bucket": open_to_all, "OrdersTable": table, **faulty})


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_faulty_policy_is_found(said: str, number: int) -> None:
    assert f"AWS::IAM::ManagedPolicy.Policy{number}: {FAULTS[number][1]}" in said


def test_an_unsafe_resource_is_found_and_an_argument_speaks_for_its_own_alone(said: str) -> None:
    assert "AWS::S3::Bucket.Bucket: CKV_AWS_20: " in said  # READ permissions for everyone
    assert "AWS::S3::Bucket.Bucket: CKV_AWS_18: " in said  # argued for the framework's bucket
    assert "CKV_AWS_119" not in said  # argued for the table


def test_an_argument_that_nothing_needs_is_found(said: str) -> None:
    assert UNNEEDED in said
