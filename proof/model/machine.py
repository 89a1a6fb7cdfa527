"""All that can happen to the platform, as hypothesis plays it: step by step, in any order."""

from __future__ import annotations

import functools
from collections import Counter
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
from proof.model.expected import Expected, problem
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
from proof.model.inputs import ANN, BOB, JANE, JOE, Draft, Moment, key_header, tag_list
from proof.model.side_by_side import SideBySide, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from proof.model.faults import Fault
    from proof.model.order import Caller
    from proof.model.side_by_side import Walk

STEPS: Final[Counter[str]] = Counter()
"""How often each rule has run."""

_METHODS: Final = {
    "/orders": "GET, HEAD, POST",
    "/orders/x": "GET, HEAD, PATCH",
    "/orders/x/timeline": "GET, HEAD",
    "/customers/x/orders": "GET, HEAD",
    "/events": "GET, HEAD",
    "/reports/daily/x": "GET, HEAD",
    "/health": "GET, HEAD",
    "/openapi.json": "GET, HEAD",
    "/docs": "GET, HEAD",
    "/": None,
    "/orders/": None,
    "/orders/x/y": None,
    "/customers/x": None,
    "/nowhere": None,
}
"""What each path answers to; None for a path that is none."""

_PUBLIC: Final = {"/health", "/openapi.json", "/docs"}
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
        joes = oracle.smallest_order(JOE.id)
        writes = [
            self._write(JANE, janes | {"paymentToken": "tok_approve"}, "k1"),
            self._write(JOE, joes, "k1"),
        ]
        made = [self.both.create(write, {"idempotency-key": "k1"}) for write in writes]
        for _ in range(
            oracle.FILTERED_READS
        ):  # a page of another status finds these first, and ends
            self.both.create(Write(JANE, janes), {})
        return multiple(*made)

    @step(
        target=orders,
        caller=inputs.callers,
        content=inputs.new_orders(),
        key=inputs.keys,
        is_quoted=st.booleans(),
        spelling=inputs.spellings,
        media_type=st.sampled_from(["application/json", "Application/JSON; charset=utf-8"]),
        faults=sometimes(CREATE_FAULTS),
    )
    def create(  # noqa: PLR0913 - all that a request has
        self,
        caller: Caller,
        content: dict[str, Any],
        key: str | None,
        *,
        is_quoted: bool,
        spelling: str,
        media_type: str,
        faults: list[Fault],
    ) -> Any:  # noqa: ANN401 - an order id, or hypothesis' multiple of none
        write = self._write(caller, content, key)
        headers = key_header(key, is_quoted=is_quoted) | {"content-type": media_type}
        return self.both.create(write, headers, spelling, faults) or multiple()

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
            made.append(self.both.create(write, {}))
            self.both.move_clock(_MILLISECOND * (i % 2))
        return multiple(*made)

    @step(
        caller=inputs.callers,
        order_id=any_order,
        content=inputs.status_changes,
        key=inputs.keys,
        is_quoted=st.booleans(),
        if_match=inputs.if_match,
        unless=inputs.seldom_if_none_match,
        spelling=inputs.spellings,
        media_type=st.sampled_from([MERGE_PATCH, "application/json"]),
        faults=sometimes(CHANGE_FAULTS),
    )
    def change(  # noqa: PLR0913 - all that a request has
        self,
        caller: Caller,
        order_id: str,
        content: dict[str, Any],
        key: str | None,
        *,
        is_quoted: bool,
        if_match: list[str] | None,
        unless: list[str] | None,
        spelling: str,
        media_type: str,
        faults: list[Fault],
    ) -> None:
        headers = key_header(key, is_quoted=is_quoted) | {"content-type": media_type}
        header, versions = tag_list(if_match, self._version(order_id))
        if header:
            headers["if-match"] = header
        header, _ = tag_list(unless, self._version(order_id))
        if header:
            headers["if-none-match"] = header
        write = self._write(caller, content, key, order_id)
        self.both.change(
            write,
            headers,
            spelling,
            faults,
            versions=versions,
            is_unwanted=inputs.names_now(unless),
        )

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
        headers = key_header(key, is_quoted=False) | {"content-type": MERGE_PATCH}
        sent: list[Write] = []
        for status in statuses:
            self.both.move_clock(later)
            allowed = oracle.TRANSITIONS[order.status] or (order.status,)
            target = status if status in allowed else allowed[0]
            if sent:
                write = Write(staff, {"status": target}, order_id=order_id)
                self.both.change(write, {"content-type": MERGE_PATCH})
            else:
                write = self._write(staff, {"status": target} | reason, key, order_id)
                self.both.change(write, headers)
            sent.append(write)
        self.both.change(sent[0], headers)

    @step(
        which=st.integers(0, 30),
        sender=st.one_of(st.none(), st.none(), st.none(), inputs.callers),
        later=st.sampled_from([0 * _DAY, 0 * _DAY, _DAY - _MILLISECOND, _DAY]),
        is_quoted=st.booleans(),
        spelling=inputs.spellings,
    )
    def send_again(
        self,
        which: int,
        sender: Caller | None,
        *,
        later: timedelta,
        is_quoted: bool,
        spelling: str,
    ) -> None:
        """The same request in another spelling, from the same caller or with another's token."""
        remembers = self.both.model.remembers
        known = [
            write
            for write in self.keyed
            if remembers(write.caller, write.order_id, write.content, write.key or "")
        ] or self.keyed
        self.both.move_clock(later)
        sent = known[-1 - which % len(known)]
        write = Write(sender or sent.caller, sent.content, sent.key, sent.order_id)
        headers = key_header(write.key, is_quoted=is_quoted) | {"content-type": "application/json"}
        if write.order_id is None:
            self.both.create(write, headers, spelling)
        else:
            self.both.change(write, headers, spelling)

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
        write = self._write(sent.caller, content, sent.key, order_id)
        headers = key_header(write.key, is_quoted=False) | {"content-type": MERGE_PATCH}
        self.both.change(write, headers)

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
        draft = Draft("GET", self.both.path_of(order_id), caller)
        header, versions = tag_list(if_match, self._version(order_id))
        if header:
            draft.headers["if-match"] = header
        header, _ = tag_list(known, self._version(order_id))
        if header:
            draft.headers["if-none-match"] = header
        is_known = inputs.names_now(known)
        model = self.both.model
        self.both.ask(
            draft, faults, lambda _: model.get(caller, order_id, versions, is_known=is_known)
        )

    # Lists

    @step(
        caller=inputs.callers,
        order_id=any_order,
        query=inputs.page_queries,
        cursor=inputs.cursors,
        faults=sometimes(PAGE_FAULTS),
    )
    def timeline(
        self,
        caller: Caller,
        order_id: str,
        query: dict[str, str],
        *,
        cursor: int | None,
        faults: list[Fault],
    ) -> None:
        self.both.read_timeline(caller, order_id, query | self.both.cursor(cursor), faults)

    @step(
        caller=inputs.callers,
        customer=inputs.customers,
        query=inputs.customer_queries,
        window=inputs.windows,
        cursor=inputs.cursors,
        faults=sometimes(CUSTOMER_LIST_FAULTS),
    )
    def list_of_a_customer(  # noqa: PLR0913 - all that a request has
        self,
        caller: Caller,
        customer: Caller,
        query: dict[str, str],
        *,
        window: dict[str, Moment],
        cursor: int | None,
        faults: list[Fault],
    ) -> None:
        listing = self.both.listing(customer, query, window)
        self.both.list_orders(caller, listing, query | self.both.cursor(cursor), faults)

    @step(
        caller=inputs.callers,
        query=inputs.status_queries,
        window=inputs.windows,
        cursor=inputs.cursors,
        faults=sometimes(STATUS_LIST_FAULTS),
    )
    def list_of_a_status(
        self,
        caller: Caller,
        query: dict[str, str],
        *,
        window: dict[str, Moment],
        cursor: int | None,
        faults: list[Fault],
    ) -> None:
        listing = self.both.listing(None, query, window)
        self.both.list_orders(caller, listing, query | self.both.cursor(cursor), faults)

    @step(
        caller=st.sampled_from([ANN, BOB, ANN, BOB, JANE]),
        query=inputs.feed_queries,
        window=inputs.feed_windows,
        cursor=inputs.cursors,
        faults=sometimes(FEED_FAULTS),
    )
    def feed(
        self,
        caller: Caller,
        query: dict[str, str],
        *,
        window: dict[str, Moment],
        cursor: int | None,
        faults: list[Fault],
    ) -> None:
        self.both.read_feed(caller, query | self.both.cursor(cursor), window, faults)

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
        self.both.list_orders(ANN, listing, query)

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
        path=st.sampled_from(list(_METHODS)),
        is_preflight=st.booleans(),
    )
    def ask_without_a_token(self, method: str, path: str, *, is_preflight: bool) -> None:
        draft = Draft(method, path, None)
        allowed = _METHODS[path]
        if is_preflight:
            draft.headers = {"origin": "https://a.example", "access-control-request-method": "GET"}
        if is_preflight and method == "OPTIONS":
            expected = Expected(204, {})
        elif allowed is None:
            expected = problem(404, "route-not-found")
        elif method not in allowed.split(", "):
            expected = problem(405, "method-not-allowed", {"Allow": allowed})
        elif path in _PUBLIC:
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
            self.both.read_timeline(caller, order_id, {})

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

    def _write(
        self, caller: Caller, content: dict[str, Any], key: str | None, order_id: str | None = None
    ) -> Write:
        write = Write(caller, content, key, order_id)
        if key is not None:
            self.keyed.append(write)
        return write

    def _version(self, order_id: str) -> int:
        """That of the order; any for one that is none."""
        order = self.both.model.orders.get(order_id)
        return order.version if order else 1
