"""What each fault does to a call: to the server's state, and to who called."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from offline import free_port
from proof.faults import AwsFaults, Fault, Schedule
from proof.proxy import Proxy
from servers import aws_client, create_table, ministack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.proxy import PassOn, Request, Response

DELAY = 0.2
PATIENT = Config(retries={"total_max_attempts": 1}, read_timeout=60)
ROW = {"pk": {"S": "a"}, "sk": {"S": "b"}}
CALL = """
import sys, urllib.request
headers = {"X-Amz-Target": "DynamoDB_20120810.PutItem"}
urllib.request.urlopen(urllib.request.Request(sys.argv[1], b"{}", headers))
"""


PORTS = """
import socket, sys
own, port, request = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
with socket.socket() as connection:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    connection.bind(("127.0.0.1", own))
    connection.connect(("127.0.0.1", port))
    print("connected", flush=True)
    connection.sendall(request)
    connection.recv(1)
"""
"""A caller whose own port is given, too."""


@pytest.fixture
def queue() -> str:
    name = f"orders-{secrets.token_hex(8)}"
    url: str = aws_client("sqs", ministack()).create_queue(QueueName=name)["QueueUrl"]
    return url


@pytest.fixture
def table() -> str:
    return create_table(ministack())


class Behind:
    """AWS behind a proxy on which one kind of fault strikes every call."""

    def __init__(self, proxy: Proxy, faults: AwsFaults) -> None:
        self.proxy = proxy
        self.address = proxy.address("create-order")
        self.published = faults.published

    def client(self, service: str, config: Config = PATIENT) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        return botocore.session.get_session().create_client(
            service, endpoint_url=self.address, config=config
        )


@contextmanager
def struck_by(fault: Fault | None, queue: str = "", delay: float = DELAY) -> Iterator[Behind]:
    sqs = aws_client("sqs", ministack())
    faults = AwsFaults(Schedule(0), delay, sqs, queue, os.getpid())
    with Proxy(ministack(), partial(faults.strike, fault)) as proxy:
        yield Behind(proxy, faults)


def rows(table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws_client("dynamodb", ministack()).scan(TableName=table)["Items"]
    return found


def entries(count: int) -> list[dict[str, str]]:
    return [{"Id": str(n), "MessageBody": json.dumps({"id": str(n)})} for n in range(count)]


def received(queue: str, count: int) -> list[str]:
    """The ids of the next so many messages, in the order in which they come."""
    client = aws_client("sqs", ministack())
    found: list[str] = []
    deadline = time.monotonic() + 60
    while len(found) < count:
        assert time.monotonic() < deadline, found
        response = client.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=1, WaitTimeSeconds=1, VisibilityTimeout=600
        )
        found += [json.loads(message["Body"])["id"] for message in response.get("Messages", ())]
    return found


class TestACallThatPasses:
    def test_is_signed_well_and_answered(self, table: str) -> None:
        with struck_by(None) as behind:
            behind.client("dynamodb").put_item(TableName=table, Item=ROW)
        assert rows(table) == [ROW]


class TestALostResponse:
    def test_leaves_the_effect_and_resets_the_connection(self, table: str) -> None:
        with struck_by(Fault.LOST_RESPONSE) as behind, pytest.raises(ConnectionClosedError):
            behind.client("dynamodb").put_item(TableName=table, Item=ROW)
        assert rows(table) == [ROW]


class TestAReset:
    def test_leaves_no_effect(self, table: str) -> None:
        with struck_by(Fault.RESET) as behind, pytest.raises(ConnectionClosedError):
            behind.client("dynamodb").put_item(TableName=table, Item=ROW)
        assert rows(table) == []


class TestADelay:
    @pytest.mark.parametrize("fault", [Fault.SLOW_RESPONSE, Fault.LATE_REQUEST])
    def test_lets_the_call_take_effect_after_all(self, table: str, fault: Fault) -> None:
        with struck_by(fault) as behind:
            started = time.monotonic()
            behind.client("dynamodb").put_item(TableName=table, Item=ROW)
            assert time.monotonic() - started >= DELAY
        assert rows(table) == [ROW]

    def test_of_a_request_lets_it_take_effect_when_its_caller_has_gone(self, table: str) -> None:
        with struck_by(Fault.LATE_REQUEST, delay=3) as behind:
            impatient = Config(retries={"total_max_attempts": 1}, read_timeout=0.5)
            with pytest.raises(ReadTimeoutError):
                behind.client("dynamodb", impatient).put_item(TableName=table, Item=ROW)
            deadline = time.monotonic() + 60
            while rows(table) != [ROW]:
                assert time.monotonic() < deadline
                time.sleep(0.1)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.THROTTLED, "ProvisionedThroughputExceededException"),
        (Fault.SERVER_ERROR, "InternalServerError"),
    ],
)
def test_a_refusal_has_the_services_own_code_and_no_effect(
    table: str, fault: Fault, code: str
) -> None:
    with struck_by(fault) as behind, pytest.raises(ClientError) as raised:
        behind.client("dynamodb").put_item(TableName=table, Item=ROW)
    assert raised.value.response["Error"]["Code"] == code
    assert rows(table) == []


def test_a_conflict_cancels_the_whole_transaction(table: str) -> None:
    puts = [{"Put": {"TableName": table, "Item": ROW | {"sk": {"S": sk}}}} for sk in "ab"]
    with struck_by(Fault.CONFLICT) as behind, pytest.raises(ClientError) as raised:
        behind.client("dynamodb").transact_write_items(TransactItems=puts)
    reasons = [one["Code"] for one in raised.value.response["CancellationReasons"]]
    assert reasons == ["TransactionConflict", "None"]
    assert rows(table) == []


class TestABatch:
    def test_is_taken_in_part(self, queue: str) -> None:
        with struck_by(Fault.PARTIAL_BATCH, queue) as behind:
            response = behind.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries(5))
        assert {one["Id"] for one in response["Failed"]} == {"0", "2", "4"}
        assert {one["Id"] for one in response["Successful"]} == {"1", "3"}
        assert sorted(received(queue, 2)) == ["1", "3"]
        assert behind.published == [{"id": "1"}, {"id": "3"}]

    def test_of_one_message_is_not_taken(self, queue: str) -> None:
        with struck_by(Fault.PARTIAL_BATCH, queue) as behind:
            response = behind.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries(1))
        assert [one["Id"] for one in response["Failed"]] == ["0"]
        assert behind.published == []

    def test_is_delivered_twice(self, queue: str) -> None:
        with struck_by(Fault.DUPLICATE_DELIVERY, queue) as behind:
            behind.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries(2))
        assert sorted(received(queue, 4)) == ["0", "0", "1", "1"]
        assert behind.published == [{"id": "0"}, {"id": "1"}] * 2

    def test_is_delivered_the_other_way_round(self, queue: str) -> None:
        with struck_by(Fault.REORDERED_DELIVERY, queue) as behind:
            behind.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries(3))
        assert received(queue, 3) == ["2", "1", "0"]

    def test_whose_answer_is_lost_is_known_as_published(self, queue: str) -> None:
        with struck_by(Fault.LOST_RESPONSE, queue) as behind, pytest.raises(ConnectionClosedError):
            behind.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries(1))
        assert behind.published == [{"id": "0"}]


class TestAKill:
    @pytest.mark.parametrize(
        ("fault", "calls"), [(Fault.KILLED_BEFORE, 0), (Fault.KILLED_AFTER, 1)]
    )
    def test_ends_the_process_that_called_as_kill_9_does(self, fault: Fault, calls: int) -> None:
        seen = []
        faults = AwsFaults(Schedule(0), DELAY, None, "", os.getpid())

        async def treat(request: Request, pass_on: PassOn) -> Response | None:
            async def counted(request: Request) -> Response:
                seen.append(request.operation)
                return await pass_on(request)

            return await faults.strike(fault, request, counted)

        with Proxy(ministack(), treat) as proxy:
            caller = subprocess.run(
                [sys.executable, "-c", CALL, proxy.address("create-order")], check=False
            )
        assert caller.returncode == -signal.SIGKILL
        assert seen == ["PutItem"] * calls

    def test_spares_another_that_uses_the_same_port_for_another_connection(self) -> None:
        own = str(free_port())
        request = (
            "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: X.PutItem\r\nContent-Length: 0\r\n\r\n"
        )
        with struck_by(Fault.KILLED_BEFORE) as behind:
            addresses = behind.address, behind.proxy.address("get-order")
            ports = [address.rpartition(":")[2] for address in addresses]
            other = subprocess.Popen(
                [sys.executable, "-c", PORTS, own, ports[0], ""], stdout=subprocess.PIPE
            )
            try:
                assert other.stdout
                assert other.stdout.readline() == b"connected\n"
                caller = subprocess.run(
                    [sys.executable, "-c", PORTS, own, ports[1], request], check=False
                )
                assert caller.returncode == -signal.SIGKILL
                assert other.poll() is None
            finally:
                other.kill()
                other.communicate()
