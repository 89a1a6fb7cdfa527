"""Applies what osls has packaged: `deploy.py deploy STAGE`, `deploy.py rollback STAGE [VERSION]`.

The change set that is shown is the one that is executed. Runs in orderctl's environment, with the
AWS credentials of whoever deploys.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections import defaultdict
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError, WaiterError

from emulator import ROOT
from orderctl.__main__ import main
from orderctl.app import Problem
from orderctl.operations import recorded
from orderctl.stage import Stage, users_session
from orderctl.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE: Final = ROOT / "build" / "package"
ARTIFACT: Final = ROOT / "build" / "orders.zip"
TEMPLATE: Final = "compiled-cloudformation-template.json"
STATE: Final = "serverless-state.json"
BUCKET: Final = "ServerlessDeploymentBucket"
"""Names of the framework's, so that its own commands find what was deployed here."""
MARK: Final = "deployed"
"""An empty object beside what was deployed with success."""

KEPT_DEPLOYMENTS: Final = 10
HOLDS_DATA: Final = {
    "AWS::DynamoDB::Table": "the orders in it",
    "AWS::SQS::Queue": "the events in it",
}
"""What is lost where a resource of the type is replaced or removed."""

WORKS: Final = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
NEVER_WORKED: Final = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
SHOWN_NAMES: Final = 5
CLOCKS_DIFFER: Final = timedelta(minutes=1)
REFERS: Final = "Only refer to what changes"
TAGGED: Final = "Only tagged"
EFFECTS: Final = (
    *("Removed", "Replaced", "Perhaps replaced"),
    *("Added", "Taken back", "Changed", REFERS, TAGGED),
)
LOSSES: Final = EFFECTS[:3]

app: Final = typer.Typer(name="deploy.py", no_args_is_help=True, pretty_exceptions_enable=False)
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask, also on a production stage.")]


class Package(NamedTuple):
    """What osls has packaged."""

    template: Mapping[str, Any]
    bucket_template: str
    state: Mapping[str, Any]
    directory: str
    """In the deployment bucket."""

    @classmethod
    def read(cls, directory: Path, stage: str) -> Package:
        """Raises Problem: there is none, or it is another stage's."""
        try:
            state = json.loads((directory / STATE).read_text())
            template = json.loads(
                (directory / "cloudformation-template-update-stack.json").read_text()
            )
            bucket = (directory / "cloudformation-template-create-stack.json").read_text()
        except OSError as error:
            raise Problem(f"Nothing is packaged in {directory}: make deploy STAGE=…") from error
        folder: str = state["package"]["artifactDirectoryName"]
        packaged_for = folder.split("/")[2]
        if packaged_for != stage:
            raise Problem(
                f'This was packaged for the stage "{packaged_for}": package it for "{stage}".'
            )
        return cls(template, bucket, state, folder)

    @property
    def version(self) -> str:
        return version_of(self.template)

    @property
    def region(self) -> str:
        """Where osls would deploy it, and finds it."""
        region: str = self.state["service"]["provider"]["region"]
        return region


