"""Runs the platform on an emulated AWS of its own: `local_stack.py up|down|clean`.

Everything of a stack lies in one directory, so a second one (another directory and port) runs
beside the first.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until main begins: no traceback of an import

import argparse
import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from emulator import (
    CREDENTIALS,
    EMULATOR_PYTHON,
    REGION,
    ROOT,
    START_SECONDS,
    Emulator,
    StackError,
    ending_plainly,
    fetch,
    is_healthy,
    own_environment,
    read_port,
    say,
    step,
    wait_until,
)
from environments import alone

OSLS = ROOT / "node_modules" / ".bin" / "osls"
STACK = "orders-local"
TABLE = "orders_app"
API_ID = "0bde5000"  # as tagged by infra/stage.js
PASSWORD = "Local-only-1"  # noqa: S105 - of users that exist in the emulator alone
CUSTOMER = "customer@example.com"
STAFF = "staff@example.com"
TESTED = ("publish-order-events", "settle-payments")
TEST_CUSTOMER = "make-up"
LATE_SECONDS = 5
IF_DAMAGED = "If the local AWS's data is damaged, `make clean` and `make up` begin anew."
UNSAVED = re.compile(r"failed to save .*")
"""What the emulator logs, and then goes on to its end: the disk is full, for example."""


class LocalStack(Emulator):
    """An emulated AWS with the platform deployed to it."""

    def __init__(self, directory: Path, port: int, events_topic: str = "false") -> None:
        """Nothing is started or read yet. `events_topic` is the parameter eventsTopic."""
        super().__init__(directory, port)
        self.events_topic = events_topic
        self.artifact = self.directory / "orders.zip"

    @classmethod
    def find(cls, directory: Path) -> LocalStack | None:
        """Return the stack that runs in the directory, None if none does."""
        running = Emulator(directory, 0).running()
        return None if running is None else cls(directory, running.port)

    @property
    def api_url(self) -> str:
        """The API's address, without a slash at the end."""
        return f"{self.endpoint}/_aws/execute-api/{API_ID}"

    def up(self) -> dict[str, str]:
        """Start what does not run, deploy, write `env` and `order.json`; return what `env` holds.

        On a running stack only changed code and resources are deployed; data stays.
        Raises StackError.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with alone(self.directory / "up.lock", "another `make up`"):
            return self._up()

    def _up(self) -> dict[str, str]:
        with step(f"Starting the local AWS on 127.0.0.1:{self.port}"):
            self.start()
        with step("Building the code"):
            self._build()
        with step("Deploying with osls (about 20 s the first time)"):
            self._deploy()
        with step("Making a customer and a staff member"):
            self._enable_time_to_live()
            environment = self.sign_in_users()
        with step("Waiting for the API to respond"):
            self._wait_for_api()
        write_env(self.directory / "env", environment)
        order = sample_order(environment["CUSTOMER_ID"])
        (self.directory / "order.json").write_text(f"{json.dumps(order)}\n")
        return environment

    def clean(self) -> None:
        """Stop the emulator and forget its data. Raises StackError."""
        self.forget()
        shutil.rmtree(self.directory / "service", ignore_errors=True)
        for path in (self.artifact, self.directory / "env", self.directory / "order.json"):
            path.unlink(missing_ok=True)

    def _build(self) -> None:
        # The emulator runs functions with its own Python: the bytecode has to be that one's.
        self._run(
            [str(EMULATOR_PYTHON), str(ROOT / "scripts" / "build_artifact.py"), "--code-only",
             "--output", str(self.artifact)],
            own_environment(),
            ROOT,
        )  # fmt: skip

    def _deploy(self) -> None:
        # osls works in a folder .serverless beside serverless.yml; with one of its own each, two
        # stacks may be deployed at a time.
        service = self.directory / "service"
        service.mkdir(exist_ok=True)
        shutil.copy(ROOT / "serverless.yml", service)
        for name in ("infra", "node_modules", "package.json"):
            link = service / name
            link.unlink(missing_ok=True)
            link.symlink_to(ROOT / name)
        self.osls(
            service,
            *("deploy", "--stage", "local", "--region", REGION),
            f"--param=eventsTopic={self.events_topic}",
        )

    def osls(self, service: Path, *arguments: str) -> None:
        """Run osls on the service in a folder, with this AWS. Raises StackError."""
        environment = CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "LOCAL_PORT": str(self.port),
            "ORDERS_ARTIFACT": str(self.artifact),
        }
        hint = f"The local AWS's own log is {self.log}. {IF_DAMAGED}"
        self._run([str(OSLS), *arguments], own_environment() | environment, service, hint)

    def _run(
        self, command: list[str], environment: dict[str, str], directory: Path, hint: str = ""
    ) -> None:
        result = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise StackError(f"This failed: {shlex.join(command)}\n{result.stdout.strip()}\n{hint}")

    def _enable_time_to_live(self) -> None:
        # The emulator passes over TimeToLiveSpecification in CloudFormation.
        dynamodb = self.client("dynamodb")
        described = dynamodb.describe_time_to_live(TableName=TABLE)
        if described["TimeToLiveDescription"]["TimeToLiveStatus"] != "ENABLED":
            dynamodb.update_time_to_live(
                TableName=TABLE,
                TimeToLiveSpecification={"AttributeName": "purgeAt", "Enabled": True},
            )

    def outputs(self) -> dict[str, str]:
        """Return what the deployed stack says of itself. Raises StackError: it isn't deployed."""
        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
            return {one["OutputKey"]: one["OutputValue"] for one in stacks[0]["Outputs"]}
        except (ClientError, KeyError) as error:
            raise StackError("The local stack is not fully deployed: run `make up`.") from error

    def sign_in(self, user: str, group: str | None = None) -> tuple[str, str]:
        """Return the id and a fresh access token of a user, who is made if there is none."""
        outputs = self.outputs()
        users, pool = self.client("cognito-idp"), outputs["LocalUserPoolId"]
        with contextlib.suppress(users.exceptions.UsernameExistsException):
            users.admin_create_user(UserPoolId=pool, Username=user, MessageAction="SUPPRESS")
        users.admin_set_user_password(
            UserPoolId=pool, Username=user, Password=PASSWORD, Permanent=True
        )
        if group is not None:
            users.admin_add_user_to_group(UserPoolId=pool, Username=user, GroupName=group)
        signed_in = users.initiate_auth(
            ClientId=outputs["LocalUserPoolClientId"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": PASSWORD},
        )
        known = users.admin_get_user(UserPoolId=pool, Username=user)
        attributes = {one["Name"]: one["Value"] for one in known["UserAttributes"]}
        return attributes["sub"], signed_in["AuthenticationResult"]["AccessToken"]

    def sign_in_users(self) -> dict[str, str]:
        """Return what `env` holds: the API's address, fresh tokens, the customer's id."""
        customer, customer_token = self.sign_in(CUSTOMER)
        _, staff_token = self.sign_in(STAFF, group="staff")
        return {
            "API_URL": self.api_url,
            "CUSTOMER_TOKEN": customer_token,
            "STAFF_TOKEN": staff_token,
            "CUSTOMER_ID": customer,
        }

    def _wait_for_api(self) -> None:
        wait_until(
            lambda: is_healthy(self.api_url),
            START_SECONDS,
            f"{self.api_url}/health does not say its version. See {self.log}. {IF_DAMAGED}",
        )

    def test_the_way(self, staff_token: str) -> None:
        """Send an order through the API, the stream and the queue, and delete it.

        It has no payment token, and is there for as long as that takes: shorter than the feed waits
        before it shows an event. Where a trigger is paused there is no way to test.
        Raises StackError, and leaves the order.
        """
        for mapping in self.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
            name = mapping["FunctionArn"].rpartition(f":{STACK}-")[2]
            if mapping["State"] == "Disabled" and name in TESTED:
                say(f"{name} is paused (./orderctl resume {name}) ... ")
                return
        logs, started, placed = self.client("logs"), time.time(), list[str]()

        def consumed() -> set[str]:
            # The last line of an invocation can come late: with the function's next one.
            if time.time() >= started + LATE_SECONDS * len(placed):
                placed.append(self._place_test_order(staff_token))
            lines = logs.filter_log_events(
                logGroupName=f"/aws/lambda/{STACK}-settle-payments",
                startTime=int(started * 1000),
                filterPattern='"event processed"',
            )["events"]
            return {one for one in placed if any(one in line["message"] for line in lines)}

        wait_until(
            lambda: bool(consumed()),
            START_SECONDS,
            f"The API responds, but nothing consumed the events of orders of {TEST_CUSTOMER}, with "
            f"which `make up` tests the stack. `./orderctl status` tells more. {IF_DAMAGED}",
        )
        self._delete_test_orders(set(placed) - consumed())

    def _place_test_order(self, staff_token: str) -> str:
        """Return its id. Raises StackError."""
        item = {"sku": "TEST", "name": "Test of make up", "quantity": 1, "unitAmount": 0}
        order = {"customerId": TEST_CUSTOMER, "currency": "USD", "items": [item]}
        response = fetch(
            urllib.request.Request(
                f"{self.api_url}/orders",
                json.dumps(order).encode(),
                {"Authorization": f"Bearer {staff_token}", "Content-Type": "application/json"},
            )
        )
        if response is None or response[0] != 201:  # noqa: PLR2004
            raise StackError(f"The API takes no order: {response}. See {self.log}. {IF_DAMAGED}")
        order_id: str = json.loads(response[1])["orderId"]
        return order_id

    def _delete_test_orders(self, kept: set[str]) -> None:
        """Delete also those of earlier tests, but not those whose events are under way."""
        dynamodb = self.client("dynamodb")

        def rows(partition: str) -> list[Any]:
            found: list[Any] = dynamodb.query(
                TableName=TABLE,
                KeyConditionExpression="pk = :partition",
                ExpressionAttributeValues={":partition": {"S": partition}},
            )["Items"]
            return found

        for entry in rows(f"CUSTOMER#{TEST_CUSTOMER}"):
            if entry["orderId"]["S"] not in kept:
                for row in [*rows(f"ORDER#{entry['orderId']['S']}"), entry]:
                    key = {name: row[name] for name in ("pk", "sk")}
                    dynamodb.delete_item(TableName=TABLE, Key=key)


def write_env(path: Path, values: dict[str, str]) -> None:
    """Write variables for shells."""
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
    path.write_text("".join(lines))


def read_env(path: Path) -> dict[str, str]:
    """Return what `write_env` wrote."""
    words = shlex.split(path.read_text())
    return dict(word.split("=", 1) for word in words if word != "export")


def print_addresses(environment: dict[str, str], directory: Path) -> None:
    """Print where the API and its docs are, a request to try, and the way to the staff desk."""
    api = environment["API_URL"]
    if directory.is_relative_to(Path.cwd()):
        directory = directory.relative_to(Path.cwd())
    say(
        f"\nAPI   {api}\n"
        f"Docs  {api}/docs\n"
        f"Tokens and addresses for your shell: . {directory}/env\n\n"
        f'Try it:\n. {directory}/env && curl -i "$API_URL/orders" \\\n'
        f'  -H "Authorization: Bearer $CUSTOMER_TOKEN" --json @{directory}/order.json\n\n'
        f"Open the desk as staff:\n{api}/desk#token={environment['STAFF_TOKEN']}\n"
    )


def orderctl_environment(stack: Emulator) -> dict[str, str]:
    """Return what makes orderctl's local stage this stack.

    Other AWS variables make it another operator.
    """
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'scripts'}",
        "ORDERCTL_LOCAL_ENDPOINT": stack.endpoint,
        "AWS_REGION": REGION,
        **CREDENTIALS,
    }


