"""The platform is deployed under the role of infra/deployer.yml, and not without one of its rights.

The emulator asks for the rights to what a deployment calls itself. What CloudFormation then does in
the deployer's name, it does without asking; tests/infrastructure/test_deployer.py compares those
rights with AWS's own list.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import botocore.session
import jwt
import pytest
from botocore.exceptions import ClientError

from deploy import TEMPLATE
from emulator import REGION, ROOT, own_environment
from infrastructure.deployer import DEPLOYER, REPOSITORY
from infrastructure.templates import listed, osls, service
from local_stack import STACK, LocalStack
from offline import free_port
from proof.proxy import Proxy
from system.deployment import eventually
from system.recorded_calls import RecordedCalls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

    from proof.proxy import PassOn, Request, Response
    from system.deployment import Json

GITHUB: Final = "https://token.actions.githubusercontent.com"
POLICY: Final = "deployment"

DISCARDS: Final = {"cloudformation:DeleteChangeSet"}
"""Rights that a deployment asks for only where it ends without executing what it has shown."""

KEYS: Final = ("AccessKeyId", "SecretAccessKey", "SessionToken")
VARIABLES: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
ADMINISTRATOR: Final = "arn:aws:iam::aws:policy/AdministratorAccess"


class OverTls(RecordedCalls):
    """Records, and says that the caller spoke TLS: the bucket's policy denies what came without."""

    async def __call__(self, request: Request, pass_on: PassOn) -> Response:
        headers = {**request.headers, "X-Forwarded-Proto": "https"}
        return await super().__call__(request._replace(headers=headers), pass_on)


