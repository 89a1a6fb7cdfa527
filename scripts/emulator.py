"""The emulated AWS: a process that listens on 127.0.0.1 and keeps its data in a directory.

It keeps its data when it is stopped with SIGTERM, and loses what is new since its start when it is
killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
EMULATOR_PYTHON = ROOT / ".local" / "venv" / "bin" / "python"
EMULATOR_APP = "ministack.app:app"
REGION = "ap-southeast-1"
# The key pair of the emulator's root user.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
START_SECONDS = 60
STOP_SECONDS = 30


class StackError(Exception):
    """What went wrong, and what to do about it."""


class Emulator:
    """One emulated AWS, kept in one directory."""

    def __init__(self, directory: Path, port: int) -> None:
        """Nothing is started or read yet."""
        self.directory = directory.resolve()
        self.port = port
        self.process_file = self.directory / "aws.json"
        self.log = self.directory / "aws.log"

    @property
    def endpoint(self) -> str:
        """The emulator's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process_id(self) -> int:
        """The running emulator's; its functions' processes descend from it."""
        known: dict[str, int] = json.loads(self.process_file.read_text())
        return known["pid"]

    def start(self) -> None:
        """Start it where it does not run. Raises StackError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        running = self.running()
        if running is not None:
            if running["port"] != self.port:
                raise StackError(
                    f"The local AWS of {self.directory} runs on port {running['port']} already. "
                    "Use that port, or stop it first (make down)."
                )
            return
        if not port_is_free(self.port):
            raise StackError(
                f"Port {self.port} is taken by another program. Stop that program, or choose "
                "another port: make up LOCAL_PORT=4567"
            )
        self._forget_stream_positions()
        shutil.rmtree(self.directory / "tmp", ignore_errors=True)
        (self.directory / "tmp").mkdir()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            # Functions run in processes that unpack the code into the temporary directory.
            "TMPDIR": str(self.directory / "tmp"),
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",  # in queues' URLs
            "AUTH": "true",  # each function has its own role's rights, and no more
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.directory / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.directory / "s3"),
            "IOT_MTLS_ENABLED": "0",  # its MQTT port would listen on all interfaces
            "LAMBDA_WARM_TTL_SECONDS": "86400",
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(EMULATOR_PYTHON), "-m", "hypercorn", EMULATOR_APP,
                 "--bind", f"127.0.0.1:{self.port}"],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.process_file.write_text(json.dumps({"pid": process.pid, "port": self.port}))

        def responses() -> bool:
            if process.poll() is not None:
                raise StackError(
                    f"The local AWS stopped right after its start. Its log is {self.log}."
                )
            return http_status(f"{self.endpoint}/_ministack/health") is not None

        wait_until(responses, START_SECONDS, f"The local AWS does not respond. See {self.log}.")

    def _forget_stream_positions(self) -> None:
        # The emulator keeps how far its functions have read the table's stream, but not the
        # stream: it would pass over as many new records as it had read before it was stopped.
        state = self.directory / "state" / "lambda.json"
        if state.exists():
            content = json.loads(state.read_text())
            content["payload"].pop("dynamodb_stream_positions", None)
            state.write_text(json.dumps(content))

    def stop(self) -> bool:
        """Stop the emulator, keeping its data; False where none runs. Raises StackError."""
        running = self.running()
        if running is None:
            self.process_file.unlink(missing_ok=True)
            return False
        os.kill(running["pid"], signal.SIGTERM)
        wait_until(
            lambda: self.running() is None,
            STOP_SECONDS,
            f"The local AWS (process {running['pid']}) does not stop. Its log is {self.log}.",
        )
        self.process_file.unlink(missing_ok=True)
        return True

    def forget(self) -> None:
        """Stop it and forget its data. Raises StackError."""
        self.stop()
        for name in ("state", "s3", "tmp"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def client(self, service: str, attempts: int = 1) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        """Return a botocore client of the emulator, as its root user."""
        session = botocore.session.Session()
        session.set_credentials(*CREDENTIALS.values())
        return session.create_client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            config=Config(retries={"total_max_attempts": attempts}),
        )

    def running(self) -> dict[str, int] | None:
        """Return process id and port of this directory's emulator, if it runs."""
        if not self.process_file.exists():
            return None
        known: dict[str, int] = json.loads(self.process_file.read_text())
        with contextlib.suppress(ChildProcessError):
            os.waitpid(known["pid"], os.WNOHANG)
        # The process id may have been given to another program since. Without -ww, a narrow COLUMNS
        # cuts the command short.
        command = subprocess.run(
            ["ps", "-ww", "-p", str(known["pid"]), "-o", "args="],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        return known if EMULATOR_APP in command else None


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print what is being done, and how long it took."""
    sys.stdout.write(f"{what} ... ")
    sys.stdout.flush()
    started = time.monotonic()
    try:
        yield
    except BaseException:
        sys.stdout.write("failed\n")
        raise
    sys.stdout.write(f"{time.monotonic() - started:.1f} s\n")
    sys.stdout.flush()


def port_is_free(port: int) -> bool:
    """Tell whether 127.0.0.1 can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def http_status(url: str) -> int | None:
    """Return the status of the response to a GET, None if nothing responds."""
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def wait_until(condition: Callable[[], bool], seconds: float, failure: str) -> None:
    """Return once the condition holds; raise StackError(failure) after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackError(failure)
        time.sleep(0.1)