@app.command()
def deploy(
    stage_name: Annotated[str, typer.Argument(metavar="STAGE")],
    package: Annotated[Path, typer.Option(help="What `osls package` wrote.")] = PACKAGE,
    artifact: Annotated[
        Path, typer.Option(envvar="ORDERS_ARTIFACT", help="The functions' code.")
    ] = ARTIFACT,
    *,
    yes: Yes = False,
) -> None:
    """Show what a package changes on a stage, and change it."""
    terminal = Terminal(as_json=False)
    packaged = Package.read(package, stage_name)
    stage = open_stage(stage_name)
    region = stage.client("cloudformation").meta.region_name
    if region != packaged.region:
        raise Problem(
            f"This was packaged for {packaged.region}, and your AWS settings say {region}: set "
            f"AWS_REGION={packaged.region}, or change provider.region in serverless.yml."
        )
    code = artifact.read_bytes()
    sha256 = hashlib.sha256(code).hexdigest()
    if is_production(packaged.template) and packaged.version.endswith(("-dirty", "unknown")):
        raise Problem(
            f"Version {packaged.version} can't be told from others: commit what you deploy to "
            "production, or set VERSION."
        )
    stack = Stack(stage, terminal)
    stack.announce(packaged.version, f"artefact {sha256}")
    stack.prepare(packaged, yes=yes)
    is_new = packaged.directory not in stack.directories()
    running = directory_of(stack.deployed)
    try:
        stack.upload(packaged, code)
        stack.change(packaged.directory, packaged.template, "deploy", yes=yes, sha256=sha256)
    except BaseException:
        if is_new and not stack.is_executing:
            stack.forget(packaged.directory)
        raise
    stack.prune(packaged.directory, running)
    terminal.print(
        f"\n{packaged.version} is deployed: {stage.api_url}\n"
        f"Next: make smoke API_URL={stage.api_url} EXPECT_VERSION={packaged.version}"
    )


@app.command()
def rollback(
    stage_name: Annotated[str, typer.Argument(metavar="STAGE")],
    version: Annotated[str, typer.Argument(metavar="VERSION")] = "",
    *,
    yes: Yes = False,
) -> None:
    """Go back to a version that was deployed before; without VERSION, list what there is."""
    terminal = Terminal(as_json=False)
    stage = open_stage(stage_name)
    stack = Stack(stage, terminal)
    status = stack.require_idle()
    if status is None or status in NEVER_WORKED:
        region = stage.client("cloudformation").meta.region_name
        raise Problem(
            f"Nothing to go back to: there is no working stack {stage.stack} in {region} of this "
            "account. Check STAGE, AWS_PROFILE and AWS_REGION."
        )
    deployments, deployed = stack.deployments(), directory_of(stack.deployed)
    if not version:
        for directory, known in deployments.items():
            mark = "  <- deployed" if directory == deployed else ""
            terminal.print(f"{directory.rpartition('/')[2][14:30]}Z  {known}{mark}")
        return
    found = [place for place, known in deployments.items() if known == version]
    if not found:
        raise Problem(
            f"Version {version} is not among the last {KEPT_DEPLOYMENTS} deployments of "
            f"{stage_name}: {', '.join(dict.fromkeys(deployments.values()))}. Check it out and "
            "deploy it."
        )
    stack.announce(version)
    stack.change(found[0], stack.template(found[0]), "rollback", yes=yes)
    terminal.print(
        f"\n{stage_name} is back at {version}: {stage.api_url}\n"
        f"Next: make smoke API_URL={stage.api_url} EXPECT_VERSION={version}"
    )


