"""Who gets in, and who may do what: every cell of the matrix, on the deployed stack.

All requests are sent first, and then their responses are compared with the matrix one by one.
"""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from local_stack import CUSTOMER, PASSWORD, STAFF
from orders.http.routes import ROUTES
from proof.oracle import FIRST_STATUS, path_to
from system.access_matrix import (
    CALLERS,
    CELLS,
    CLAIMS_OF_CUSTOMERS,
    CLAIMS_OF_STAFF,
    CUSTOMERS,
    DENIED,
    HIDDEN,
    KIND,
    MATRIX,
    NO_SUCH_DAY,
    OF_ANOTHER_KIND,
    SETTINGS,
    Cell,
)
from system.access_tokens import re_signed, wrong_tokens
from system.deployment import TABLE, problem_type
from system.own_issuer import own_issuer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from system.access_matrix import Line
    from system.deployment import Caller, Deployment
    from system.own_issuer import OwnIssuer

Rows = dict[tuple[str, str], dict[str, Any]]

THREADS: Final = 4
NO_ORDER: Final = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
NO_CUSTOMER: Final = "cus_nobody"
DAY: Final = "2026-01-01"
NEVER: Final = "2001-01-01"


class Presented(NamedTuple):
    """Whose orders are the caller's own, and what is sent as Authorization."""

    owner: Caller
    headers: list[str]


def presented(deployment: Deployment, issuer: OwnIssuer) -> dict[str, Presented]:
    """By the names of CALLERS."""
    a, staff = deployment.customer, deployment.staff
    signed_in, of_staff = deployment.tokens(CUSTOMER), deployment.tokens(STAFF)
    tokens = wrong_tokens(deployment, issuer) | {
        "ID token": signed_in["IdToken"],
        "ID token of staff": of_staff["IdToken"],
        "refresh token": signed_in["RefreshToken"],
        "no sub": re_signed(deployment, sub=None),
        "a sub that is no customer id": re_signed(deployment, sub=f"{a.id}#"),
        "signed again by the pool": re_signed(deployment),
        **{
            name: re_signed(deployment, **claims)
            for name, claims in {**CLAIMS_OF_CUSTOMERS, **CLAIMS_OF_STAFF}.items()
        },
    }
    password = base64.b64encode(f"{CUSTOMER}:{PASSWORD}".encode()).decode()
    headers = {name: [f"Bearer {token}"] for name, token in tokens.items()} | {
        "no token": [],
        "nothing": [""],
        "scheme alone": ["Bearer"],
        "no scheme": [a.token],
        "lower-case scheme": [f"bearer {a.token}"],
        "Basic": [f"Basic {password}"],
        "Basic, a good token": [f"Basic {a.token}"],
        "two schemes": [f"Bearer Bearer {a.token}"],
        "two tokens, one header": [f"Bearer {a.token} {a.token}"],
        "two headers": [f"Bearer {a.token}"] * 2,
    }
    signed_in_callers = {
        "customer A": a,
        "customer B": deployment.new_customer(),
        "staff": staff,
        **{
            f"in group {group}": deployment.new_customer(group)
            for group in ("nonstaff", "staffing", "Staff", "staff-only")
        },
    }
    return {name: Presented(a, values) for name, values in headers.items()} | {
        name: Presented(caller, [f"Bearer {caller.token}"])
        for name, caller in signed_in_callers.items()
    }


class Wanted(NamedTuple):
    """An order that a cell needs; what may be written to is the cell's alone."""

    owner: str
    status: str
    cell: Cell | None


