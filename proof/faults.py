"""What goes wrong in a run, and when: decided by the seed alone."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psutil

from proof.history import OPERATOR, Strike
from proof.proxy import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proof.history import Json
    from proof.proxy import PassOn, Request


class Fault(StrEnum):
    """The kinds; each strikes single requests."""

    LOST_RESPONSE = "response lost after the effect"
    SLOW_RESPONSE = "response later than the timeout"
    LATE_REQUEST = "request later than the timeout"
    RESET = "connection reset"
    THROTTLED = "throttled"
    SERVER_ERROR = "server error"
    CONFLICT = "TransactionConflict"
    PARTIAL_BATCH = "batch taken in part"
    DUPLICATE_DELIVERY = "delivered twice"
    REORDERED_DELIVERY = "delivered out of order"
    KILLED_BEFORE = "killed before the call"
    KILLED_AFTER = "killed after the call"
    OUTAGE = "out of reach for seconds"


API_OPERATIONS: Final = frozenset({"GET", "POST", "PATCH"})
_TRANSACTIONS: Final = frozenset({"TransactWriteItems", "TransactGetItems"})
_SEND: Final = "SendMessageBatch"
_SEND_ONE: Final = "SendMessage"
_READ_STREAM: Final = "GetRecords"

_ON_API: Final = frozenset(
    {
        Fault.LOST_RESPONSE,
        Fault.SLOW_RESPONSE,
        Fault.LATE_REQUEST,
        Fault.RESET,
        Fault.THROTTLED,
        Fault.SERVER_ERROR,
        Fault.OUTAGE,
    }
)
_ON_AWS: Final = _ON_API | {Fault.KILLED_BEFORE, Fault.KILLED_AFTER}
_ON_SEND: Final = _ON_AWS | {
    Fault.PARTIAL_BATCH,
    Fault.DUPLICATE_DELIVERY,
    Fault.REORDERED_DELIVERY,
}

VISIBILITY_SECONDS: Final = 8
"""Of the events' queue in a run, and the longest pause of a message that failed: less than
deployed, so that more is delivered again, and more than a settlement takes with the mocks."""

_RATE: Final = 0.1
"""The part of the requests that a fault strikes, of those that it can strike."""
_RATE_OF_BATCHES: Final = 0.3
"""Of the batches of events, which are few."""
_RATE_OF_OUTAGES: Final = 0.02
_OUTAGE_SECONDS: Final = (2.0, 8.0)
"""Up to longer than a function's attempts at one call take together."""


class Phase(NamedTuple):
    """Some of the run's time, and what can go wrong in it."""

    name: str
    faults: tuple[Fault, ...]
    seconds: float


def phases(seconds: float) -> list[Phase]:
    """Each kind alone in the first half of the time, all together in the second."""
    alone = seconds / 2 / len(Fault)
    return [
        *(Phase(fault.value, (fault,), alone) for fault in Fault),
        Phase("all together", tuple(Fault), seconds / 2),
    ]


def _possible(operation: str) -> frozenset[Fault]:
    if operation in API_OPERATIONS:
        return _ON_API
    if operation == _SEND:
        return _ON_SEND
    if operation in _TRANSACTIONS:
        return _ON_AWS | {Fault.CONFLICT}
    if operation == _READ_STREAM:
        return frozenset({Fault.DUPLICATE_DELIVERY})
    return _ON_AWS


class Schedule:
    """One sequence of faults for each phase, caller and operation, drawn from the seed.

    Which of a caller's requests is its n-th can differ between two runs; that the n-th is
    struck, and by what, can't. Those that come while an outage lasts are not counted.
    """

    def __init__(self, seed: int, now: Callable[[], float] = time.monotonic) -> None:
        """Nothing goes wrong before the first phase. `now` are the seconds of the run's clock."""
        self.seed = seed
        self.strikes: list[Strike] = []
        self._now = now
        self._phase = Phase("before", (), 0)
        self._sequences: dict[tuple[str, str], random.Random] = {}
        self._outages: dict[tuple[str, str], float] = {}
        self._lock = Lock()

    @property
    def struck(self) -> Counter[str]:
        """How often each kind struck."""
        return Counter(strike.fault for strike in self.strikes)

    def begin(self, phase: Phase) -> None:
        """Go on with the phase's own sequences."""
        with self._lock:
            self._phase = phase
            self._sequences = {}
            self._outages = {}

    def end(self) -> None:
        """Nothing goes wrong any more."""
        self.begin(Phase("after", (), 0))

    @contextmanager
    def strike(self, caller: str, operation: str) -> Iterator[Fault | None]:
        """Draw, and keep the strike once it is over: on a busy machine a kill takes seconds."""
        began = self._now()
        fault = self.draw(caller, operation)
        try:
            yield fault
        finally:
            if fault is not None:
                strike = Strike(
                    at=began, until=self._now(), caller=caller, operation=operation, fault=fault
                )
                self.strikes.append(strike)

    def draw(self, caller: str, operation: str) -> Fault | None:
        """Return what happens to the caller's next request of this kind."""
        with self._lock:
            return self._draw(caller, operation)

    def _draw(self, caller: str, operation: str) -> Fault | None:
        if self._now() < self._outages.get((caller, operation), 0):
            return Fault.OUTAGE
        possible = _possible(operation)
        choice = [fault for fault in self._phase.faults if fault in possible]
        if not choice:
            return None
        sequence = self._sequences.setdefault(
            (caller, operation),
            random.Random(f"{self.seed} {self._phase.name} {caller} {operation}"),  # noqa: S311 - to be repeatable
        )
        lot, fault, seconds = sequence.random(), sequence.choice(choice), sequence.random()
        if lot >= _rate(fault, operation):
            return None
        if fault is Fault.OUTAGE:
            shortest, longest = _OUTAGE_SECONDS
            until = self._now() + shortest + seconds * (longest - shortest)
            self._outages[caller, operation] = until
        return fault


