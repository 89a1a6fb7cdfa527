"""The platform and the oracle state the same contract, and share no code to do so."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from orders.domain.events import EVENT_TYPES
from orders.domain.status import TRANSITIONS
from orders.http.bodies import NewOrderBody, OrderBody, OrderItemBody, OrderSummaryBody
from orders.http.routes import ROUTES
from proof import oracle

if TYPE_CHECKING:
    from collections.abc import Iterator

PROOF = Path(oracle.__file__).parent
JUDGES = [
    PROOF / "oracle.py",
    PROOF / "order_number.py",
    PROOF / "workload.py",
    PROOF / "reach.py",
    *(PROOF / "checks").glob("*.py"),
    *(file for file in (PROOF / "model").glob("*.py") if file.name != "platform_under_test.py"),
]


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("file", JUDGES, ids=lambda file: str(file.relative_to(PROOF)))
def test_nothing_that_judges_the_platform_uses_its_code(file: Path) -> None:
    assert not [name for name in imported(file) if name.split(".")[0] == "orders"]


def test_statuses_and_transitions_agree() -> None:
    assert {**TRANSITIONS} == {**oracle.TRANSITIONS}
    assert set(EVENT_TYPES) == set(oracle.EVENT_TYPES)


def test_routes_agree() -> None:
    stated = {key: route.function for key, route in oracle.ROUTES.items()}
    assert {route.key: route.function for route in ROUTES} == stated


def test_fields_agree() -> None:
    """An optional field of a request is one in the oracle, and so is one of a response."""
    assert names(OrderBody) == oracle.ORDER.keys()
    assert names(OrderSummaryBody) == oracle.SUMMARY_FIELDS
    assert names(OrderItemBody) == oracle.ITEM.keys()
    sent = {name for name, field in oracle.ORDER.items() if field.sent}
    assert names(NewOrderBody) == sent | {"customerId", "items", "amount", "paymentToken"}
    assert {
        name for name, field in oracle.ORDER.items() if field.default is oracle.REQUIRED
    } == required(NewOrderBody) - {"customerId", "items"}


def test_every_field_that_can_be_sent_has_values_that_are_refused() -> None:
    for fields in (oracle.ORDER, oracle.ITEM):
        assert all(field.refused for field in fields.values() if field.sent)


def names(body: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(body)}


def required(body: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(body) if field.required}
