"""Keys with two effects, or with two responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, forget, remove, replace_call, rewrite
from proof.tests.histories.world import A_DAY, REPLAYED, STAFF_ID, World, illegal

if TYPE_CHECKING:
    from proof.tests.histories.world import World


@broken(Kind.TWO_ORDERS_FOR_A_KEY, Kind.KEY_WITHOUT_RECORD)
def two_orders_for_one_key(world: World) -> None:
    world.create(key="k")
    world.create(key="k", lost=True)


@broken(Kind.KEY_WITHOUT_RECORD)
def a_key_that_is_not_in_the_transaction(world: World) -> None:
    world.create(key="k")
    remove(world, _record_of(world))


@broken(Kind.KEY_WITHOUT_RECORD)
def a_keyed_update_without_its_record(world: World) -> None:
    world.update(world.create(), "PAID", key="k", lost=True)
    remove(world, _record_of(world))


@broken(Kind.RECORD_WITHOUT_ORDER)
def a_record_without_its_order(world: World) -> None:
    forget(world, world.create(key="k", lost=True))


@broken(Kind.RECORD_DIFFERS)
def a_record_of_another_body(world: World) -> None:
    world.create(key="k", lost=True)
    record = _record_of(world)
    response = world.table[record]["response"].replace('"USD"', '"EUR"')
    rewrite(world, record, response=response)


@broken(Kind.TWO_FIRST_RESPONSES)
def two_responses_that_claim_to_be_the_first(world: World) -> None:
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    first = world.calls[0]
    replace_call(world, replay, headers=first.headers)


@broken(Kind.NO_FIRST_RESPONSE)
def no_response_that_claims_to_be_the_first(world: World) -> None:
    world.create(key="k")
    first = world.calls[-1]
    world.replay(first)
    replace_call(world, first, headers=first.headers | REPLAYED)


@broken(Kind.KEY_WITHOUT_RECORD)
def a_keyed_no_op_without_its_record(world: World) -> None:
    order = world.create()
    world.patch(order, "PENDING", world.response(order, 200), "no-op", key="k")


@broken(Kind.RECORD_EXPIRES_WRONGLY)
def a_record_that_expires_too_early(world: World) -> None:
    world.create(key="k")
    _expires_later(world, -A_DAY // 2)


@broken(Kind.RECORD_EXPIRES_WRONGLY)
def a_record_that_expires_too_late(world: World) -> None:
    order = world.create(key="k")
    world.now += A_DAY
    world.update(order, "PAID")
    _expires_later(world, A_DAY)


@broken(Kind.RECORD_EXPIRES_WRONGLY)
def a_record_of_a_no_op_that_expires_too_late(world: World) -> None:
    order = world.create()
    world.remember(STAFF_ID, "update", "k", world.response(order, 200))
    world.patch(order, "PENDING", world.response(order, 200), "no-op", key="k")
    _expires_later(world, A_DAY)


def _record_of(world: World) -> tuple[str, str]:
    """Where the record of the only key is."""
    (at,) = (at for at in world.table if at[1] == "RECORD")
    return at


def _expires_later(world: World, seconds: int) -> None:
    record = _record_of(world)
    rewrite(world, record, purgeAt=world.table[record]["purgeAt"] + seconds)


@broken(Kind.REPLAY_DIFFERS, Kind.BODIES_DIFFER)
def a_replay_with_other_bytes(world: World) -> None:
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    replace_call(world, replay, text=replay.text.replace(",", ", "))


@broken(Kind.REPLAY_DIFFERS)
def a_replay_with_another_location(world: World) -> None:
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    elsewhere = replay.headers["location"].replace("http://api", "http://elsewhere")
    replace_call(world, replay, headers=replay.headers | {"location": elsewhere})


@broken(Kind.REUSED_KEY_ACCEPTED)
def a_key_accepted_for_another_request(world: World) -> None:
    world.create(key="k")
    replay = world.replay(world.calls[-1])
    replace_call(world, replay, body={"another": "request"})


@broken(Kind.KEY_FORGOTTEN)
def a_key_that_was_forgotten(world: World) -> None:
    paid = world.update(world.create(), "PAID", key="k")
    world.refuse(
        world.calls[-1], 409, "illegal-transition", **illegal(world.update(paid, "SHIPPED"))
    )