def sample_order(customer_id: str) -> dict[str, Any]:
    """Return the order that the OpenAPI document shows first, as this customer would place it."""
    document = json.loads((ROOT / "openapi.json").read_text())
    content = document["paths"]["/orders"]["post"]["requestBody"]["content"]
    shown: dict[str, Any] = content["application/json"]["examples"]["order"]["value"]
    return shown | {"customerId": customer_id}


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["up", "down", "clean"])
    parser.add_argument("--directory", type=Path, default=ROOT / ".local")
    parser.add_argument("--port", default=os.environ.get("LOCAL_PORT", "4566"))
    parser.add_argument("--events-topic", default=os.environ.get("EVENTS_TOPIC", "false"))
    arguments = parser.parse_args()
    with ending_plainly():
        if arguments.command == "up":
            port = read_port("LOCAL_PORT", arguments.port, "make up LOCAL_PORT=4567")
            up(LocalStack(arguments.directory, port, arguments.events_topic))
        elif arguments.command == "down":
            down(Emulator(arguments.directory, 0))
        else:
            LocalStack(arguments.directory, 0).clean()
            say("Stopped, and all local orders forgotten.\n")


def down(stack: Emulator) -> None:
    """Stop it. Raises StackError: it runs on, or it could not keep its data."""
    began = stack.log.stat().st_size if stack.log.exists() else 0
    if not stack.stop():
        say("Nothing runs.\n")
        return
    said = stack.log.read_bytes()[began:].decode(errors="replace") if stack.log.exists() else ""
    if failures := UNSAVED.findall(said):
        raise StackError(
            f"The local AWS stopped and lost what is new since its start: it {failures[0]}"
        )
    say("Stopped; `make up` finds the orders again.\n")


def up(stack: LocalStack) -> None:
    """Bring the stack up, see that it works, and print its addresses. Raises StackError."""
    environment = stack.up()
    with step("Sending an order through the stream and the queue"):
        stack.test_the_way(environment["STAFF_TOKEN"])
    print_addresses(environment, stack.directory)


if __name__ == "__main__":
    main()
