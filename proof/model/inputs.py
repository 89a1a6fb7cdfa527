"""What clients send, and the ways to write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from proof import oracle
from proof.model.draft import ANN, BOB, JANE, JOE
from proof.oracle import instant, milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from proof.model.faults import Fault
    from proof.model.order import Caller

NO_ORDERS: Final = (
    "01a2001b-7c7b-7000-8000-00000000ffff",
    "00000000-0000-0000-0000-000000000000",
    "01A2001B-7C7B-7000-8000-000000000001",
    "ord_1",
    "%23",
)

customers = st.sampled_from([JANE, JOE])
callers = st.sampled_from([JANE, ANN, JANE, ANN, JOE, BOB])
texts = st.sampled_from(oracle.ITEM["name"].sent)
keys = st.sampled_from([None, None, "k1", "k1", "k1", "k2", 'a"b\\', '"q', "~" * 255])
_limits = st.integers(1, 4).map(str) | st.just("100")
_sorts = st.sampled_from(["createdAt", "-createdAt"])
statuses = st.sampled_from(oracle.STATUSES)
page_queries = st.fixed_dictionaries({}, optional={"limit": _limits})
customer_queries = st.fixed_dictionaries(
    {},
    optional={
        "limit": _limits,
        "sort": _sorts,
        "status": statuses,
        "consistent": st.sampled_from(["true", "false"]),
    },
)
status_queries = st.fixed_dictionaries(
    {"status": statuses}, optional={"limit": _limits, "sort": _sorts}
)


feed_queries = st.fixed_dictionaries(
    {},
    optional={
        "limit": _limits | st.just("1000"),
        "type": st.sampled_from(oracle.EVENT_TYPES),
    },
)


def _content_of(fields: Mapping[str, oracle.Field]) -> st.SearchStrategy[dict[str, Any]]:
    """What a client may send of these fields, optional ones or not."""
    sent = {name: st.sampled_from(field.sent) for name, field in fields.items() if field.sent}
    required = {name for name in sent if fields[name].default is oracle.REQUIRED}
    return st.fixed_dictionaries(
        {name: sent[name] for name in required},
        optional={name: sent[name] for name in sent.keys() - required},
    )


@st.composite
def new_orders(draw: st.DrawFn) -> dict[str, Any]:
    """Bodies of POST /orders; `amount` is sometimes there, and then right."""
    body: dict[str, Any] = {
        "customerId": draw(customers).id,
        "items": draw(st.lists(_content_of(oracle.ITEM), min_size=1, max_size=2)),
        **draw(_content_of(oracle.ORDER)),
    }
    if token := draw(st.sampled_from([None, None, *oracle.PAYMENT_TOKENS])):
        body["paymentToken"] = token
    if draw(st.sampled_from([False, False, False, True])):
        body["amount"] = oracle.amount_of(body["items"])
    return body


status_changes: Final = st.fixed_dictionaries(
    {"status": statuses},
    optional={"reason": st.sampled_from(["changed my mind", "", "☕\ufffe", "x" * 500])},
)


@dataclass(frozen=True)
class Moment:
    """An instant near the creation of an order, written in one of RFC 3339's ways."""

    which: int
    offset: int
    finer: bool
    form: str

    def resolve(self, created: Sequence[datetime]) -> tuple[str, int]:
        """Its text, and the millisecond that it means as a bound: finer ones round up."""
        moment = created[self.which % len(created)] + timedelta(milliseconds=self.offset)
        text = instant(moment)
        if self.form == "offset":
            text = instant(moment + timedelta(hours=5, minutes=30)).replace("Z", "+05:30")
        elif self.form == "small":
            text = text.lower()
        if self.finer:
            text = text[:23] + "0001" + text[23:]
        return text, milliseconds(moment) + self.finer


moments = st.builds(
    Moment,
    which=st.integers(0, 9),
    offset=st.sampled_from([0, 0, 0, -1, 1]),
    finer=st.booleans(),
    form=st.sampled_from(["utc", "offset", "small"]),
)
no_window: st.SearchStrategy[dict[str, Moment]] = st.just({})
windows = st.fixed_dictionaries({}, optional={"createdFrom": moments, "createdTo": moments})
feed_windows = st.fixed_dictionaries({}, optional={"recordedFrom": moments, "recordedTo": moments})
cursors = st.none() | st.integers(0, 9)
"""Which of the cursors that were given so far, of whatever list; 0 is a damaged one."""


spellings = st.sampled_from(["plain", "spaced", "backwards", "escaped", "doubled"])


if_match = st.sampled_from(
    [None, None, None, ["*"], ["now"], ["before"], ["W/now"], ["before", "now"], ["W/now", "other"]]
)
if_none_match = st.sampled_from([None, None, ["*"], ["now"], ["before"], ["before", "W/now"]])
seldom_if_none_match = st.one_of(st.none(), st.none(), st.none(), if_none_match)


def tag_list(names: list[str] | None, version: int) -> tuple[str | None, frozenset[str] | None]:
    """The entity tags as a header, and the versions that they name strongly; None for any."""
    if names is None or names == ["*"]:
        return "*" if names else None, None
    versions = {"now": f"{version}", "before": f"{version - 1}", "other": "x"}
    tags = [name.removeprefix("W/") for name in names]
    header = " , ,".join(
        name.replace(tag, f'"{versions[tag]}"') for name, tag in zip(names, tags, strict=True)
    )
    return header, frozenset(versions[name] for name in names if name in versions)


def names_now(names: list[str] | None) -> bool:
    """Whether If-None-Match names the version that the order is at."""
    return names is not None and not {"*", "now", "W/now"}.isdisjoint(names)


@dataclass(frozen=True, slots=True)
class Form:
    """How a write is sent; the entity tags are names, see `tag_list`."""

    media_type: str = "application/json"
    spelling: str = "plain"
    is_quoted: bool = False
    if_match: list[str] | None = None
    unless: list[str] | None = None
    faults: Sequence[Fault] = ()


def forms(
    media_types: Sequence[str],
    faults: st.SearchStrategy[list[Fault]],
    **tags: st.SearchStrategy[list[str] | None],
) -> st.SearchStrategy[Form]:
    return st.builds(
        Form,
        media_type=st.sampled_from(media_types),
        spelling=spellings,
        is_quoted=st.booleans(),
        faults=faults,
        **tags,
    )


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked for of a list, and by whom; the cursor is one of those that were given."""

    caller: Caller
    query: dict[str, str]
    window: dict[str, Moment]
    cursor: int | None
    faults: Sequence[Fault]


def pages(
    callers: st.SearchStrategy[Caller],
    queries: st.SearchStrategy[dict[str, str]],
    windows: st.SearchStrategy[dict[str, Moment]],
    faults: st.SearchStrategy[list[Fault]],
) -> st.SearchStrategy[Page]:
    return st.builds(Page, callers, queries, windows, cursors, faults)


def key_header(key: str | None, *, is_quoted: bool) -> dict[str, str]:
    if key is None:
        return {}
    if is_quoted or key.startswith('"'):
        key = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return {"idempotency-key": key}
