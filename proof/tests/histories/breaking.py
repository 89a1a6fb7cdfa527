"""What it takes to break a history, and the register of those that are broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from orders.adapters.dynamodb import keys, rows
from proof.tests.histories.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.domain.order import Order
    from proof.checks.violations import Kind
    from proof.history import Call, History

    Break = Callable[[World], object]

BROKEN: Final[dict[str, tuple[Break, set[Kind]]]] = {}


def broken(*kinds: Kind, name: str = "") -> Callable[[Break], Break]:
    """Register what breaks a world, by a name that says what is wrong.

    These kinds of violation are found in its history, and no others.
    """

    def register(break_: Break) -> Break:
        key = name or break_.__name__
        assert key not in BROKEN
        BROKEN[key] = break_, {*kinds}
        return break_

    return register


def history_of(name: str) -> History:
    world = World()
    BROKEN[name][0](world)
    return world.history()


def changed(history: History, **changes: Any) -> History:  # noqa: ANN401 - fields of History
    return msgspec.structs.replace(history, **changes)


def body_with(call: Call, **changes: Any) -> str:  # noqa: ANN401 - members of the body
    """The call's body with other members."""
    return msgspec.json.encode(msgspec.json.decode(call.text) | changes).decode()


def replace_call(world: World, call: Call, **changes: Any) -> None:  # noqa: ANN401 - fields of Call
    world.calls[call.id - 1] = msgspec.structs.replace(call, **changes)


def forget(world: World, order: Order, *, from_version: int = 1) -> None:
    """As if the order had not come to this version, anywhere but in responses."""
    pk = f"ORDER#{order.order_id}"
    gone = [
        commit
        for commit in world.commits
        if pk in {commit.pk, commit.sk}
        if (commit.new or {}).get("version", 0) >= from_version
    ]
    for commit in reversed(gone):
        at = commit.pk, commit.sk
        if commit.old is None:
            del world.table[at]
        else:
            world.table[at] = commit.old
        world.commits.remove(commit)
    world.published[:] = [
        event
        for event in world.published
        if event["subject"] != order.order_id or event["data"]["version"] < from_version
    ]
    if from_version == 1:
        del world.orders[order.order_id]
    else:
        detail = world.table[pk, "DETAIL"]
        world.orders[order.order_id] = rows.order_from(detail)


def rewrite(world: World, at: tuple[str, str], **changes: Any) -> None:  # noqa: ANN401 - attributes
    """Another last image of a row, in the table and in the stream."""
    for index, commit in reversed(list(enumerate(world.commits))):
        if (commit.pk, commit.sk) == at and commit.new:
            row = {k: v for k, v in (commit.new | changes).items() if v is not None}
            world.commits[index] = msgspec.structs.replace(commit, new=row)
            world.table[at] = row
            break


def remove(world: World, at: tuple[str, str]) -> None:
    """As if the row had never been written."""
    del world.table[at]
    world.commits[:] = [commit for commit in world.commits if (commit.pk, commit.sk) != at]


def detail_of(order: Order) -> tuple[str, str]:
    return f"ORDER#{order.order_id}", "DETAIL"


def customer_row_of(order: Order) -> tuple[str, str]:
    return f"CUSTOMER#{order.customer_id}", f"ORDER#{order.order_id}"


def event_row_of(order: Order, version: int) -> tuple[str, str]:
    key = keys.event(order.order_id, version)
    return key["pk"], key["sk"]
