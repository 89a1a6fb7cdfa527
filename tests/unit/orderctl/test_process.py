"""orderctl as a process: signals, and what its output can't take."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, TextIO

import pytest

from emulator import ROOT

FULL: Final = Path("/dev/full")
ENVIRONMENT: Final = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'scripts'}",
}

INSTEAD_OF_PAUSE: Final = """
import signal, sys
from orderctl.__main__ import main
from orderctl.app import NothingToDo
from orderctl.commands import triggers
from orderctl.terminal import Terminal

def find_stage(_):
    {}
    raise NothingToDo("done")

triggers.find_stage = find_stage
sys.argv = ["orderctl", "pause", "settle-payments"]
sys.exit(main())
"""
WAIT: Final = """
    try:
        print("ready", flush=True)
        while True:
            pass
    finally:
        print("cleaned up")
"""
LIST: Final = """
    for as_json in (True, False):
        Terminal(as_json=as_json).rows([{"order": "é", "status": None}] * 5000, {"order": 8})
"""


def process(
    body: str, stdout: int | TextIO = subprocess.PIPE, **variables: str
) -> subprocess.Popen[str]:
    """A command that does this instead of its own work."""
    return subprocess.Popen(
        [sys.executable, "-c", INSTEAD_OF_PAUSE.format(body.strip())],
        env=ENVIRONMENT | variables,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_it_is_an_interrupt_that_it_cleans_up_after(number: signal.Signals) -> None:
    with process(WAIT) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(number)
        output, errors = running.communicate()

    assert (running.returncode, output, errors) == (1, "cleaned up\n", "Interrupted.\n")


def from_shell(line: str, body: str) -> subprocess.CompletedProcess[str]:
    """A line of the shell that has the command as `"$@"`."""
    command = [sys.executable, "-c", INSTEAD_OF_PAUSE.format(body.strip())]
    return subprocess.run(
        ["sh", "-c", line, "sh", *command],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    body = 'raise NothingToDo(f"{signal.getsignal(signal.SIGHUP).name}")'
    result = from_shell('trap "" HUP; exec "$@"', body)

    assert (result.returncode, result.stderr) == (3, "SIG_IGN\n")


@pytest.mark.parametrize(("line", "errors"), [('"$@" >&-', "done\n"), ('"$@" >&- 2>&-', "")])
def test_output_may_be_closed(line: str, errors: str) -> None:
    result = from_shell(line, LIST)

    assert (result.returncode, result.stdout, result.stderr) == (3, "", errors)


@pytest.mark.skipif(not FULL.exists(), reason="of Linux")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('Terminal(as_json=True).json({"order": 1}); raise SystemExit', 1),
        ('Terminal(as_json=True).json({"order": 1})', 3),
        ('Terminal(as_json=False).print("x")', 1),
        (LIST, 1),
    ],
)
def test_output_that_can_not_be_written_is_one_line(body: str, code: int) -> None:
    with FULL.open("w") as full, process(body, stdout=full) as running:
        _, errors = running.communicate()

    assert running.returncode == code
    assert errors.count("\n") == 1, errors
    assert "No space left on device" in errors or code == 3


def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
    with process(LIST) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr is not None
        errors = running.stderr.read()

    assert (running.returncode, errors) == (1, "")


def test_any_encoding_of_input_and_output_will_do() -> None:
    body = "Terminal(as_json=False).confirm(sys.stdin.readline(), yes=False)"
    with process(LIST, PYTHONIOENCODING="ascii") as running:
        output, errors = running.communicate()
    with process(body, PYTHONIOENCODING="ascii") as asking:
        _, question = asking.communicate("é?\nno")

    assert "Traceback" not in errors
    lines = output.splitlines()
    assert len(lines) == 10_001
    assert json.loads(lines[0]) == {"order": "é", "status": None}
    assert lines[-1].strip() == r"\xe9"
    assert asking.returncode == 3, question
