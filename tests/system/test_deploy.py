"""`make deploy` and `make rollback`, on an emulated AWS on which nothing is deployed yet."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from emulator import CREDENTIALS, REGION, ROOT, own_environment
from local_stack import OSLS, STACK, LocalStack
from offline import CREATE_TABLE, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

UPDATE = "cloudformation-template-update-stack.json"
SCRIPT = str(ROOT / "scripts" / "deploy.py")
CREATE = "cloudformation-template-create-stack.json"
FAILS = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Metrics": [{"Id": "e1", "Expression": "1"}],
        "Threshold": 1,
    },
}
"""The emulator refuses alarms on metric math, only when it makes them."""


UNREACHABLE_AT_THE_END = """
import sys
from botocore.exceptions import WaiterError
import deploy

wait = deploy.Stack._wait

def wait_in_vain(self, until):
    wait(self, until)
    raise WaiterError(until, "An error occurred (Throttling): Rate exceeded", {})

deploy.Stack._wait = wait_in_vain
sys.exit(deploy.main(deploy.app))
"""


class Account:
    """An AWS account, and the checkout from which somebody deploys to it."""

    def __init__(self, directory: Path) -> None:
        self.stack = LocalStack(directory / "aws", free_port())
        self.package = directory / "package"
        self.artifact = directory / "orders.zip"
        self.variables = own_environment() | CREDENTIALS
        self.variables |= {
            "AWS_ENDPOINT_URL": self.stack.endpoint,
            "AWS_REGION": REGION,
            "LOCAL_PORT": str(self.stack.port),
            "ORDERS_ARTIFACT": str(self.artifact),
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'scripts'}",
        }
        self.cloudformation = self.stack.client("cloudformation")

    def run(
        self, *command: object, answer: str = "", program: tuple[str, ...] = (SCRIPT,)
    ) -> tuple[int, str]:
        """The exit code, and all that is printed."""
        result = subprocess.run(
            [sys.executable, *program, *map(str, command)],
            env=self.variables,
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(f"$ deploy.py {' '.join(map(str, command))}\n{result.stdout}")
        assert "Traceback" not in result.stdout
        return result.returncode, result.stdout

    def release(self, version: str, change: Callable[[Any], object] = lambda _: None) -> None:
        """Package a version whose resources differ so."""
        subprocess.run(
            [OSLS, "package", "--stage", "local", "--package", self.package],
            cwd=ROOT,
            env=self.variables | {"VERSION": version},
            check=True,
            capture_output=True,
        )
        template = json.loads((self.package / UPDATE).read_text())
        change(template["Resources"])
        (self.package / UPDATE).write_text(json.dumps(template))

    def deploy(self, *options: str, **more: Any) -> tuple[int, str]:  # noqa: ANN401 - arguments of run
        return self.run("deploy", "local", "--package", self.package, *options, **more)

    @property
    def version(self) -> str | None:
        stacks = self.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs", ())}
        return outputs.get("Version")

    @property
    def bucket(self) -> str:
        found: str = self.cloudformation.describe_stack_resource(
            StackName=STACK, LogicalResourceId="ServerlessDeploymentBucket"
        )["StackResourceDetail"]["PhysicalResourceId"]
        return found

    @property
    def listed(self) -> list[list[str]]:
        """What `make rollback` lists, without the times."""
        code, said = self.run("rollback", "local")
        assert code == 0
        return [line.split()[1:] for line in said.splitlines()]

    @property
    def records(self) -> list[Any]:
        """What the operations' log group says of deployments that ended."""
        logs = self.stack.client("logs")
        events = logs.filter_log_events(logGroupName="orders-local-operations")["events"]
        entries = [json.loads(one["message"]) for one in events]
        return [one for one in entries if one["state"] != "began"]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    account = Account(tmp_path)
    account.stack.start()
    script = ROOT / "scripts" / "build_artifact.py"
    subprocess.run(
        [sys.executable, script, "--code-only", "--output", account.artifact],
        check=True,
        capture_output=True,
    )
    yield account
    account.stack.stop()


