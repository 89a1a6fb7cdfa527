"""What a table that point-in-time recovery restored can bring back of an order.

The events decide: an order is at the version of its last one, and its other rows follow from that.
A row that can be read and is newer than the one in the backup is never written over.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from operator import index
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.values import to_typed
from orders.adapters.mock_inventory import RELEASED, RESERVED
from orders.adapters.mock_payments import ChargeState
from orders.application.errors import MalformedRow, NewerRow
from orders.application.settle_payment import FREE
from orders.domain.actor import Actor
from orders.domain.customer_id import forgotten_customer, parse_customer_id
from orders.domain.order import FIRST_VERSION
from orders.domain.status import FIRST_STATUS, GIVING_BACK, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from orders.adapters.dynamodb.keys import Key
    from orders.adapters.dynamodb.rows import Row
    from orders.domain.customer_id import CustomerId
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

    Rows = Mapping[str, Row]
    """An order's partition, by sort key."""

Read = TypeVar("Read")

_SETTLEMENT: Final = Actor.system("settle-payments")
_GIVEN_BACK: Final = {ChargeState.REFUNDED, ChargeState.VOIDED}


class Kind(StrEnum):
    """Kinds of rows."""

    DETAIL = "order"
    CUSTOMER = "customer's list"
    EVENT = "event"
    CHARGE = "charge"
    RESERVATION = "reservation"


_HELD: Final = {Kind.CHARGE: str(ChargeState.CHARGED), Kind.RESERVATION: RESERVED}
"""The states of what an order keeps that the platform settled."""


class Found(StrEnum):
    """How a row of the live table was found."""

    MISSING = "missing"
    OLDER = "older"
    DAMAGED = "damaged"
    NEWER = "newer"
    """Than in the backup, or not there."""
    EQUAL = "equal"


class Comparison(NamedTuple):
    """A row as it is, None if it is missing; and as to write it.

    `restored` is None to leave the row, and empty to delete it.
    """

    kind: Kind
    key: Key
    found: Found
    live: Row | None
    restored: Row | None = None


class Plan(NamedTuple):
    """The order's rows, its own last, and in words what the backup can't bring back."""

    rows: tuple[Comparison, ...]
    problems: tuple[str, ...]

    @property
    def writes(self) -> list[Comparison]:
        return [row for row in self.rows if row.restored is not None]


class _Left(Exception):
    """Why the order is left as it is."""


def compare(order_id: OrderId, live: Rows, backup: Rows, read: Callable[[Key], Row | None]) -> Plan:
    """What to write to the live table so that all rows of the order agree, at its latest version.

    `read` gets a row of the live table. A plan without rows leaves the order as it is.
    """
    try:
        return _compare(order_id, live, backup, read)
    except (_Left, NewerRow) as error:
        return Plan((), (str(error),))


def _compare(
    order_id: OrderId, live: Rows, backup: Rows, read: Callable[[Key], Row | None]
) -> Plan:
    as_found, named = live, _customers(order_id, live, backup)
    is_forgotten = _is_forgotten(order_id, live, backup, read)
    if is_forgotten:
        live, backup = _anonymized(order_id, live), _anonymized(order_id, backup)
    own_row = live.get(keys.DETAIL)
    current = _readable(_order_from, own_row)
    saved = _readable(_order_from, backup.get(keys.DETAIL))
    event_rows, events = _compare_events(order_id, live, backup)

    order = _latest(current, saved)
    row = backup[keys.DETAIL] if order is saved else own_row
    customer_key = keys.customer_order(order.customer_id, order_id)
    customer_row = read(customer_key)
    summary = _readable(rows.summary_from, customer_row)

    last = max([order.version, *events, *_versions(own_row, customer_row)])
    for version in range(order.version + 1, last + 1):
        event = events.get(version)
        if event is None:
            raise _Left(f"it is at version {last}, but no table has a readable event {version}")
        order = _rolled_forward(order, event, _charge_id(order_id, live, backup))

    is_newer = saved is None or saved.version < order.version
    compared = [
        *event_rows,
        *_compare_payment(Kind.CHARGE, keys.charge(order_id), order, live, backup),
        *_compare_payment(Kind.RESERVATION, keys.reservation(order_id), order, live, backup),
        _compare_row(
            Kind.CUSTOMER,
            customer_key,
            customer_row,
            (customer_row if customer_row and summary else {}) | rows.customer_row(order),
            summary.version if summary else None,
            is_newer=is_newer,
        ),
        _compare_row(
            Kind.DETAIL,
            keys.detail(order_id),
            own_row,
            _without(rows.changing_in_detail(order), row or {}) | rows.detail_row(order),
            current.version if current else None,
            is_newer=is_newer,
        ),
    ]
    if is_forgotten:
        listed = (keys.customer_order(customer_id, order_id) for customer_id in sorted(named))
        compared = [
            *(
                Comparison(Kind.CUSTOMER, key, Found.DAMAGED, row, {})
                for key in listed
                if (row := read(key))
            ),
            *(_forgotten(row, as_found.get(row.key["sk"])) for row in compared),
        ]
    return Plan(tuple(compared), tuple(_problems(order, events, compared, backup)))


