"""A newcomer's machine: a checkout of its own, with everything in the way that was ever met."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from emulator import EMULATOR_PYTHON, OSLS_CACHE, ROOT

if TYPE_CHECKING:
    from pathlib import Path

BROKEN_CONFIG: Final = "[profile\nbroken"
INSTALLED: Final = (".venv", "node_modules")
PROGRAMS: Final = (
    *("cat", "dirname", "env", "git", "java", "make", "mkdir", "node", "readlink", "sh", "tr"),
)
"""What a slim image has: no ps."""

SECONDS: Final = 120
"""The deadline of a command; far more than it takes."""


class Proxy:
    """Listens and counts who comes; nobody should."""

    def __init__(self) -> None:
        self.callers: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            connection, _ = self._server.accept()
            with connection:
                self.callers.append(connection.recv(200))


class Machine:
    """Its `environment` is what a developer has set for other work."""

    def __init__(self, directory: Path, proxy: Proxy) -> None:
        (directory / "bin").mkdir()
        for name in PROGRAMS:
            if (program := shutil.which(name)) is not None:
                (directory / "bin" / name).symlink_to(program)
        # What is needed is installed, and not for these checkouts: make asks only whether it runs.
        python = directory / "python"
        python.write_text('#!/bin/sh\ntest "$1" != -Ec || echo 1\n')
        python.chmod(0o755)
        config = directory / "config"
        config.write_text(BROKEN_CONFIG)
        proxies = ("http_proxy", "https_proxy", "all_proxy")
        self.environment = {
            "PATH": str(directory / "bin"),
            "PYTHON": str(python),
            "HOME": str(config / "home"),  # a file has no directories: nobody can write it
            "TMPDIR": str(config / "tmp"),
            "LC_ALL": "C",
            "TERM": "dumb",
            "COLUMNS": "20",
            "NO_PROXY": "intranet.example.com",
            **dict.fromkeys(["proxy", *proxies, *map(str.upper, proxies)], proxy.address),
            **dict.fromkeys(["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"], str(config)),
            **dict.fromkeys(["AWS_PROFILE", "AWS_DEFAULT_PROFILE"], "my-company"),
            **dict.fromkeys(["AWS_REGION", "AWS_DEFAULT_REGION"], "mars-north-1"),
            **dict.fromkeys(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"], proxy.address),
            **dict.fromkeys(["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"], "true"),
            **dict.fromkeys(["AWS_CA_BUNDLE", "cafile"], "/not-there.pem"),
            **dict.fromkeys(["AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_DEFAULTS_MODE"], "none"),
            **dict.fromkeys(["SLS_LOG_LEVEL", "SLS_AWS_REQUEST_MAX_RETRIES"], "none"),
            "AWS_SDK_LOAD_CONFIG": "1",
            "NODE_OPTIONS": "--require ./not-there.js",
            "SERVERLESS_ACCESS_KEY": "none",
            "JWT_ISSUER": "nobody",
            "STAGE": "prod",
        }

    def start(
        self, checkout: Path, *command: str, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start a command as a shell does, in a group of its own that Ctrl-C reaches."""
        return subprocess.Popen(
            command,
            cwd=checkout,
            env=self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            umask=0o077,
            start_new_session=True,
        )

    def run(self, checkout: Path, *command: str) -> tuple[int, str]:
        """Its exit code, and all that it said. What it says is never a traceback."""
        process = self.start(checkout, *command)
        said, _ = process.communicate(timeout=SECONDS)
        assert "Traceback" not in said, said
        return process.returncode, said


def check_out(directory: Path) -> Path:
    """A checkout of this one's files, with its installed packages and nothing that was built."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name)
    (directory / ".local").mkdir()
    for name in INSTALLED:
        (directory / name).symlink_to(ROOT / name)
    (directory / ".local" / "venv").symlink_to(EMULATOR_PYTHON.parent.parent)
    # The operator's command has its libraries in the tests' environment too.
    (directory / ".local" / "orderctl").symlink_to(sys.prefix)
    OSLS_CACHE.mkdir(parents=True, exist_ok=True)
    (directory / ".local" / OSLS_CACHE.name).symlink_to(OSLS_CACHE)
    return directory