class Account:
    """An emulated AWS with the deployer's role of the stage `local`."""

    def __init__(self, stack: LocalStack, proxy: Proxy, calls: RecordedCalls) -> None:
        self._stack = stack
        self._calls = calls
        self._service = service()
        self._address = proxy.address("the deployer")
        self._deployments = 0
        self.iam = stack.client("iam")
        self._provider = self.iam.create_open_id_connect_provider(
            Url=GITHUB, ClientIDList=["sts.amazonaws.com"]
        )["OpenIDConnectProviderArn"]
        self.role = self.apply("local")

    def apply(self, stage: str) -> str:
        """Create the stage's role, as an administrator does, and return its ARN."""
        cloudformation, name = self._stack.client("cloudformation"), f"deployer-of-{stage}"
        parameters = {
            "Stage": stage,
            "Production": "true",  # `local` has the plain names too
            "Repository": REPOSITORY,
            # The emulator's CloudFormation can't make one.
            "OidcProviderArn": self._provider,
        }
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=DEPLOYER.read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )
        stack = eventually(
            lambda: cloudformation.describe_stacks(StackName=name)["Stacks"][0],
            lambda found: not found["StackStatus"].endswith("_IN_PROGRESS"),
        )
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        return str(outputs["RoleArn"])

    def assume(self, role: str, **claims: str) -> Any:  # noqa: ANN401 - botocore has no types
        """Credentials for a job of GitHub's, whose token the emulator reads and doesn't verify."""
        token = {
            "iss": GITHUB,
            "aud": "sts.amazonaws.com",
            "sub": f"repo:{REPOSITORY}:environment:local",
        }
        return self._stack.client("sts").assume_role_with_web_identity(
            RoleArn=role,
            RoleSessionName="deployment",
            WebIdentityToken=jwt.encode(token | claims, "k" * 32),
        )["Credentials"]

    def client(self, name: str, credentials: Json) -> Any:  # noqa: ANN401 - likewise
        session = botocore.session.Session()
        session.set_credentials(*(credentials[one] for one in KEYS))
        return session.create_client(name, REGION, endpoint_url=self._stack.endpoint)

    @property
    def policy(self) -> Json:
        document: Json = self.iam.get_role_policy(RoleName=self._role_name, PolicyName=POLICY)[
            "PolicyDocument"
        ]
        return document

    @contextlib.contextmanager
    def allowing(self, actions: set[str]) -> Iterator[None]:
        """Meanwhile the role's policy has no other actions than these."""
        whole = self.policy
        statements = [
            statement | {"Action": kept}
            for statement in whole["Statement"]
            if (kept := [one for one in listed(statement["Action"]) if one in actions])
        ]
        self._put(whole | {"Statement": statements})
        try:
            yield
        finally:
            self._put(whole)

    def _put(self, document: Json) -> None:
        self.iam.put_role_policy(
            RoleName=self._role_name, PolicyName=POLICY, PolicyDocument=json.dumps(document)
        )

    @property
    def _role_name(self) -> str:
        return self.role.rpartition("/")[2]

    def deploy(self, credentials: Json) -> tuple[CompletedProcess[str], set[str], set[str]]:
        """Deploy the stage `local`, changed. What was said, asked for and denied."""
        self._wait_for_stack()
        self._deployments += 1
        osls(
            self._service,
            *("package", "--stage", "local", "--package", "package"),
            LOCAL_PORT=str(self._stack.port),
            ORDERS_ARTIFACT=str(self._stack.artifact),
            VERSION=f"deployment-{self._deployments}",
        )
        before = len(self._calls)
        result = subprocess.run(
            [
                *(sys.executable, ROOT / "scripts" / "deploy.py", "deploy", "local"),
                *("--package", self._service / "package", "--artifact", self._stack.artifact),
            ],
            env=own_environment()
            | {name: credentials[key] for name, key in zip(VARIABLES, KEYS, strict=True)}
            | {
                "AWS_ENDPOINT_URL": self._address,
                "AWS_REGION": REGION,
                "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'scripts'}",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        calls = self._calls.since(before)
        asked = {need.action for call in calls for need in call.needs} - {"sts:GetCallerIdentity"}
        denied = {need.action for call in calls if call.denied for need in call.needs}
        return result, asked, denied

    def _wait_for_stack(self) -> None:
        """What a deployment began goes on after it failed."""
        cloudformation = self._stack.client("cloudformation")

        def settled() -> bool:
            stacks = cloudformation.describe_stacks()["Stacks"]
            return not any(one["StackStatus"].endswith("_IN_PROGRESS") for one in stacks)

        eventually(settled, bool)

    def add_a_deployment_that_failed(self) -> None:
        """It has to be deleted."""
        s3 = self._stack.client("s3")
        (bucket,) = (one["Name"] for one in s3.list_buckets()["Buckets"])
        s3.put_object(Bucket=bucket, Key=f"serverless/orders/local/0/{TEMPLATE}", Body=b"{}")


@pytest.fixture(scope="module")
def account(_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    stack = LocalStack(tmp_path_factory.mktemp("stack"), free_port())
    calls = OverTls()
    with Proxy(stack.endpoint, calls) as proxy:
        try:
            stack.start()
            stack._build()
            yield Account(stack, proxy, calls)
        finally:
            stack.stop()


def rights_of(document: Json) -> list[tuple[str, str]]:
    return [
        (statement["Sid"], action)
        for statement in document["Statement"]
        for action in listed(statement["Action"])
    ]


def test_the_role_deploys_the_platform_and_without_any_one_right_that_is_asked_for_it_does_not(
    account: Account,
) -> None:
    credentials, whole = account.assume(account.role), account.policy
    asked: set[str] = set()
    for _ in range(2):  # the second deployment changes what the first created
        deployed, needed, denied = account.deploy(credentials)
        assert deployed.returncode == 0, deployed.stdout
        assert not denied
        asked |= needed
        account.add_a_deployment_that_failed()

    outcomes = {}
    for missing in sorted(asked):
        began = time.monotonic()
        with account.allowing((asked | DISCARDS) - {missing}):
            deployed, _, denied = account.deploy(credentials)
        took = time.monotonic() - began
        assert denied == {missing}, deployed.stdout
        assert deployed.returncode != 0, f"{missing} is not missed"
        outcomes[missing] = f"fails after {took:.1f} s"
    with account.allowing(asked):
        deployed, _, denied = account.deploy(credentials)
    assert (deployed.returncode, denied) == (0, set()), deployed.stdout

    others = [one for one in rights_of(whole) if one[1] not in asked]
    print("\nAsked for by the emulator; without it, a deployment")
    print(*(f"  {action}: {outcome}" for action, outcome in outcomes.items()), sep="\n")
    print(f"The other {len(others)} rights, which only AWS asks for")
    for statement in whole["Statement"]:
        actions = [action for sid, action in others if sid == statement["Sid"]]
        if actions:
            print(f"  {statement['Sid']}: {', '.join(actions)}")


def test_the_role_of_another_stage_deploys_nothing(account: Account) -> None:
    credentials = account.assume(account.apply("other"), sub=f"repo:{REPOSITORY}:environment:other")
    deployed, _, denied = account.deploy(credentials)
    assert deployed.returncode != 0
    assert denied == {"cloudformation:DescribeStacks"}
    assert "is not authorized to perform: cloudformation:DescribeStacks" in deployed.stdout


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": f"repo:{REPOSITORY}:environment:prod"},
        {"sub": f"repo:{REPOSITORY}:environment:local2"},
        {"sub": f"repo:{REPOSITORY}:ref:refs/heads/main"},
        {"sub": f"repo:{REPOSITORY}:pull_request"},
        {"sub": "repo:shop/orders-fork:environment:local"},
        {"aud": "https://github.com/shop"},
        {"iss": "https://token.actions.example.com"},
    ],
    ids=str,
)
def test_no_other_job_gets_the_role(account: Account, claims: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="Not authorized to perform"):
        account.assume(account.role, **claims)


def test_the_role_can_neither_free_itself_nor_make_another_that_is_free(account: Account) -> None:
    iam = account.client("iam", account.assume(account.role))
    account_arn, _, own = account.role.partition(":role/")
    function, new = (f"{STACK}-{one}-{REGION}-lambdaRole" for one in ("health", "new"))
    boundary = f"{account_arn}:policy/{STACK}-functions-boundary-{REGION}"
    trust = {"AssumeRolePolicyDocument": document("sts:AssumeRole", Principal={"AWS": "*"})}
    all_rights = {"PolicyDocument": document("*", Resource="*")}
    for call, arguments in (
        (iam.create_role, trust | {"RoleName": "administrator"}),
        (iam.create_role, trust | {"RoleName": new}),
        # The emulator knows no iam:PermissionsBoundary: it denies this too, which AWS allows.
        (iam.create_role, trust | {"RoleName": new, "PermissionsBoundary": boundary}),
        (iam.put_role_policy, all_rights | {"RoleName": own, "PolicyName": POLICY}),
        (iam.put_role_policy, all_rights | {"RoleName": function, "PolicyName": POLICY}),
        (iam.attach_role_policy, {"RoleName": function, "PolicyArn": ADMINISTRATOR}),
        (iam.delete_role_permissions_boundary, {"RoleName": function}),
        (iam.create_policy_version, all_rights | {"PolicyArn": boundary}),
        (iam.create_user, {"UserName": "administrator"}),
    ):
        with pytest.raises(ClientError, match="not authorized to perform"):
            call(**arguments)
    with contextlib.suppress(iam.exceptions.NoSuchEntityException):  # where it wasn't deployed
        iam.get_role(RoleName=function)


def document(action: str, **more: Json | str) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
