"""What a backup can bring back of an order, whatever happened to its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import BY_STAFF, new_order
from fakes import NOON, FakeIds
from orderctl.restoring import compare
from orders.adapters.dynamodb import keys, rows
from orders.adapters.mock_inventory import RELEASED, RESERVED
from orders.adapters.mock_payments import ChargeState
from orders.application.settle_payment import FREE
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.order import OrderItem
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orderctl.restoring import Plan
    from orders.adapters.dynamodb.rows import Row
    from orders.domain.order import Order

Place = tuple[str, str]
Rows = dict[Place, "Row"]

SETTLEMENT: Final = Actor.system("settle-payments")
ID: Final = FakeIds().order_id(NOON)
PAYMENT: Final = ("CHARGE", "RESERVATION")
UNKNOWN: Final = "whether its charge was refunded is not known: check at the gateway"
"""Said when the charge is written, and only then."""


class Life:
    """All rows of an order as they were after each write."""

    def __init__(self, **changes: Any) -> None:  # noqa: ANN401 - fields of NewOrder
        self.order, event = new_order(**changes).placed(ID, by=CUSTOMER)
        self.states: list[Rows] = [{}]
        self._write(
            rows.detail_row(self.order), rows.customer_row(self.order), rows.event_row(event)
        )

    def change(
        self,
        status: OrderStatus,
        by: Actor = BY_STAFF,
        **how: Any,  # noqa: ANN401 - of `changed_to`
    ) -> Life:
        self.order, event = self.order.changed_to(status, by=by, at=NOON, **how)
        return self._write(
            rows.detail_row(self.order), rows.customer_row(self.order), rows.event_row(event)
        )

    def charge(self, state: ChargeState) -> Life:
        before = self.states[-1].get((f"ORDER#{ID}", "CHARGE"), {"revision": 0})
        row = {"schemaVersion": 1, "attempts": 1, "chargeId": f"ch_{ID}"} | before
        return self._write(
            row | keys.charge(ID) | {"state": str(state), "revision": before["revision"] + 1}
        )

    def reservation(self, state: str) -> Life:
        items = {"items": [{"sku": "A", "quantity": 3}]} if state == RESERVED else {}
        return self._write(keys.reservation(ID) | {"schemaVersion": 1, "state": state} | items)

    def settle(self) -> Life:
        self.reservation(RESERVED)
        if self.order.amount == 0:
            return self.change(OrderStatus.PAID, SETTLEMENT, charge_id=FREE)
        self.charge(ChargeState.UNDECIDED).charge(ChargeState.CHARGED)
        return self.change(OrderStatus.PAID, SETTLEMENT, charge_id=f"ch_{ID}")

    def cancel(self, reason: str | None = "of two minds") -> Life:
        self.change(OrderStatus.CANCELED, reason=reason)
        if not self.order.pays_by_token:
            return self
        charged = self.states[-1].get((f"ORDER#{ID}", "CHARGE"), {}).get("state")
        refunds = charged == ChargeState.CHARGED
        self.charge(ChargeState.REFUNDED if refunds else ChargeState.VOIDED)
        return self.reservation(RELEASED)

    def _write(self, *written: Row) -> Life:
        self.states.append(self.states[-1] | {(row["pk"], row["sk"]): row for row in written})
        return self


BY_TOKEN: Final = {"payment_token": "tok_approve"}
FREE_ITEMS: Final = (OrderItem("A", "A", 1, 0),)
LIVES: Final = {
    "paid by staff": Life().change(OrderStatus.PAID).change(OrderStatus.SHIPPED),
    "canceled": Life().cancel(),
    "paid and canceled": Life().change(OrderStatus.PAID).cancel(None),
    "settled": Life(**BY_TOKEN).settle().change(OrderStatus.SHIPPED),
    "refunded": Life(**BY_TOKEN).settle().cancel(),
    "canceled before it was charged": Life(**BY_TOKEN).cancel(),
    "canceled while it was charged": Life(**BY_TOKEN).charge(ChargeState.CHARGED).cancel(),
    "free": Life(**BY_TOKEN, items=FREE_ITEMS).settle().change(OrderStatus.SHIPPED),
}


def restored(live: Rows, backup: Rows) -> tuple[Rows, Plan]:
    """The live table afterwards, and the plan."""
    plan = compare(
        ID, partition(live), partition(backup), lambda key: live.get((key["pk"], key["sk"]))
    )
    written = {(row.key["pk"], row.key["sk"]): row.restored for row in plan.writes}
    assert all((row["pk"], row["sk"]) == place for place, row in written.items() if row)
    return {place: row for place, row in (live | written).items() if row}, plan


def partition(table: Rows) -> dict[str, Row]:
    return {sk: row for (pk, sk), row in table.items() if pk == f"ORDER#{ID}"}


def lost(_: Row) -> Row | None:
    return None


def unreadable(row: Row) -> Row:
    name = "state" if row["sk"] in PAYMENT else "status"
    return {key: value for key, value in row.items() if key != name}


def of_no_type(row: Row) -> Row:
    return row | {"x": 1.5}


def wrong(row: Row) -> Row:
    return row | {"amount": 1, "currency": "XXX"}


def unlisted(row: Row) -> Row:
    return row | {"gsi1pk": "X", "gsi1sk": "X"}


def formless(row: Row) -> Row:
    return row | {"metadata": "x"}


def damages(states: list[Rows], now: int, place: Place, saved: Row | None) -> list[Row | None]:
    """How the row at `place` may be found after an accident."""
    row = states[now][place]
    is_order = place[1] == keys.DETAIL or place[0].startswith("CUSTOMER#")
    ways: list[Callable[[Row], Row | None]] = [lost, unreadable, of_no_type]
    if saved == row:
        ways.append(wrong)
    if place[1] not in PAYMENT:
        ways.append(unlisted)
    if place[1] == keys.DETAIL:
        ways.append(formless)
    older = [state[place] for state in states[1:now] if state.get(place, row) != row]
    return [*(way(row) for way in ways), *(older if is_order else ())]


Accident = tuple[Rows, Rows, Rows]
"""The backup, the live table before the accident, and after it."""


def accident(backup: Rows, before: Rows, damaged: Mapping[Place, Row | None]) -> Accident:
    after = {**before, **damaged}
    return backup, before, {place: row for place, row in after.items() if row is not None}


def every_accident_of_one_row(states: list[Rows]) -> Iterator[Accident]:
    for then, backup in enumerate(states[1:], start=1):
        for now, before in enumerate(states[then:], start=then):
            for place in before:
                for damaged in damages(states, now, place, backup.get(place)):
                    yield accident(backup, before, {place: damaged})


@st.composite
def accidents(draw: st.DrawFn) -> Accident:
    """Of several rows; those of the backup need not be of one instant."""
    states = draw(st.sampled_from(sorted(LIVES.items())))[1].states
    then = draw(st.integers(1, len(states) - 1))
    now = draw(st.integers(then, len(states) - 1))
    before = states[now]
    backup = {
        place: row for place in before if (row := states[draw(st.integers(then, now))].get(place))
    }
    places = draw(st.sets(st.sampled_from(sorted(before)), min_size=1))
    return accident(
        backup,
        before,
        {
            place: draw(st.sampled_from(damages(states, now, place, backup.get(place))))
            for place in sorted(places)
        },
    )


def lasting(plan: Plan) -> list[str]:
    return [problem for problem in plan.problems if problem != UNKNOWN]


def leaves_a_trace(table: Rows, version: int) -> bool:
    """Whether any row tells of the version."""
    return any(row.get("version") == version for row in table.values())


def check_restored(backup: Rows, before: Rows, after: Rows) -> None:
    """The order is as before, or it is said what is lost."""
    own = before[f"ORDER#{ID}", keys.DETAIL]
    seen = after | {place: row for place, row in backup.items() if place[0] == own["pk"]}

    found, plan = restored(after, backup)

    assert found.keys() <= before.keys()
    for place, row in before.items():
        if after.get(place) == row:
            assert found[place] == row, "what was whole is left alone"
        elif lasting(plan) or not leaves_a_trace(seen, own["version"]):
            continue
        elif place[1] not in PAYMENT or after.get(place) == wrong(row):
            assert found[place] == row
        elif own["status"] != "PENDING" and place in found:
            assert found[place] == row or found[place]["state"] not in {"CHARGED", "RESERVED"}


@pytest.mark.parametrize("life", LIVES)
def test_whatever_happens_to_a_row_it_is_as_before_or_said_to_be_lost(life: str) -> None:
    for each in every_accident_of_one_row(LIVES[life].states):
        check_restored(*each)


@given(accidents())
def test_whatever_happens_to_rows_they_are_as_before_or_said_to_be_lost(accident: Accident) -> None:
    check_restored(*accident)


@pytest.mark.parametrize("life", LIVES)
def test_all_that_can_be_brought_back_is(life: str) -> None:
    for backup, before, after in every_accident_of_one_row(LIVES[life].states):
        (place,) = (place for place, row in before.items() if after.get(place) != row)
        found, plan = restored(after, backup)
        if place in backup and (backup[place] == before[place] or place[1] not in PAYMENT):
            assert lasting(plan) == []
            held = before[place].get("state") in {"CHARGED", "RESERVED"}
            assert found[place] == before[place] or held, "it may be given back"


def test_a_charge_that_was_given_back_is_not_charged_again() -> None:
    """Canceled after its charge was lost, so that there was none to refund."""
    backup = LIVES["settled"].states[-2]
    live = LIVES["settled"].states[-2] | LIVES["canceled before it was charged"].states[-1]
    place = f"ORDER#{ID}", "CHARGE"
    assert (backup[place]["revision"], live[place]["revision"]) == (2, 1)

    found, _ = restored(live, backup)

    assert found[place]["state"] == "VOIDED"


@pytest.mark.parametrize(
    ("charged", "given_back"),
    [(ChargeState.CHARGED, "REFUNDED"), (ChargeState.UNDECIDED, "VOIDED")],
)
def test_a_refund_that_nobody_knows_of_is_to_be_checked(
    charged: ChargeState, given_back: str
) -> None:
    life = Life(**BY_TOKEN).charge(charged)
    backup, live = life.states[-1], life.cancel().states[-1]
    place = f"ORDER#{ID}", "CHARGE"

    found, plan = restored({key: row for key, row in live.items() if key != place}, backup)

    assert found[place]["state"] == given_back
    assert plan.problems == (UNKNOWN,)
    assert restored(live, backup)[1].problems == (), "the live table knows"


@given(accidents())
def test_what_was_restored_needs_no_restoring(accident: Accident) -> None:
    backup, _, after = accident
    found, plan = restored(after, backup)

    again, second = restored(found, backup)

    assert again == found
    assert [*second.problems] == lasting(plan)


@given(accidents())
def test_a_restored_order_can_be_changed_and_all_its_rows_agree(
    accident: Accident,
) -> None:
    backup, _, after = accident
    found, plan = restored(after, backup)
    if not plan.rows:
        assert found == after
        return
    order = rows.order_from(found[f"ORDER#{ID}", keys.DETAIL])
    assert found[f"CUSTOMER#{order.customer_id}", f"ORDER#{ID}"] == rows.customer_row(order)
    events = [row for (_, sk), row in sorted(found.items()) if sk.startswith(keys.EVENT)]
    assert events[-1]["version"] <= order.version, "its next event has a place"
    if not lasting(plan):
        read = [rows.event_from(row) for row in events]
        assert [event.version for event in read] == list(range(1, order.version + 1))
        assert (read[-1].status, read[-1].recorded_at) == (order.status, order.updated_at)
    for sk, held in zip(PAYMENT, ("CHARGED", RESERVED), strict=True):
        place = f"ORDER#{ID}", sk
        if order.status is OrderStatus.CANCELED and place not in after:
            assert found.get(place, {}).get("state") != held


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        ({"DETAIL", "EVENT#0000000002"}, "it is at version 3, but no table has a readable event 2"),
        ({"DETAIL", "CHARGE"}, "the platform charged it, but no table has the charge's id"),
    ],
)
def test_an_order_that_cannot_be_rolled_forward_is_left_alone(lost: set[str], says: str) -> None:
    states = LIVES["settled"].states
    live = {place: row for place, row in states[-1].items() if place[1] not in lost}

    found, plan = restored(live, states[1])

    assert found == live
    assert plan.problems == (says,)


def test_a_damaged_row_still_tells_how_far_the_order_got() -> None:
    """It may be shipped: as PENDING, it would be paid and shipped again."""
    states = LIVES["paid by staff"].states
    place = f"ORDER#{ID}", keys.DETAIL
    live = states[1] | {place: unreadable(states[-1][place])}

    found, plan = restored(live, states[1])

    assert found == live
    assert plan.problems == ("it is at version 3, but no table has a readable event 2",)


def test_rows_that_are_none_of_the_platforms_own_are_left_alone() -> None:
    state = LIVES["settled"].states[-1]
    strange = {(f"ORDER#{ID}", sk): {"sk": sk} for sk in ("EVENT#2", "EVENT#x", "EVENT#", "NOTE")}

    found, plan = restored(state | strange, state)

    assert found == state | strange
    assert plan.problems == ()


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        ("EVENT#0000000002", "no table has a readable event 2"),
        ("CHARGE", "no table has its charge as it was"),
        ("RESERVATION", "no table has its reservation as it was"),
    ],
)
def test_what_no_table_has_is_named(lost: str, says: str) -> None:
    states = LIVES["settled"].states
    live = {place: row for place, row in states[-1].items() if place[1] != lost}

    assert restored(live, states[1])[1].problems == (says,)


def test_an_order_that_went_another_way_since_the_backup_is_left_alone() -> None:
    backup = Life().change(OrderStatus.PAID).states[-1]
    later = Life()
    later.order = replace(later.order, updated_at=later.order.updated_at.replace(hour=13))
    live = later.change(OrderStatus.CANCELED).states[-1]

    found, plan = restored(live, backup)

    assert found == live
    assert plan.problems == ("it took another course after the backup, with another event 2",)


def test_a_version_that_never_was_is_said_to_be_without_events() -> None:
    states = LIVES["settled"].states
    place = f"ORDER#{ID}", keys.DETAIL
    live = states[-1] | {place: states[-1][place] | {"version": 10**12}}

    found, plan = restored(live, states[1])

    assert found[place] == live[place], "it can be read, and is newer"
    assert plan.problems == ("no table has a readable event 4",)


def test_a_row_of_a_later_release_is_not_guessed_at() -> None:
    states = LIVES["settled"].states
    place = f"ORDER#{ID}", keys.DETAIL
    live = states[-1] | {place: states[-1][place] | {"schemaVersion": 2}}

    found, plan = restored(live, states[1])

    assert found == live
    assert plan.problems == (f"order ORDER#{ID} DETAIL is of a later release",)


def test_attributes_of_a_later_release_survive() -> None:
    more: Final = {"giftMessage": "Hi"}
    states = LIVES["settled"].states
    backup = {place: row | more for place, row in states[1].items()}
    listed, own, event = sorted(backup)
    live = states[-1] | {listed: unlisted(states[-1][listed] | more)}

    found, _ = restored(
        {place: row for place, row in live.items() if place not in {own, event}}, backup
    )

    for place in (own, listed, event):
        assert found[place] == states[-1][place] | more


class TestOfAPersonWhoWasForgotten:
    """The backup has all about them."""

    marks: Final = ("cus_42", "Mug", "channel", "of two minds")

    def forgotten(self) -> tuple[Rows, Rows, Order]:
        """The backup, the live table, and its order."""
        by_themselves = Actor("staff", "cus_42")
        life = Life().change(OrderStatus.PAID, by_themselves, reason="of two minds")
        backup = life.states[-1]
        events = [rows.event_from(row) for (_, sk), row in backup.items() if keys.EVENT in sk]
        order, event = life.order.forgotten(by=Actor.system("orderctl"), at=NOON)
        left = [
            rows.detail_row(order),
            rows.customer_row(order),
            *(rows.event_row(one.anonymized()) for one in events),
            rows.event_row(event),
        ]
        return backup, {(row["pk"], row["sk"]): row for row in left}, order

    @given(st.data())
    def test_what_is_lost_comes_back_without_them(self, data: st.DataObject) -> None:
        backup, live, _ = self.forgotten()
        lost = data.draw(st.sets(st.sampled_from(sorted(live)), max_size=len(live) - 1))
        left = {place: row for place, row in live.items() if place not in lost}

        found, plan = restored(left, backup)

        assert not any(mark in str(found) for mark in self.marks)
        if leaves_a_trace(left, version=3):
            assert plan.problems or found == live

    @given(st.data())
    def test_what_was_brought_back_by_hand_is_forgotten_again(self, data: st.DataObject) -> None:
        backup, live, _ = self.forgotten()
        by_hand = data.draw(st.sets(st.sampled_from(sorted(backup))))
        left = live | {place: backup[place] for place in by_hand}

        # Nothing in the partition tells whose list has it if only that row was brought back.
        for saved in (
            (backup, live) if by_hand != {("CUSTOMER#cus_42", f"ORDER#{ID}")} else (backup,)
        ):
            found, plan = restored(left, saved)
            assert found == live
            assert plan.problems == ()
            assert restored(found, saved)[1].writes == []

    def test_they_stay_forgotten_if_only_their_pseudonyms_list_knows(self) -> None:
        backup, live, _ = self.forgotten()
        own = {place: row for place, row in backup.items() if place[0] == f"ORDER#{ID}"}
        (listed,) = (place for place in live if place[0].startswith("CUSTOMER#"))
        left = own | {listed: live[listed]}

        found, plan = restored(left, backup)

        assert found == left
        assert plan.problems == ("it is at version 3, but no table has a readable event 3",)

    def test_a_backup_that_is_newer_than_the_table_forgets_them_everywhere(self) -> None:
        older, forgotten, _ = self.forgotten()

        assert restored(older, forgotten)[0] == forgotten

    def test_what_was_written_after_they_were_forgotten_comes_back_as_it_was(self) -> None:
        _, live, order = self.forgotten()
        canceled, event = order.changed_to(
            OrderStatus.CANCELED, by=BY_STAFF, at=NOON, reason="Damaged in the warehouse"
        )
        for row in (rows.detail_row(canceled), rows.customer_row(canceled), rows.event_row(event)):
            live[row["pk"], row["sk"]] = row
        left = dict(sorted(live.items())[:1])

        assert restored(left, live)[0] == live