def _rate(fault: Fault, operation: str) -> float:
    if fault is Fault.OUTAGE:
        return _RATE_OF_OUTAGES
    return _RATE_OF_BATCHES if operation in {_SEND, _READ_STREAM} else _RATE


class Faults:
    """Treats requests as the schedule says; `delay` is longer than any caller waits, in seconds."""

    def __init__(self, schedule: Schedule, delay: float) -> None:
        """Treat nothing yet."""
        self.schedule = schedule
        self.delay = delay

    async def __call__(self, request: Request, pass_on: PassOn) -> Response | None:
        """Pass the request on, or do to it what was drawn."""
        with self.schedule.strike(request.caller, request.operation) as fault:
            return await self.strike(fault, request, pass_on)

    async def strike(  # noqa: PLR0911 - one for each kind
        self, fault: Fault | None, request: Request, pass_on: PassOn
    ) -> Response | None:
        """What any server can do to its caller."""
        match fault:
            case Fault.LOST_RESPONSE:
                await pass_on(request)
                return None
            case Fault.SLOW_RESPONSE:
                response = await pass_on(request)
                await asyncio.sleep(self.delay)
                return response
            case Fault.LATE_REQUEST:
                await asyncio.sleep(self.delay)
                return await pass_on(request)
            case Fault.RESET:
                return None
            case Fault.THROTTLED:
                return self.throttling(request)
            case Fault.SERVER_ERROR | Fault.OUTAGE:
                return self.server_error(request)
            case _:
                return await pass_on(request)

    def throttling(self, _request: Request) -> Response:
        """As API Gateway says it."""
        return _json(429, {"message": "Too Many Requests"})

    def server_error(self, _request: Request) -> Response:
        """As API Gateway says it."""
        return _json(503, {"message": "Service Unavailable"})


