"""What the emulated AWS's process is known by, and what it is shielded from."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.request import proxy_bypass

import psutil
import pytest

from emulator import (
    EMULATOR_APP,
    ROOT,
    Emulator,
    StackError,
    own_environment,
    reach_this_machine_directly,
    read_port,
    require_free_port,
)
from offline import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT = "import sys; print(flush=True); sys.stdin.read()"
PORT = 4566


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Path]:
    """A directory that a process like the emulator's runs in."""
    directory = tmp_path / ("a long path with blanks in it " * 5)
    directory.mkdir()
    command = [sys.executable, "-c", WAIT, EMULATOR_APP, "--bind", f"127.0.0.1:{PORT}"]
    with subprocess.Popen(
        command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()  # its command can't be read at once
        yield directory
        process.communicate()
    assert Emulator(directory, PORT).running() is None


def test_it_is_known_wherever_it_runs_and_without_ps(
    stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("PATH", "")
    running = Emulator(stack, 0).running()
    assert running is not None
    assert (running.port, running.directory) == (PORT, stack)


def test_it_belongs_to_a_directory_that_was_moved_and_not_to_a_copy(stack: Path) -> None:
    copy, moved = stack.with_name("copy"), stack.with_name("moved")
    shutil.copytree(stack, copy)
    assert Emulator(copy, 0).running() is None

    stack.rename(moved)
    assert Emulator(stack, 0).running() is None
    assert Emulator(moved, 0).running() is not None
    moved.rename(stack)


def test_it_has_stopped_also_where_nobody_reaps_it(stack: Path) -> None:
    stop = "import sys, pathlib, emulator; emulator.Emulator(pathlib.Path(sys.argv[1]), 0).stop()"
    subprocess.run([sys.executable, "-c", stop, stack], cwd=ROOT / "scripts", check=True)
    assert Emulator(stack, 0).running() is None


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_it_is_waited_for_until_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.emulators", list)  # none has a command yet
    late = program(
        tmp_path / "late",
        f"sleep 0.3; exec {shlex.quote(sys.executable)} "
        "-m http.server --bind 127.0.0.1 $GATEWAY_PORT",
    )
    monkeypatch.setattr("emulator.EMULATOR_PYTHON", late)
    Emulator(tmp_path, free_port()).start()
    ended = psutil.STATUS_ZOMBIE
    children = [one for one in psutil.Process().children() if one.status() != ended]
    (process,) = (child for child in children if "http.server" in child.cmdline())
    process.kill()
    process.wait()

    monkeypatch.setattr("emulator.EMULATOR_PYTHON", program(tmp_path / "broken", "exit 1"))
    with pytest.raises(StackError, match=r"stopped right after its start. Its log is .*aws\.log"):
        Emulator(tmp_path, free_port()).start()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("lambda", one) for one in (b"", b"{}", b"[]", b"null", b'{"payload', b"\xe9")),
        ("sqs", b'{"body": "caf\xe9"}'),
    ],
)
def test_data_that_is_damaged_is_named_with_what_to_type(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / f"{name}.json").write_bytes(content)
    with pytest.raises(StackError, match=rf"damaged: .*{name}\.json\. `make clean`"):
        Emulator(tmp_path, free_port()).start()


@pytest.mark.parametrize("value", ["abc", "", "0", "-1", "65536", "70000", "4566 ", "4_566", "४"])
def test_what_is_no_port_is_named_with_an_example(value: str) -> None:
    with pytest.raises(StackError, match=f'^LOCAL_PORT is a port.*not "{value}".*: make up X=1$'):
        read_port("LOCAL_PORT", value, "make up X=1")


def test_a_port_that_is_taken_or_not_permitted_is_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} is taken by another program.*: make up"):
            require_free_port(port, "make up")
    require_free_port(port, "make up")

    def refuse(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(StackError, match="Port 80 is for the system's own programs"):
        require_free_port(80, "make up")


def test_only_this_machine_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "intranet.example.com")
    monkeypatch.setenv("no_proxy", "")

    reach_this_machine_directly()

    hosts = ("127.0.0.1:4566", "localhost:9515", "intranet.example.com", "example.com")
    assert [bool(proxy_bypass(host)) for host in hosts] == [True, True, True, False]


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")
    assert "HOME" not in own_environment()
