"""One run: clients and faults for a time, then quiet, then everything is read and kept."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Final

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from emulator import StackError, step, wait_until
from local_stack import API_ID, orderctl_environment
from proof import oracle
from proof.event_source import Mapping, StreamSource
from proof.faults import AwsFaults, Fault, Faults, Schedule, phases
from proof.feed import Poller, fill_back
from proof.history import OPERATOR, STAFF, History
from proof.operator import Operator, left_undone
from proof.proxy import Proxy
from proof.stack import FEED_DELAY_SECONDS, Platform
from proof.workload import CALL_SECONDS, Client, Identity, Notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_stack import LocalStack
    from proof.faults import Phase
    from proof.history import Json

CUSTOMERS: Final = 3
CLIENTS_OF_EACH: Final = 2
STAFF_CLIENTS: Final = 3

_AWS_DELAY: Final = 3.0
"""Seconds; longer than any attempt of a function's call may take."""
_API_DELAY: Final = CALL_SECONDS + 1
_CHECKPOINTS: Final = 4
"""How many batches a stream's reader can fall back by, like one that did not keep its place."""
_IDLE_SECONDS: Final = 0.1
_SETTLE_SECONDS: Final = 300
_PATIENCE_SECONDS: Final = 60
_REDRIVES: Final = 3
"""What is still a dead letter then, without any fault, is one."""
_LOOKED_AT: Final = 300
"""Orders that are read once more by the API at the end; the table's rows are checked of all."""
_ALL_PAGES: Final = 10_000


