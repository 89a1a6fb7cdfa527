"""All that can happen to the platform, as hypothesis plays it: step by step, in any order."""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
)

from gateway import MERGE_PATCH
from proof import oracle
from proof.model import inputs
from proof.model.draft import ANN, BOB, JANE, JOE, Draft
from proof.model.expected import TIMELINE, Expected, Listing, problem
from proof.model.faults import (
    ANYWHERE,
    CHANGE_FAULTS,
    CREATE_FAULTS,
    CUSTOMER_LIST_FAULTS,
    FEED_FAULTS,
    GET_FAULTS,
    PAGE_FAULTS,
    STATUS_LIST_FAULTS,
    sometimes,
)
from proof.model.inputs import Form, Moment
from proof.model.order import Write
from proof.model.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Callable

    from proof.model.faults import Fault
    from proof.model.inputs import Page
    from proof.model.order import Caller
    from proof.model.side_by_side import Walk

STEPS: Final[Counter[str]] = Counter()
"""How often each rule has run."""

_PLAIN: Final = Form()
_PARAMETER: Final = re.compile(r"\{\w+\}")
_PATHS: Final = sorted({_PARAMETER.sub("x", key.partition(" ")[2]) for key in oracle.ROUTES})
_NO_PATHS: Final = ["/", "/orders/", "/orders/x/y", "/customers/x", "/nowhere"]
"""Those that no route has."""
_MANY: Final = 15
"""Orders enough for pages; of more, none would see much."""

_DAY: Final = timedelta(hours=24)
_MILLISECOND: Final = timedelta(milliseconds=1)