def artifact_key(template: Mapping[str, Any]) -> str | None:
    """Where in the deployment bucket the functions' code is; None where there are no functions."""
    keys = {
        one["Properties"]["Code"]["S3Key"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function"
    }
    return next(iter(keys), None)


def directory_of(template: Mapping[str, Any]) -> str | None:
    """Where in the deployment bucket it is; None where there are no functions."""
    key = artifact_key(template)
    return key and key.rpartition("/")[0]


def version_of(template: Mapping[str, Any]) -> str:
    version: str = template["Outputs"]["Version"]["Value"]
    return version


def is_production(template: Mapping[str, Any]) -> bool:
    """Whether it is a production stage's: they keep their table whatever happens."""
    policy: str = template["Resources"]["OrdersTable"]["DeletionPolicy"]
    return policy == "Retain"


def open_stage(name: str) -> Stage:
    """Raises Problem: the stage is for this machine only, and this is AWS."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    emulated = endpoint is not None and endpoint.startswith("http://127.0.0.1:")
    if name == "offline" or (name == "local" and not emulated):
        raise Problem(f'"{name}" has a stand-in issuer: use `make up`, or deploy another stage.')
    return Stage(name, users_session(), endpoint if emulated else None)


class Stack:
    """The stack of a stage, as it is now."""

    def __init__(self, stage: Stage, terminal: Terminal) -> None:
        """Nothing is asked yet."""
        self.stage = stage
        self.terminal = terminal
        self.is_executing = False
        """What is in the bucket is deployed, or may be being deployed."""
        self._cloudformation = stage.client("cloudformation")
        self._change_set: dict[str, str] = {}
        self._stack_id = stage.stack

    def describe(self) -> dict[str, Any] | None:
        """CloudFormation's description of the stack; None where there is none."""
        try:
            stacks = self._cloudformation.describe_stacks(StackName=self.stage.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        found: dict[str, Any] = stacks[0]
        return found

    @property
    def outputs(self) -> dict[str, str]:
        stack = self.describe() or {}
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}

    @property
    def version(self) -> str | None:
        """The deployed one; None before the first deployment has ended."""
        return self.outputs.get("Version")

    @property
    def deployed(self) -> Mapping[str, Any]:
        """The template, as osls writes them; one without resources if it is of another kind."""
        template = self._cloudformation.get_template(StackName=self.stage.stack)["TemplateBody"]
        return template if isinstance(template, dict) else {"Resources": {}}

    @cached_property
    def bucket(self) -> str:
        detail = self._cloudformation.describe_stack_resource(
            StackName=self.stage.stack, LogicalResourceId=BUCKET
        )["StackResourceDetail"]
        return str(detail["PhysicalResourceId"])

    def announce(self, version: str, *more: str) -> None:
        """Print what goes where, and in whose name."""
        where = f"{self.stage.stack} in {self._cloudformation.meta.region_name}"
        lines = [f"{where}: {self.version or 'nothing'} -> {version}", *more]
        self.terminal.print("\n".join([*lines, f"as {self.stage.operator}", ""]))

    def require_idle(self) -> str | None:
        """The stack's status; None where there is none. Raises Problem: it can't be changed now."""
        stack = self.describe()
        if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        status: str = stack["StackStatus"]
        if status.endswith("_IN_PROGRESS"):
            since = stack.get("LastUpdatedTime", stack["CreationTime"])
            raise Problem(
                f"{self.stage.stack} is {status} since {since:%H:%M:%S} UTC: somebody is "
                "deploying. Wait until that has ended."
            )
        if status == "UPDATE_ROLLBACK_FAILED":
            raise Problem(
                f"{self.stage.stack} could neither be changed nor changed back. Look at its "
                "events, fix what they name, then: aws cloudformation continue-update-rollback "
                f"--stack-name {self.stage.stack}"
            )
        return status

    def prepare(self, package: Package, *, yes: bool) -> None:
        """Have a stack with a deployment bucket. Raises NothingToDo: somebody said no."""
        status = self.require_idle()
        if status in NEVER_WORKED:
            if is_production(package.template):
                self.terminal.confirm(
                    f"{self.stage.stack}, of a production stage, is {status}. Delete it?",
                    yes=yes,
                )
            self.terminal.note(f"{self.stage.stack} is {status}: deleting it, to begin anew.")
            self._delete()
            status = None
        if status is None:
            self.terminal.note("Creating the stack, with a bucket for deployments.")
            with self._discarded_unless_executed():
                self._create_change_set(
                    package.version,
                    ChangeSetType="CREATE",
                    TemplateBody=package.bucket_template,
                    OnStackFailure="DELETE",
                )
                self._execute("stack_create_complete")
            self.is_executing = False

    def _delete(self) -> None:
        """Raises Problem: CloudFormation can't delete it."""
        began = datetime.now(UTC)
        with suppress(ClientError, KeyError, ParamValidationError):  # there is no bucket
            for key in self._keys(""):  # CloudFormation deletes only an empty one
                self.stage.client("s3").delete_object(Bucket=self.bucket, Key=key)
        self._stack_id = (self.describe() or {}).get("StackId", self._stack_id)
        self._cloudformation.delete_stack(StackName=self.stage.stack)
        try:
            self._wait("stack_delete_complete")
        except WaiterError as error:
            raise Problem(self._failure(began)) from error
        self.__dict__.pop("bucket", None)  # the next one's is another

    def upload(self, package: Package, code: bytes) -> None:
        """Put the package into the deployment bucket."""
        files = {
            artifact_key(package.template): code,
            f"{package.directory}/{STATE}": json.dumps(package.state).encode(),
            f"{package.directory}/{TEMPLATE}": json.dumps(package.template).encode(),
        }
        for key, content in files.items():
            self.stage.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)

    def change(
        self,
        directory: str,
        template: Mapping[str, Any],
        operation: str,
        *,
        yes: bool,
        **what: object,
    ) -> None:
        """Show what the template, in the bucket's directory, changes, ask, and change it.

        Raises:
            Problem: it would lose data, or it failed.
            NothingToDo: somebody said no.
        """
        s3 = self.stage.client("s3").meta.endpoint_url
        before, version = self.deployed, version_of(template)
        with self._discarded_unless_executed():
            changes = self._create_change_set(
                version,
                ChangeSetType="UPDATE",
                TemplateURL=f"{s3}/{self.bucket}/{directory}/{TEMPLATE}",
            )
            if running := directory_of(before):
                self._mark(running)  # nobody did, if its deployment was interrupted
            if changes:
                edited = edits(before, template)
                self._show(changes, edited)
                refuse_losses(changes, edited)
                if is_production(template):
                    question = f"Change {self.stage.name}, a production stage?"
                    self.terminal.confirm(question, yes=yes)
                self._execute_recorded(version, operation, **what)
            else:
                self.terminal.print("Nothing changes.")
        self._mark(directory)

    def _execute_recorded(self, version: str, operation: str, **what: object) -> None:
        # The first deployment makes the place where deployments are recorded.
        first = "OperationsLogGroupName" not in self.outputs
        record = (
            nullcontext()
            if first
            else recorded(self.stage, operation, version=version, previous=self.version, **what)
        )
        with record:
            self._execute("stack_update_complete")
        if first:
            with recorded(self.stage, operation, version=version, previous=None, **what):
                pass

    def _mark(self, directory: str) -> None:
        key = f"{directory}/{MARK}"
        self.stage.client("s3").put_object(Bucket=self.bucket, Key=key, Body=b"")

    def template(self, directory: str) -> dict[str, Any]:
        """The one that was deployed from the bucket's directory."""
        body = self.stage.client("s3").get_object(
            Bucket=self.bucket, Key=f"{directory}/{TEMPLATE}"
        )["Body"]
        template: dict[str, Any] = json.loads(body.read())
        return template

    def deployments(self) -> dict[str, str]:
        """The version of each deployment in the bucket, newest first, by its directory.

        Without those of releases that had none, which osls deployed.
        """
        found = {
            place: self.template(place).get("Outputs", {}).get("Version")
            for place in self.directories()
        }
        return {place: output["Value"] for place, output in found.items() if output}

    def directories(self) -> list[str]:
        """Where in the bucket what was deployed with success is, newest first."""
        keys = self._keys(self._prefix)
        whole, marked = (
            {key.rpartition("/")[0] for key in keys if key.endswith(f"/{name}")}
            for name in (TEMPLATE, MARK)
        )
        return sorted(whole & {*marked, directory_of(self.deployed)}, reverse=True)

    @property
    def _prefix(self) -> str:
        return f"serverless/orders/{self.stage.name}/"

    def _keys(self, prefix: str) -> list[str]:
        """Of the bucket's objects."""
        pages = self.stage.client("s3").get_paginator("list_objects_v2")
        return [
            one["Key"]
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix)
            for one in page.get("Contents", ())
        ]

    def prune(self, deployed: str, before: str | None) -> None:
        """Keep the newest deployments, which can be rolled back to, and what ran before."""
        kept = {deployed, before, *self.directories()[:KEPT_DEPLOYMENTS]}
        found = {key.rpartition("/")[0] for key in self._keys(self._prefix)}
        for directory in found - kept:
            if directory < deployed:  # what is newer, another is deploying
                self.forget(directory)

    def forget(self, directory: str) -> None:
        """Delete a deployment from the bucket."""
        for key in self._keys(f"{directory}/"):
            self.stage.client("s3").delete_object(Bucket=self.bucket, Key=key)

    def _create_change_set(self, version: str, **what: str) -> list[dict[str, Any]]:
        """What it would change. Raises Problem: CloudFormation refuses the template."""
        # A name of its own: nobody executes or deletes what another is being shown.
        name = {
            "StackName": self.stage.stack,
            "ChangeSetName": f"make-deploy-{time.time_ns()}",
        }
        self._change_set = name
        if what["ChangeSetType"] == "UPDATE":
            # The table of production outlives a failed first deployment, and a removal.
            what |= {"ImportExistingResources": True}  # type: ignore[dict-item]
        # A deleted stack, as after a failed creation, is found by its id only.
        self._stack_id = self._cloudformation.create_change_set(
            **name,
            **what,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[
                {"Key": "STAGE", "Value": self.stage.name},
                {"Key": "version", "Value": version},
            ],
        )["StackId"]
        with suppress(WaiterError):
            self._cloudformation.get_waiter("change_set_create_complete").wait(
                **name, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
            )
        pages = self._cloudformation.get_paginator("describe_change_set").paginate(**name)
        described = list(pages)
        status, reason = described[0]["Status"], described[0].get("StatusReason", "")
        if status == "FAILED":
            if re.search("didn't contain changes|No updates are to be performed", reason):
                return []
            invalid = self._invalid(described[0]["ChangeSetId"])
            raise Problem("\n  ".join([f"CloudFormation refuses the template: {reason}", *invalid]))
        if status != "CREATE_COMPLETE":
            raise Problem(f"CloudFormation's change set is still {status}: deploy again.")
        return [one["ResourceChange"] for page in described for one in page.get("Changes", ())]

    def _invalid(self, change_set: str) -> list[str]:
        """What CloudFormation's validation found, which the change set's reason doesn't tell."""
        with suppress(BotoCoreError, ClientError):  # the reason is told all the same
            pages = self._cloudformation.get_paginator("describe_events").paginate(
                ChangeSetName=change_set, Filters={"FailedEvents": True}
            )
            return [
                f"{event['LogicalResourceId']} {event.get('ValidationPath', '')}: {why}"
                for page in pages
                for event in page["OperationEvents"]
                if (why := event.get("ValidationStatusReason"))
            ]
        return []

    @contextmanager
    def _discarded_unless_executed(self) -> Iterator[None]:
        try:
            yield
        finally:
            if not self.is_executing:
                with suppress(ClientError):  # it was never made, or it failed
                    self._cloudformation.delete_change_set(**self._change_set)

    def _execute(self, until: str) -> None:
        began = datetime.now(UTC)
        self.is_executing = True  # before the call, which Ctrl-C can interrupt
        try:
            self._cloudformation.execute_change_set(
                **self._change_set, ClientRequestToken=self._change_set["ChangeSetName"]
            )  # attempted again, it is the same request
        except ClientError:
            self.is_executing = False
            raise
        try:
            self._wait(until)
        except KeyboardInterrupt:
            self.terminal.note(
                f"CloudFormation keeps changing {self.stage.stack}. Its state: aws "
                f"cloudformation describe-stacks --stack-name {self.stage.stack}"
            )
            raise
        except WaiterError as error:
            # The waiter also gives up after an hour, or when AWS no longer responds.
            stack = self.describe()
            status = "" if stack is None else stack["StackStatus"]
            if status.endswith("_IN_PROGRESS") and "terminal failure" not in str(error):
                raise Problem(
                    f"{self.stage.stack} is still {status}: {error}. Its state: aws "
                    f"cloudformation describe-stacks --stack-name {self.stage.stack}"
                ) from error
            if status in WORKS:
                return
            self.is_executing = status.endswith("_IN_PROGRESS")
            raise Problem(self._failure(began)) from error

    def _wait(self, until: str) -> None:
        self._cloudformation.get_waiter(until).wait(
            StackName=self.stage.stack, WaiterConfig={"Delay": 2, "MaxAttempts": 1800}
        )

    def _failure(self, began: datetime) -> str:
        """The resource that failed first, with its reason, and how the stack is now."""
        stack = self.describe()
        status = "gone again" if stack is None else stack["StackStatus"]
        failed = "CloudFormation doesn't say why"
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(
            StackName=self._stack_id
        )
        for event in (one for page in pages for one in page["StackEvents"]):
            if event["Timestamp"] < began - CLOCKS_DIFFER:
                break
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"].endswith("_FAILED") and "ancelled" not in reason:
                failed = f"{event['LogicalResourceId']} {event['ResourceStatus']}: {reason}"
        return f"{failed}. {self.stage.stack} is {status}. Fix that, and deploy again."

    def _show(self, changes: list[dict[str, Any]], edited: Mapping[str, list[str]]) -> None:
        by_effect: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for change in changes:
            kind = change["ResourceType"].removeprefix("AWS::")
            if change["Action"] == "Modify" and (names := edited[change["LogicalResourceId"]]):
                kind += f" ({', '.join(names)})"
            by_effect[effect(change, edited)][kind].append(change["LogicalResourceId"])
        for name in EFFECTS:
            kinds = by_effect.get(name, {})
            if not kinds:
                continue
            self.terminal.print(f"{name}: {sum(map(len, kinds.values()))}")
            if name in {REFERS, TAGGED}:
                continue
            for kind, names in sorted(kinds.items()):
                listed = ", ".join(sorted(names)[:SHOWN_NAMES])
                more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
                self.terminal.print(f"  {len(names):3} {kind}: {listed}{more}")


