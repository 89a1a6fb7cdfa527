"""Hostile input is refused with the problem that the contract names, and writes nothing.

Operations and their parameters come from the OpenAPI document: what is new there is attacked too.
"""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from gateway import item_body
from orders.http.cursor import encode_cursor
from orders.http.listing import order_listing
from proof.order_number import order_number
from system.hostile import OPERATIONS, Case, World, changed, ids_of, parameters
from system.hostile_values import (
    FIRST_ID,
    LAST_ID,
    NO_CURSORS,
    NO_CUSTOMERS,
    NO_CUSTOMERS_IN_JSON,
    NO_DAYS,
    NO_KEYS,
    NO_ORDERS,
    NO_TAGS,
    OTHER_MEDIA_TYPES,
    OTHER_PATHS,
    OTHER_TAGS,
    STRANGE_METADATA,
    STRANGE_NAMES,
    STRANGE_SKUS,
    UNKNOWN_PARAMETERS,
    WRONG_CHANGES,
    extreme_values,
    unreadable_bodies,
    with_text,
    wrong_orders,
    wrong_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Deployment, Json
    from system.described_requests import Operation

MAX_BODY: Final = 256 * 1024
MALFORMED: Final = (400, "malformed-request")
BAD_CURSOR: Final = (400, "invalid-cursor")
BAD_KEY: Final = (400, "invalid-idempotency-key")
FORBIDDEN: Final = (403, "forbidden")
NO_ORDER: Final = (404, "order-not-found")
NO_REPORT: Final = (404, "report-not-found")
NO_ROUTE: Final = (404, "route-not-found")
STALE: Final = (412, "precondition-failed")
TOO_LARGE: Final = (413, "payload-too-large")
WRONG_TYPE: Final = (415, "unsupported-media-type")
INVALID: Final = (422, "validation-failed")
FINE: Final = (200, "")

NAMES_NOTHING: Final = {
    "customerId": (NO_CUSTOMERS, MALFORMED),
    "orderId": (NO_ORDERS, NO_ORDER),
    "date": (NO_DAYS, NO_REPORT),
}
"""By the path's parameter."""
LISTS: Final = [one for one in OPERATIONS if "cursor" in parameters(one, "query")]
WITH_BODY: Final = [one for one in OPERATIONS if one.content]


@pytest.fixture(scope="module")
def world(deployment: Deployment) -> Iterator[World]:
    deployment.settle()
    world = World.with_orders(deployment)
    yield world
    print(f"\nHostile input: {dict(world.counts)}")


@pytest.mark.parametrize(
    ("operation", "name"),
    [(one, name) for one in OPERATIONS for name in parameters(one, "path")],
    ids=lambda one: getattr(one, "key", one),
)
def test_a_path_that_names_nothing_reaches_no_row(
    world: World, operation: Operation, name: str
) -> None:
    values, outcome = NAMES_NOTHING[name]
    known = world.mine[0]
    spelled = {
        "id": known,
        "bare": known.replace("-", ""),
        "cut": known[1:],
        "number": str(order_number(known)),
    }
    texts = [value.format(**spelled) for value in values] if name == "orderId" else values
    cases = world.cases("names nothing", outcome, [operation], **{name: texts})
    if operation.path.endswith(f"{{{name}}}/orders"):
        cases += world.cases("is of no route", NO_ROUTE, [operation], **{name: OTHER_PATHS})
    world.refused(cases)


def test_a_customer_id_that_is_none_is_refused_in_a_body(world: World) -> None:
    cases = [
        Case(f"{id_!r:.40}", partial(world.staff.post, world.staff.order(customerId=id_)), INVALID)
        for id_ in NO_CUSTOMERS_IN_JSON
    ]
    cases += [
        Case(f"almost theirs: {id_}", partial(world.orders, world.attacker, of=id_), FORBIDDEN)
        for id_ in (world.attacker.id.upper(), world.attacker.id[:-1], f"{world.attacker.id}.")
    ]
    world.refused(cases)


def test_a_customer_id_may_have_128_characters(world: World) -> None:
    longest = f"|:@+._-{world.attacker.id}".ljust(128, "z")
    assert ids_of(world.orders(world.staff, of=longest)) == []
    order = world.accepted(world.staff.post(world.staff.order(customerId=longest)), world.staff)
    assert ids_of(world.orders(world.staff, of=longest, consistent="true")) == [order["orderId"]]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.key)
