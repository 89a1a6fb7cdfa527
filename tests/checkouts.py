"""Checkouts on machines of newcomers: copies of this one with nothing installed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from prerequisites import missing

ROOT: Final = Path(__file__).parent.parent
PYTHON: Final = str(Path(sys.executable).resolve())
"""The interpreter that made the environment in which the tests run."""
_NOT_COPIED: Final = shutil.ignore_patterns(
    ".git", ".venv", ".local", "node_modules", "build", ".serverless", "mutants", ".*_cache"
)


class Checkout(NamedTuple):
    """A folder with the project in it."""

    path: Path

    def command(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command; what it prints to stderr is in stdout too."""
        return subprocess.run(
            command,
            cwd=self.path,
            env={"PYTHON": PYTHON} | environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def works(self, *command: str | Path, **variables: str) -> str:
        """Run a command, which succeeds, and return what it prints."""
        result = self.command(*command, **variables)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def fails(self, *command: str | Path, **variables: str) -> str:
        """Run a command, which fails without a traceback, and return what it prints."""
        result = self.command(*command, **variables)
        assert result.returncode != 0, result.stdout
        assert "Traceback" not in result.stdout
        return result.stdout


def new_checkout(directory: Path) -> Checkout:
    """Make one in a folder whose name needs quotes in a shell."""
    path = directory / "a newcomer's checkout"
    shutil.copytree(ROOT, path, symlinks=True, ignore=_NOT_COPIED)
    return Checkout(path)


def environment() -> dict[str, str]:
    """Return this process's variables without those of a make that started it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "LOCAL_PORT", "PYTHON"}
    }


def programs(directory: Path, *without: str, **scripts: str) -> str:
    """Return a PATH with all programs of this machine but some, and with shell scripts."""
    directory.mkdir()
    for name, script in scripts.items():
        program(directory / name, script)
    for place in os.get_exec_path():
        for path in Path(place).glob("*"):
            link = directory / path.name
            if path.name not in without and not link.is_symlink() and not link.exists():
                link.symlink_to(path)
    return str(directory)


def program(path: Path, script: str) -> str:
    """Write a shell script, and return its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def free_port() -> str:
    """Return a port that nothing listens on, out of the range that connections are given theirs."""
    for port in random.sample(range(10_000, 30_000), k=100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return str(port)
    raise AssertionError


def on_mounts(mounts: str, command: str) -> tuple[str, ...]:
    """Return a command that runs, as root, where some file systems are mounted for it alone."""
    as_root = () if os.geteuid() == 0 else ("sudo", "--non-interactive", "--preserve-env")
    isolated = (*as_root, "unshare", "--mount", "env", f"PATH={os.environ['PATH']}", "sh", "-ec")
    try:
        subprocess.run([*isolated, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        missing("Only root can mount, on Linux")
    return (*isolated, f"{mounts}\n{command}")