def test_what_one_sees_is_what_is_deployed_and_gone_back_to(account: Account) -> None:
    account.release("v1")
    code, said = account.deploy()
    assert code == 0
    assert "orders-local in ap-southeast-1: nothing -> v1" in said
    assert "1 DynamoDB::Table: OrdersTable" in said
    assert account.version == "v1"

    code, said = account.deploy()
    assert (code, "Nothing changes." in said) == (0, True)

    def edit(resources: Any) -> None:  # noqa: ANN401 - JSON
        resources["PageTopic"]["Properties"]["DisplayName"] = "Orders"
        # It refers to functions, which every version changes.
        statement = resources["ReaderPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
        statement["Action"] = "*"

    account.release("v2", edit)
    code, said = account.deploy()
    assert code == 0
    assert ": v1 -> v2" in said
    changes = said.split("\n\n")[1]
    functions = r"16 Lambda::Function \(Code, Environment\): (\w+, ){4}\w+ and 11 more"
    policy = r"1 IAM::ManagedPolicy \(PolicyDocument\): ReaderPolicy"
    topic = r"1 SNS::Topic \(DisplayName\): PageTopic"
    counted = r"Only refer to what changes: \d+\nOnly tagged: \d+"
    assert re.fullmatch(rf"Changed: 18\n +{policy}\n +{functions}\n +{topic}\n{counted}", changes)

    def renamed(resources: Any) -> None:  # noqa: ANN401 - JSON
        resources["OrdersTable"]["Properties"]["TableName"] = "orders"

    for change, refusal in (
        (renamed, "OrdersTable would be replaced, and the orders in it lost"),
        (
            lambda of: of.pop("OrderStreamDeadLetterQueue"),
            "OrderStreamDeadLetterQueue would be removed, and the events in it lost",
        ),
    ):
        account.release("v3", change)
        code, said = account.deploy("--yes")
        assert (code, refusal in said) == (1, True), said
        assert account.version == "v2"
        sets = account.cloudformation.list_change_sets(StackName=STACK)["Summaries"]
        assert not [one for one in sets if one["ExecutionStatus"] == "AVAILABLE"]

    assert account.listed == [["v2", "<-", "deployed"], ["v1"]]
    code, said = account.run("rollback", "local", "v3")
    assert (code, "v2, v1. Check it out" in said) == (1, True)
    code, said = account.run("rollback", "local", "v1")
    assert (code, account.version) == (0, "v1")

    done = [(one["operation"], one["version"], one["previous"]) for one in account.records]
    assert done == [("deploy", "v1", None), ("deploy", "v2", "v1"), ("rollback", "v1", "v2")]
    assert {one["operator"] for one in account.records} == {"arn:aws:iam::000000000000:root"}


def test_a_first_deployment_that_fails_does_not_block_the_next(account: Account) -> None:
    code, said = account.run("rollback", "local")
    assert (code, "Nothing to go back to" in said) == (1, True)
    # Killed between making a change set and executing it.
    account.release("v1")
    template = (account.package / CREATE).read_text()
    account.cloudformation.create_change_set(
        StackName=STACK, ChangeSetName="killed", ChangeSetType="CREATE", TemplateBody=template
    )
    account.release("v1", lambda of: of.update(Broken=FAILS))
    code, said = account.deploy()
    assert (code, "Broken" in said.splitlines()[-1]) == (1, True)
    # The stack is there, and what failed is not among what can be gone back to.
    assert account.listed == []
    # No artefact to upload.
    account.artifact.rename(account.artifact.with_suffix(".gone"))
    code, said = account.deploy()
    assert (code, str(account.artifact) in said) == (1, True)
    account.artifact.with_suffix(".gone").rename(account.artifact)
    account.release("v1")
    assert account.deploy()[0] == 0
    assert account.version == "v1"


def test_a_stack_whose_creation_failed_is_made_anew(account: Account) -> None:
    account.cloudformation.create_stack(
        StackName=STACK, TemplateBody=json.dumps({"Resources": {"Broken": FAILS}})
    )
    account.release("v1")
    code, said = account.deploy()
    assert (code, "deleting it, to begin anew" in said) == (0, True)
    assert account.version == "v1"


def test_production_asks_and_takes_back_the_table_that_was_left(account: Account) -> None:
    def retain(resources: Any) -> None:  # noqa: ANN401 - JSON
        resources["OrdersTable"]["DeletionPolicy"] = "Retain"

    account.release("v1-dirty", retain)
    code, said = account.deploy()
    assert (code, "commit what you deploy to production" in said) == (1, True)

    account.release("v1", retain)
    table = json.loads((account.package / UPDATE).read_text())["Resources"]["OrdersTable"]
    dynamodb = account.stack.client("dynamodb")
    stream = table["Properties"]["StreamSpecification"] | {"StreamEnabled": True}
    made = {name: table["Properties"][name] for name in CREATE_TABLE}
    dynamodb.create_table(**made, StreamSpecification=stream)
    dynamodb.put_item(TableName="orders_app", Item={"pk": {"S": "ORDER#1"}, "sk": {"S": "DETAIL"}})

    code, said = account.deploy(answer="no\n")
    assert (code, account.version) == (3, None)
    code, said = account.deploy(answer="yes\n")
    assert code == 0
    assert "Taken back: 1\n    1 DynamoDB::Table: OrdersTable" in said
    assert account.version == "v1"
    assert dynamodb.scan(TableName="orders_app")["Count"] == 1


def test_a_change_set_is_not_executed_by_another_who_deploys(account: Account) -> None:
    account.release("v1")
    assert account.deploy()[0] == 0

    def retain(resources: Any) -> None:  # noqa: ANN401 - JSON
        resources["OrdersTable"]["DeletionPolicy"] = "Retain"

    both = []
    for version in ("v2", "v3"):
        account.release(version, retain)
        asking = subprocess.Popen(
            [sys.executable, SCRIPT, "deploy", "local", "--package", str(account.package)],
            env=account.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        both.append(asking)
        assert asking.stderr
        assert asking.stderr.read(len("Change local")) == "Change local"
    both[1].communicate("no\n")
    both[0].communicate("yes\n")
    assert [one.returncode for one in both] == [0, 3]
    assert account.version == "v2"


def test_what_another_region_is_packaged_for_is_not_deployed(account: Account) -> None:
    account.release("v1")
    account.variables |= {"AWS_REGION": "eu-central-1"}
    code, said = account.deploy()
    assert (code, f"set AWS_REGION={REGION}" in said) == (1, True)


def test_only_what_was_deployed_with_success_is_listed(account: Account) -> None:
    account.release("v1")
    assert account.deploy()[0] == 0
    s3 = account.stack.client("s3")

    def put(directory: str, *, is_marked: bool, **outputs: object) -> None:
        where = f"serverless/orders/local/{directory}-1970-01-01T00:00:00.001Z"
        template = json.dumps({"Resources": {}, "Outputs": outputs}).encode()
        key = f"{where}/compiled-cloudformation-template.json"
        s3.put_object(Bucket=account.bucket, Key=key, Body=template)
        if is_marked:
            s3.put_object(Bucket=account.bucket, Key=f"{where}/deployed", Body=b"")

    put("1", is_marked=True)  # of a release that had no version
    put("0", is_marked=False, Version={"Value": "killed"})
    assert account.listed == [["v1", "<-", "deployed"]]

    # A deployment that ended when nobody looked.
    (mark,) = [
        one["Key"]
        for one in s3.list_objects_v2(Bucket=account.bucket)["Contents"]
        if one["Key"].endswith("Z/deployed") and "1970" not in one["Key"]
    ]
    s3.delete_object(Bucket=account.bucket, Key=mark)
    assert account.listed == [["v1", "<-", "deployed"]]
    account.release("v2")
    code, _ = account.deploy(program=("-c", UNREACHABLE_AT_THE_END))
    assert (code, account.version, account.records[-1]["state"]) == (0, "v2", "done")
    assert account.listed == [["v2", "<-", "deployed"], ["v1"]]
    left = {one["Key"] for one in s3.list_objects_v2(Bucket=account.bucket)["Contents"]}
    assert not [key for key in left if "/0-1970" in key]


def test_stages_of_this_machine_never_go_to_aws(account: Account) -> None:
    account.release("v1")
    account.variables |= {"AWS_ENDPOINT_URL": "https://aws.example.com"}
    code, said = account.deploy()
    assert (code, "stand-in issuer" in said) == (1, True)