def _customers(order_id: OrderId, live: Rows, backup: Rows) -> set[CustomerId]:
    """Those whom rows of the order name, without its pseudonym."""
    named = {row.get("customerId") for row in (*live.values(), *backup.values())}
    known = {parse_customer_id(one) for one in named if isinstance(one, str)}
    return {one for one in known if one and one != forgotten_customer(order_id)}


def _forgotten(row: Comparison, as_found: Row | None) -> Comparison:
    """The comparison with the row as it was found, which may still name the customer."""
    if row.kind is Kind.CUSTOMER or row.live == as_found:
        return row
    if row.restored is not None:
        return row._replace(live=as_found)
    return row._replace(found=Found.DAMAGED, live=as_found, restored=row.live)


def _versions(*found: Row | None) -> list[int]:
    """Even a row that is damaged otherwise tells that the order got so far."""
    versions = [row.get("version") for row in found if row]
    return [version for version in versions if type(version) is int]


def _compare_events(
    order_id: OrderId, live: Rows, backup: Rows
) -> tuple[list[Comparison], dict[int, OrderEvent | None]]:
    """Their rows, and the events by version; None for one that no table has in a readable form."""
    compared: list[Comparison] = []
    events: dict[int, OrderEvent | None] = {}
    for sk in sorted(live.keys() | backup.keys()):
        version = int(number) if (number := sk.removeprefix(keys.EVENT)).isdecimal() else 0
        key = keys.event(order_id, version)
        if key["sk"] != sk:
            continue
        row, saved_row = live.get(sk), backup.get(sk)
        current, saved = _readable(rows.event_from, row), _readable(rows.event_from, saved_row)
        if current and saved and current.recorded_at > saved.recorded_at:
            raise _Left(f"it took another course after the backup, with another event {version}")
        event = events[version] = saved or current
        if event is None:
            compared.append(Comparison(Kind.EVENT, key, Found.DAMAGED, row))
            continue
        source = saved_row if saved else row
        wanted = (source or {}) | rows.event_row(event)
        readable = version if current else None
        compared.append(
            _compare_row(Kind.EVENT, key, row, wanted, readable, is_newer=saved is None)
        )
    return compared, events


def _latest(current: Order | None, saved: Order | None) -> Order:
    """The later of the two; at one version the saved one, because nothing changes within it."""
    if current is None or saved is None:
        if latest := current or saved:
            return latest
        raise _Left("no table has a readable row of the order itself")
    if current.version == saved.version and current.updated_at > saved.updated_at:
        raise _Left("it took another course after the backup")
    return current if current.version > saved.version else saved


def _rolled_forward(order: Order, event: OrderEvent, charge_id: str | None) -> Order:
    """The order as the event left it."""
    settled = event.status == OrderStatus.PAID and event.actor == _SETTLEMENT
    if settled and order.amount == 0:
        charge_id = FREE
    if settled and charge_id is None:
        raise _Left("the platform charged it, but no table has the charge's id")
    return replace(
        order,
        status=event.status,
        version=event.version,
        updated_at=event.recorded_at,
        reason=order.reason if event.status == order.status else event.reason,
        payment_token=order.payment_token if event.status == FIRST_STATUS else None,
        charge_id=charge_id if settled else order.charge_id,
    )


def _compare_row(
    kind: Kind, key: Key, live: Row | None, wanted: Row, version: int | None, *, is_newer: bool
) -> Comparison:
    """`version` is the live row's, None if it can't be read."""
    if live == wanted:
        return Comparison(kind, key, Found.NEWER if is_newer else Found.EQUAL, live)
    if live is None:
        found = Found.MISSING
    else:
        is_older = version is not None and version < wanted["version"]
        found = Found.OLDER if is_older else Found.DAMAGED
    return Comparison(kind, key, found, live, wanted)


