"""Each claim of `make smoke` fails alone where the platform breaks it, and no order is left."""

from __future__ import annotations

import io
import json
import re
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from orders.domain.status import OrderStatus
from orders.telemetry import VERSION
from platform_in_memory import ADDRESS, PlatformInMemory, untouched
from smoke.__main__ import CLEAN_UP, LIMIT_SECONDS, smoke
from smoke.claims import CLAIMS, SAMPLES, Run
from smoke.report import Outcome, Report, Row
from smoke.session import REASON, Session
from smoke.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_in_memory import PassOn, Treatment
    from smoke.claims import Claim

    Break = Callable[[PlatformInMemory], Treatment]
    Change = Callable[[httpx.Response], httpx.Response]

ORDER: Final = r"/orders/[0-9a-f-]{36}"


def run(platform: PlatformInMemory) -> list[Row]:
    target = Target(ADDRESS, platform.customer, platform.staff, VERSION, "prod")
    with Session(target, platform, platform.pause) as session:
        return smoke(Run(session, platform.published_at))


def of(rows: list[Row], outcome: Outcome) -> list[str]:
    return [row.claim for row in rows if row.outcome is outcome]


def seen(target: str, change: Change, *, method: str = "GET") -> Treatment:
    """Changes the responses of a path, with its query."""

    def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        response = pass_on(sent)
        found = re.fullmatch(target, sent.url.raw_path.decode())
        return change(response) if sent.method == method and found else response

    return treat


def status(status: int, **body: Any) -> Change:  # noqa: ANN401 - JSON
    return lambda _response: httpx.Response(status, json=body)


def member(**changes: Any) -> Change:  # noqa: ANN401 - JSON
    """Members of the body replaced, and nothing else."""

    def change(response: httpx.Response) -> httpx.Response:
        return with_body(response, json.dumps(response.json() | changes))

    return change


def with_body(response: httpx.Response, text: str) -> httpx.Response:
    headers = {k: v for k, v in response.headers.items() if k != "content-length"}
    return httpx.Response(response.status_code, headers=headers, text=text)


def header(name: str, value: str | None = None) -> Change:
    """Set, or left out."""

    def change(response: httpx.Response) -> httpx.Response:
        response.headers.pop(name, None)
        if value is not None:
            response.headers[name] = value
        return response

    return change


def if_status(status: int, change: Change) -> Change:
    return lambda response: change(response) if response.status_code == status else response


def if_problem(problem: str, change: Change) -> Change:
    return lambda response: change(response) if problem in response.text else response


def only_the(nth: int, treatment: Treatment) -> Treatment:
    """The treatment of the so-manieth response, of those that it would change, alone."""
    count = 0

    def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        nonlocal count
        before: list[httpx.Response] = []

        def remembered(sent: httpx.Request) -> httpx.Response:
            before.append(pass_on(sent))
            return before[0]

        after = treatment(sent, remembered)
        count += after is not before[0]
        return after if after is not before[0] and count == nth else before[0]

    return treat


