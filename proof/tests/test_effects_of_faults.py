"""What each fault does to a call: to the server's state and to the caller."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from offline import free_port
from proof.faults import AwsFaults, Fault, Schedule
from proof.history import OPERATOR
from proof.proxy import Proxy
from servers import aws_client, create_queue, create_table, ministack

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
    return create_queue(ministack())


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
            QueueUrl=queue, MaxNumberOfMessages=1, VisibilityTimeout=600
        )
        found += [json.loads(message["Body"])["id"] for message in response.get("Messages", ())]
    return found


def test_what_an_operator_sends_is_not_noted_as_published(queue: str) -> None:
    faults = AwsFaults(Schedule(0), DELAY, None, queue, os.getpid())
    with Proxy(ministack(), faults) as proxy:
        for caller, number in (("publish-order-events", "1"), (OPERATOR, "2")):
            client = aws_client("sqs", proxy.address(caller))
            client.send_message_batch(
                QueueUrl=queue, Entries=[{"Id": "0", "MessageBody": json.dumps({"id": number})}]
            )
        client.send_message(QueueUrl=queue, MessageBody=json.dumps({"id": "3"}))
    assert faults.published == [{"id": "1"}]
    assert faults.replayed == [{"id": "2"}, {"id": "3"}]


def test_of_an_operators_calls_those_are_struck_that_functions_make_too(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = Schedule(0)
    monkeypatch.setattr(schedule, "draw", lambda *_: Fault.RESET)
    faults = AwsFaults(schedule, DELAY, None, "", os.getpid())
    with Proxy(ministack(), faults) as proxy:
        address = proxy.address(OPERATOR)
        assert aws_client("sts", address).get_caller_identity()["Account"]
        with pytest.raises(ConnectionClosedError):
            aws_client("dynamodb", address).put_item(TableName=table, Item=ROW)


ERRORS: dict[Fault | None, type[Exception] | str | None] = {
    None: None,
    Fault.SLOW_RESPONSE: None,
    Fault.LATE_REQUEST: None,
    Fault.LOST_RESPONSE: ConnectionClosedError,
    Fault.RESET: ConnectionClosedError,
    Fault.THROTTLED: "ProvisionedThroughputExceededException",
    Fault.SERVER_ERROR: "InternalServerError",
}
"""What the caller of PutItem gets: nothing unusual, an error, or the code of one."""


@pytest.mark.parametrize(("fault", "error"), ERRORS.items())
def test_a_fault_has_its_error_and_its_effect(
    table: str, fault: Fault | None, error: type[Exception] | str | None
) -> None:
    raised: type[Exception] | str | None = None
    started = time.monotonic()
    with struck_by(fault) as behind:
        try:
            behind.client("dynamodb").put_item(TableName=table, Item=ROW)
        except ClientError as refused:
            raised = refused.response["Error"]["Code"]
        except ConnectionClosedError as reset:
            raised = type(reset)
    assert raised == error
    if fault in {Fault.SLOW_RESPONSE, Fault.LATE_REQUEST}:
        assert time.monotonic() - started >= DELAY
    takes_effect = error is None or fault is Fault.LOST_RESPONSE
    assert rows(table) == ([ROW] if takes_effect else [])


def test_a_late_request_takes_effect_after_its_caller_has_gone(table: str) -> None:
    with struck_by(Fault.LATE_REQUEST, delay=1.5) as behind:
        impatient = Config(retries={"total_max_attempts": 1}, read_timeout=0.2)
        with pytest.raises(ReadTimeoutError):
            behind.client("dynamodb", impatient).put_item(TableName=table, Item=ROW)
        deadline = time.monotonic() + 60
        while rows(table) != [ROW]:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_conflict_cancels_the_whole_transaction(table: str) -> None:
    puts = [{"Put": {"TableName": table, "Item": ROW | {"sk": {"S": sk}}}} for sk in "ab"]
    with struck_by(Fault.CONFLICT) as behind, pytest.raises(ClientError) as raised:
        behind.client("dynamodb").transact_write_items(TransactItems=puts)
    reasons = [one["Code"] for one in raised.value.response["CancellationReasons"]]
    assert reasons == ["TransactionConflict", "None"]
    assert rows(table) == []


@pytest.mark.parametrize(
    ("fault", "count", "failed", "delivered"),
    [
        (Fault.PARTIAL_BATCH, 5, "024", "13"),
        (Fault.PARTIAL_BATCH, 1, "0", ""),
        (Fault.DUPLICATE_DELIVERY, 2, "", "0101"),
        (Fault.REORDERED_DELIVERY, 3, "", "210"),
    ],
)
def test_a_batch_is_delivered_in_part_twice_or_in_another_order(
    queue: str, fault: Fault, count: int, failed: str, delivered: str
) -> None:
    with struck_by(fault, queue) as behind:
        response = behind.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries(count))
    assert {one["Id"] for one in response.get("Failed", ())} == set(failed)
    found = received(queue, len(delivered))
    if fault is Fault.REORDERED_DELIVERY:
        assert found == list(delivered)
    assert Counter(found) == Counter(delivered)
    assert Counter(one["id"] for one in behind.published) == Counter(delivered)


def test_a_batch_whose_response_is_lost_counts_as_published(queue: str) -> None:
    with struck_by(Fault.LOST_RESPONSE, queue) as behind, pytest.raises(ConnectionClosedError):
        behind.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries(1))
    assert behind.published == [{"id": "0"}]


class TestAKill:
    @pytest.mark.parametrize(
        ("fault", "calls"), [(Fault.KILLED_BEFORE, 0), (Fault.KILLED_AFTER, 1)]
    )
    def test_ends_the_calling_process_as_kill_9_does(self, fault: Fault, calls: int) -> None:
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

    def test_spares_another_process_with_the_same_port_for_another_connection(self) -> None:
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