class Run:
    """All cells, sent to a table that nobody else writes to meanwhile."""

    def __init__(self, deployment: Deployment, issuer: OwnIssuer) -> None:
        self.deployment = deployment
        self.presented = presented(deployment, issuer)
        deployment.invoke("daily-report", {"date": DAY})
        wanted = list(dict.fromkeys(filter(None, map(self._wanted, CELLS))))
        with ThreadPoolExecutor(THREADS) as threads:
            self.orders = dict(zip(wanted, threads.map(self._place, wanted), strict=True))
            deployment.settle()
            self.before = self._rows()
            self.responses = dict(zip(CELLS, threads.map(self.send, CELLS), strict=True))
            self.after = self._rows()
        self.asked_for = issuer.asked_for

    def whose(self, cell: Cell) -> str:
        """The id of the customer whom the cell is about."""
        mine, _ = self.presented[cell.caller]
        if cell.line.whose.startswith("own"):
            return mine.id
        if cell.line.whose.startswith("another's"):
            names = ("customer A", "customer B")
            return next(c.id for c in (self.presented[n].owner for n in names) if c != mine)
        return NO_CUSTOMER

    def order(self, cell: Cell) -> str:
        """The id of the order that the cell is about."""
        if cell.line.route == "POST /orders":
            return str(self.responses[cell].json()["orderId"])
        wanted = self._wanted(cell)
        return self.orders[wanted] if wanted else NO_ORDER

    def _wanted(self, cell: Cell) -> Wanted | None:
        owner = self.whose(cell)
        if cell.line.status is None or owner == NO_CUSTOMER:
            return None
        return Wanted(owner, cell.line.status, cell if cell.may_write else None)

    def _place(self, wanted: Wanted) -> str:
        staff = self.deployment.staff
        order_id: str = staff.place(customerId=wanted.owner)["orderId"]
        for status in path_to(wanted.status):
            staff.patch(order_id, status).raise_for_status()
        return order_id

    def send(self, cell: Cell) -> httpx.Response:
        line, owner = cell.line, self.whose(cell)
        method, path = line.route.split()
        headers = [("Authorization", one) for one in self.presented[cell.caller].headers]
        body: dict[str, Any] | None = None
        if line.writes:
            headers.append(("Idempotency-Key", secrets.token_hex(8)))
            body = {"status": line.asks}
        if line.route == "POST /orders":
            body = self.deployment.customer.order(customerId=owner)
        else:
            path = path.format(
                orderId=self.order(cell),
                customerId=owner,
                date=NEVER if line.whose == NO_SUCH_DAY else DAY,
            )
        return self.deployment.nobody.http.request(
            method,
            path,
            params={"status": FIRST_STATUS} if path == "/orders" and method != "POST" else None,
            headers=headers,
            json=body,
        )

    def _rows(self) -> Rows:
        pages = self.deployment.aws("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
        return {(row["pk"]["S"], row["sk"]["S"]): row for page in pages for row in page["Items"]}


@pytest.fixture(scope="module")
def run(deployment: Deployment) -> Run:
    with own_issuer() as issuer:
        run = Run(deployment, issuer)
    as_expected = sum(said(response) == cell.expected for cell, response in run.responses.items())
    routes = {line.route for line in MATRIX}
    print(
        f"\nAccess: {len(CALLERS)} callers, {len(routes)} routes, {len(MATRIX)} requests of each:"
        f" {len(CELLS)} cells, {as_expected} of them as the contract has them"
    )
    return run


def said(response: httpx.Response) -> str:
    """The response in the matrix' words."""
    if response.is_success:
        return str(response.status_code)
    if "x-request-id" in response.headers:
        return f"{response.status_code} {problem_type(response)}"
    assert response.json() == {"message": "Unauthorized"}
    return f"{response.status_code} gateway"


def test_the_matrix_has_every_route_and_every_caller(run: Run) -> None:
    assert {route.key for route in ROUTES} < {line.route for line in MATRIX}
    assert set(run.presented) == set(CALLERS)


@pytest.mark.parametrize("caller", CALLERS)
def test_a_caller_gets_the_responses_of_the_matrix(run: Run, caller: str) -> None:
    cells = [cell for cell in CELLS if cell.caller == caller]
    responses = {cell.line.name: said(run.responses[cell]) for cell in cells}
    assert responses == {cell.line.name: cell.expected for cell in cells}


@pytest.mark.parametrize("caller", ["customer A", "staff", "no token", "ID token"])
def test_head_lets_in_whom_get_does(run: Run, caller: str) -> None:
    cells = [cell for cell in CELLS if cell.caller == caller and cell.line.route[:3] == "GET"]
    for cell in cells:
        head = run.send(cell._replace(line=cell.line._replace(route=f"HEAD{cell.line.route[3:]}")))
        assert (head.status_code, head.content) == (run.responses[cell].status_code, b"")


@pytest.mark.parametrize("caller", OF_ANOTHER_KIND)
def test_an_invalid_token_returns_401_with_www_authenticate(run: Run, caller: str) -> None:
    refused = [
        run.responses[cell] for cell in CELLS if cell.caller == caller and cell.expected == KIND
    ]
    assert {response.headers["www-authenticate"] for response in refused} == {"Bearer"}


def test_nobody_wrote_what_they_may_not(run: Run) -> None:
    written = {run.order(cell) for cell in CELLS if cell.may_write}
    changed = {key for key in run.before | run.after if run.before.get(key) != run.after.get(key)}
    records = {key for key in changed if key[0].startswith("IDEMPOTENCY#")}
    orders = Counter(order_of(*key) for key in changed - records)

    assert set(orders) == written
    assert len(records) == len(written)
    assert min(orders.values()) >= 2, "an order's own row, and its customer's"


def order_of(pk: str, sk: str) -> str:
    """The id of the order that the row belongs to; the key itself where there is none."""
    for key in (pk, sk):
        if key.startswith("ORDER#"):
            return key.removeprefix("ORDER#")
    return f"{pk} {sk}"


@pytest.mark.parametrize("caller", CUSTOMERS)
def test_anothers_order_looks_like_one_that_is_not_there(run: Run, caller: str) -> None:
    def shown(line: Line) -> dict[str, Any]:
        response = run.responses[Cell(caller, line)]
        unique = ("x-request-id", "apigw-requestid", "date")
        headers = {name: text for name, text in response.headers.items() if name not in unique}
        return {**headers, **response.json(), "instance": None}

    hidden = [line for line in MATRIX if line.customer == HIDDEN]
    for route in {line.route for line in hidden}:
        first, *others = [shown(line) for line in hidden if line.route == route]
        assert others
        assert all(other == first for other in others)


@pytest.mark.parametrize("caller", CUSTOMERS)
def test_a_customers_list_has_only_their_orders(run: Run, caller: str) -> None:
    (cell,) = (
        cell
        for cell in CELLS
        if cell.caller == caller and cell.line.name == "GET /customers/{customerId}/orders, own"
    )
    listed = run.responses[cell].json()["items"]
    assert {order["customerId"] for order in listed} == {run.whose(cell)}


@pytest.mark.parametrize("issuer", SETTINGS)
def test_staff_are_known_by_the_claim_of_the_setting(deployment: Deployment, issuer: str) -> None:
    setting = SETTINGS[issuer]
    expected = [(claims, "200") for claims in setting.staff]
    expected += [(claims, DENIED) for claims in setting.customers]

    def response(claims: Mapping[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {re_signed(deployment, **claims)}"}
        return said(deployment.nobody.http.get("/orders?status=PAID&limit=1", headers=headers))

    with deployment.changed_environment(
        "list-orders-by-status", STAFF_CLAIM=setting.claim, STAFF_VALUE=setting.value
    ):
        assert [(claims, response(claims)) for claims, _ in expected] == expected


def test_nobody_asked_a_callers_issuer_for_keys(run: Run) -> None:
    assert run.asked_for == []
