"""Keys with two effects, or with two responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, forget, remove, replace_call, rewrite
from proof.tests.histories.world import A_DAY, REPLAYED, STAFF_ID, World, illegal

if TYPE_CHECKING:
    from proof.tests.histories.breaking import Broken


@broken
def two_orders_for_one_key() -> Broken:
    world = World()
    world.create(key="k")
    world.create(key="k", answered=False)
    return world.history(), {Kind.TWO_ORDERS_FOR_A_KEY, Kind.KEY_WITHOUT_RECORD}


@broken
def a_key_that_is_not_in_the_transaction() -> Broken:
    world = World()
    world.create(key="k")
    (record,) = (at for at in world.table if at[1] == "RECORD")
    remove(world, record)
    return world.history(), {Kind.KEY_WITHOUT_RECORD}


@broken
def a_keyed_update_without_its_record() -> Broken:
    world = World()
    world.update(world.create(), "PAID", key="k", answered=False)
    (record,) = (at for at in world.table if at[1] == "RECORD")
    remove(world, record)
    return world.history(), {Kind.KEY_WITHOUT_RECORD}


@broken
def a_record_without_its_order() -> Broken:
    world = World()
    forget(world, world.create(key="k", answered=False))
    return world.history(), {Kind.RECORD_WITHOUT_ORDER}


@broken
def a_record_of_another_body() -> Broken:
    world = World()
    world.create(key="k", answered=False)
    (record,) = (at for at in world.table if at[1] == "RECORD")
    response = world.table[record]["response"].replace('"USD"', '"EUR"')
    rewrite(world, record, response=response)
    return world.history(), {Kind.RECORD_DIFFERS}


@broken
def two_responses_that_claim_to_be_the_first() -> Broken:
    world = World()
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    first = world.calls[0]
    replace_call(world, replay, headers=first.headers)
    return world.history(), {Kind.TWO_FIRST_RESPONSES}


@broken
def no_response_that_claims_to_be_the_first() -> Broken:
    world = World()
    world.create(key="k")
    first = world.calls[-1]
    world.replay(first)
    replace_call(world, first, headers=first.headers | REPLAYED)
    return world.history(), {Kind.NO_FIRST_RESPONSE}


@broken
def a_keyed_no_op_without_its_record() -> Broken:
    world = World()
    order = world.create()
    world.patch(order, "PENDING", world.response(order, 200), "no-op", key="k")
    return world.history(), {Kind.KEY_WITHOUT_RECORD}


@broken
def a_record_that_expires_too_early() -> Broken:
    world = World()
    world.create(key="k")
    _expires_later(world, -A_DAY // 2)
    return world.history(), {Kind.RECORD_EXPIRES_WRONGLY}


@broken
def a_record_that_expires_too_late() -> Broken:
    world = World()
    order = world.create(key="k")
    world.now += A_DAY
    world.update(order, "PAID")
    _expires_later(world, A_DAY)
    return world.history(), {Kind.RECORD_EXPIRES_WRONGLY}


@broken
def a_record_of_a_no_op_that_expires_too_late() -> Broken:
    world = World()
    order = world.create()
    world.remember(STAFF_ID, "update", "k", world.response(order, 200))
    world.patch(order, "PENDING", world.response(order, 200), "no-op", key="k")
    _expires_later(world, A_DAY)
    return world.history(), {Kind.RECORD_EXPIRES_WRONGLY}


def _expires_later(world: World, seconds: int) -> None:
    (record,) = (at for at in world.table if at[1] == "RECORD")
    rewrite(world, record, purgeAt=world.table[record]["purgeAt"] + seconds)


@broken
def a_replay_with_other_bytes() -> Broken:
    world = World()
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    replace_call(world, replay, text=replay.text.replace(",", ", "))
    return world.history(), {Kind.REPLAY_DIFFERS, Kind.BODIES_DIFFER}


@broken
def a_replay_with_another_location() -> Broken:
    world = World()
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    elsewhere = replay.headers["location"].replace("http://api", "http://elsewhere")
    replace_call(world, replay, headers=replay.headers | {"location": elsewhere})
    return world.history(), {Kind.REPLAY_DIFFERS}


@broken
def a_key_accepted_for_another_request() -> Broken:
    world = World()
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    replace_call(world, replay, body={"another": "request"})
    return world.history(), {Kind.REUSED_KEY_ACCEPTED}


@broken
def a_key_that_was_forgotten() -> Broken:
    world = World()
    paid = world.update(world.create(), "PAID", key="k")
    world.refuse(
        world.calls[-1], 409, "illegal-transition", **illegal(world.update(paid, "SHIPPED"))
    )
    return world.history(), {Kind.KEY_FORGOTTEN}