def test_a_query_is_refused_that_the_document_does_not_allow(
    world: World, operation: Operation
) -> None:
    described = parameters(operation, "query")
    wrong = [
        f"{name}={value}"
        for name, parameter in described.items()
        if name != "cursor"
        for value in wrong_values(parameter)
    ]
    world.refused(world.cases("query", MALFORMED, [operation], query=wrong + UNKNOWN_PARAMETERS))
    extreme = [
        f"{name}={value}" for name, one in described.items() for value in extreme_values(one)
    ]
    world.get_outcomes(world.cases("query", FINE, [operation], query=extreme))


class TestCursors:
    def test_a_cursor_of_another_list_is_refused(self, world: World) -> None:
        filters = {
            "sort": "createdAt",
            "status": "PAID",
            "createdFrom": "2020-01-01T00:00:00Z",
            "type": "ORDER_PAID",
            "recordedFrom": "2020-01-01T00:00:00Z",
        }
        lists = {
            world.target(one, query, orderId=order_id, customerId=who.id): who
            for one in LISTS
            for who, order_id in (
                (world.attacker, world.mine[1]),
                (world.victim, world.theirs[1]),
            )
            for query in [
                None,
                *(
                    f"{name}={filters[name]}"
                    for name in parameters(one, "query")
                    if name in filters
                ),
            ]
        }
        cursors = {}
        for target in lists:
            sign = "&" if "?" in target else "?"
            page = world.staff.http.get(f"{target}{sign}limit=1").raise_for_status().json()
            if page["nextCursor"]:
                cursors[target] = page["nextCursor"]
        assert len(cursors) > len(LISTS)
        cases = [
            Case(
                f"of {source} at {target}",
                partial(
                    world.staff.http.get, f"{target}{'&' if '?' in target else '?'}cursor={cursor}"
                ),
                BAD_CURSOR,
            )
            for source, cursor in cursors.items()
            for target in lists
            if source != target
        ]
        world.refused(cases)

    @pytest.mark.parametrize("operation", LISTS, ids=lambda one: one.key)
    def test_a_damaged_cursor_is_refused(self, world: World, operation: Operation) -> None:
        page = world.send(operation, "limit=1").raise_for_status().json()
        good = page["nextCursor"] or encode_cursor(("timeline", world.mine[0]), "1")
        content = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))
        damaged = [
            *(_with_a_bit_changed(content, at) for at in range(len(content))),
            *(good[:end] for end in (*range(0, len(good), 7), len(good) - 1)),
            *(good + end for end in ("=", "==", "A", "%20", "%00", "%23", "é", good)),
            *(good.ljust(length, "A") for length in (201, 6000)),
            *NO_CURSORS,
        ]
        queries = [f"cursor={cursor}" for cursor in damaged]
        world.refused(world.cases("cursor", BAD_CURSOR, [operation], query=queries))

    def test_a_forged_cursor_leads_out_of_no_list(self, world: World) -> None:
        """Its digest is public: anyone can make a good cursor for any position in their list."""
        path, newest_first = f"/customers/{world.attacker.id}/orders", world.mine[::-1]
        scope = order_listing({}, path, f"customer {world.attacker.id}").scope
        for position in (*world.theirs, *world.mine, FIRST_ID, LAST_ID):
            cursor = encode_cursor(scope, position)
            expected = [order_id for order_id in newest_first if order_id < position]
            for consistent in ("true", "false"):
                page = world.orders(world.attacker, cursor=cursor, consistent=consistent)
                assert ids_of(page) == expected

        first, *_, last = (world.attacker.get(order_id).json() for order_id in world.mine)
        window = {"createdFrom": first["createdAt"], "createdTo": last["createdAt"]}
        of_window = order_listing(window, "", f"customer {world.attacker.id}").scope
        for position, expected in ((LAST_ID, newest_first[1:]), (FIRST_ID, [])):
            cursor = encode_cursor(of_window, position)
            assert ids_of(world.orders(world.attacker, cursor=cursor, **window)) == expected


def _with_a_bit_changed(content: bytes, at: int) -> str:
    changed = content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
    return base64.urlsafe_b64encode(changed).decode().rstrip("=")


@pytest.mark.parametrize(
    ("header", "values", "outcome"),
    [
        ("Idempotency-Key", NO_KEYS, BAD_KEY),
        ("If-Match", NO_TAGS, MALFORMED),
        ("If-Match", OTHER_TAGS, STALE),
    ],
    ids=["keys", "malformed tags", "other tags"],
)
def test_a_header_that_is_wrong_changes_nothing(
    world: World, header: str, values: list[bytes], outcome: tuple[int, str]
) -> None:
    operations = [one for one in OPERATIONS if header in parameters(one, "header")]
    headers = [{header.encode(): value} for value in values]
    world.refused(world.cases(header, outcome, operations, headers=headers))