class Run:
    """A deployed stack between two proxies."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        """Nothing is started yet."""
        self.platform = Platform(stack)
        self.seed = seed
        self.notes = Notes()
        self.schedule = Schedule(seed, self.notes.now)
        self._path = f"/_aws/execute-api/{API_ID}"
        self._direct = stack.api_url
        self._aws_faults = AwsFaults(
            self.schedule, _AWS_DELAY, self.platform.sqs, self.platform.queue_url, stack.process_id
        )
        self._aws = Proxy(stack.endpoint, self._aws_faults)
        self._api = Proxy(stack.endpoint, Faults(self.schedule, _API_DELAY))
        self._identities = _identities(stack)
        self._publisher, settings = self.platform.take_over_stream()
        self._source = StreamSource(
            Mapping.of(settings),
            read=self.platform.records,
            invoke=partial(self.platform.invoke, self._publisher),
            on_failure=self.platform.send_to_stream_dead_letters,
            now=time.time,
            function_arn=settings["FunctionArn"],
        )
        self._pollers: list[Poller] = []
        self._operator: Operator

    def __call__(self, seconds: float) -> History:
        """Let clients and faults loose for so long, then look at what is left."""
        with self._aws, self._api:
            self.platform.delay_feed()
            self.platform.route_through(self._aws)
            self._pollers = [
                Poller(self._staff("feed"), {}),
                Poller(self._staff("feed-of-paid"), {"type": "ORDER_PAID"}),
            ]
            self.platform.hurry()
            address = {"ORDERCTL_LOCAL_ENDPOINT": self._aws.address(OPERATOR)}
            environment = orderctl_environment(self.platform.stack) | address
            self._operator = Operator(environment, self.notes, self._aws_faults.replayed, self.seed)
            with step(f"Clients and faults for {seconds:.0f} s"), self._reading_stream():
                self._let_loose(seconds)
            with step("Waiting until all is quiet"):
                self._settle()
            settled = self.notes.now()
            with step("Looking at what is left"):
                reports = self._look()
                self._read_feed(settled)
        return History(
            seed=self.seed,
            began=self.notes.began,
            feed_delay=FEED_DELAY_SECONDS,
            strikes=self.schedule.strikes,
            settled=settled,
            calls=sorted(self.notes.calls, key=lambda call: call.id),
            rows=self.platform.rows(),
            commits=self.platform.commits(),
            published=self._aws_faults.published,
            replayed=self._aws_faults.replayed,
            commands=self._operator.commands,
            dead_letters=self.platform.dead_letters(),
            reports=reports,
        )

    def _let_loose(self, seconds: float) -> None:
        over = Event()
        clients = [
            self._client_with_twin(f"{identity.name}-{number}", identity)
            for identity in self._identities
            for number in range(STAFF_CLIENTS if identity.caller == STAFF else CLIENTS_OF_EACH)
        ]
        programs = [client.run for client in clients] + [each.run for each in self._pollers]
        programs += [partial(fill_back, self._staff("back-fill")), self._operator.run]
        with ThreadPoolExecutor(len(programs)) as threads:
            working = [threads.submit(program, over.is_set) for program in programs]
            try:
                for phase in phases(seconds):
                    self._last(phase)
                self._be_patient(lambda: not left_undone(self._operator.commands))
            finally:
                over.set()
                self.schedule.end()
            for work in working:
                work.result()
        self._operator.finish()

    def _last(self, phase: Phase) -> None:
        """Let a phase take its time, and longer until all of its kinds have struck."""
        self.schedule.begin(phase)
        time.sleep(phase.seconds)
        self._be_patient(lambda: self.schedule.struck.keys() >= set(phase.faults))

    @staticmethod
    def _be_patient(is_done: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while not is_done() and time.monotonic() < end:
            time.sleep(_IDLE_SECONDS)

    @contextmanager
    def _reading_stream(self) -> Iterator[None]:
        over = Event()
        with ThreadPoolExecutor(1) as threads:
            reader = threads.submit(self._read, over)
            try:
                yield
            finally:
                over.set()
            reader.result()

    def _read(self, over: Event) -> None:
        source = self._source
        kept: list[str | None] = [source.checkpoint]
        while not over.is_set():
            progress = _step(source)
            if source.checkpoint != kept[-1]:
                kept = [*kept[-_CHECKPOINTS:], source.checkpoint]
                with self.schedule.strike(self._publisher, "GetRecords") as fault:
                    if fault is Fault.DUPLICATE_DELIVERY:
                        source.checkpoint = kept[0]
                        source.restart()
            if not progress:
                over.wait(_IDLE_SECONDS)

    def _settle(self) -> None:
        """Wait for late requests, read the stream to its end, and let the queue run empty.

        Where that doesn't come about, what is left over is found, and is a fault.
        """

        def is_quiet() -> bool:
            queue_is_empty = self.platform.queue_is_empty()
            has_read = _step(self._source)
            is_idle = self._aws.under_way == self._api.under_way == 0
            return is_idle and queue_is_empty and not has_read

        for redriven in range(_REDRIVES + 1):
            try:
                wait_until(is_quiet, _SETTLE_SECONDS, "It does not become quiet.")
            except StackError as error:
                sys.stdout.write(f"{error} ")
                return
            if redriven == _REDRIVES or not self.platform.redrive():
                return

    def _look(self) -> list[Json]:
        staff = self._client("after", self._identities[-1], through_proxy=False)
        known = sorted({order.order_id for order in self.notes.orders})
        for order_id in staff.choose.sample(known, min(len(known), _LOOKED_AT)):
            staff.read(f"/orders/{order_id}")
            staff.read(f"/orders/{order_id}/timeline")
        for customer in staff.customers:
            path = f"/customers/{customer}/orders"
            staff.walk_through(path, {"limit": "100"}, _ALL_PAGES)
            staff.walk_through(path, {"limit": "100", "consistent": "true"}, _ALL_PAGES)
        for status in oracle.STATUSES:
            staff.walk_through("/orders", {"limit": "100", "status": status}, _ALL_PAGES)
        return [self._report(staff, day) for day in self.platform.days()]

    def _read_feed(self, settled: float) -> None:
        """Once all is old enough for it: what the pollers lack, and the whole of it anew."""
        time.sleep(max(0.0, settled + FEED_DELAY_SECONDS - self.notes.now()))
        anew = self._client("feed-anew", self._identities[-1], through_proxy=False)
        for poller in (*self._pollers, Poller(anew, {})):
            poller.drain()

    def _report(self, staff: Client, day: str) -> Json:
        self.platform.invoke("daily-report", {"date": day})
        call = staff.read(f"/reports/daily/{day}")
        report: Json = json.loads(call.text) if call.status == httpx.codes.OK else {"date": day}
        return report

    def _client_with_twin(self, name: str, identity: Identity) -> Client:
        client = self._client(name, identity, through_proxy=True)
        client.twin = self._client(f"{name}-twin", identity, through_proxy=True)
        return client

    def _staff(self, name: str) -> Client:
        return self._client(name, self._identities[-1], through_proxy=True)

    def _client(self, name: str, identity: Identity, *, through_proxy: bool) -> Client:
        address = self._api.address(name) + self._path if through_proxy else self._direct
        return Client(name, identity, address, self.notes, self.seed)


def _step(source: StreamSource) -> bool:
    """One attempt on a batch; a call that fails ends the poller, and another takes over."""
    try:
        return source.step()
    except (BotoCoreError, ClientError):
        source.restart()
        return True


def _identities(stack: LocalStack) -> list[Identity]:
    """Return the customers, and staff, who act for all of them, at the end."""
    customers = [
        Identity(name, caller, token, (caller,))
        for name in (f"customer-{number}" for number in range(CUSTOMERS))
        for caller, token in [stack.sign_in(f"{name}@example.com")]
    ]
    _, token = stack.sign_in("staff@example.com", group="staff")
    return [*customers, Identity(STAFF, STAFF, token, tuple(one.caller for one in customers))]
