"""One client for many threads, and on both sides of a fork."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

import orders
from certificates import authority, server_context
from orders.adapters.aws.client import Client
from orders.adapters.aws.connection import Endpoint
from orders.adapters.aws.credentials import Credentials
from scripted_server import ScriptedServer, aws

if TYPE_CHECKING:
    from scripted_server import Connection, Sent

THREADS, ROUNDS = 16, 25

FORKING = """
import os, sys
from orders.adapters.aws.client import connect

def name(who):
    assert client.call("GetItem", {"Who": who}) == {"Who": who}

client = connect("dynamodb", attempt_seconds=60)
name("parent before")
if (child := os.fork()) == 0:
    name("child")
    name("child again")
    LEAVE
assert os.waitpid(child, 0)[1] == 0
name("parent after")
"""


def echo(connection: Connection, sent: Sent) -> bool:
    return aws(json.loads(sent.body))(connection, sent)


def test_threads_get_their_own_responses_and_never_share_a_connection_at_one_time() -> None:
    """Each waits until all others' requests are under way too; then no other may have followed."""
    all_at_once = Barrier(THREADS)
    intruders = []

    def echo_at_once(connection: Connection, sent: Sent) -> bool:
        all_at_once.wait(60)
        if select.select([connection.stream], [], [], 0)[0]:
            intruders.append(sent)
        return echo(connection, sent)

    def call(number: int) -> bool:
        return client.call("GetItem", {"Number": number}) == {"Number": number}

    with ScriptedServer(echo) as server:
        endpoint = Endpoint(server.address, "eu-west-1", "dynamodb", 60)
        client = Client(endpoint, "dynamodb", lambda: Credentials("AKID", "secret", ""))
        assert call(0), "so that there is an idle connection, which all will find"
        server.script(echo_at_once)
        with ThreadPoolExecutor(THREADS) as threads:
            assert all(threads.map(call, range(THREADS * ROUNDS)))
        assert len(server.requests) == THREADS * ROUNDS
        assert server.connections == THREADS
    assert intruders == []


@pytest.mark.parametrize("leave", ["os._exit(0)", "sys.exit()"])
@pytest.mark.parametrize("tls", [False, True], ids=["without TLS", "with TLS"])
def test_a_forked_child_leaves_its_parents_connection_alone(
    tmp_path: Path, leave: str, *, tls: bool
) -> None:
    known = authority(tmp_path, "known")
    context = server_context(known, tmp_path) if tls else None
    with ScriptedServer(echo, tls=context) as server:
        subprocess.run(
            [sys.executable, "-c", FORKING.replace("LEAVE", leave)],
            env=os.environ
            | {
                "AWS_CA_BUNDLE": str(known.path),
                "AWS_ENDPOINT_URL": server.address,
                "NO_PROXY": "localhost",
                "PYTHONPATH": str(Path(orders.__file__).parent.parent),
            },
            check=True,
            timeout=60,
        )
        used = [(json.loads(sent.body)["Who"], sent.connection) for sent in server.requests]
    assert used == [("parent before", 1), ("child", 2), ("child again", 2), ("parent after", 1)]