class AwsFaults(Faults):
    """Stands between AWS and its callers: the functions, the operator.

    Keeps what the events' queue took from the publisher, and from the operator.
    """

    def __init__(
        self,
        schedule: Schedule,
        delay: float,
        sqs: Any,  # noqa: ANN401 - botocore makes its clients at run time
        queue_url: str,
        emulator: int,
    ) -> None:
        """Take a client of the queue for what is sent changed, and the emulator's process id."""
        super().__init__(schedule, delay)
        self.published: list[Json] = []
        self.replayed: list[Json] = []
        self._sqs = sqs
        self._queue_url = queue_url
        self._emulator = emulator

    async def __call__(self, request: Request, pass_on: PassOn) -> Response | None:
        """Likewise; a message that failed comes again within seconds, not after minutes.

        Nothing happens to an operator's calls of services that no function calls.
        """
        if request.caller == OPERATOR and not _is_of_a_function(request):
            return await pass_on(request)
        return await super().__call__(_hurried(request), pass_on)

    async def strike(  # noqa: PLR0911 - likewise
        self, fault: Fault | None, request: Request, pass_on: PassOn
    ) -> Response | None:
        """And what can happen to a function, and to a batch of messages."""

        async def send(request: Request) -> Response:
            response = await pass_on(request)
            self._note(request, response)
            return response

        match fault:
            case Fault.KILLED_BEFORE:
                await asyncio.to_thread(self._kill, request.ports)
                return None
            case Fault.KILLED_AFTER:
                await send(request)
                await asyncio.to_thread(self._kill, request.ports)
                return None
            case Fault.CONFLICT:
                return _conflict(request)
            case Fault.PARTIAL_BATCH:
                return await asyncio.to_thread(self._take_in_part, request)
            case Fault.DUPLICATE_DELIVERY:
                await send(request)
                return await send(request)
            case Fault.REORDERED_DELIVERY:
                return await asyncio.to_thread(self._take_out_of_order, request)
            case _:
                return await super().strike(fault, request, send)

    def throttling(self, request: Request) -> Response:
        """As each service says it."""
        code = "RequestThrottled" if _is_sqs(request) else "ProvisionedThroughputExceededException"
        return _aws_error(request, 400, code)

    def server_error(self, request: Request) -> Response:
        """As each service says it."""
        code = "InternalFailure" if _is_sqs(request) else "InternalServerError"
        return _aws_error(request, 500, code)

    def _note(self, request: Request, response: Response) -> None:
        if response.status != 200:  # noqa: PLR2004 - HTTP's OK
            return
        if request.operation == _SEND:
            self._note_taken(request, _entries(request), json.loads(response.body))
        elif request.operation == _SEND_ONE and request.caller == OPERATOR:
            self.replayed.append(json.loads(json.loads(request.body)["MessageBody"]))

    def _note_taken(self, request: Request, entries: list[Json], response: Json) -> None:
        bodies = {entry["Id"]: entry["MessageBody"] for entry in entries}
        taken = [entry["Id"] for entry in response.get("Successful", ())]
        noted = self.replayed if request.caller == OPERATOR else self.published
        noted.extend(json.loads(bodies[name]) for name in taken)

    def _take_in_part(self, request: Request) -> Response:
        """Every second message is taken, the others fail."""
        entries = _entries(request)
        response = self._send(request, entries[1::2]) if entries[1::2] else {}
        failed = [
            {"Id": entry["Id"], "SenderFault": False, "Code": "ServiceUnavailable"}
            for entry in entries[::2]
        ]
        return _json(200, {"Successful": response.get("Successful", []), "Failed": failed})

    def _take_out_of_order(self, request: Request) -> Response:
        """The first message comes last, the last one first, seconds apart."""
        entries = _entries(request)
        delayed = [
            entry | {"DelaySeconds": 2 * (len(entries) - index)}
            for index, entry in enumerate(entries)
        ]
        return _json(200, self._send(request, delayed))

    def _send(self, request: Request, entries: list[Json]) -> Json:
        response = self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        self._note_taken(request, entries, response)
        return {name: response[name] for name in ("Successful", "Failed") if name in response}

    def _kill(self, ports: tuple[int, int]) -> None:
        """Kill the process at the other end of the connection, as kill -9 does.

        It is a function's, or the operator's, which the run has started. Its own port alone won't
        do: two connections to different ports can share it.
        """
        functions = psutil.Process(self._emulator).children(recursive=True)
        for worker in (*functions, *psutil.Process().children()):
            try:
                connections = worker.net_connections("tcp")
            except psutil.NoSuchProcess:
                continue
            # A socket that only listens has an empty remote address.
            if ports in {(one.laddr.port, getattr(one.raddr, "port", None)) for one in connections}:
                worker.kill()
                return


def _hurried(request: Request) -> Request:
    if request.operation not in {"ChangeMessageVisibility", "ReceiveMessage"}:
        return request
    call = json.loads(request.body)
    wanted = call.get("VisibilityTimeout", VISIBILITY_SECONDS)
    call["VisibilityTimeout"] = min(wanted, VISIBILITY_SECONDS)
    return request._replace(body=json.dumps(call).encode())


def _is_of_a_function(request: Request) -> bool:
    """Whether it is a call of the table or of a queue: functions make no others."""
    return request.headers.get("X-Amz-Target", "").startswith(("AmazonSQS", "DynamoDB"))


def _is_sqs(request: Request) -> bool:
    return request.headers["X-Amz-Target"].startswith("AmazonSQS")


def _entries(request: Request) -> list[Json]:
    entries: list[Json] = json.loads(request.body)["Entries"]
    return entries


def _conflict(request: Request) -> Response:
    items = json.loads(request.body)["TransactItems"]
    codes = ["TransactionConflict", *["None"] * (len(items) - 1)]
    return _aws_error(
        request,
        400,
        "TransactionCanceledException",
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        f"[{', '.join(codes)}]",
        CancellationReasons=[{"Code": code} for code in codes],
    )


def _aws_error(
    request: Request, status: int, code: str, message: str = "Injected.", **more: object
) -> Response:
    namespace = "com.amazonaws.sqs" if _is_sqs(request) else "com.amazonaws.dynamodb.v20120810"
    return _json(status, {"__type": f"{namespace}#{code}", "message": message, **more})


def _json(status: int, content: Json) -> Response:
    body = json.dumps(content).encode()
    return Response(status, {"Content-Type": "application/json"}, body)