def never_looks_at_signatures(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
    response = pass_on(sent)
    has_token = "Authorization" in sent.headers
    is_refused = has_token and response.status_code == 401
    return httpx.Response(200, json={"items": []}) if is_refused else response


def asks_for_no_token(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
    has_token = "Authorization" in sent.headers
    return pass_on(sent) if has_token else if_status(401, status(200))(pass_on(sent))


def starts_anew_at_a_cursor(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
    sent.url = sent.url.copy_remove_param("cursor")
    return pass_on(sent)


def other_amounts(response: httpx.Response) -> httpx.Response:
    (order,) = response.json()["items"]
    return member(items=[order | {"amount": order["amount"] + 1}])(response)


def takes_customers_for_staff(platform: PlatformInMemory) -> Treatment:
    """When they create an order, and so for anybody."""

    def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        if sent.method == "POST" and b"somebody-else" in sent.read():
            sent.headers["Authorization"] = f"Bearer {platform.staff}"
        return pass_on(sent)

    return treat


def forgets_whose_orders_are(method: str) -> Break:
    """A customer gets, or changes, anybody's."""

    def forget(platform: PlatformInMemory) -> Treatment:
        def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
            response = pass_on(sent)
            if sent.method == method and "order-not-found" in response.text:
                sent.headers["Authorization"] = f"Bearer {platform.staff}"
                return pass_on(sent)
            return response

        return treat

    return forget


def never(what: str) -> Break:
    """Nothing is settled, or published."""

    def stop(platform: PlatformInMemory) -> Treatment:
        setattr(platform, what, False)
        return untouched

    return stop


def always(treatment: Treatment) -> Break:
    return lambda _platform: treatment


def where(target: str, change: Change, *, method: str = "GET") -> Break:
    return always(seen(target, change, method=method))


def of_caller(name: str, treatment: Treatment) -> Break:
    def only(platform: PlatformInMemory) -> Treatment:
        token = f"Bearer {getattr(platform, name)}"

        def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
            is_theirs = sent.headers.get("Authorization") == token
            return (treatment if is_theirs else untouched)(sent, pass_on)

        return treat

    return only


STATUS_LIST: Final = r"/orders\?status=.*&limit=1"

BREAKS: Final[dict[str, Break]] = {
    "health": where("/health", member(status="down")),
    "version": where("/health", member(version="of-last-week")),
    "openapi": where("/openapi.json", member(servers=[{"url": "https://other.example.com"}])),
    "docs": where("/docs", header("Content-Security-Policy")),
    "desk": where("/desk", header("Content-Security-Policy")),
    "no_route": where("/orders", header("Allow"), method="DELETE"),
    "other_sites": where(
        "/health", header("Access-Control-Allow-Origin", "https://smoke.invalid"), method="OPTIONS"
    ),
    "no_token": always(asks_for_no_token),
    "altered_token": always(never_looks_at_signatures),
    "customer": where(r"/customers/cus_42/orders\?limit=1", status(403)),
    "not_staff": of_caller("customer", seen(STATUS_LIST, status(200, items=[]))),
    "staff": of_caller("staff", seen(STATUS_LIST, status(403))),
    "not_for_others": takes_customers_for_staff,
    "create": where("/orders", header("ETag"), method="POST"),
    "location": where(
        "/orders", header("Location", "https://elsewhere.example.com"), method="POST"
    ),
    "get": where(ORDER, if_status(200, lambda one: with_body(one, one.text + " "))),
    "not_modified": where(ORDER, if_status(304, status(200))),
    "head": where(ORDER, header("ETag"), method="HEAD"),
    "number": where("/orders/[0-9a-z]{13}", status(404)),
    "typing_error": where("/orders/[0-9A-Z-]{16}", member(detail="There is no such order.")),
    "replay": where("/orders", header("Idempotent-Replayed"), method="POST"),
    "key_reused": where(
        "/orders", if_problem("idempotency-key-reused", status(409)), method="POST"
    ),
    "validation": where(
        "/orders", if_problem("validation-failed", member(errors=[])), method="POST"
    ),
    "precondition": where(ORDER, if_status(412, status(409)), method="PATCH"),
    "illegal_transition": where(
        ORDER, if_status(409, member(allowedTransitions=[])), method="PATCH"
    ),
    "lists": where("/customers/.*&consistent=true", member(items=[])),
    "status_list": where(r"/orders\?status=.*&createdFrom=.*", member(items=[])),
    "cancel": of_caller("customer", seen(ORDER, if_status(200, member(version=3)), method="PATCH")),
    "timeline": where("/orders/.*/timeline", member(items=[])),
    "feed": where("/events.*", member(items=[])),
    "settlement": never("settles"),
    "publishing": never("publishes"),
    "creates": always(only_the(9, seen("/orders", if_status(201, status(503)), method="POST"))),
    "pages": where(r"/customers/.*\?limit=1&consistent.*", header("Link")),
    "reads": always(only_the(9, seen(ORDER, if_status(200, status(500))))),
}
"""How a platform can break each claim, and no other."""


def test_every_claim_holds_and_no_order_is_left() -> None:
    platform = PlatformInMemory()
    rows = run(platform)
    assert of(rows, Outcome.OK) == [*(one.text for one in CLAIMS), CLEAN_UP]
    assert len(platform.api.orders.orders) > SAMPLES
    assert (platform.left, platform.payments.charged) == ([], [])


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_that_is_broken_fails_alone(claim: Claim) -> None:
    platform = PlatformInMemory()
    platform.treat = BREAKS[claim.name](platform)
    rows = run(platform)
    assert of(rows, Outcome.FAILED) == [claim.text], rows
    assert of(rows, Outcome.NOT_APPLICABLE) == []
    assert platform.left == []


@pytest.mark.parametrize(
    ("name", "break_"),
    [
        ("not_for_others", forgets_whose_orders_are("GET")),
        ("not_for_others", forgets_whose_orders_are("PATCH")),
        ("staff", of_caller("staff", seen("/reports/.*", status(500)))),
        ("cancel", where(ORDER, header("Idempotent-Replayed"), method="PATCH")),
        ("pages", always(starts_anew_at_a_cursor)),
        ("pages", where("/customers/.*limit=1&consistent.*", other_amounts)),
    ],
)
def test_a_claim_fails_whatever_of_it_is_broken(name: str, break_: Break) -> None:
    platform = PlatformInMemory()
    platform.treat = break_(platform)
    assert of(run(platform), Outcome.FAILED) == [
        claim.text for claim in CLAIMS if claim.name == name
    ]
    assert platform.left == []


def test_where_nobody_is_taken_for_staff_only_what_is_paid_is_left() -> None:
    platform = PlatformInMemory()
    staff = f"Bearer {platform.staff}"

    def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        if sent.headers.get("Authorization") == staff:
            sent.headers["Authorization"] = f"Bearer {platform.customer}"
        return pass_on(sent)

    platform.treat = treat
    run(platform)
    assert [platform.api.orders.orders[one].status for one in platform.left] == [OrderStatus.PAID]


@pytest.mark.parametrize("path", ["/events", "/reports/", "/orders"])
def test_a_route_that_is_open_to_everybody_is_noticed(path: str) -> None:
    platform = PlatformInMemory()

    def let_in(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        is_staffs = sent.headers.get("Authorization") == f"Bearer {platform.staff}"
        if sent.method == "GET" and sent.url.path.startswith(path) and not is_staffs:
            sent.headers["Authorization"] = f"Bearer {platform.staff}"
        return pass_on(sent)

    platform.treat = let_in
    assert {"Without a token: 401", "The customer isn't staff"} <= {
        *of(run(platform), Outcome.FAILED)
    }


# What is left when something goes wrong on the way.


class Interrupted:
    """Ctrl-C at the so-manieth request, before it is sent or after."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left = at
        self.after = after

    def __call__(self, sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        self.left -= 1
        if self.left != 0:
            return pass_on(sent)
        if self.after:
            pass_on(sent)
        raise KeyboardInterrupt


def requests_of_a_run() -> int:
    platform, count = PlatformInMemory(), 0

    def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        nonlocal count
        count += 1
        return pass_on(sent)

    platform.treat = treat
    run(platform)
    return count - 2 * len(platform.api.orders.orders)  # the clean-up cancels each, and looks


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_ctrl_c_at_any_request_leaves_no_order(*, after: bool) -> None:
    for at in range(1, requests_of_a_run(), 3):
        platform = PlatformInMemory()
        platform.treat = Interrupted(at, after=after)
        rows = run(platform)
        assert [(row.seen, row.outcome) for row in rows[-2:-1]] == [("interrupted", Outcome.FAILED)]
        assert rows[-1].outcome is Outcome.OK
        assert platform.left == []


def test_a_run_that_takes_too_long_is_cleaned_up(monkeypatch: pytest.MonkeyPatch) -> None:
    alarms: list[int] = []
    monkeypatch.setattr(signal, "alarm", alarms.append)
    platform = PlatformInMemory()

    def rings(response: httpx.Response) -> httpx.Response:
        assert alarms == [LIMIT_SECONDS]
        signal.raise_signal(signal.SIGALRM)
        return response

    platform.treat = seen(r"/orders/.*/timeline", rings)
    rows = run(platform)
    assert of(rows, Outcome.FAILED) == ["All claims were tried"]
    assert rows[-2].seen == f"not within {LIMIT_SECONDS} s"
    assert (platform.left, alarms) == ([], [LIMIT_SECONDS, 0, 0])


def test_creates_whose_responses_are_lost_leave_no_order() -> None:
    platform, lost = PlatformInMemory(), set[str]()

    def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        response = pass_on(sent)
        key = sent.headers.get("Idempotency-Key", "")
        if key and key not in lost:
            lost.add(key)
            raise httpx.ReadTimeout("too late")
        return response

    platform.treat = treat
    rows = run(platform)
    assert "no response: ReadTimeout too late" in [row.seen for row in rows]
    assert rows[-1].outcome is Outcome.OK
    assert platform.left == []


@pytest.mark.parametrize("again", [429, 401, 200], ids=lambda status: f"then {status}")
def test_a_create_that_nothing_tells_about_is_named(again: int) -> None:
    platform, keys = PlatformInMemory(), list[str]()

    def treat(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        key = sent.headers.get("Idempotency-Key", "")
        if not key or (keys and key != keys[0]):
            return pass_on(sent)
        keys.append(key)
        if len(keys) > 1:
            return httpx.Response(again, json={})
        pass_on(sent)
        raise httpx.ReadTimeout("too late")

    platform.treat = lambda sent, pass_on: (
        treat(sent, pass_on)
        if b"SMOKE-TEST" in sent.read() and b"cus_42" in sent.read()
        else pass_on(sent)
    )
    rows = run(platform)
    assert platform.left
    assert rows[-1].outcome is Outcome.FAILED
    assert f"of the key {keys[0]}" in rows[-1].seen


def test_a_success_that_names_no_order_is_no_clean_end() -> None:
    platform = PlatformInMemory()
    platform.treat = only_the(
        9, seen("/orders", if_status(201, member(orderId=None)), method="POST")
    )
    rows = run(platform)
    assert (of(rows, Outcome.FAILED), platform.left) == ([], [])  # its key tells the order


def test_ctrl_c_during_the_clean_up_names_what_is_left() -> None:
    platform = PlatformInMemory()

    def interrupt(_response: httpx.Response) -> httpx.Response:
        raise KeyboardInterrupt

    platform.treat = of_caller("staff", seen(ORDER, if_status(200, interrupt), method="PATCH"))(
        platform
    )
    rows = run(platform)
    assert rows[-1].outcome is Outcome.FAILED
    assert all(order_id in rows[-1].seen for order_id in platform.left)


@pytest.mark.parametrize("said", [503, 200], ids=lambda status: f"said {status}")
def test_orders_that_could_not_be_canceled_are_named(said: int) -> None:
    platform = PlatformInMemory()
    platform.treat = of_caller(
        "staff",
        lambda sent, pass_on: (
            httpx.Response(said, json={"status": "CANCELED", "version": 2})
            if REASON.encode() in sent.read() and "If-Match" not in sent.headers
            else pass_on(sent)
        ),
    )(platform)
    rows = run(platform)
    assert of(rows, Outcome.FAILED) == [CLEAN_UP]
    assert platform.left
    assert all(order_id in rows[-1].seen for order_id in platform.left)


# Stages that lack something.


def test_a_platform_that_is_not_there_is_asked_for_nothing_else() -> None:
    platform = PlatformInMemory()

    def nobody_there(_sent: httpx.Request, _pass_on: PassOn) -> httpx.Response:
        raise httpx.ConnectError("Name or service not known")

    platform.treat = nobody_there
    (row, cleaned) = run(platform)
    assert (row.outcome, cleaned.outcome) == (Outcome.FAILED, Outcome.OK)
    assert row.seen == "no response: ConnectError Name or service not known"


def test_without_an_order_what_is_about_it_is_not_tried() -> None:
    platform = PlatformInMemory()
    platform.treat = seen("/orders", status(503), method="POST")
    rows = run(platform)
    assert "`Location` is the order's address here" in of(rows, Outcome.NOT_TRIED)
    assert "`GET /docs` is a page that loads nothing from other hosts" in of(rows, Outcome.OK)


def test_what_a_stage_does_not_have_is_not_applicable() -> None:
    platform = PlatformInMemory(takes_tokens=False)
    platform.api.orders.orders.clear()  # the customer's first run
    platform.treat = seen("/desk", status(404, type="/docs#route-not-found"))
    target = Target(ADDRESS, platform.customer, platform.staff)
    with Session(target, platform, platform.pause) as session:
        rows = smoke(Run(session, platform.published_at))
    assert of(rows, Outcome.FAILED) == []
    assert {one.name for one in CLAIMS if one.text in of(rows, Outcome.NOT_APPLICABLE)} == {
        *("version", "desk", "feed", "settlement", "publishing")
    }


# What is printed.


def report(rows: list[Row], platform: PlatformInMemory) -> str:
    output = io.StringIO()
    target = Target(ADDRESS, platform.customer, platform.staff)
    Report(target, "1.2.3", datetime(2026, 12, 1, tzinfo=UTC), rows).write(output)
    return output.getvalue()


def test_a_file_gets_markdown() -> None:
    platform = PlatformInMemory()
    rows = [
        Row("A claim", "a | b", 12.3, Outcome.OK),
        Row("Another", "\x1b[2J", 0, Outcome.FAILED),
        Row("A third", "", 0, Outcome.NOT_APPLICABLE),
    ]
    assert report(rows, platform) == (
        "# Smoke test of version 1.2.3\n\n"
        "2026-12-01 00:00 UTC, api.example.com, 0 s: 1 ok, 1 failed, 1 not applicable.\n\n"
        "| Claim | Seen | ms | |\n|---|---|--:|---|\n"
        "| A claim | a \\| b | 12 | ok |\n"
        "| Another | \\x1b[2J | 0 | FAILED |\n"
        "| A third |  | 0 | not applicable |\n"
    )


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_table() -> None:
    platform, screen = PlatformInMemory(), Screen()
    rows = [Row("`GET` responds", "[bold]200[/bold]", 12.3, Outcome.OK)]
    target = Target(ADDRESS, platform.customer, platform.staff)
    Report(target, "1.2.3", datetime(2026, 12, 1, tzinfo=UTC), rows).write(screen)
    assert [line.split("  ") for line in screen.getvalue().splitlines()][2:3] == [
        ["GET responds", "[bold]200[/bold]", "12", "ok"]
    ]


def test_tokens_are_never_printed() -> None:
    platform = PlatformInMemory()

    def echo(sent: httpx.Request, pass_on: PassOn) -> httpx.Response:
        response = pass_on(sent)
        if "/openapi.json" in sent.url.path:
            url = f"https://{platform.customer}.{platform.staff}.example.com"
            return member(servers=[{"url": url}])(response)
        return response

    platform.treat = echo
    printed = report(run(platform), platform)
    assert "it describes https://…" in printed
    for token in (platform.customer, platform.staff):
        assert not any(part in printed for part in token.split("."))
