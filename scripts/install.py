"""Installs what is missing, and only that: `python3 scripts/install.py PART...`.

Parts: `uv` (the installer, in .venv), `dev` (tests and checks, in .venv), `emulator` (the local
AWS with the functions' libraries, in .local/venv), `orderctl` (the operator's command, in
.local/orderctl), `lint` (what checks the compiled templates, in .local/lint), `node` (the
deployment tools, in node_modules). A part is current while its pinned versions and the Python it
was made with stay.

This file must run on Pythons that are too old for the rest, to be able to say so.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
EMULATOR_VENV = ROOT / ".local" / "venv"
ORDERCTL_VENV = ROOT / ".local" / "orderctl"
LINT_VENV = ROOT / ".local" / "lint"
REQUIREMENTS = ROOT / "requirements"
MIN_PYTHON = (3, 11)
MIN_NODE = (20, 19)


def main() -> None:
    """Bring each named part up to date."""
    if sys.version_info < MIN_PYTHON:
        raise fail(
            f"Python {'.'.join(map(str, MIN_PYTHON))} or newer is needed; this is "
            f"{sys.version.split()[0]} ({sys.executable}).",
            "Install one and name it: make PYTHON=/path/to/python3.13 ...",
        )
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=sorted(INSTALL))
    parts = parser.parse_args().parts
    VENV.mkdir(exist_ok=True)
    # Two commands may be started side by side; the second waits for the first.
    with (VENV / ".install-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for part in parts:
            INSTALL[part]()


def uv() -> None:
    """Make .venv, with nothing but uv in it."""
    requirements = REQUIREMENTS / "bootstrap.txt"
    stamp = Stamp(VENV / ".uv-stamp", requirements)
    if stamp.current():
        return
    say("Installing uv into .venv")
    run([sys.executable, "-m", "venv", str(VENV)], "On Debian: apt-get install python3-venv")
    run(
        [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes",
         "--disable-pip-version-check", "--requirement", str(requirements)],
        NETWORK,
    )  # fmt: skip
    stamp.write()


def dev() -> None:
    """Install what tests and checks need, and the package itself, into .venv."""
    uv()
    sync(VENV, REQUIREMENTS / "dev.txt", "the tools for tests and checks into .venv")


def emulator() -> None:
    """Install the local AWS into an environment of its own: it pins its own botocore."""
    uv()
    sync(EMULATOR_VENV, REQUIREMENTS / "local-aws.txt", "the local AWS into .local/venv")


def orderctl() -> None:
    """Install what the operator's command needs into an environment of its own."""
    uv()
    sync(ORDERCTL_VENV, REQUIREMENTS / "orderctl.txt", "orderctl into .local/orderctl")


def lint() -> None:
    """Install what checks the compiled templates into an environment of its own."""
    uv()
    sync(LINT_VENV, REQUIREMENTS / "lint.txt", "the checks of templates into .local/lint")


def sync(venv: Path, requirements: Path, what: str) -> None:
    """Make the environment hold exactly the pinned packages."""
    stamp = Stamp(venv / ".packages-stamp", requirements)
    if stamp.current():
        return
    say(f"Installing {what}")
    uv_program = str(VENV / "bin" / "uv")
    if not (venv / "bin" / "python").exists():
        run([uv_program, "venv", "--quiet", "--no-config", "--python", sys.executable, str(venv)])
    run(
        [uv_program, "pip", "sync", "--quiet", "--no-config", "--require-hashes",
         "--python", str(venv / "bin" / "python"), str(requirements)],
        NETWORK,
    )  # fmt: skip
    stamp.write()


def node() -> None:
    """Install the pinned Node packages."""
    program = shutil.which("node")
    if program is None or shutil.which("npm") is None:
        raise fail(
            "Node.js is needed to deploy, also to the local AWS, and node or npm is missing.",
            f"Install Node.js {MIN_NODE[0]}.{MIN_NODE[1]} or newer (22 is a good choice).",
        )
    version = subprocess.run([program, "--version"], stdout=subprocess.PIPE, check=True)
    numbers = version.stdout.decode().strip().lstrip("v")
    if tuple(int(number) for number in numbers.split(".")[:2]) < MIN_NODE:
        raise fail(
            f"Node.js {MIN_NODE[0]}.{MIN_NODE[1]} or newer is needed; this is {numbers}.",
            "Install a newer one (22 is a good choice).",
        )
    stamp = Stamp(ROOT / "node_modules" / ".packages-stamp", ROOT / "package-lock.json")
    if stamp.current():
        return
    say("Installing the deployment tools into node_modules")
    run(["npm", "ci", "--loglevel=error"], NETWORK)
    stamp.write()


INSTALL = {
    "uv": uv,
    "dev": dev,
    "emulator": emulator,
    "orderctl": orderctl,
    "lint": lint,
    "node": node,
}


class Stamp:
    """Remembers which pinned versions an environment was made from, and by which Python."""

    def __init__(self, path: Path, source: Path) -> None:
        """Compare `source` with what `path` remembers."""
        self.path = path
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        self.content = json.dumps({"source": digest, "python": sys.version, "root": str(ROOT)})

    def current(self) -> bool:
        """Tell whether nothing has changed since."""
        return self.path.exists() and self.path.read_text() == self.content

    def write(self) -> None:
        """Remember the present state."""
        self.path.write_text(self.content)


NETWORK = (
    "If the network or its proxy was down, try again: a first install needs the package registries."
)


def run(command: list[str], advice: str = "") -> None:
    """Run a command in the project's root; where it fails, say what to do and stop."""
    result = subprocess.run(command, cwd=str(ROOT), env=dict(os.environ), check=False)
    if result.returncode != 0:
        raise fail(f"This failed with exit code {result.returncode}: {' '.join(command)}", advice)


def say(line: str) -> None:
    """Print a progress line at once."""
    sys.stdout.write(f"{line} ...\n")
    sys.stdout.flush()


def fail(problem: str, advice: str) -> SystemExit:
    """Return what ends this with a message: what is wrong and what to do."""
    return SystemExit(f"{problem}\n{advice}".rstrip())


if __name__ == "__main__":
    main()
