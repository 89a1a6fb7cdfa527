"""Makes what commands run in: environments for Python, node_modules for Node.js.

A part is current while its pinned versions, its Python or platform, and its place stay. Else it is
made anew from nothing, so that nothing half-made, or made elsewhere, is left in it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import doctor

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(doctor.ROOT)
LOCAL = ROOT / ".local"
REQUIREMENTS = ROOT / "requirements"
UV = LOCAL / "uv" / "bin" / "uv"
PIP = LOCAL / "uv" / "bin" / "python"
# Of the user's settings, those stay that say how a registry is reached. The others say what is
# installed, or where to.
STAYS = {
    "PIP_": re.compile(
        "CONFIG_FILE|(EXTRA_)?INDEX_URL|NO_INDEX|FIND_LINKS|TRUSTED_HOST|(CLIENT_)?CERT|PROXY"
        "|KEYRING_PROVIDER|USE_FEATURE|(DEFAULT_)?TIMEOUT|RETRIES|(NO_)?CACHE_DIR"
    ),
    "UV_": re.compile(
        "(DEFAULT_|EXTRA_)?INDEX.*|FIND_LINKS|INSECURE_HOST|KEYRING_PROVIDER|NATIVE_TLS"
        "|SYSTEM_CERTS|OFFLINE|HTTP_.*|REQUEST_TIMEOUT|CONCURRENT_.*|(NO_)?CACHE(_DIR)?|LINK_MODE"
    ),
    "NPM_CONFIG_": re.compile(
        "(USER|GLOBAL)CONFIG|(.*:)?REGISTRY|_?AUTH.*|//.*|(HTTP_|HTTPS_|NO)?PROXY|CA(FILE)?|CERT|KEY"
        "|STRICT_SSL|OFFLINE|PREFER_.*|FETCH_.*|MAXSOCKETS|LOCAL_ADDRESS|CACHE"
    ),
    "PYTHON": re.compile(""),
}
# uv reads none of pip's settings.
SAME_FOR_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
    "PIP_CERT": "SSL_CERT_FILE",
    "PIP_CLIENT_CERT": "SSL_CLIENT_CERT",
    "PIP_PROXY": "ALL_PROXY",
}
PIPS_YES = {"y", "yes", "t", "true", "on", "1"}
# All packages of the lock file, and into this checkout, whatever the user's .npmrc says.
NPM_CI = (
    *("npm", "ci", "--loglevel=error", "--include=dev", "--include=optional", "--include=peer"),
    *("--location=project", "--no-global", "--package-lock", "--no-package-lock-only"),
    *("--no-dry-run", "--ignore-scripts", "--bin-links", "--install-strategy=hoisted"),
    *("--min-release-age=0", "--no-workspaces", "--os=", "--cpu=", "--libc="),
)


def main() -> None:
    """Bring each part that the command line names up to date."""
    parser = argparse.ArgumentParser(prog="install.py", description="Installs what is missing.")
    parser.add_argument("parts", nargs="+", choices=sorted(PARTS), metavar="PART")
    require(doctor.place())
    try:
        install(parser.parse_args().parts)
    except OSError as error:
        raise SystemExit(
            f"{error.filename or ROOT}: {error.strerror}.\n"
            "Everything is installed into this folder: it must be writable and its disk have room."
        ) from error


def install(parts: list[str]) -> None:
    """Bring parts up to date. Raises OSError."""
    LOCAL.mkdir(exist_ok=True)
    with alone(LOCAL / "install.lock", "another command that installs"):
        for part in parts:
            PARTS[part]()


@contextlib.contextmanager
def alone(path: Path, other: str) -> Iterator[None]:
    """Of two commands that are started side by side, let the second wait for the first."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for {other}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def uv() -> None:
    """Make .local/uv, with nothing but uv in it, and the pip that installed it."""
    part = Part(LOCAL / "uv", REQUIREMENTS / "bootstrap.txt", sys.version, "bin/python")
    if part.current():
        return
    part.let_go()
    say("Installing uv into .local/uv")
    # It runs before pip can be asked for its settings, and doesn't download.
    run([sys.executable, "-I", "-m", "venv", "--clear", str(part.directory)], dict(os.environ))
    run(
        [str(PIP), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--require-hashes", "--requirement", str(part.pins)],
        environment(),
    )  # fmt: skip
    part.finish()


def dev() -> None:
    """Make .venv, with what tests and checks need."""
    python_environment(ROOT / ".venv", "dev.txt", "the tools for tests and checks")


def emulator() -> None:
    """Make .local/venv, with the local AWS, apart because it pins its own botocore."""
    python_environment(LOCAL / "venv", "local-aws.txt", "the local AWS")


def orderctl() -> None:
    """Make .local/orderctl, with what the operator's command needs."""
    python_environment(LOCAL / "orderctl", "orderctl.txt", "orderctl")


def lint() -> None:
    """Make .local/lint, with what checks the compiled templates, apart because of its many pins."""
    python_environment(LOCAL / "lint", "lint.txt", "the checks of templates")


def python_environment(directory: Path, pins: str, what: str) -> None:
    """Make an environment that holds exactly the pinned packages."""
    uv()
    part = Part(directory, REQUIREMENTS / pins, sys.version, "bin/python")
    if part.current():
        return
    part.let_go()
    say(f"Installing {what} into {directory.relative_to(ROOT)}")
    run(
        [str(UV), "venv", "--quiet", "--no-config", "--clear", "--python", sys.executable,
         str(directory)],
        environment(),
    )  # fmt: skip
    uv_pip("sync", "--require-hashes", "--python", str(part.needed), str(part.pins))
    part.finish()


def node() -> None:
    """Make node_modules."""
    require(doctor.node())
    part = Part(
        ROOT / "node_modules", ROOT / "package-lock.json", " ".join(os.uname()[::4]), ".bin/osls"
    )
    if part.current():
        return
    require(doctor.npm())
    part.let_go()
    say("Installing the deployment tools into node_modules")
    run([*NPM_CI], user_variables())
    part.finish()


class Part:
    """A directory that holds what is pinned; a stamp in it says what it was made from."""

    def __init__(self, directory: Path, pins: Path, maker: str, needed: str) -> None:
        """`maker` is what the content depends on besides; without `needed`, it is incomplete."""
        self.directory = directory
        self.pins = pins
        self.needed = directory / needed
        self._stamp = directory / doctor.STAMP
        digest = hashlib.sha256(pins.read_bytes()).hexdigest()
        self._content = json.dumps({"pins": digest, "maker": maker, "root": str(ROOT)})

    def current(self) -> bool:
        """Tell whether it is complete, and nothing has changed since."""
        return (
            self.needed.exists()
            and self._stamp.exists()
            and self._stamp.read_bytes() == self._content.encode()
        )

    def let_go(self) -> None:
        """What a link leads to is not ours to make anew."""
        if self.directory.is_symlink():
            self.directory.unlink()

    def finish(self) -> None:
        """Call it complete."""
        # On a full disk npm leaves files out and reports success.
        if doctor.free_bytes(str(ROOT)) < doctor.BYTES_TO_RUN:
            raise SystemExit(advice())
        self._stamp.write_text(self._content)


def uv_pip(*arguments: str) -> None:
    """Run a command of `uv pip`; where it fails, say what to do, and stop."""
    # An index of the user's that comes first may lack a version that is pinned.
    options = ["--quiet", "--no-config", "--index-strategy", "unsafe-best-match"]
    told = environment()
    if told.get("PIP_NO_INDEX", "").lower() in PIPS_YES:  # no variable tells uv
        options.append("--no-index")
    run([str(UV), "pip", *arguments, *options], told)


def environment() -> dict[str, str]:
    """Return the user's variables for pip and uv.

    What files tell pip is among them, and how either reaches the registry is told to the other.
    """
    told = user_variables()
    listed = run([str(PIP), "-m", "pip", "config", "list"], told, stdout=subprocess.PIPE)
    given = told.keys() & os.environ.keys()
    # Sorted: what is set for `pip install` comes after what is set for all commands.
    for name, value in re.findall(r"^(?:global|install)\.([a-z-]+)=(.*)$", listed, re.MULTILINE):
        variable = "PIP_" + name.upper().replace("-", "_")
        if stays(variable) and variable not in given:
            told[variable] = " ".join(ast.literal_eval(value).split())
    told["PIP_CONFIG_FILE"] = os.devnull
    index = told.get("UV_DEFAULT_INDEX", told.get("UV_INDEX_URL"))
    if index is not None:
        told.setdefault("PIP_INDEX_URL", re.sub(r"^[\w-]+=(?=\w+:)", "", index))
    for pips, uvs in SAME_FOR_UV.items():
        if pips in told and (uvs != "UV_DEFAULT_INDEX" or index is None):
            told.setdefault(uvs, told[pips].replace(" ", "," if uvs == "UV_FIND_LINKS" else " "))
    return told


def user_variables() -> dict[str, str]:
    """Return this process's variables, without those that are empty or lead an installer astray."""
    kept = {name: value for name, value in os.environ.items() if value and stays(name)}
    return kept | doctor.caches_here()


def stays(variable: str) -> bool:
    """Tell whether a variable leaves it to this file what is installed, and where to."""
    name = variable.upper().replace("-", "_")
    for prefix, names in STAYS.items():
        if name.startswith(prefix):
            return names.fullmatch(name.removeprefix(prefix)) is not None
    return True


def require(finding: doctor.Finding) -> None:
    """Stop where something is missing, with what to do about it."""
    if finding.mark == doctor.PROBLEM:
        raise SystemExit(f"{finding.text}.\n{finding.advice}")


def run(command: list[str], variables: dict[str, str], stdout: int | None = None) -> str:
    """Run a command in the project's root and return what it says to a pipe, if that is stdout.

    Where it fails, say what to do, and stop.
    """
    result = subprocess.run(command, cwd=ROOT, env=variables, stdout=stdout, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"This failed: {shlex.join(command)}\n{advice()}")
    return result.stdout or ""


def advice() -> str:
    """What probably helps after a failure."""
    for directory in (doctor.ROOT, tempfile.gettempdir()):
        free = doctor.free_bytes(directory)
        if free < doctor.BYTES_TO_INSTALL:
            return (
                f"Only {doctor.megabytes(free)} are free on the disk of {directory}: free "
                f"{doctor.megabytes(doctor.BYTES_TO_INSTALL)}."
            )
    return (
        "If the network or its proxy was down, try again: what is installed comes from the package "
        "registries."
    )


def say(line: str) -> None:
    """Print a progress line at once, where there is somebody to read it: not after `>&-`."""
    if sys.stdout is not None:
        sys.stdout.write(f"{line} ...\n")
        sys.stdout.flush()


PARTS = {
    "uv": uv,
    "dev": dev,
    "emulator": emulator,
    "orderctl": orderctl,
    "lint": lint,
    "node": node,
}