@pytest.mark.parametrize(
    ("status", "tags"),
    [
        (200, [b"1", b'"1', b'"2"', b'"2",', b"", b",", b'"01"', b"\xff", b'"2",' * 1500]),
        (304, [b'"1"', b'W/"1"', b"*", b'"2", "1"', b'"2",,"1",', b'"2", W/"1"']),
        (304, [b'"' + b"x" * 5000 + b'", "1"']),
    ],
)
def test_a_read_is_not_repeated_only_where_the_client_names_the_version(
    world: World, status: int, tags: list[bytes]
) -> None:
    get = next(one for one in OPERATIONS if "If-None-Match" in parameters(one, "header"))
    headers = [{b"If-None-Match": value} for value in tags]
    world.get_outcomes(world.cases("If-None-Match", (status, ""), [get], headers=headers))


@pytest.mark.parametrize(
    "key",
    ["#", "#RECORD", "../../x", "IDEMPOTENCY#{victim}#x", "ORDER#{order}", "k" * 255, "'", "%23"],
)
def test_a_key_stays_in_its_callers_partition(world: World, key: str) -> None:
    key = key.format(victim=world.victim.id, order=world.theirs[0])
    before = world.rows()
    order_id = world.accepted(world.attacker.post(world.attacker.order(), key=key))["orderId"]

    keys = changed(before, world.rows())
    record = next(pk for pk, sk in keys if sk == "RECORD")
    owner, _, digest = record.removeprefix("IDEMPOTENCY#").partition("#")
    assert (owner, len(digest)) == (world.attacker.id, 64)
    assert keys == {
        (f"ORDER#{order_id}", "DETAIL"),
        (f"ORDER#{order_id}", "EVENT#0000000001"),
        (f"CUSTOMER#{world.attacker.id}", f"ORDER#{order_id}"),
        (record, "RECORD"),
    }
    theirs = world.victim.post(world.victim.order(), key=key)
    world.accepted(theirs, world.victim)
    assert "idempotent-replayed" not in theirs.headers


class TestBodies:
    def test_a_body_that_cannot_be_read_is_refused(self, world: World) -> None:
        bodies = unreadable_bodies(world.attacker.order())
        world.refused(world.cases("unreadable", MALFORMED, WITH_BODY, content=bodies.values()))

    def test_a_body_that_breaks_a_rule_is_refused(self, world: World) -> None:
        wrong = {
            "POST /orders": [*wrong_orders(world.attacker.order()).values()],
            "PATCH /orders/{orderId}": WRONG_CHANGES,
        }
        for one in WITH_BODY:
            for media_type in one.content:
                send = partial(world.send, one, media_type=media_type)
                world.refused(
                    Case(f"{one.key} {body:.60}", partial(send, content=body), INVALID)
                    for body in wrong[one.key]
                )

    def test_a_body_of_more_than_256_kibibytes_is_refused(self, world: World) -> None:
        digits = with_text(world.attacker.order(), "9" * 1_000_000, "amount")
        for one in WITH_BODY:
            text = json.dumps(world.body(one))
            large = [text.ljust(size) for size in (MAX_BODY + 1, 2 * MAX_BODY, 1_000_000)]
            two_bytes = text.ljust(MAX_BODY - 1) + "é"
            sent = [*large, two_bytes, digits]
            world.refused(world.cases("too large", TOO_LARGE, [one], content=sent))

    def test_another_media_type_is_refused(self, world: World) -> None:
        world.refused(
            world.cases("media type", WRONG_TYPE, WITH_BODY, media_type=OTHER_MEDIA_TYPES)
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"items": [item_body(name=name) for name in STRANGE_NAMES]},
            {"items": [item_body(sku=sku) for sku in STRANGE_SKUS]},
            {"items": [item_body(quantity=1_000, unitAmount=10**12)], "amount": 10**15},
            {"metadata": STRANGE_METADATA},
            # The largest that there can be: in JSON a NUL has six bytes.
            {
                "items": [item_body(name="\0" * 200, sku="s" * 64)] * 100,
                "metadata": {f"{number:040}": "\0" * 500 for number in range(20)},
            },
        ],
        ids=["names", "skus", "amount", "metadata", "largest"],
    )
    def test_what_is_allowed_comes_back_as_it_was_sent(self, world: World, change: Json) -> None:
        made = world.attacker.post(world.attacker.order(**change), key=f"strange-{uuid4()}")
        read = world.attacker.get(world.accepted(made)["orderId"])
        assert {name: read.json()[name] for name in change} == change
        assert read.text == made.text
