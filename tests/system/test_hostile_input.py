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

from gateway import item_body, request
from orders.http.cursor import encode_cursor
from orders.http.listing import order_listing
from proof.order_number import order_number
from system.hostile import OPERATIONS, Case, World, changed, ids_of
from system.hostile_values import (
    FIRST_ID,
    LAST_ID,
    NO_CUSTOMERS,
    NO_CUSTOMERS_IN_JSON,
    NO_DAYS,
    NO_KEYS,
    NO_KEYS_IN_EVENTS,
    NO_ORDERS,
    NO_TAGS,
    NO_TAGS_IN_EVENTS,
    OTHER_MEDIA_TYPES,
    OTHER_PATHS,
    OTHER_TAGS,
    OTHER_TAGS_IN_EVENTS,
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

    import httpx

    from system.deployment import Deployment, Json
    from system.hostile import Operation

MAX_BODY: Final = 256 * 1024
MALFORMED: Final = (400, "malformed-request")
NO_CURSOR: Final = (400, "invalid-cursor")
NO_KEY: Final = (400, "invalid-idempotency-key")
UNAUTHENTICATED: Final = (401, "unauthenticated")
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
LISTS: Final = [one for one in OPERATIONS if "cursor" in one.named("query")]
WITH_BODY: Final = [one for one in OPERATIONS if one.body is not None]
KEYED: Final = [one for one in OPERATIONS if "Idempotency-Key" in one.named("header")]
CONDITIONAL: Final = [one for one in OPERATIONS if "If-Match" in one.named("header")]


@pytest.fixture(scope="module")
def world(deployment: Deployment) -> Iterator[World]:
    deployment.settle()
    world = World.with_orders(deployment)
    yield world
    print(f"\nHostile input: {dict(world.counts)}")


@pytest.mark.parametrize(
    ("operation", "name"),
    [(one, name) for one in OPERATIONS for name in one.named("path")],
    ids=str,
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


def test_a_customer_id_that_is_none_is_refused_in_bodies_and_tokens(world: World) -> None:
    cases = []
    for id_ in NO_CUSTOMERS_IN_JSON:
        order = world.staff.order(customerId=id_)
        cases.append(Case(f"in a body: {id_!r:.40}", partial(world.staff.post, order), INVALID))
        claims = {"sub": id_, "token_use": "access"}
        for one in OPERATIONS:
            event = request(one.method, world.target(one), world.body(one))
            send = partial(world.invoke, event, claims)
            cases.append(Case(f"in a token: {id_!r:.40} {one}", send, UNAUTHENTICATED))
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


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_query_is_refused_that_the_document_does_not_allow(
    world: World, operation: Operation
) -> None:
    parameters = operation.named("query")
    wrong = [
        f"{name}={value}"
        for name, parameter in parameters.items()
        if name != "cursor"
        for value in wrong_values(parameter)
    ]
    world.refused(world.cases("query", MALFORMED, [operation], query=wrong + UNKNOWN_PARAMETERS))
    extreme = [
        f"{name}={value}" for name, one in parameters.items() for value in extreme_values(one)
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
                *(f"{name}={filters[name]}" for name in one.named("query") if name in filters),
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
                NO_CURSOR,
            )
            for source, cursor in cursors.items()
            for target in lists
            if source != target
        ]
        world.refused(cases)

    def test_a_damaged_cursor_is_refused(self, world: World) -> None:
        path = f"/customers/{world.attacker.id}/orders"
        good = world.orders(world.attacker, limit="1").json()["nextCursor"]
        content = base64.urlsafe_b64decode(good)
        damaged = [
            *(good[:end] for end in (*range(0, len(good), 7), len(good) - 1)),
            *(_with_a_bit_changed(content, at) for at in range(len(content))),
            *(good + end for end in ("=", "==", "A", " ", "\0", "#", "é")),
            good + good,
            good.ljust(201, "A"),
            good.ljust(6000, "A"),
            good.upper(),
            f'"{good}"',
            world.theirs[0],
            base64.urlsafe_b64encode(world.theirs[0].encode()).decode(),
            base64.urlsafe_b64encode(content[:12]).decode(),  # its digest
            json.dumps({"pk": {"S": f"CUSTOMER#{world.victim.id}"}}),
            "null",
            base64.urlsafe_b64encode(b"\xff" * 48).decode(),
        ]
        cases = [
            Case(
                f"{cursor:.60}, {query}",
                partial(world.attacker.http.get, path, params=query | {"cursor": cursor}),
                NO_CURSOR,
            )
            for query in ({}, {"consistent": "true"})
            for cursor in damaged
        ]
        world.refused(cases)

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

        no_positions = ("", "#", f"{world.theirs[0]}#x", world.theirs[0].upper(), "9" * 36)
        cases = [
            Case(
                f"forged: {position}",
                partial(world.orders, world.attacker, cursor=encode_cursor(scope, position)),
                NO_CURSOR,
            )
            for position in (*no_positions, "ffffffff-ffff-7fff-bfff-ffffffffffff")
        ]
        world.refused(cases)

    def test_a_forged_cursor_leads_out_of_no_timeline(self, world: World) -> None:
        order_id = world.mine[0]

        def get(position: str) -> httpx.Response:
            cursor = encode_cursor(("timeline", order_id), position)
            return world.attacker.http.get(
                f"/orders/{order_id}/timeline", params={"cursor": cursor}
            )

        for position, expected in (("0", [1]), ("1", []), ("9999999998", [])):
            events = get(position).raise_for_status().json()["items"]
            assert [event["version"] for event in events] == expected
        no_versions = ("", "-1", "1.0", "1e1", " 1", "+1", "١", "9999999999", "#", "9" * 100)
        world.refused(
            Case(f"forged: {version}", partial(get, version), NO_CURSOR) for version in no_versions
        )


def _with_a_bit_changed(content: bytes, at: int) -> str:
    changed = content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
    return base64.urlsafe_b64encode(changed).decode().rstrip("=")


@pytest.mark.parametrize(
    ("header", "operations", "values", "in_events", "outcome"),
    [
        ("Idempotency-Key", KEYED, NO_KEYS, NO_KEYS_IN_EVENTS, NO_KEY),
        ("If-Match", CONDITIONAL, NO_TAGS, NO_TAGS_IN_EVENTS, MALFORMED),
        ("If-Match", CONDITIONAL, OTHER_TAGS, OTHER_TAGS_IN_EVENTS, STALE),
    ],
    ids=["key", "malformed tags", "other tags"],
)
def test_a_header_that_says_nothing_changes_nothing(  # noqa: PLR0913, PLR0917 - a line of the table
    world: World,
    header: str,
    operations: list[Operation],
    values: list[bytes],
    in_events: list[str],
    outcome: tuple[int, str],
) -> None:
    cases = world.cases(
        header, outcome, operations, headers=[{header.encode(): value} for value in values]
    )
    for one in operations:
        for value in in_events:
            sent = {header.lower(): value}
            event = request(one.method, world.target(one), world.body(one), headers=sent)
            cases.append(Case(f"{one} {value!r:.60}", partial(world.invoke, event), outcome))
    world.refused(cases)


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
    get = next(one for one in CONDITIONAL if one.method == "GET")
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
        cases = world.cases(
            "over HTTP",
            MALFORMED,
            WITH_BODY,
            content=[body for body in bodies.values() if isinstance(body, str)],
        )
        for one in WITH_BODY:
            # The emulator makes text of every JSON body; bytes that are none come in base64.
            headers = {"content-type": one.media_types[0]}
            for what, body in bodies.items():
                sent = body if isinstance(body, bytes) else body.encode()
                event = request(one.method, world.target(one), sent, headers=headers)
                event |= {"body": base64.b64encode(sent).decode(), "isBase64Encoded": True}
                cases.append(Case(f"{one} {what}", partial(world.invoke, event), MALFORMED))
            for garbage in ("%%%", "e30", "e30=\n", "é", "\ud800", "e30 =", "=", "====", "{}"):
                event = request(one.method, world.target(one), b"", headers=headers)
                event |= {"body": garbage, "isBase64Encoded": True}
                cases.append(Case(f"{one} {garbage!r}", partial(world.invoke, event), MALFORMED))
        world.refused(cases)

    def test_a_body_that_breaks_a_rule_is_refused(self, world: World) -> None:
        wrong = {
            "POST /orders": [*wrong_orders(world.attacker.order()).values()],
            "PATCH /orders/{orderId}": WRONG_CHANGES,
        }
        for one in WITH_BODY:
            for media_type in one.media_types:
                send = partial(world.send, one, media_type=media_type)
                world.refused(
                    Case(f"{one} {body:.60}", partial(send, content=body), INVALID)
                    for body in wrong[str(one)]
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
        cases = world.cases("media type", WRONG_TYPE, WITH_BODY, media_type=OTHER_MEDIA_TYPES)
        for one in WITH_BODY:
            event = request(one.method, world.target(one), world.body(one))
            del event["headers"]["content-type"]
            cases.append(Case(f"{one} without one", partial(world.invoke, event), WRONG_TYPE))
        world.refused(cases)

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
