"""One load: the functions are made ready, the clients run, and all they left is waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from benchmarks.load.counting import Left, Response, faults
from emulator import ROOT, StackError, own_environment, step, wait_until
from local_stack import STACK
from orders.adapters.dynamodb import keys
from orders.http.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Collection

    from proof import proxy
    from proof.stack import Platform

CLIENTS: Final = ROOT / "benchmarks" / "load" / "clients.py"
PUBLISHER: Final = "publish-order-events"
STOP_SECONDS: Final = 120
"""For requests under way when the time is over; none is cut off."""
SETTLE_SECONDS: Final = 120
_MOST_LINES: Final = 10_000
"""What the emulator returns at most, without a token for the rest."""


class Profile(NamedTuple):
    """Who comes, how many, and for how long. `clients` is a class of clients.py."""

    name: str
    describes: str
    clients: str
    users: int
    seconds: int
    starts_warm: bool = True
    """As many clients have been at work beforehand, outside of the figures."""
    may_turn_away: bool = False
    """A request may be told to try again: every process has to start first, on few cores. What was
    accepted must not be lost then either."""


LIGHT: Final = Profile("light", "5 requests a second, processes warm", "Steady", 5, 60)
BUSY: Final = Profile("busy", "4 clients without a pause, processes warm", "Hurried", 4, 40)
BURST: Final = Profile(
    "burst", "no process runs, then 50 clients at once", "Hurried", 50, 30,
    starts_warm=False, may_turn_away=True,
)  # fmt: skip

_WARM_UP: Final = Profile("warm-up", "not measured", "Hurried", 1, 10)


class Outcome(NamedTuple):
    """What the clients and the functions say of a load, and what it left once all was quiet."""

    profile: Profile
    responses: list[Response]
    client_ms: dict[str, list[float]]
    """Locust's percentiles by route, and for `Aggregated` requests."""
    own_ms: dict[str, list[float]]
    """What the functions logged of their requests, by route."""
    left: Left


class PublishedEvents:
    """A proxy's treatment that changes nothing, and remembers what the queue accepted.

    It stands between the publisher and the queue, where no client waits.
    """

    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, request: proxy.Request, pass_on: proxy.PassOn) -> proxy.Response:
        response = await pass_on(request)
        if request.operation == "SendMessageBatch" and response.status == HTTPStatus.OK:
            taken = {entry["Id"] for entry in json.loads(response.body).get("Successful", ())}
            for entry in json.loads(request.body)["Entries"]:
                if entry["Id"] in taken:
                    self.names.append(json.loads(entry["MessageBody"])["id"])
        return response


def run(
    profile: Profile, platform: Platform, environment: dict[str, str], published: PublishedEvents
) -> Outcome:
    """Raises StackError where the clients don't work. What the load loses is in the outcome."""
    if profile.starts_warm:
        with step(f"Warming up for the {profile.name} load"):
            _drive(_WARM_UP._replace(users=profile.users), platform, environment)
    else:
        with step(f"Ending the functions' processes before the {profile.name} load"):
            _end_processes(platform)
    wait_until(
        lambda: (
            platform.queue_is_empty() and {*_look(platform, published).events} <= {*published.names}
        ),
        SETTLE_SECONDS,
        "What was before does not settle.",
    )
    known = _look(platform, published).orders.keys()
    began = time.time()
    with step(f"The {profile.name} load for {profile.seconds} s"):
        responses, times = _drive(profile, platform, environment)
    deadline = time.monotonic() + SETTLE_SECONDS
    with step("Waiting until every event was consumed"):
        while True:
            is_consumed = platform.queue_is_empty()
            left = _look(platform, published, known)
            if (is_consumed and not faults(responses, left)) or time.monotonic() > deadline:
                break
    own = {route.key: _own_times(platform, route.function, began) for route in ROUTES}
    return Outcome(profile, responses, times, own, left)


def _look(platform: Platform, published: PublishedEvents, without: Collection[str] = ()) -> Left:
    """What lies in the table and the queues now, `without` the orders of an earlier load."""
    old = frozenset(without)
    rows = [row for row in platform.rows() if row.get("orderId", "") not in old]
    events = [
        f"{row['pk'].removeprefix('ORDER#')}/{row['version']}"
        for row in rows
        if row["sk"].startswith(keys.EVENT)
    ]
    return Left(
        orders={row["orderId"]: row["version"] for row in rows if row["sk"] == "DETAIL"},
        listed=[row["orderId"] for row in rows if row["pk"].startswith("CUSTOMER#")],
        timeline=[name for name in events if name.partition("/")[0] not in old],
        published=[name for name in published.names if name.partition("/")[0] not in old],
        dead_letters=platform.count_dead_letters(),
    )


def _own_times(platform: Platform, function: str, since: float) -> list[float]:
    """Milliseconds of each request since then (epoch), as the function logged them."""
    logs = platform.stack.client("logs", attempts=3)
    group = f"/aws/lambda/{STACK}-{function}"
    try:
        events = logs.filter_log_events(
            logGroupName=group, filterPattern="duration_ms", startTime=int(since * 1000)
        )["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []  # the function was not called yet
    if len(events) == _MOST_LINES:
        raise StackError(f"{group} has more lines than the emulator returns.")
    return [json.loads(event["message"])["duration_ms"] for event in events]


def _end_processes(platform: Platform) -> None:
    """A changed function is started anew, like one that nobody called for a while."""
    for function in platform.functions.list_functions(MaxItems=50)["Functions"]:
        platform.functions.update_function_configuration(
            FunctionName=function["FunctionName"], Description="idle"
        )


def _drive(
    profile: Profile, platform: Platform, environment: dict[str, str]
) -> tuple[list[Response], dict[str, list[float]]]:
    """Let the clients work; return the responses, and the percentiles by route."""
    directory = platform.stack.directory
    responses, times = (directory / f"{profile.name}.{kind}" for kind in ("jsonl", "times"))
    command = [
        sys.executable, "-m", "locust", "--locustfile", str(CLIENTS), "--headless",
        "--only-summary", "--exit-code-on-error", "0",
        "--host", environment["API_URL"], "--env", str(directory / "env"),
        "--responses", str(responses), "--times", str(times),
        "--users", str(profile.users), "--spawn-rate", str(profile.users),
        "--run-time", f"{profile.seconds}s", "--stop-timeout", str(STOP_SECONDS),
        profile.clients,
    ]  # fmt: skip
    path = os.pathsep.join(str(ROOT / folder) for folder in ("", "scripts", "src", "tests"))
    done = subprocess.run(
        command,
        cwd=directory,
        env=own_environment() | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"The clients failed:\n{done.stdout}")
    decoder = msgspec.json.Decoder(Response)
    return decoder.decode_lines(responses.read_bytes()), json.loads(times.read_bytes())
