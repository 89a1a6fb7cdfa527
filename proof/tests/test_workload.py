"""The checker's clients reach all that the oracle knows, here against the routes over fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx
import pytest

from api import Api
from gateway import request as event_of
from orders.domain.daily_report import DailyReport
from proof import oracle
from proof.checks.evidence import asked
from proof.feed import Poller
from proof.history import STAFF
from proof.workload import Client, Identity, Notes

if TYPE_CHECKING:
    from proof.history import Call

CUSTOMER: Final = "cus_1"
ACTIONS: Final = 400


class Run:
    """A customer's and a member of staff's requests, one after another."""

    def __init__(self) -> None:
        self.api = Api()
        self.notes = Notes()
        clients = [self._client(caller) for caller in (CUSTOMER, STAFF)]
        for _ in range(ACTIONS):
            self.api.clock.advance(seconds=1)
            for client in clients:
                client.take_one_action()
        staff = clients[-1]
        Poller(staff, {}).drain()
        now = self.api.clock.now()
        report = DailyReport(
            day=now.date(),
            generated_at=now,
            orders={},
            revenue={},
            cancellation_reasons={},
            left_out=0,
        )
        self.api.reports.put(report)
        staff.read(f"/reports/daily/{now.date()}")

    def _client(self, caller: str) -> Client:
        claims = {"sub": caller, "cognito:groups": [caller]}

        def respond(sent: httpx.Request) -> httpx.Response:
            del sent.headers["authorization"]  # the event has the token of these claims
            event = event_of(
                sent.method,
                sent.url.raw_path.decode(),
                sent.content.decode() or None,
                claims=claims,
                headers=dict(sent.headers),
            )
            response = self.api.send(event)
            response.headers.pop("Content-Encoding", None)  # the page is left in base64
            return httpx.Response(response.status, headers=response.headers, text=response.text)

        identity = Identity(caller, caller, "", (CUSTOMER,))
        return Client(
            caller, identity, "http://api", self.notes, 1, transport=httpx.MockTransport(respond)
        )


@pytest.fixture(scope="module")
def run() -> Run:
    return Run()


def succeeded(call: Call) -> bool:
    return call.status is not None and call.status < httpx.codes.BAD_REQUEST


def test_clients_succeed_at_every_route(run: Run) -> None:
    reached = {asked(call)[0] for call in run.notes.calls if succeeded(call)}
    assert reached == oracle.ROUTES.keys()


def test_clients_take_every_transition(run: Run) -> None:
    taken = {(event.previous_status, event.status) for event in run.api.orders.events.values()}
    assert taken == {
        (None, oracle.FIRST_STATUS),
        *((before, after) for before, targets in oracle.TRANSITIONS.items() for after in targets),
    }


@pytest.mark.parametrize("name", [name for name, field in oracle.ORDER.items() if field.sent])
def test_clients_send_every_field_and_leave_out_what_is_optional(run: Run, name: str) -> None:
    bodies = [call.body for call in run.notes.calls if call.method == "POST" and call.body]
    assert any(name in body for body in bodies)
    if oracle.ORDER[name].default is not oracle.REQUIRED and name != "metadata":
        assert any(name not in body for body in bodies)