def _compare_payment(
    kind: Kind, key: Key, order: Order, live: Rows, backup: Rows
) -> Iterable[Comparison]:
    """A charge or a reservation, if there is one."""
    age = _charge_age if kind is Kind.CHARGE else _reservation_age
    row, saved_row = live.get(key["sk"]), backup.get(key["sk"])
    current, saved = _readable(age, row), _readable(age, saved_row)
    if saved is None or saved_row is None:
        if row is not None:
            found = Found.DAMAGED if current is None else Found.NEWER
            yield Comparison(kind, key, found, row)
        return
    if row == saved_row:
        yield Comparison(kind, key, Found.EQUAL, row)
        return
    if row is None:
        found = Found.MISSING
    elif current is None or current == saved:
        found = Found.DAMAGED
    else:
        found = Found.OLDER if current < saved else Found.NEWER
    keeps = order.status == FIRST_STATUS or _is_settled(order) or current == saved
    wanted = saved_row if keeps else _given_back(saved_row)
    yield Comparison(kind, key, found, row, None if found is Found.NEWER else wanted)


@rows.reads("charge")
def _charge_age(row: Row) -> tuple[bool, int]:
    """Grows with each change; nothing charges again what was given back."""
    return ChargeState(row["state"]) in _GIVEN_BACK, index(row["revision"])


@rows.reads("reservation")
def _reservation_age(row: Row) -> tuple[bool, int]:
    return [RESERVED, RELEASED].index(row["state"]) > 0, 0


def _is_settled(order: Order) -> bool:
    """Whether the platform charged it, and it keeps charge and reservation."""
    return order.status not in GIVING_BACK and order.charge_id is not None


def _given_back(row: Row) -> Row:
    """The charge or reservation of an order that keeps none.

    Whether it was given back before it was lost is not known, and it must not be given back twice.
    """
    if row["state"] in {RESERVED, RELEASED}:
        return _without({"items"}, row) | {"state": RELEASED}
    if row["state"] in _GIVEN_BACK:
        return row
    charged = row["state"] == ChargeState.CHARGED
    state = ChargeState.REFUNDED if charged else ChargeState.VOIDED
    return row | {"state": str(state), "revision": row["revision"] + 1}


def _charge_id(order_id: OrderId, live: Rows, backup: Rows) -> str | None:
    sk = keys.charge(order_id)["sk"]
    found = (table[sk].get("chargeId") for table in (live, backup) if sk in table)
    return next((charge_id for charge_id in found if isinstance(charge_id, str)), None)


def _problems(
    order: Order,
    events: Mapping[int, OrderEvent | None],
    compared: Collection[Comparison],
    backup: Rows,
) -> Iterable[str]:
    versions = range(FIRST_VERSION, order.version + 1)
    missing = next((version for version in versions if events.get(version) is None), None)
    if missing is not None:
        yield f"no table has a readable event {missing}"
    by_kind = {row.kind: row for row in compared}
    for kind, state in _HELD.items():
        row = by_kind.get(kind)
        is_lost = row is not None and row.found is Found.DAMAGED and row.restored is None
        if _is_settled(order) and (kind, order.charge_id) != (Kind.CHARGE, FREE):
            left = (row and (row.restored or row.live)) or {}
            is_lost = is_lost or left.get("state") != state
        if is_lost:
            yield f"no table has its {kind} as it was"
    charge = by_kind.get(Kind.CHARGE)
    now = ((charge and charge.restored) or {}).get("state")
    if now in _GIVEN_BACK and backup[keys.charge(order.order_id)["sk"]]["state"] != now:
        yield "whether its charge was refunded is not known: check at the gateway"


@rows.reads("order")
def _order_from(row: Row) -> Order:
    order = rows.order_from(row)
    rows.detail_row(order)  # fails where items or metadata are of another form
    return order


def _readable(read: Callable[[Row], Read], row: Row | None) -> Read | None:
    """None if there is no such row or it is damaged. Raises NewerRow."""
    if row is None:
        return None
    try:
        to_typed(row)
        return read(row)
    except NewerRow:
        raise
    except (MalformedRow, TypeError):  # a value of a type that no row has
        return None


def _without(names: Collection[str], row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _is_forgotten(
    order_id: OrderId, live: Rows, backup: Rows, read: Callable[[Key], Row | None]
) -> bool:
    """Whether any row has the pseudonym, of which one lies outside of the partition."""
    pseudonym = forgotten_customer(order_id)
    if any(row.get("customerId") == pseudonym for row in (*live.values(), *backup.values())):
        return True
    return read(keys.customer_order(pseudonym, order_id)) is not None


def _anonymized(order_id: OrderId, found: Rows) -> Rows:
    """The rows as `orderctl forget` would have left them."""
    return {sk: _anonymized_row(order_id, sk, row) for sk, row in found.items()}


def _anonymized_row(order_id: OrderId, sk: str, row: Row) -> Row:
    if row.get("customerId") == forgotten_customer(order_id):
        return row
    if sk == keys.DETAIL and (order := _readable(_order_from, row)):
        return rows.detail_row(order.anonymized())
    if sk.startswith(keys.EVENT) and (event := _readable(rows.event_from, row)):
        return rows.event_row(event.anonymized())
    return row
