"""`make up` on a running stack, and after `make down`: nothing is lost."""

from __future__ import annotations

import secrets
import zipfile
from typing import TYPE_CHECKING

import pytest

from emulator import StackError, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from system.deployment import Caller, Deployment


def change_health(artifact: Path) -> None:
    """Let GET /health return something else; remove its old bytecode."""
    with zipfile.ZipFile(artifact) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    source = content["orders/functions/health.py"]
    assert b'"ok"' in source
    content["orders/functions/health.py"] = source.replace(b'"ok"', b'"changed"')
    with zipfile.ZipFile(artifact, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            if not name.startswith("orders/functions/__pycache__/health."):
                archive.writestr(zipfile.ZipInfo(name), data)  # with the same time at each build


@pytest.fixture(autouse=True, scope="module")
def changed_code(deployment: Deployment) -> Iterator[None]:
    """From now on, each build differs from the deployed code."""
    stack, build = deployment.stack, deployment.stack._build

    def build_changed() -> None:
        build()
        change_health(stack.artifact)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stack, "_build", build_changed)
        yield


def test_a_stack_that_runs_gets_changed_code_and_keeps_its_orders(
    deployment: Deployment, customer: Caller
) -> None:
    placed = customer.place()
    deployment.stack.up()

    assert customer.http.get("/health").json()["status"] == "changed"
    assert customer.get(placed["orderId"]).json() == placed
    assert customer.place()["version"] == 1


def test_a_stack_that_was_stopped_finds_its_orders_again(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    key = secrets.token_hex(8)
    first = customer.post(customer.order(), key=key)
    order_id = first.json()["orderId"]
    paid = staff.patch(order_id, "PAID")
    timeline = customer.timeline(order_id)
    deployment.settle()  # the emulator forgets what it has not yet read of the stream
    stack = deployment.stack

    assert stack.stop()
    assert fetch(f"{stack.api_url}/health") is None
    assert not stack.stop()
    again = stack.up()

    assert again["API_URL"] == stack.api_url
    assert again["CUSTOMER_ID"] == customer.id
    assert customer.get(order_id).text == paid.text, "the old token is valid, the order is there"
    assert customer.timeline(order_id) == timeline
    assert customer.http.get("/health").json()["status"] == "changed"
    assert customer.post(customer.order(), key=key).text == first.text
    assert staff.patch(order_id, "SHIPPED").status_code == 200
    assert customer.timeline(order_id)[-1]["status"] == "SHIPPED"
    deployment.settle()


def test_another_port_is_refused_while_it_runs(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment.stack, "port", deployment.stack.port + 1)
    with pytest.raises(StackError, match="runs on port"):
        deployment.stack.up()
