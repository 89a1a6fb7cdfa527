"""The emulated AWS: a process that listens on 127.0.0.1 and keeps its data in a directory.

It keeps its data when it is stopped with SIGTERM, and loses what is new since its start when it is
killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.session
import psutil
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
EMULATOR_PYTHON = ROOT / ".local" / "venv" / "bin" / "python"
EMULATOR_APP = "ministack.app:app"
OSLS_CACHE = ROOT / ".local" / "osls"  # with one that it can't write, such as a HOME, osls hangs
REGION = "ap-southeast-1"
# The key pair of the emulator's root user.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
START_SECONDS = 60
STOP_SECONDS = 30
INTERRUPTED = 130
# Files of the emulator's state that have queues' addresses, with the port, in them.
KEEP_QUEUE_URLS = ("cloudformation.json", "lambda.json", "sqs.json")
QUEUE_URL = re.compile(r"http://127\.0\.0\.1:\d+(?=/\d{12}/)")
# Variables of the user's that lead programs to another AWS, through a proxy, or to other options.
LEADS_AWAY = re.compile(
    r"(aws|node|npm|serverless|sls)_.*|python.*|(.*_)?proxy|(https_)?ca(file)?", re.IGNORECASE
)
# Whatever a system's settings say, nothing on this machine is reached through a proxy.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StackError(Exception):
    """What went wrong, and what to do about it."""


class Running(NamedTuple):
    """A process of an emulator. `directory` is where its data is, None if that can't be known."""

    process: psutil.Process
    port: int
    directory: Path | None

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def started(self) -> datetime:
        """Since when it runs."""
        return datetime.fromtimestamp(self.process.create_time(), UTC)

    @property
    def finds_its_files(self) -> bool:
        """False once its directory was moved or deleted: then functions can't start."""
        temporary = Path(self.process.environ()["TMPDIR"])
        return temporary.parent == self.directory and temporary.is_dir()


class Emulator:
    """One emulated AWS, kept in one directory."""

    def __init__(self, directory: Path, port: int) -> None:
        """Nothing is started or read yet."""
        self.directory = directory.resolve()
        self.port = port
        self.log = self.directory / "aws.log"

    @property
    def endpoint(self) -> str:
        """The emulator's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process_id(self) -> int:
        """The running emulator's; its functions' processes descend from it."""
        running = self.running()
        if running is None:
            raise StackError(f"No local AWS runs in {self.directory}.")
        return int(running.process.pid)

    def start(self) -> None:
        """Start it where it does not run. Raises StackError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        running = self.running()
        if running is not None and not running.finds_its_files:
            self.stop()
            running = None
        if running is not None and running.port != self.port:
            raise StackError(
                f"The local AWS of {self.directory} runs on port {running.port} already. "
                f"Use that port (make up LOCAL_PORT={running.port}), or stop it first (make down)."
            )
        process = self._launch() if running is None else running.process

        def responds() -> bool:
            if fetch(f"{self.endpoint}/_ministack/health") is not None:
                return True
            if has_ended(process):
                raise StackError(
                    f"The local AWS stopped right after its start. Its log is {self.log}."
                )
            return False

        wait_until(responds, START_SECONDS, f"The local AWS does not respond. See {self.log}.")

    def _launch(self) -> psutil.Process:
        require_free_port(self.port, "make up LOCAL_PORT=4567")
        self._forget_stream_positions()
        self._take_queues_to_this_port()
        temporary = self.directory / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            # Functions run in processes that unpack the code into the temporary directory.
            "TMPDIR": str(temporary),
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",  # in queues' URLs
            "AUTH": "true",  # each function has its own role's rights, and no more
            "PERSIST_STATE": "1",
            # In its working directory, also after that was moved.
            "STATE_DIR": "state",
            "S3_PERSIST": "1",
            "S3_DATA_DIR": "s3",
            "IOT_MTLS_ENABLED": "0",  # its MQTT port would listen on all interfaces
            "LAMBDA_WARM_TTL_SECONDS": "86400",
        }
        with self.log.open("ab") as log:
            launched = subprocess.Popen(
                # Without workers it is one process: killed, it leaves none that keeps the port.
                [str(EMULATOR_PYTHON), "-m", "hypercorn", "--workers", "0", EMULATOR_APP,
                 "--bind", f"127.0.0.1:{self.port}"],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return psutil.Process(launched.pid)

    def _forget_stream_positions(self) -> None:
        # The emulator keeps how far its functions have read the table's stream, but not the
        # stream: it would pass over as many new records as it had read before it was stopped.
        state = self.directory / "state" / "lambda.json"
        if state.exists():
            try:
                content = json.loads(state.read_text(encoding="utf-8"))
                content["payload"].pop("dynamodb_stream_positions", None)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise damaged(state) from error
            replace(state, json.dumps(content))

    def _take_queues_to_this_port(self) -> None:
        # The emulator keeps queues by their addresses, and looks for those that functions consume
        # under the port that it listens on now.
        for name in KEEP_QUEUE_URLS:
            state = self.directory / "state" / name
            if state.exists():
                try:
                    text = state.read_text(encoding="utf-8")
                except ValueError as error:
                    raise damaged(state) from error
                replace(state, QUEUE_URL.sub(self.endpoint, text))

    def stop(self) -> bool:
        """Stop the emulator, keeping its data; False where none runs. Raises StackError."""
        running = self.running()
        if running is None:
            return False
        process = running.process
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            process.terminate()
        wait_until(
            lambda: has_ended(process),
            STOP_SECONDS,
            f"The local AWS (process {process.pid}) does not stop. Its log is {self.log}. To end "
            f"it without what is new since its start: kill -9 {process.pid}",
        )
        return True

    def forget(self) -> None:
        """Stop it and forget its data. Raises StackError."""
        self.stop()
        for name in ("state", "s3", "tmp"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def client(self, service: str, attempts: int = 1) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        """Return a botocore client of the emulator, as its root user."""
        return local_client(service, self.endpoint, attempts)

    def running(self) -> Running | None:
        """Return this directory's emulator, if it runs."""
        return next((one for one in emulators() if one.directory == self.directory), None)


def emulators() -> list[Running]:
    """All that run on this machine.

    A process is known by its command, and its data by its working directory, which a copy of the
    directory hasn't, and a moved one keeps.
    """
    found = []
    for process in psutil.process_iter():
        # It ended meanwhile, or another user runs it, or somebody started one in another way.
        with contextlib.suppress(psutil.Error, ValueError):
            command = process.cmdline()
            if EMULATOR_APP in command:
                port = int(command[-1].rpartition(":")[2])
                found.append(Running(process, port, _working_directory(process)))
    return found


def damaged(state: Path) -> StackError:
    return StackError(
        f"The local AWS's data is damaged: {state}. `make clean` and `make up` begin anew."
    )


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more. Where nothing reaps it, as in some containers, its entry stays."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _working_directory(process: psutil.Process) -> Path | None:
    try:
        return Path(process.cwd())
    except psutil.AccessDenied:
        return None


def own_session() -> botocore.session.Session:
    """Return a session with an emulator's key pair that asks nothing of the user's AWS set-up."""
    files = {"config_file": os.devnull, "credentials_file": os.devnull}
    session = botocore.session.Session(
        {
            name: (None, None, files.get(name, default), convert)
            for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
        }
    )
    session.set_credentials(*CREDENTIALS.values())
    return session


def local_client(service: str, endpoint: str, attempts: int = 1) -> Any:  # noqa: ANN401 - likewise
    """Return a botocore client of an emulator that needs no proxy to be reached."""
    return own_session().create_client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        config=Config(proxies={}, retries={"total_max_attempts": attempts}),
    )


def own_environment() -> dict[str, str]:
    """Return this environment without what leads programs away from this machine's AWS."""
    # With a HOME that is empty, osls finds none.
    kept = {
        name: value
        for name, value in os.environ.items()
        if value and not LEADS_AWAY.fullmatch(name)
    }
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
        "SLS_SCHEMA_CACHE_BASE_DIR": str(OSLS_CACHE),
    }


