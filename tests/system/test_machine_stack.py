"""`make up` and what follows, as a newcomer types them: beside other settings, then elsewhere.

The tests of this file follow one checkout through its life, in their order.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

import local_stack
from emulator import Emulator, StackError, fetch
from local_stack import LocalStack, read_env, sample_order
from offline import free_port
from system.deployment import eventually
from system.machine import Machine, Proxy, check_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Life:
    """A checkout, and the machine that it is on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.proxy = Proxy()
        self.machine = Machine(directory, self.proxy)
        self.checkout = check_out(directory / "my chéckout")
        self.port = free_port()

    def make(self, *arguments: str, where: Path | None = None) -> tuple[int, str]:
        command = ("make", *arguments, f"LOCAL_PORT={self.port}")
        return self.machine.run(where or self.checkout, *command)

    def up(self, where: Path | None = None) -> None:
        """Bring it up and see that an order is settled."""
        code, said = self.make("up", where=where)
        assert code == 0, said
        assert "Open the desk as staff:" in said
        self.pay()

    def pay(self) -> str:
        """Place an order that the platform charges, and return its id when it is PAID."""
        order = self.send("POST", "/orders", sample_order(self.env["CUSTOMER_ID"]) | PAYING)
        path = f"/orders/{order['orderId']}"
        eventually(lambda: self.send("GET", path)["status"], lambda status: status == "PAID")
        return str(order["orderId"])

    @property
    def stack(self) -> LocalStack:
        stack = LocalStack.find(self.checkout / ".local")
        assert stack is not None
        return stack

    @property
    def env(self) -> dict[str, str]:
        return read_env(self.checkout / ".local" / "env")

    def send(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """The response to the customer."""
        token = self.env["CUSTOMER_TOKEN"]
        request = urllib.request.Request(
            f"{self.env['API_URL']}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method=method,
        )
        response = fetch(request)
        assert response is not None
        assert response[0] < 300, response
        return json.loads(response[1])


PAYING = {"paymentToken": "tok_approve"}


@pytest.fixture(scope="module")
def life(_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    life = Life(tmp_path_factory.mktemp("machine"))
    yield life
    Emulator(life.checkout / ".local", 0).stop()


def test_a_command_that_was_interrupted_leaves_nothing_that_stops_the_next(life: Life) -> None:
    command = life.machine.start(life.checkout, "make", "up", f"LOCAL_PORT={life.port}")
    assert command.stdout is not None
    while command.stdout.read(1) not in {"D", ""}:  # of Deploying
        pass
    os.killpg(command.pid, signal.SIGINT)
    said, _ = command.communicate()

    assert "Traceback" not in said
    assert "Error 130" in said
    both = [
        life.machine.start(life.checkout, "make", "up", f"LOCAL_PORT={life.port}") for _ in range(2)
    ]
    said = "".join(command.communicate()[0] for command in both)
    assert [command.returncode for command in both] == [0, 0], said
    assert "Waiting for another `make up`" in said
    life.pay()


def test_a_stack_that_is_well_never_fails(life: Life) -> None:
    for _ in range(4):
        code, said = life.make("demo")
        assert code == 0, said
    elsewhere = life.directory / "elsewhere"
    (elsewhere / "orders").mkdir(parents=True)
    for name in ("token.py", "email.py", "orders/__init__.py"):
        (elsewhere / name).write_text("raise SystemExit(__name__)")
    for arguments in (["status"], ["token"], ["list", "--status", "PAID"]):
        code, said = life.machine.run(elsewhere, f"{life.checkout}/orderctl", *arguments)
        assert code == 0, said


def test_a_paused_consumer_is_no_fault_and_one_that_does_not_work_is(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = ("./orderctl", "pause", "settle-payments", "--yes")
    assert life.machine.run(life.checkout, *pause)[0] == 0
    code, said = life.make("up")
    assert code == 0, said
    assert "settle-payments is paused (./orderctl resume settle-payments)" in said
    monkeypatch.setattr(local_stack, "START_SECONDS", 3)
    monkeypatch.setattr(local_stack, "TESTED", ())

    with pytest.raises(StackError, match="nothing consumed the events of orders of make-up"):
        life.stack.test_the_way(life.env["STAFF_TOKEN"])

    assert life.machine.run(life.checkout, *("./orderctl", "resume", *pause[2:]))[0] == 0
    life.pay()


def test_up_again_needs_nobody_who_reads_what_it_says(life: Life) -> None:
    command = life.machine.start(life.checkout, "make", "up", f"LOCAL_PORT={life.port}")
    assert command.stdout is not None
    command.stdout.close()
    assert command.wait() == 0


def test_make_up_leaves_no_order_among_the_users(life: Life) -> None:
    rows = life.stack.client("dynamodb").scan(TableName="orders_app")["Items"]
    orders = [row for row in rows if row["sk"]["S"] == "DETAIL"]
    assert {row["customerId"]["S"] for row in orders} == {life.env["CUSTOMER_ID"]}
    events = {row["pk"]["S"] for row in rows if row["sk"]["S"].startswith("EVENT#")}
    assert events == {row["pk"]["S"] for row in orders}


def test_a_copy_neither_stops_nor_uses_the_stack_of_the_original(life: Life) -> None:
    copy = life.directory / "copy"
    shutil.copytree(life.checkout, copy, symlinks=True)

    assert life.make("down", where=copy) == (0, "Nothing runs.\n")
    code, said = life.make("demo", where=copy)
    assert code == 2
    assert "The local AWS does not run: start it with `make up`." in said
    code, said = life.make("up", where=copy)
    assert code == 2
    assert f"taken by the local stack of {life.checkout}/.local. Stop that one" in said
    life.pay()


def test_it_moves_to_another_port_with_its_orders_and_its_queues(life: Life) -> None:
    before = life.pay()
    another = f"LOCAL_PORT={free_port()}"
    code, said = life.machine.run(life.checkout, "make", "up", another)
    assert code == 2
    assert f"make up LOCAL_PORT={life.port}" in said

    assert life.make("down") == (0, "Stopped; `make up` finds the orders again.\n")
    assert life.make("down") == (0, "Nothing runs.\n")
    life.port = free_port()
    life.up()

    assert life.send("GET", f"/orders/{before}")["status"] == "PAID"


def test_after_kill_9_the_next_command_goes_on(life: Life) -> None:
    os.kill(life.stack.process_id, signal.SIGKILL)

    assert life.make("down") == (0, "Nothing runs.\n")
    life.up()


def test_a_checkout_that_was_moved_while_it_ran_keeps_its_stack(life: Life) -> None:
    order = life.pay()
    life.checkout = life.checkout.rename(life.directory / "moved")

    life.up()

    assert life.send("GET", f"/orders/{order}")["status"] == "PAID"


def test_a_stack_whose_checkout_was_deleted_is_named_with_what_ends_it(life: Life) -> None:
    another = check_out(life.directory / "another")
    process = life.stack.process_id
    shutil.rmtree(life.checkout)

    code, said = life.make("up", where=another)

    assert code == 2
    assert f"the local stack of {life.checkout}/.local, which is no longer there" in said
    assert f"(kill {process})" in said
    os.kill(process, signal.SIGTERM)


def test_nothing_came_to_the_proxy(life: Life) -> None:
    assert life.proxy.callers == []