def step(**arguments: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: ANN401 - strategies
    """A rule whose runs are counted."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(machine: PlatformMachine, **drawn: Any) -> Any:  # noqa: ANN401 - what was drawn
            STEPS[function.__name__] += 1
            machine.last_step = function.__name__
            return function(machine, **drawn)

        made: Callable[..., Any] = rule(**arguments)(counted)  # type: ignore[no-untyped-call]  # its overloads don't know **arguments
        return made

    return decorate


class PlatformMachine(RuleBasedStateMachine):
    """Rules draw what is done; `both` does it to the platform and to the model."""

    orders: Bundle[str] = Bundle("orders")
    walks: Bundle[Walk] = Bundle("walks")

    any_order = st.one_of(orders, orders, orders, st.sampled_from(inputs.NO_ORDERS))

    def __init__(self) -> None:
        super().__init__()
        self.both = SideBySide()
        self.keyed: list[Write] = []
        self.last_step = ""

    def teardown(self) -> None:
        self.both.close()

    # Orders

    @initialize(target=orders)
    def begin_with_some_orders(self) -> Any:  # noqa: ANN401 - hypothesis' multiple
        janes = oracle.smallest_order(JANE.id)
        first = Write(JANE, janes | {"paymentToken": "tok_approve"}, "k1")
        made = [self._send(first), self._send(Write(JOE, oracle.smallest_order(JOE.id), "k1"))]
        for _ in range(oracle.FILTERED_READS):
            self._send(Write(JANE, janes))  # a page of another status finds these first, and ends
        return multiple(*made)

    @step(
        target=orders,
        write=st.builds(Write, inputs.callers, inputs.new_orders(), inputs.keys),
        form=inputs.forms(
            ["application/json", "Application/JSON; charset=utf-8"], sometimes(CREATE_FAULTS)
        ),
    )
    def create(self, write: Write, form: Form) -> Any:  # noqa: ANN401 - an order id, or hypothesis' multiple of none
        return self._send(write, form) or multiple()

    @precondition(lambda self: len(self.both.model.orders) < _MANY)
    @step(
        target=orders,
        customer=inputs.customers,
        number=st.integers(1, 3),
        token=st.sampled_from(["tok_approve", "tok_unavailable"]),
    )
    def create_some(self, customer: Caller, number: int, token: str) -> Any:  # noqa: ANN401 - hypothesis' multiple
        """A millisecond apart, or in the same one: enough orders for pages."""
        write = Write(customer, oracle.smallest_order(customer.id) | {"paymentToken": token})
        made = []
        for i in range(number):
            made.append(self._send(write))
            self.both.move_clock(_MILLISECOND * (i % 2))
        return multiple(*made)

    @step(
        write=st.builds(Write, inputs.callers, inputs.status_changes, inputs.keys, any_order),
        form=inputs.forms(
            [MERGE_PATCH, "application/json"],
            sometimes(CHANGE_FAULTS),
            if_match=inputs.if_match,
            unless=inputs.seldom_if_none_match,
        ),
    )
    def change(self, write: Write, form: Form) -> None:
        self._send(write, form)

    @step(
        order_id=orders,
        staff=st.sampled_from([ANN, BOB]),
        statuses=st.lists(inputs.statuses, min_size=1, max_size=3),
        reason=st.fixed_dictionaries({}, optional={"reason": inputs.texts}),
        key=inputs.keys,
        later=st.sampled_from([0 * _DAY, _MILLISECOND, -_MILLISECOND]),
    )
    def move_on(  # noqa: PLR0913 - all that a request has
        self,
        order_id: str,
        staff: Caller,
        statuses: list[str],
        *,
        reason: dict[str, str],
        key: str | None,
        later: timedelta,
    ) -> None:
        """To each status, if the order can go there; else to where it can, or to where it is.

        The first change has the key and the reason, and time passes before each. At the end it
        is sent again.
        """
        order = self.both.model.orders[order_id]
        sent: list[Write] = []
        for status in statuses:
            self.both.move_clock(later)
            allowed = oracle.TRANSITIONS[order.status] or (order.status,)
            target = {"status": status if status in allowed else allowed[0]}
            write = Write(staff, target | reason, key, order_id)
            sent.append(Write(staff, target, order_id=order_id) if sent else write)
            self._send(sent[-1])
        self.both.send(sent[0], Form())

    @step(
        which=st.integers(0, 30),
        sender=st.one_of(st.none(), st.none(), st.none(), inputs.callers),
        later=st.sampled_from([0 * _DAY, 0 * _DAY, _DAY - _MILLISECOND, _DAY]),
        form=inputs.forms(["application/json"], st.just([])),
    )
    def send_again(self, which: int, sender: Caller | None, later: timedelta, form: Form) -> None:
        """The same request in another spelling, from the same caller or with another's token."""
        known = [*filter(self.both.model.remembers, self.keyed)] or self.keyed
        self.both.move_clock(later)
        sent = known[-1 - which % len(known)]
        self.both.send(replace(sent, caller=sender or sent.caller), form)

    @step(
        which=st.integers(0, 30),
        order_id=any_order,
        content=st.none() | inputs.status_changes,
    )
    def use_a_key_again(self, which: int, order_id: str, content: dict[str, Any] | None) -> None:
        """For another order or another change, after whatever it was used for."""
        sent = self.keyed[-1 - which % len(self.keyed)]
        if content is None:
            content = sent.content if sent.order_id else {"status": "CANCELED"}
        self._send(Write(sent.caller, content, sent.key, order_id))

    @step(
        caller=inputs.callers,
        order_id=any_order,
        if_match=inputs.if_match,
        known=inputs.if_none_match,
        faults=sometimes(GET_FAULTS),
    )
    def get(
        self,
        caller: Caller,
        order_id: str,
        *,
        if_match: list[str] | None,
        known: list[str] | None,
        faults: list[Fault],
    ) -> None:
        self.both.get(caller, order_id, if_match, known, faults)

    # Lists

    @step(
        order_id=any_order,
        page=inputs.pages(
            inputs.callers, inputs.page_queries, inputs.no_window, sometimes(PAGE_FAULTS)
        ),
    )
    def timeline(self, order_id: str, page: Page) -> None:
        self._read(Listing(TIMELINE, order_id), page)

    @step(
        customer=inputs.customers,
        page=inputs.pages(
            inputs.callers, inputs.customer_queries, inputs.windows, sometimes(CUSTOMER_LIST_FAULTS)
        ),
    )
    def list_of_a_customer(self, customer: Caller, page: Page) -> None:
        self._read(self.both.listing(customer, page.query, page.window), page)

    @step(
        page=inputs.pages(
            inputs.callers, inputs.status_queries, inputs.windows, sometimes(STATUS_LIST_FAULTS)
        )
    )
    def list_of_a_status(self, page: Page) -> None:
        self._read(self.both.listing(None, page.query, page.window), page)

    @step(
        page=inputs.pages(
            st.sampled_from([ANN, BOB, ANN, BOB, JANE]),
            inputs.feed_queries,
            inputs.feed_windows,
            sometimes(FEED_FAULTS),
        )
    )
    def feed(self, page: Page) -> None:
        self._read(self.both.feed(page.query, page.window), page)

    @step(query=inputs.feed_queries, later=st.sampled_from([timedelta(minutes=1), _MILLISECOND]))
    def follow_the_feed(self, query: dict[str, str], later: timedelta) -> None:
        """As a program does that wants all that is old enough."""
        self.both.move_clock(later)
        self.both.follow_feed(query)

    @precondition(lambda self: self.both.cursors_of_orders())
    @step(
        which=st.integers(0, 9),
        changed=st.sampled_from(["status", "sort", "customer", "createdTo", "limit"]),
        status=inputs.statuses,
    )
    def use_a_cursor_elsewhere(self, which: int, changed: str, status: str) -> None:
        """On a list that differs in one thing from that which gave it; in the limit it may."""
        given = self.both.cursors_of_orders()
        cursor, listing = given[-1 - which % len(given)]
        customer = {JANE.id: JANE, JOE.id: JOE}.get(listing.partition)
        query = {"cursor": cursor, "sort": "-createdAt" if listing.newest_first else "createdAt"}
        if listing.status:
            query["status"] = listing.status
        window: dict[str, Moment] = {}
        if changed == "status":
            query["status"] = status
        elif changed == "sort":
            query["sort"] = "createdAt" if listing.newest_first else "-createdAt"
        elif changed == "customer":
            customer = JOE if customer is JANE else JANE
        elif changed == "createdTo":
            window = {"createdTo": Moment(which, 1, finer=False, form="utc")}
        else:
            query["limit"] = "2"
        listing = self.both.listing(customer, query, window)
        self.both.read(ANN, listing, query)

    @initialize(target=walks)
    def begin_two_walks(self) -> Any:  # noqa: ANN401 - hypothesis' multiple
        oldest_first = {"limit": "1", "sort": "createdAt", "status": oracle.FIRST_STATUS}
        return multiple(
            self.both.begin_a_walk(JANE, {"limit": "1"}), self.both.begin_a_walk(None, oldest_first)
        )

    @step(
        target=walks,
        customer=st.none() | inputs.customers,
        query=inputs.customer_queries,
        window=inputs.windows,
    )
    def begin_a_walk(
        self, customer: Caller | None, query: dict[str, str], window: dict[str, Moment]
    ) -> Walk:
        """Through a customer's list, or through that of a status, which has fewer parameters."""
        if customer is None:
            query = {"status": oracle.FIRST_STATUS} | query
            query.pop("consistent", None)
        return self.both.begin_a_walk(customer, query, window)

    @step(walk=walks, limit=st.integers(1, 3), pages=st.sampled_from([1, 1, 99]))
    def go_on_with_a_walk(self, walk: Walk, limit: int, pages: int) -> None:
        """With pages of another size, whatever was written since."""
        walk.query["limit"] = str(limit)
        self.both.go_on_with(walk, pages)

    # The rest of the API

    @step(
        caller=inputs.callers,
        day=st.integers(-1, 1),
        which=st.integers(0, 9),
        text=st.sampled_from([None, None, None, "2026-02-30", "yesterday", "20261123"]),
        faults=sometimes(ANYWHERE),
    )
    def read_a_report(
        self, caller: Caller, day: int, which: int, *, text: str | None, faults: list[Fault]
    ) -> None:
        named = text or (self.both.day_of_an_order(which) + timedelta(days=day)).isoformat()
        self.both.read_report(caller, named, faults)

    @step(
        method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "OPTIONS"]),
        path=st.sampled_from(_PATHS + _NO_PATHS),
        is_preflight=st.booleans(),
    )
    def ask_without_a_token(self, method: str, path: str, *, is_preflight: bool) -> None:
        draft = Draft(method, path, None)
        routes = {
            key.partition(" ")[0]: route
            for key, route in oracle.ROUTES.items()
            if _PARAMETER.sub("x", key.partition(" ")[2]) == path
        }
        allowed = sorted(routes.keys() | ({"HEAD"} if "GET" in routes else set()))
        if is_preflight:
            draft.headers = {"origin": "https://a.example", "access-control-request-method": "GET"}
        if is_preflight and method == "OPTIONS":
            expected = Expected(204, {})
        elif not routes:
            expected = problem(404, "route-not-found")
        elif method not in routes:
            expected = problem(405, "method-not-allowed", {"Allow": ", ".join(allowed)})
        elif routes[method].audience is oracle.Audience.EVERYONE:
            self.both.read_what_is_public(path)
            return
        else:
            expected = problem(401, "unauthenticated", {"WWW-Authenticate": "Bearer"})
        self.both.ask(draft, [], lambda _: expected)

    # Time, and what runs behind the API

    @step(
        by=st.sampled_from(
            [
                _MILLISECOND,
                timedelta(milliseconds=877),
                timedelta(seconds=1),
                timedelta(hours=1),
                _DAY - _MILLISECOND,
                _DAY,
                _DAY + timedelta(seconds=1),
                14 * _DAY,
                -_MILLISECOND,
                timedelta(seconds=-3),
            ]
        )
    )
    def time_passes(self, by: timedelta) -> None:
        """Or goes back a little, as a machine's clock does when it is set right."""
        self.both.move_clock(by)

    @step(number=st.integers(1, 9), again=st.integers(0, 3))
    def read_the_stream(self, number: int, again: int) -> None:
        """A batch, of which `again` records were delivered before."""
        self.both.publish(number, again)

    @step(order_id=orders)
    def catch_up(self, order_id: str) -> None:
        """Every message is consumed; then staff and owner look at what became of an order."""
        self.both.catch_up()
        owner = JANE if self.both.model.orders[order_id].customer_id == JANE.id else JOE
        for caller in (owner, ANN):
            self.both.read(caller, Listing(TIMELINE, order_id), {})

    @step(
        order_ids=st.lists(orders, min_size=1, max_size=3),
        which=st.integers(0, 3),
        dies=st.booleans(),
    )
    def consume(self, order_ids: list[str], which: int, *, dies: bool) -> None:
        """Messages about these orders, in any order and any of them again."""
        self.both.consume(order_ids, which, dies=dies)

    @step(
        job=st.sampled_from(["expire", "expire", "expire", "report", "report by hand"]),
        which=st.integers(0, 9),
        later=st.sampled_from([0 * _DAY, 14 * _DAY, 14 * _DAY + _MILLISECOND]),
    )
    def run_a_daily_job(self, job: str, which: int, later: timedelta) -> None:
        """Cancel what nobody paid for, or report on one of the days of the orders."""
        self.both.move_clock(later)
        day = self.both.day_of_an_order(which)
        if job == "expire":
            self.both.expire()
        elif job == "report":
            self.both.make_report(day, {"time": f"{day + timedelta(days=1)}T00:30:00Z"})
        else:
            self.both.make_report(day, {"date": day.isoformat()})

    @precondition(lambda self: self.last_step != "look_into_the_table")
    @step()
    def look_into_the_table(self) -> None:
        self.both.compare_tables()

    # What most depends on is drawn more often, because it is there under more names.
    create_too = create
    change_too = change_as_well = change
    move_on_too = move_on_as_well = move_on
    send_again_too = send_again
    consume_too = consume

    def _send(self, write: Write, form: Form = _PLAIN) -> str | None:
        if write.key is not None:
            self.keyed.append(write)
        return self.both.send(write, form)

    def _read(self, listing: Listing, page: Page) -> None:
        query = page.query | self.both.cursor(page.cursor)
        self.both.read(page.caller, listing, query, page.faults)
