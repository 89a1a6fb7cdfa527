"""Compiles stages to CloudFormation as `osls package` does, and reads what came out.

Each compilation runs in a copy of the files that the framework reads, so that it leaves nothing
in the checkout, and in an environment without AWS credentials.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from prerequisites import missing

ROOT = Path(__file__).resolve().parent.parent.parent
ISSUER = {"JWT_ISSUER": "https://issuer.example.com/", "JWT_AUDIENCE": "orders"}
NO_CODE = "no-code.zip"
Value = Any
"""What CloudFormation's JSON may hold in some place."""
_OURS = (
    "AWS_",
    "CONFIG_VALIDATION_",
    "JWT_",
    "LOCAL_",
    "OFFLINE_",
    "ORDERS_",
    "SLS_",
    "VERSION",
)


class Template:
    """A compiled template: its resources by logical id, and its functions by name."""

    def __init__(self, stage: str, document: dict[str, Any]) -> None:
        self.stage = stage
        self.document = document
        self.resources: dict[str, dict[str, Any]] = document["Resources"]
        self.functions: dict[str, dict[str, Any]] = {
            function["FunctionName"].removeprefix(f"orders-{stage}-"): function
            for function in self.properties("AWS::Lambda::Function").values()
        }

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a CloudFormation type, by logical id."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def named(self, logical_id: str) -> dict[str, Any]:
        """The properties of one resource."""
        properties: dict[str, Any] = self.resources[logical_id]["Properties"]
        return properties

    def target(self, reference: dict[str, Any]) -> str:
        """The name of the function whose ARN or name a resource refers to."""
        logical_id = reference["Ref"] if "Ref" in reference else reference["Fn::GetAtt"][0]
        name = self.named(logical_id)["FunctionName"]
        return next(
            short for short, function in self.functions.items() if function["FunctionName"] == name
        )

    def variables(self, function: str) -> dict[str, Any]:
        """The environment of a function."""
        variables: dict[str, Any] = self.functions[function]["Environment"]["Variables"]
        return variables

    def everywhere(self, variable: str) -> set[Value]:
        """The values that the functions are given for a variable."""
        environments = [self.variables(function) for function in self.functions]
        return {variables[variable] for variables in environments if variable in variables}

    @property
    def triggers(self) -> dict[str, dict[str, Any]]:
        """The queue or stream that each function reads, and how."""
        mappings = self.properties("AWS::Lambda::EventSourceMapping").values()
        found = {self.target(mapping["FunctionName"]): mapping for mapping in mappings}
        assert len(found) == len(mappings)
        return found

    @property
    def dead_letter_queues(self) -> set[str]:
        """The logical ids of the queues that take what another queue or a trigger gave up."""
        redrives = [
            queue["RedrivePolicy"]["deadLetterTargetArn"]
            for queue in self.properties("AWS::SQS::Queue").values()
            if "RedrivePolicy" in queue
        ]
        failures = [
            mapping["DestinationConfig"]["OnFailure"]["Destination"]
            for mapping in self.triggers.values()
            if "DestinationConfig" in mapping
        ]
        return {target["Fn::GetAtt"][0] for target in redrives + failures}

    def statements(self, function: str) -> list[dict[str, Any]]:
        """All that a function's role allows."""
        role = self.named(self.functions[function]["Role"]["Fn::GetAtt"][0])
        assert role["ManagedPolicyArns"] == []
        return [
            statement
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]


def listed(value: Value) -> list[Value]:
    """CloudFormation takes one, or a list of them."""
    return value if isinstance(value, list) else [value]


@cache
def packaged(stage: str, *arguments: str) -> Path:
    """The folder with what was compiled for a stage, with an example issuer."""
    return package(service(), stage, *arguments, **ISSUER)


def package(directory: Path, stage: str, *arguments: str, **variables: str) -> Path:
    """The folder with what a copy of the service was compiled to."""
    output = directory / "packaged"
    result = osls(
        directory, "package", "--stage", stage, "--package", str(output), *arguments, **variables
    )
    assert result.returncode == 0, result.stdout
    return output


def compiled(stage: str, *arguments: str) -> Template:
    """The template of a stage, with an example issuer."""
    return Template(stage, read(packaged(stage, *arguments)))


def read(output: Path) -> dict[str, Any]:
    """The template as data, with what differs from one compilation to the next replaced."""
    document: dict[str, Any] = json.loads(
        (output / "cloudformation-template-update-stack.json").read_text()
    )
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"]["S3Key"] = NO_CODE
    return document


def service() -> Path:
    """A new copy of the files that the framework reads."""
    directory = temporary_directory()
    shutil.copy(ROOT / "serverless.yml", directory)
    shutil.copytree(ROOT / "infra", directory / "infra")
    (directory / "node_modules").symlink_to(ROOT / "node_modules")
    (directory / NO_CODE).touch()
    return directory


def edited(old: str, new: str, directory: Path | None = None) -> Path:
    """A copy of the service, or this one, whose serverless.yml is changed in one place."""
    directory = directory or service()
    configuration = directory / "serverless.yml"
    text = configuration.read_text()
    assert text.count(old) == 1
    configuration.write_text(text.replace(old, new))
    return directory


def osls(directory: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run osls on a copy of the service; what it says is in `stdout`."""
    program = ROOT / "node_modules" / ".bin" / "osls"
    if shutil.which("node") is None or not program.exists():
        missing("osls is not installed: make test installs it, on Node.js 20.19 or newer.")
    return framework(program, directory, *arguments, **variables)


def framework(
    program: Path, directory: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run osls, or what it continues, with no credentials but those given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    settings = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NODE_NO_WARNINGS": "1",
        "ORDERS_ARTIFACT": NO_CODE,
        "SLS_NOTIFICATIONS_MODE": "off",
        "SLS_TELEMETRY_DISABLED": "1",
    }
    return subprocess.run(
        [str(program), *arguments],
        cwd=directory,
        env=inherited | settings | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def temporary_directory() -> Path:
    """A new folder, removed when the tests end."""
    directory = tempfile.TemporaryDirectory(prefix="orders-tests-")
    atexit.register(directory.cleanup)
    return Path(directory.name)
