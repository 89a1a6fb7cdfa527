"""What a deployed API must do, claim by claim, in the order in which they are tried.

Each function returns what was seen. It raises Failed if the claim is false, NotApplicable if the
stage has nothing to which it applies, NotTried if an earlier claim had to hold for it.
"""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote
from uuid import uuid4

import httpx

from orders.domain.order_number import order_number
from smoke.publishing import published_at
from smoke.session import REASON, body_of
from smoke.target import claims_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from smoke.publishing import PublishedAt
    from smoke.session import Json, Session

SAMPLES: Final = 20
INDEX_SECONDS: Final = 10
FEED_SECONDS: Final = 8
SETTLEMENT_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.25
_OLD: Final = timedelta(minutes=2)
"""Older than any event that the feed holds back."""
_SOMEBODY_ELSE: Final = "smoke-somebody-else"
_REPORT: Final = "/reports/daily/2026-11-23"
_FOR_STAFF: Final = ("/orders?status=PENDING&limit=1", "/events?limit=1", _REPORT)
_OTHER_SITE: Final = "https://smoke.invalid"
_BASE64URL: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Failed(Exception):
    """What was seen instead."""


class NotApplicable(Exception):
    """Why there is nothing to claim."""


class NotTried(Exception):
    """What it lacks, because an earlier claim is false."""


class Claim(NamedTuple):
    text: str
    holds: Callable[[Run], str]

    @property
    def name(self) -> str:
        return self.holds.__name__


CLAIMS: Final[list[Claim]] = []


def claim(text: str) -> Callable[[Callable[[Run], str]], Callable[[Run], str]]:
    def add(holds: Callable[[Run], str]) -> Callable[[Run], str]:
        CLAIMS.append(Claim(text, holds))
        return holds

    return add


