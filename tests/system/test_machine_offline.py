"""`make offline`, started as a newcomer does: on a fresh checkout, beside other settings."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from emulator import StackError, fetch
from local_stack import read_env, sample_order
from offline import free_port, require_java
from prerequisites import missing
from system.machine import SECONDS, Machine, Proxy, check_out

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

READY = "Ctrl-C stops it\n"


@pytest.fixture
def checkout(_installed: None, tmp_path: Path) -> Path:
    try:
        require_java()
    except StackError as error:
        missing(str(error))
    return check_out(tmp_path / "chéckout")


def test_a_fresh_checkout_serves_its_own_code_until_it_is_stopped(
    checkout: Path, tmp_path: Path
) -> None:
    assert not (checkout / "build").exists()
    proxy = Proxy()
    command = ready(Machine(tmp_path, proxy), checkout)
    settings = read_env(checkout / ".local" / "offline" / "env")
    url = settings["API_URL"]

    token, order = settings["CUSTOMER_TOKEN"], sample_order(settings["CUSTOMER_ID"])
    placed = send(f"{url}/orders", token, order)
    assert placed["status"] == "PENDING"
    assert send(f"{url}/orders/{placed['orderId']}", token) == placed
    for page in ("docs", "desk"):
        response = fetch(f"{url}/{page}")
        assert response is not None
        assert response[0] == 200
        assert b"<!doctype html>" in response[1][:100].lower(), response[1][:100]

    health = checkout / "src" / "orders" / "functions" / "health.py"
    health.write_text(health.read_text().replace('"ok"', '"reloaded"'))
    assert send(f"{url}/health")["status"] == "reloaded"

    stop(command, signal.SIGINT)
    assert fetch(url) is None
    assert proxy.callers == []


def test_nothing_is_left_where_its_terminal_is_closed(checkout: Path, tmp_path: Path) -> None:
    stop(ready(Machine(tmp_path, Proxy()), checkout), signal.SIGHUP)


def ready(machine: Machine, checkout: Path) -> subprocess.Popen[str]:
    """`make offline`, once it has said that it is ready."""
    command = machine.start(checkout, "make", "offline", f"OFFLINE_PORT={free_port()}")
    assert command.stdout is not None
    said = []
    for line in command.stdout:
        said.append(line)
        if line == READY:
            break
    assert said[-1:] == [READY], "".join(said)
    return command


def stop(command: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a terminal's signal, and see that nothing is left."""
    children = psutil.Process(command.pid).children(recursive=True)
    assert len(children) > 2, "java and node at least"
    os.killpg(command.pid, number)
    rest, _ = command.communicate(timeout=SECONDS)
    assert "Traceback" not in rest
    _, alive = psutil.wait_procs(children, timeout=SECONDS)
    assert alive == []


def send(url: str, token: str = "", body: object = None) -> Any:  # noqa: ANN401 - JSON
    """The JSON of the response."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    response = fetch(urllib.request.Request(url, data, headers if token else {}))
    assert response is not None
    assert response[0] < 300, response
    return json.loads(response[1])


def test_a_path_that_its_shell_would_split_is_refused(checkout: Path, tmp_path: Path) -> None:
    elsewhere = checkout.rename(tmp_path / "my checkout")
    code, said = Machine(tmp_path, Proxy()).run(elsewhere, "make", "offline")
    assert code == 2
    assert f'serverless-offline can\'t run in "{elsewhere}"' in said


def test_a_port_that_is_none_is_named_with_what_to_type(checkout: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path, Proxy())
    for value in ("abc", "", "70000"):
        code, said = machine.run(checkout, "make", "offline", f"OFFLINE_PORT={value}")
        assert code == 2
        assert f'OFFLINE_PORT is a port, a number from 1 to 65535, not "{value}".' in said
        assert "make offline OFFLINE_PORT=3001" in said
