"""Runs the platform on an emulated AWS of its own: `local_stack.py up|down|clean`.

Everything of a stack lies in one directory, so a second one (another directory and port) runs
beside the first. The emulator listens on 127.0.0.1 only. It keeps its data when it is stopped
with SIGTERM, and loses what is new since its start when it is killed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
EMULATOR_PYTHON = ROOT / ".local" / "venv" / "bin" / "python"
OSLS = ROOT / "node_modules" / ".bin" / "osls"
EMULATOR_APP = "ministack.app:app"
REGION = "ap-southeast-1"
STACK = "orders-local"
# The key pair of the emulator's root user.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
API_ID = "0bde5000"  # as tagged by infra/stage.js
START_SECONDS = 60
STOP_SECONDS = 30
PASSWORD = "Local-only-1"  # noqa: S105 - of users that exist in the emulator alone
CUSTOMER = "customer@example.com"
STAFF = "staff@example.com"


class StackError(Exception):
    """What went wrong, and what to do about it."""


class LocalStack:
    """One emulated AWS with the platform deployed to it, kept in one directory."""

    def __init__(self, directory: Path, port: int) -> None:
        """Nothing is started or read yet."""
        self.directory = directory.resolve()
        self.port = port
        self.process_file = self.directory / "aws.json"
        self.log = self.directory / "aws.log"
        self.artifact = self.directory / "orders.zip"

    @property
    def endpoint(self) -> str:
        """The emulator's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """The API's address, without a slash at the end."""
        return f"{self.endpoint}/_aws/execute-api/{API_ID}"

    @property
    def process_id(self) -> int:
        """The running emulator's; its functions' processes descend from it."""
        known: dict[str, int] = json.loads(self.process_file.read_text())
        return known["pid"]

    def up(self) -> dict[str, str]:
        """Start what does not run, deploy, write `env` and `order.json`; return what `env` holds.

        On a running stack only changed code and resources are deployed; data stays.
        Raises StackError.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with step(f"Starting the local AWS on 127.0.0.1:{self.port}"):
            self._start()
        with step("Building the code"):
            self._build()
        with step("Deploying with osls (about 20 s the first time)"):
            self._deploy()
        with step("Making a customer and a staff member"):
            self._enable_time_to_live()
            environment = self._sign_in()
        with step("Waiting for the API to respond"):
            self._wait_for_api()
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in environment.items()]
        (self.directory / "env").write_text("".join(lines))
        order = sample_order(environment["CUSTOMER_ID"])
        (self.directory / "order.json").write_text(f"{json.dumps(order)}\n")
        return environment

    def down(self) -> bool:
        """Stop the emulator, keeping its data; False where none runs. Raises StackError."""
        running = self._running()
        if running is None:
            self.process_file.unlink(missing_ok=True)
            return False
        os.kill(running["pid"], signal.SIGTERM)
        wait_until(
            lambda: self._running() is None,
            STOP_SECONDS,
            f"The local AWS (process {running['pid']}) does not stop. Its log is {self.log}.",
        )
        self.process_file.unlink(missing_ok=True)
        return True

    def clean(self) -> None:
        """Stop the emulator and forget its data. Raises StackError."""
        self.down()
        for name in ("state", "s3", "tmp", "service"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
        for path in (
            self.log,
            self.artifact,
            self.directory / "env",
            self.directory / "order.json",
        ):
            path.unlink(missing_ok=True)

    def client(self, service: str, attempts: int = 1) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        """Return a botocore client of the emulator, as its root user."""
        session = botocore.session.Session()
        session.set_credentials(*CREDENTIALS.values())
        return session.create_client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            config=Config(retries={"total_max_attempts": attempts}),
        )

    def _running(self) -> dict[str, int] | None:
        """Return process id and port of this directory's emulator, if it runs."""
        if not self.process_file.exists():
            return None
        known: dict[str, int] = json.loads(self.process_file.read_text())
        with contextlib.suppress(ChildProcessError):
            os.waitpid(known["pid"], os.WNOHANG)
        # The process id may have been given to another program since.
        command = subprocess.run(
            ["ps", "-p", str(known["pid"]), "-o", "args="],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        return known if EMULATOR_APP in command else None

    def _start(self) -> None:
        running = self._running()
        if running is not None:
            if running["port"] != self.port:
                raise StackError(
                    f"The local AWS of {self.directory} runs on port {running['port']} already. "
                    "Use that port, or stop it first (make down)."
                )
            return
        if not port_is_free(self.port):
            raise StackError(
                f"Port {self.port} is taken by another program. Stop that program, or choose "
                "another port: make up LOCAL_PORT=4567"
            )
        self._forget_stream_positions()
        shutil.rmtree(self.directory / "tmp", ignore_errors=True)
        (self.directory / "tmp").mkdir()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            # Functions run in processes that unpack the code into the temporary directory.
            "TMPDIR": str(self.directory / "tmp"),
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",  # in queues' URLs
            "AUTH": "true",  # each function has its own role's rights, and no more
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.directory / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.directory / "s3"),
            "IOT_MTLS_ENABLED": "0",  # its MQTT port would listen on all interfaces
            "LAMBDA_WARM_TTL_SECONDS": "86400",
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(EMULATOR_PYTHON), "-m", "hypercorn", EMULATOR_APP,
                 "--bind", f"127.0.0.1:{self.port}"],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.process_file.write_text(json.dumps({"pid": process.pid, "port": self.port}))

        def responses() -> bool:
            if process.poll() is not None:
                raise StackError(
                    f"The local AWS stopped right after its start. Its log is {self.log}."
                )
            return http_status(f"{self.endpoint}/_ministack/health") is not None

        wait_until(responses, START_SECONDS, f"The local AWS does not respond. See {self.log}.")

    def _forget_stream_positions(self) -> None:
        # The emulator keeps how far its functions have read the table's stream, but not the
        # stream: it would pass over as many new records as it had read before it was stopped.
        state = self.directory / "state" / "lambda.json"
        if state.exists():
            content = json.loads(state.read_text())
            content["payload"].pop("dynamodb_stream_positions", None)
            state.write_text(json.dumps(content))

    def _build(self) -> None:
        # The emulator runs functions with its own Python: the bytecode has to be that one's.
        self._run(
            [str(EMULATOR_PYTHON), str(ROOT / "scripts" / "build_artifact.py"), "--code-only",
             "--output", str(self.artifact)],
            dict(os.environ),
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
        # Nothing of the user's own AWS set-up may be reached by a local deployment.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        environment |= CREDENTIALS | {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "LOCAL_PORT": str(self.port),
            "ORDERS_ARTIFACT": str(self.artifact),
        }
        self._run(
            [str(OSLS), "deploy", "--stage", "local", "--region", REGION], environment, service
        )

    def _run(self, command: list[str], environment: dict[str, str], directory: Path) -> None:
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
            raise StackError(
                f"This failed: {shlex.join(command)}\n{result.stdout.strip()}\n"
                f"The local AWS's own log is {self.log}. If its data is damaged, "
                "`make clean` and `make up` begin anew."
            )

    def _enable_time_to_live(self) -> None:
        # The emulator passes over TimeToLiveSpecification in CloudFormation.
        dynamodb = self.client("dynamodb")
        described = dynamodb.describe_time_to_live(TableName="orders_app")
        if described["TimeToLiveDescription"]["TimeToLiveStatus"] != "ENABLED":
            dynamodb.update_time_to_live(
                TableName="orders_app",
                TimeToLiveSpecification={"AttributeName": "purgeAt", "Enabled": True},
            )

    def outputs(self) -> dict[str, str]:
        """Return what the deployed stack says of itself."""
        stacks = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stacks[0]["Outputs"]}

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

    def _sign_in(self) -> dict[str, str]:
        """Return the API's address, fresh access tokens and the customer's id."""
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
            lambda: http_status(f"{self.api_url}/health") == 200,  # noqa: PLR2004
            START_SECONDS,
            f"{self.api_url}/health does not return 200. See {self.log}.",
        )


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print what is being done, and how long it took."""
    sys.stdout.write(f"{what} ... ")
    sys.stdout.flush()
    started = time.monotonic()
    try:
        yield
    except BaseException:
        sys.stdout.write("failed\n")
        raise
    sys.stdout.write(f"{time.monotonic() - started:.1f} s\n")
    sys.stdout.flush()


def port_is_free(port: int) -> bool:
    """Tell whether 127.0.0.1 can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def http_status(url: str) -> int | None:
    """Return the status of the response to a GET, None if nothing responds."""
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def wait_until(condition: Callable[[], bool], seconds: float, failure: str) -> None:
    """Return once the condition holds; raise StackError(failure) after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackError(failure)
        time.sleep(0.1)


def print_addresses(environment: dict[str, str], directory: Path) -> None:
    """Print where the API and its docs are, and a request to try."""
    api = environment["API_URL"]
    if directory.is_relative_to(Path.cwd()):
        directory = directory.relative_to(Path.cwd())
    sys.stdout.write(
        f"\nAPI   {api}\n"
        f"Docs  {api}/docs\n"
        f"Tokens and addresses for your shell: . {directory}/env\n\n"
        f'Try it:\n. {directory}/env && curl -i "$API_URL/orders" \\\n'
        f'  -H "Authorization: Bearer $CUSTOMER_TOKEN" --json @{directory}/order.json\n'
    )


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
    parser.add_argument("--port", type=int, default=int(os.environ.get("LOCAL_PORT", "4566")))
    arguments = parser.parse_args()
    stack = LocalStack(arguments.directory, arguments.port)
    try:
        if arguments.command == "up":
            print_addresses(stack.up(), stack.directory)
        elif arguments.command == "down":
            stopped = stack.down()
            sys.stdout.write(
                "Stopped; `make up` finds the orders again.\n" if stopped else "Nothing runs.\n"
            )
        else:
            stack.clean()
            sys.stdout.write("Stopped, and all local orders forgotten.\n")
    except StackError as error:
        raise SystemExit(f"\n{error}") from error


if __name__ == "__main__":
    main()
