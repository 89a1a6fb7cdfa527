"""One load: the functions are made ready, the clients run, and all they left is waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx

from benchmarks.load import cpu, responses
from benchmarks.load.aftermath import look, own_times
from benchmarks.load.counting import faults
from demo import client
from local_stack import ROOT, StackError, step, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.load.aftermath import OwnTime, SentEvents
    from benchmarks.load.counting import Left
    from benchmarks.load.cpu import CpuSeconds
    from benchmarks.load.profiles import Profile
    from benchmarks.load.responses import Response
    from proof.stack import Platform

CLIENTS: Final = ROOT / "benchmarks" / "load" / "clients.py"
STOP_SECONDS: Final = 120
"""For requests under way when the time is over; none is cut off."""
SETTLE_SECONDS: Final = 120


class Outcome(NamedTuple):
    """What a load was answered, and what it left behind once all was quiet."""

    profile: Profile
    began: float
    """Seconds since the epoch."""
    responses: list[Response]
    own: dict[str, OwnTime]
    """By request id."""
    left: Left
    cpu: CpuSeconds
    settled_after: float
    """Seconds, from the last response until every event was consumed."""


def run(
    profile: Profile, platform: Platform, environment: dict[str, str], sent: SentEvents
) -> Outcome:
    """Raises StackError where the clients don't work. What the load loses is in the outcome."""
    if profile.starts_warm:
        with step(f"Warming up for the {profile.name} load"):
            _warm(profile.users, environment)
    else:
        with step(f"Ending the functions' processes before the {profile.name} load"):
            _end_processes(platform)
    wait_until(
        lambda: _is_quiet(platform, sent), SETTLE_SECONDS, "What was before does not settle."
    )
    known = look(platform, sent.events).orders.keys()
    before = cpu.used(platform.stack.process_id)
    began = time.time()
    with step(f"The {profile.name} load for {profile.seconds} s"):
        answered = _drive(profile, platform.stack.directory, environment["API_URL"])
    used = cpu.used(platform.stack.process_id).since(before)
    ended = time.monotonic()
    with step("Waiting until every event was consumed"):
        left = _settled(platform, sent, answered, known)
    return Outcome(
        profile=profile,
        began=began,
        responses=answered,
        own=own_times(platform, began),
        left=left,
        cpu=used,
        settled_after=time.monotonic() - ended,
    )


def _warm(calls: int, environment: dict[str, str]) -> None:
    """Call each route so many times at once: the emulator runs a process for each of them."""
    customer = environment["CUSTOMER_ID"]
    order = {
        "customerId": customer,
        "currency": "USD",
        "items": [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}],
    }
    with client(environment["API_URL"], environment["STAFF_TOKEN"]) as staff:

        def call(request: tuple[str, str, object]) -> httpx.Response:
            method, path, body = request
            return staff.request(method, path, json=body).raise_for_status()

        try:
            made = f"/orders/{call(('POST', '/orders', order)).json()['orderId']}"
            for request in (
                ("POST", "/orders", order),
                ("GET", made, None),
                ("GET", f"/customers/{customer}/orders", None),
                ("PATCH", made, {"status": "PENDING"}),  # changes nothing
                ("GET", f"{made}/timeline", None),
                ("GET", "/orders?status=PENDING", None),
            ):
                with ThreadPoolExecutor(calls) as pool:
                    list(pool.map(call, [request] * calls))
        except httpx.HTTPError as error:
            raise StackError(f"The warm-up failed: {error!r}") from error


def _end_processes(platform: Platform) -> None:
    """A changed function is started anew, as one is that nobody called for a while."""
    for function in platform.functions.list_functions(MaxItems=50)["Functions"]:
        platform.functions.update_function_configuration(
            FunctionName=function["FunctionName"], Description="idle"
        )


def _drive(profile: Profile, directory: Path, host: str) -> list[Response]:
    """Let the clients work, and return what they were answered."""
    file = directory / f"{profile.name}.jsonl"
    command = [
        sys.executable, "-m", "locust", "--locustfile", str(CLIENTS), "--headless",
        "--only-summary", "--exit-code-on-error", "0",
        "--host", host, "--env", str(directory / "env"), "--responses", str(file),
        "--users", str(profile.users), "--spawn-rate", str(profile.users),
        "--run-time", f"{profile.seconds}s", "--stop-timeout", str(STOP_SECONDS),
        profile.clients,
    ]  # fmt: skip
    path = os.pathsep.join(str(ROOT / folder) for folder in ("", "scripts", "src"))
    done = subprocess.run(
        command,
        cwd=directory,
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"The clients failed:\n{done.stdout}")
    return responses.read(file)


def _is_quiet(platform: Platform, sent: SentEvents) -> bool:
    left = look(platform, sent.events)
    return platform.queue_is_empty() and set(left.changes) <= set(left.events)


def _settled(
    platform: Platform, sent: SentEvents, answered: list[Response], known: Iterable[str]
) -> Left:
    """Return what is left once nothing is missing; after SETTLE_SECONDS, whatever there is."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        is_consumed = platform.queue_is_empty()
        left = look(platform, sent.events).without(known)
        if (is_consumed and not faults(answered, left)) or time.monotonic() > deadline:
            return left