def edits(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """By resource of the second template, the names of what it says otherwise than the first.

    They are properties, or attributes such as `DeletionPolicy`.
    """

    def parts(template: Mapping[str, Any], resource: str) -> dict[str, Any]:
        found = template["Resources"].get(resource, {})
        return {**found, **found.get("Properties", {}), "Properties": None}

    return {
        resource: sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        for resource in after["Resources"]
        for old, new in [(parts(before, resource), parts(after, resource))]
    }


def effect(change: Mapping[str, Any], edited: Mapping[str, list[str]]) -> str:
    """What a change does to its resource. Before values are known, a replacement is perhaps one."""
    if change["Action"] != "Modify":
        known = {"Add": "Added", "Remove": "Removed", "Import": "Taken back"}
        return known.get(change["Action"], "Perhaps replaced")
    if change.get("Replacement") == "True":
        return "Replaced"
    names = edited[change["LogicalResourceId"]]
    # Each version changes all functions, so CloudFormation says so of all that refer to them.
    if change.get("Replacement") == "Conditional" and (
        change["ResourceType"] in HOLDS_DATA or not replacing(change).isdisjoint(names)
    ):
        return "Perhaps replaced"
    if names:
        return "Changed"
    return TAGGED if change.get("Scope") == ["Tags"] else REFERS


def replacing(change: Mapping[str, Any]) -> set[str]:
    """The properties of which another value takes another resource, always or sometimes."""
    targets = [one["Target"] for one in change.get("Details", ())]
    return {one.get("Name", "") for one in targets if one["RequiresRecreation"] != "Never"}


def refuse_losses(changes: list[dict[str, Any]], edited: Mapping[str, list[str]]) -> None:
    """Raises Problem: a table or queue would be replaced or removed."""
    for change in changes:
        what, seen = HOLDS_DATA.get(change["ResourceType"]), effect(change, edited)
        if what and seen in LOSSES:
            raise Problem(
                f"{change['LogicalResourceId']} would be {seen.lower()}, and {what} lost to this "
                "stage. Nothing was changed. See docs/runbook.md#deploying."
            )


if __name__ == "__main__":
    sys.exit(main(app))