class Run:
    """What the claims share: the session, the customer's id, and the order that most are about."""

    def __init__(self, session: Session, published_at: PublishedAt = published_at) -> None:
        self.session = session
        self.published_at = published_at
        self.target = session.target
        self.version = "unknown"
        self.known_customer: str | None = None
        self._created: httpx.Response | None = None

    @property
    def customer_id(self) -> str:
        """Raises NotTried: no claim of the token is it."""
        if self.known_customer is None:
            raise NotTried("the customer's id isn't known")
        return self.known_customer

    @property
    def created(self) -> httpx.Response:
        """The response that created the order. Raises NotTried: there is none."""
        if self._created is None:
            raise NotTried("no order was created")
        return self._created

    @property
    def order(self) -> Json:
        return body_of(self.created)

    @property
    def path(self) -> str:
        return f"/orders/{self.order['orderId']}"

    @cached_property
    def created_at(self) -> datetime:
        return datetime.fromisoformat(self.order["createdAt"])

    def anonymously(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - arguments of send
        return self.session.send(method, path, **more)

    def as_customer(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - likewise
        return self.session.send(method, path, self.target.customer, **more)

    def as_staff(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - likewise
        return self.session.send(method, path, self.target.staff, **more)

    def sample(self, unit_amount: int = 1999, **changes: object) -> Json:
        item = {"sku": "SMOKE-TEST", "name": "Smoke test", "quantity": 3, "unitAmount": unit_amount}
        return {"customerId": self.customer_id, "currency": "USD", "items": [item]} | changes

    def place_order(self) -> httpx.Response:
        response = self.session.create(self.sample())
        if response.is_success:
            self._created = response
        return response

    def place_again(self, body: Json) -> httpx.Response:
        """With the key of the order."""
        return self.session.create(body, key=self.created.request.headers["Idempotency-Key"])

    def await_(self, read: Callable[[], bool], seconds: float) -> float | None:
        """After how many seconds of pauses `read` held; None if it never did."""
        waited = 0.0
        while not read():
            if waited >= seconds:
                return None
            self.session.pause(_POLL_SECONDS)
            waited += _POLL_SECONDS
        return waited


# What everybody may see.


@claim("`GET /health` responds")
def health(run: Run) -> str:
    response = run.anonymously("GET", "/health")
    body = expect(response, 200)
    run.version = str(body.get("version"))
    require(body.get("status") == "ok" and "version" in body, response, "its status isn't ok")
    return f"version {run.version}"


@claim("It is the version that was to be deployed")
def version(run: Run) -> str:
    expected = run.target.expected_version
    if not expected:
        raise NotApplicable("EXPECT_VERSION is not set")
    if run.version != expected:
        raise Failed(f"version {run.version}, not {expected}")
    return run.version


@claim("`GET /openapi.json` describes the API at this address")
def openapi(run: Run) -> str:
    response = run.anonymously("GET", "/openapi.json")
    body = expect(response, 200)
    address = body["servers"][0]["url"]
    require(address == run.target.api, response, f"it describes {address}: see publicBaseUrl")
    require("/orders/{orderId}" in body["paths"], response, "it has no orders")
    return f"OpenAPI {body['openapi']}, API {body['info']['version']}"


@claim("`GET /docs` is a page that loads nothing from other hosts")
def docs(run: Run) -> str:
    return page(run.anonymously("GET", "/docs"))


@claim("So is the staff desk")
def desk(run: Run) -> str:
    response = run.anonymously("GET", "/desk")
    if problem_of(response) == "route-not-found":
        raise NotApplicable("this stage has none")
    return page(response)


@claim("An unknown path is a 404, a method that a path doesn't have a 405 with `Allow`")
def no_route(run: Run) -> str:
    expect_problem(run.anonymously("GET", "/smoke-test"), 404, "route-not-found")
    response = run.anonymously("DELETE", "/orders")
    expect_problem(response, 405, "method-not-allowed")
    allowed = response.headers.get("Allow", "")
    require(allowed == "GET, HEAD, POST", response, f"Allow: {allowed}")
    return f"404, 405, Allow: {allowed}"


@claim("Pages of a site that isn't configured can't call the API")
def other_sites(run: Run) -> str:
    headers = {"Origin": _OTHER_SITE, "Access-Control-Request-Method": "GET"}
    allowed = [
        run.anonymously(method, "/health", headers=headers).headers.get(
            "Access-Control-Allow-Origin"
        )
        for method in ("OPTIONS", "GET")
    ]
    if allowed == ["*", "*"]:
        raise NotApplicable("corsOrigins lets every site call it")
    if any(allowed):
        raise Failed(f"{_OTHER_SITE} is allowed: {allowed}")
    return f"{_OTHER_SITE} isn't allowed"


# Tokens, as the gateway verifies them and hands their claims over.


@claim("Without a token: 401")
def no_token(run: Run) -> str:
    for path in (*_FOR_STAFF, "/orders/smoke-test", "/customers/smoke-test/orders"):
        expect(run.anonymously("GET", path), 401)
    expect(run.anonymously("POST", "/orders", json={}), 401)
    return "401 for lists, an order, the feed, a report and a create"


@claim("A token with another signature, or with other claims, is a 401")
def altered_token(run: Run) -> str:
    header, payload, signature = run.target.staff.split(".")
    middle = len(signature) // 2
    other = _BASE64URL[(_BASE64URL.index(signature[middle]) + 1) % 64]
    claims = claims_of(run.target.staff)
    claims["exp"] = int(time.time()) + 86_400
    longer = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    for token in (
        f"{header}.{payload}.{signature[:middle]}{other}{signature[middle + 1 :]}",
        f"{header}.{longer}.{signature}",
    ):
        expect(run.session.send("GET", "/orders?status=PENDING", token), 401)
    return "401, 401"


@claim("A claim of the customer's token is the customer's id")
def customer(run: Run) -> str:
    for name, candidate in run.target.customer_ids:
        response = run.as_customer("GET", f"{orders_of(candidate)}?limit=1")
        if response.is_success:
            run.known_customer = candidate
            return f"the claim {name}"
        require(response.status_code == httpx.codes.FORBIDDEN, response, "neither 200 nor 403")
    raise Failed("none is: see customerIdClaim")


@claim("The customer isn't staff")
def not_staff(run: Run) -> str:
    for path in _FOR_STAFF:
        expect_problem(run.as_customer("GET", path), 403, "forbidden")
    return "403 for the list by status, the feed and a report"


@claim("Staff are")
def staff(run: Run) -> str:
    report = run.as_staff("GET", _REPORT)
    if problem_of(report) != "report-not-found":
        expect(report, 200)
    body = expect(run.as_staff("GET", "/orders?status=PENDING&limit=1"), 200)
    return f"200, {'an order is' if body['items'] else 'none is'} PENDING"


@claim("A customer can't act for another")
def not_for_others(run: Run) -> str:
    others = run.as_customer("GET", orders_of(_SOMEBODY_ELSE))
    expect_problem(others, 403, "forbidden")
    body = run.sample(customerId=_SOMEBODY_ELSE)
    expect_problem(run.session.create(body), 403, "forbidden")
    theirs = expect(run.session.create(body, token=run.target.staff), 201)
    path, change = f"/orders/{theirs['orderId']}", {"status": "CANCELED", "reason": REASON}
    for method, where, sent in (
        ("GET", path, None),
        ("GET", f"{path}/timeline", None),
        ("PATCH", path, change),
    ):
        response = run.as_customer(method, where, json=sent)
        expect_problem(response, 404, "order-not-found")
    return "403 for the list and a create; 404 for their order, its timeline and a change"


# An order's life. The first create tells whether the function's calls of DynamoDB are signed well.


@claim("A create is a 201 with the order")
def create(run: Run) -> str:
    response = run.place_order()
    body = expect(response, 201)
    seen = {name: body.get(name) for name in ("status", "amount", "version", "customerId")}
    wanted = {"status": "PENDING", "amount": 5997, "version": 1, "customerId": run.customer_id}
    require(seen == wanted, response, "it isn't the order that was sent")
    require(response.headers.get("ETag") == '"1"', response, 'its ETag isn\'t "1"')
    number = body["orderNumber"]
    require(number == order_number(body["orderId"]), response, "its number isn't its id's")
    return f"201, order {number}"


@claim("`Location` is the order's address here")
def location(run: Run) -> str:
    given = run.created.headers.get("Location", "none")
    address = run.target.api + run.path
    # The token is not sent to wherever it leads.
    require(given == address, run.created, f"Location: {given}: see publicBaseUrl")
    return "the same address"


@claim("The order can be read at once, with the same body")
def get(run: Run) -> str:
    response = run.as_customer("GET", run.path)
    expect(response, 200)
    require(response.text == run.created.text, response, "another body")
    return f"200, ETag {response.headers.get('ETag')}"


@claim("`If-None-Match` with its `ETag` is a 304 without a body")
def not_modified(run: Run) -> str:
    response = run.as_customer("GET", run.path, headers={"If-None-Match": '"1"'})
    expect(response, 304)
    require(not response.content, response, "a body")
    return "304"


@claim("`HEAD` has the status and the `ETag`, and no body")
def head(run: Run) -> str:
    response = run.as_customer("HEAD", run.path)
    expect(response, 200)
    require(response.headers.get("ETag") == '"1"', response, "no ETag")
    require(not response.content, response, "a body")
    return "200"


@claim("It is found by its number, as people type it")
def number(run: Run) -> str:
    typed = run.order["orderNumber"].replace("-", "").lower()
    response = run.as_customer("GET", f"/orders/{typed}")
    expect(response, 200)
    require(response.text == run.created.text, response, "another body")
    return "200"


@claim("A number with a typing error is a 404 that says so")
def typing_error(run: Run) -> str:
    right = run.order["orderNumber"]
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    response = run.as_customer("GET", f"/orders/{wrong}")
    detail = expect_problem(response, 404, "order-not-found")["detail"]
    require("typing error" in detail, response, detail)
    return "404"


@claim("A retry with its key gets the same response, and creates nothing")
def replay(run: Run) -> str:
    response = run.place_again(run.sample())
    expect(response, 201)
    require(response.text == run.created.text, response, "another body")
    replayed = response.headers.get("Idempotent-Replayed")
    require(replayed == "true", response, f"Idempotent-Replayed: {replayed}")
    return "201, Idempotent-Replayed"


@claim("Another request with its key is a 422")
def key_reused(run: Run) -> str:
    response = run.place_again(run.sample(currency="EUR"))
    expect_problem(response, 422, "idempotency-key-reused")
    return "422"


@claim("An invalid field is a 422 that points to it")
def validation(run: Run) -> str:
    body = run.sample()
    body["items"][0]["quantity"] = 0
    response = run.session.create(body)
    errors = expect_problem(response, 422, "validation-failed").get("errors")
    pointers = [one["pointer"] for one in errors or ()]
    require(pointers == ["/items/0/quantity"], response, f"it points to {pointers}")
    return f"422, {pointers[0]}"


@claim("A change of a version that the order isn't at is a 412")
def precondition(run: Run) -> str:
    change, stale = {"status": "CANCELED", "reason": REASON}, {"If-Match": '"99"'}
    response = run.as_customer("PATCH", run.path, json=change, headers=stale)
    expect_problem(response, 412, "precondition-failed")
    return "412"


@claim("A transition that there isn't is a 409 that says what there is")
def illegal_transition(run: Run) -> str:
    response = run.as_staff("PATCH", run.path, json={"status": "SHIPPED"})
    body = expect_problem(response, 409, "illegal-transition")
    seen = body.get("currentStatus"), body.get("allowedTransitions")
    require(seen == ("PENDING", ["PAID", "CANCELED"]), response, f"it says {seen}")
    return "409, PENDING → PAID, CANCELED"


@claim("The customer's consistent list shows it at once, the default list soon")
def lists(run: Run) -> str:
    path = f"{orders_of(run.customer_id)}?limit=100&createdFrom={run.order['createdAt']}"

    def shows(more: str) -> bool:
        items = expect(run.as_customer("GET", path + more), 200)["items"]
        return any(one["orderId"] == run.order["orderId"] for one in items)

    if not shows("&consistent=true"):
        raise Failed("the consistent list lacks it")
    waited = run.await_(lambda: shows(""), INDEX_SECONDS)
    if waited is None:
        raise Failed(f"the default list lacks it after {INDEX_SECONDS} s")
    return f"the default list after {waited:.2f} s"


@claim("Staff find it among the orders of its status")
def status_list(run: Run) -> str:
    path = f"/orders?status=PENDING&sort=createdAt&createdFrom={run.order['createdAt']}"

    def shows_it() -> bool:
        items = expect(run.as_staff("GET", path), 200)["items"]
        return any(one["orderId"] == run.order["orderId"] for one in items)

    waited = run.await_(shows_it, INDEX_SECONDS)
    if waited is None:
        raise Failed(f"the list lacks it after {INDEX_SECONDS} s")
    return f"after {waited:.2f} s"


@claim("The customer can cancel it, and once is enough, with a key and without")
def cancel(run: Run) -> str:
    change, key = {"status": "CANCELED", "reason": REASON}, {"Idempotency-Key": f"smoke-{uuid4()}"}
    first, retry, again = (
        run.as_customer("PATCH", run.path, json=change, headers=headers)
        for headers in (key, key, {})
    )
    for response in (first, retry, again):
        body = expect(response, 200)
        require(
            (body.get("status"), body.get("version")) == ("CANCELED", 2),
            response,
            f"{body.get('status')} at version {body.get('version')}",
        )
    replayed = [one.headers.get("Idempotent-Replayed") for one in (first, retry, again)]
    require(replayed == [None, "true", None], retry, f"Idempotent-Replayed: {replayed}")
    return "200, CANCELED at version 2, three times, once Idempotent-Replayed"


@claim("The timeline has both versions, and who made them")
def timeline(run: Run) -> str:
    response = run.as_customer("GET", f"{run.path}/timeline")
    entries = [
        (one["version"], one["status"], one["actor"]) for one in expect(response, 200)["items"]
    ]
    wanted = [(1, "PENDING", "customer"), (2, "CANCELED", "customer")]
    require(entries == wanted, response, f"{entries}")
    return "PENDING, CANCELED"


# What happens behind the API.


@claim("The feed shows an order's events")
def feed(run: Run) -> str:
    until = (run.created_at - _OLD).isoformat().replace("+00:00", "Z")
    path = f"{orders_of(run.customer_id)}?limit=1&createdTo={until}"
    earlier = expect(run.as_customer("GET", path), 200)["items"]
    order = earlier[0] if earlier else run.order
    wanted = f"{order['orderId']}/1"

    def shows_it() -> bool:
        page = expect(run.as_staff("GET", f"/events?recordedFrom={order['createdAt']}"), 200)
        require("nextCursor" in page, run.created, "the feed has no next position")
        return any(event["id"] == wanted for event in page["items"])

    waited = run.await_(shows_it, 0 if earlier else FEED_SECONDS)
    if earlier and waited is None:
        raise Failed(f"it lacks an order of {order['createdAt']}")
    if waited is None:
        raise NotApplicable(
            "an event shows after 60 s, and the customer has no earlier order: run it again"
        )
    return f"of an order of {order['createdAt']}" if earlier else f"after {waited:.2f} s"


@claim("An order that has a payment token is settled: stream, queue, consumer")
def settlement(run: Run) -> str:
    # Nobody is charged for an order of amount 0, whatever the token and whatever the gateway.
    response = run.session.create(run.sample(unit_amount=0, paymentToken="tok_smoke"))
    if problem_of(response) == "payments-not-configured":
        raise NotApplicable("422 payments-not-configured: this stage settles nothing")
    order = expect(response, 201)

    def has_left_pending() -> bool:
        order.update(expect(run.as_customer("GET", f"/orders/{order['orderId']}"), 200))
        return bool(order["status"] != "PENDING")

    if run.await_(has_left_pending, SETTLEMENT_SECONDS) is None:
        raise Failed(f"still PENDING after {SETTLEMENT_SECONDS} s: ./orderctl show")
    took = datetime.fromisoformat(order["updatedAt"]) - datetime.fromisoformat(order["createdAt"])
    return f"{order['status']} {took.total_seconds():.2f} s after it was created"


@claim("An event is published soon after its change")
def publishing(run: Run) -> str:
    if not run.target.stage:
        raise NotApplicable("STAGE, for which AWS credentials are needed, is not set")
    order_id, started = run.order["orderId"], time.monotonic()
    at = run.published_at(run.target.stage, order_id, run.created_at, run.session.pause)
    if at is None:
        raise Failed(
            "no line of the publisher's log names it, which logs events if logLevel is INFO: "
            "docs/runbook.md#events-not-published"
        )
    took, found = (at - run.created_at).total_seconds(), time.monotonic() - started
    return f"after {took:.2f} s; its log line was found in {found:.1f} s"


@claim(f"{SAMPLES} creates, one after another")
def creates(run: Run) -> str:
    return timed(lambda: run.session.create(run.sample()), 201)


@claim("A list goes on at its `Link`, where the page ended")
def pages(run: Run) -> str:
    since = f"createdFrom={run.order['createdAt']}"
    first = run.as_customer("GET", f"{orders_of(run.customer_id)}?limit=1&consistent=true&{since}")
    expect(first, 200)
    address = first.links.get("next", {}).get("url", "none")
    # The token is not sent to wherever it leads.
    require(address.startswith(run.target.api), first, f"Link: {address}: see publicBaseUrl")
    second = run.as_customer("GET", address.removeprefix(run.target.api))
    found = [one for page in (first, second) for one in expect(page, 200)["items"]]
    seen = {one["orderId"]: one["amount"] for one in found}
    amount = run.order["amount"]
    require([*seen.values()] == [amount, amount], second, f"two pages of one have {seen}")
    return "200, another order on the next page"


@claim(f"{SAMPLES} reads of an order, one after another")
def reads(run: Run) -> str:
    return timed(lambda: run.as_customer("GET", run.path), 200)


def orders_of(customer_id: str) -> str:
    return f"/customers/{quote(customer_id, safe='')}/orders"


# What was seen.


def expect(response: httpx.Response, status: int) -> Json:
    """The JSON object of the response, if it has this status. Raises Failed."""
    require(response.status_code == status, response, f"not {status}")
    return body_of(response)


def expect_problem(response: httpx.Response, status: int, problem: str) -> Json:
    """Raises Failed: the response is no such problem (RFC 9457)."""
    body = expect(response, status)
    require(problem_of(response) == problem, response, f"not {problem}")
    media_type = response.headers.get("Content-Type")
    require(media_type == "application/problem+json", response, f"it is {media_type}")
    return body


def page(response: httpx.Response) -> str:
    expect(response, 200)
    policy = response.headers.get("Content-Security-Policy", "")
    require("default-src 'none'" in policy, response, f"Content-Security-Policy: {policy}")
    require("<title>" in response.text, response, "it is no page")
    return f"200, {len(response.content) // 1024} KB"


def problem_of(response: httpx.Response) -> str:
    """The last part of the problem's type; empty if it is none."""
    return str(body_of(response).get("type", "")).rpartition("#")[2]


def require(holds: bool, response: httpx.Response, otherwise: str) -> None:  # noqa: FBT001 - as assert's
    """Raises Failed: with the response's status, what is wrong, and the request's id."""
    if not holds:
        status = " ".join(filter(None, [str(response.status_code), problem_of(response)]))
        request_id = response.headers.get("X-Request-Id")
        raise Failed(f"{status}: {otherwise}" + (f" (request {request_id})" if request_id else ""))


def timed(send: Callable[[], httpx.Response], status: int) -> str:
    """Median and 95th percentile, by nearest rank, with the way there and back."""
    took = []
    for _ in range(SAMPLES):
        started = time.perf_counter()
        response = send()
        took.append((time.perf_counter() - started) * 1000)
        expect(response, status)
    took.sort()
    p50, p95 = (took[ceil(SAMPLES * share) - 1] for share in (0.5, 0.95))
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"