def reach_this_machine_directly() -> None:
    """Let clients that follow the environment use no proxy for this machine."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    direct = ",".join(filter(None, [known, "127.0.0.1", "localhost"]))
    os.environ.update(no_proxy=direct, NO_PROXY=direct)


@contextlib.contextmanager
def ending_plainly() -> Iterator[None]:
    """End a command that fails, or is interrupted, with a sentence at most: no traceback."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except StackError as error:
        raise SystemExit(f"\n{error}") from error
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(
            f"\nThe local AWS failed: {error}\n`make clean` and `make up` begin anew."
        ) from error
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"\nThis failed, and its output is above: {shlex.join(error.cmd)}"
        ) from error
    except OSError as error:
        raise SystemExit(f"\nA file or a program can't be used: {error}") from error
    except KeyboardInterrupt:
        say("\n")
        raise SystemExit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def say(text: str) -> None:
    """Print at once. Where nobody reads it, as in `make up | head`, the work goes on."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except AttributeError:  # None, where the shell closed it
        pass
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print what is being done, and how long it took."""
    say(f"{what} ... ")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say("failed\n")
        raise
    say(f"{time.monotonic() - started:.1f} s\n")


def read_port(variable: str, value: str, example: str) -> int:
    """Return the port that a variable names. Raises StackError; `example` is what to type."""
    if re.fullmatch("[0-9]{1,5}", value) and 0 < int(value) < 2**16:
        return int(value)
    raise StackError(
        f'{variable} is a port, a number from 1 to 65535, not "{value}". For example: {example}'
    )


def require_free_port(port: int, example: str) -> None:
    """Raise StackError where 127.0.0.1 can't listen on the port; `example` is what to type."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            problem = f"Port {port} is for the system's own programs."
        except OSError:
            problem = f"Port {port} is taken by {_listener(port)}"
        else:
            return
    raise StackError(f"{problem} Choose another port: {example}")


def _listener(port: int) -> str:
    """What listens there, and how to stop it."""
    for process, its_port, directory in emulators():
        if its_port == port:
            if directory is None:
                return f"a local stack of another user (process {process.pid})."
            if directory.exists():
                return f"the local stack of {directory}. Stop that one (make down, there)."
            return (
                f"the local stack of {directory}, which is no longer there. "
                f"Stop it (kill {process.pid})."
            )
    return "another program. Stop that program."


def fetch(request: str | urllib.request.Request) -> tuple[int, bytes] | None:
    """Return the status and the body of the response, None if nothing responds."""
    try:
        with _direct.open(request, timeout=30) as response:
            return int(response.status), response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return None


def is_healthy(api_url: str) -> bool:
    """Tell whether the API's own function responds, and not what stands before it."""
    response = fetch(f"{api_url}/health")
    return response is not None and response[0] == 200 and b'"version"' in response[1]  # noqa: PLR2004


def wait_until(condition: Callable[[], bool], seconds: float, failure: str) -> None:
    """Return once the condition holds; raise StackError(failure) after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackError(failure)
        time.sleep(0.1)


def replace(path: Path, text: str) -> None:
    """Write a file whole, or leave it as it is."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
