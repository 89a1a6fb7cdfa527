"""Input made to do harm is refused with the problem that the contract names, and writes nothing.

What is accepted by design does what it should, and no more. The requests go to the deployed API;
where a client or a server of HTTP would refuse one before the gateway sees it, the gateway's event
goes to the deployed function instead.
"""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from gateway import MERGE_PATCH, item_body, request
from orders.http.cursor import encode_cursor
from orders.http.listing import order_listing
from proof.order_number import order_number
from system.hostile import Case, World, changed, ids_of
from system.hostile_values import (
    FIRST_ID,
    LAST_ID,
    LIST_QUERIES,
    NO_CUSTOMERS,
    NO_CUSTOMERS_IN_JSON,
    NO_DAYS,
    NO_KEYS,
    NO_KEYS_IN_EVENTS,
    NO_LIST_QUERIES,
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
    WRONG_CHANGES,
    unreadable_bodies,
    with_text,
    wrong_orders,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Deployment, Json

MAX_BODY: Final = 256 * 1024
JSON: Final = "application/json"
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


@pytest.fixture(scope="module")
def world(deployment: Deployment) -> Iterator[World]:
    deployment.settle()
    world = World.with_orders(deployment)
    yield world
    print("", *world.lines(), sep="\n")


def test_what_is_no_customer_id_reaches_no_partition(world: World) -> None:
    cases = [
        Case(f"{path} by {who}", partial(caller.http.get, f"/customers/{path}/orders"), outcome)
        for who, caller in (("staff", world.staff), ("customer", world.attacker))
        for paths, outcome in ((NO_CUSTOMERS, MALFORMED), (OTHER_PATHS, NO_ROUTE))
        for path in paths
    ]
    for id_ in NO_CUSTOMERS_IN_JSON:
        order = world.staff.order(customerId=id_)
        cases.append(Case(f"in a body: {id_!r:.40}", partial(world.staff.post, order), INVALID))
        cases += [
            Case(
                f"in a token: {id_!r:.40} {event['routeKey']}",
                partial(world.invoke, event, {"sub": id_, "token_use": "access"}),
                UNAUTHENTICATED,
            )
            for event in (
                request("POST", "/orders", world.attacker.order()),
                request("GET", f"/orders/{world.theirs[0]}"),
                request("GET", f"/customers/{world.attacker.id}/orders"),
            )
        ]
    cases += [
        Case(f"almost theirs: {id_}", partial(world.orders, world.attacker, of=id_), FORBIDDEN)
        for id_ in (world.attacker.id.upper(), world.attacker.id[:-1], f"{world.attacker.id}.")
    ]
    world.refused("customer ids", cases)


def test_a_customer_id_may_have_128_characters(world: World) -> None:
    longest = f"|:@+._-{world.attacker.id}".ljust(128, "z")
    empty = world.orders(world.staff, of=longest)
    made = world.staff.post(world.staff.order(customerId=longest))
    order = world.accepted("customer ids", made, world.staff)
    assert ids_of(empty) == []
    assert ids_of(world.orders(world.staff, of=longest, consistent="true")) == [order["orderId"]]


def test_what_is_no_order_id_reaches_no_row(world: World) -> None:
    known = world.theirs[0]
    cancel = {"status": "CANCELED"}
    cases = []
    for pattern in NO_ORDERS:
        spelled = {
            "bare": known.replace("-", ""),
            "cut": known[1:],
            "number": str(order_number(known)),
        }
        path = f"/orders/{pattern.format(id=known, **spelled)}"
        cases += [
            Case(f"GET {path}", partial(world.staff.http.get, path), NO_ORDER),
            Case(f"PATCH {path}", partial(world.staff.http.patch, path, json=cancel), NO_ORDER),
            Case(f"{path} timeline", partial(world.staff.http.get, f"{path}/timeline"), NO_ORDER),
        ]
    world.refused("order ids", cases)


def test_what_is_no_day_has_no_report(world: World) -> None:
    paths = [f"/reports/daily/{day}" for day in NO_DAYS]
    world.refused("days", [Case(p, partial(world.staff.http.get, p), NO_REPORT) for p in paths])


class TestCursors:
    def test_a_cursor_of_another_list_is_refused(self, world: World) -> None:
        window = {"createdFrom": "2020-01-01T00:00:00Z", "createdTo": "2120-01-01T00:00:00Z"}
        me, them = world.attacker.id, world.victim.id
        mine, theirs, all_orders = f"/customers/{me}/orders", f"/customers/{them}/orders", "/orders"
        lists: dict[str, tuple[str, dict[str, str]]] = {
            "mine": (mine, {}),
            "mine, oldest first": (mine, {"sort": "createdAt"}),
            "mine, PENDING": (mine, {"status": "PENDING"}),
            "mine, in a window": (mine, window),
            "mine, in half a window": (mine, {"createdFrom": window["createdFrom"]}),
            "theirs": (theirs, {}),
            "PENDING": (all_orders, {"status": "PENDING"}),
            "PENDING, oldest first": (all_orders, {"status": "PENDING", "sort": "createdAt"}),
            "a timeline": (f"/orders/{world.theirs[1]}/timeline", {}),
        }
        cursors = {name: world.cursor(path, query) for name, (path, query) in lists.items()}
        lists |= {
            "another timeline": (f"/orders/{world.mine[0]}/timeline", {}),
            "PAID": (all_orders, {"status": "PAID"}),
            "mine, from the table": (mine, {"consistent": "true"}),
        }
        same = {("mine", "mine, from the table")}
        cases = [
            Case(
                f"{source} on {name}",
                partial(world.staff.http.get, path, params=query | {"cursor": cursor}),
                NO_CURSOR,
            )
            for source, cursor in cursors.items()
            for name, (path, query) in lists.items()
            if source != name and (source, name) not in same
        ]
        cases += [
            Case(
                f"{name} by the attacker",
                partial(world.attacker.http.get, path, params=query | {"cursor": cursors[name]}),
                outcome,
            )
            for name, outcome in (
                ("theirs", FORBIDDEN),
                ("PENDING", FORBIDDEN),
                ("a timeline", NO_ORDER),
            )
            for path, query in [lists[name]]
        ]
        world.refused("cursors of other lists", cases)

    def test_a_damaged_cursor_is_refused(self, world: World) -> None:
        path = f"/customers/{world.attacker.id}/orders"
        good = world.cursor(path, {})
        content = base64.urlsafe_b64decode(good)
        damaged = {
            **{f"cut to {end}": good[:end] for end in (*range(0, len(good), 7), len(good) - 1)},
            **{
                f"a bit of byte {at}": _with_a_bit_changed(content, at)
                for at in range(len(content))
            },
            **{f"{end!r} at its end": good + end for end in ("=", "==", "A", " ", "\0", "#", "é")},
            "twice": good + good,
            "201 characters": good.ljust(201, "A"),
            "6,000 characters": good.ljust(6000, "A"),
            "upper case": good.upper(),
            "in quotes": f'"{good}"',
            "the position alone": world.theirs[0],
            "a position in base64": base64.urlsafe_b64encode(world.theirs[0].encode()).decode(),
            "the digest alone": base64.urlsafe_b64encode(content[:12]).decode(),
            "a key of the table": json.dumps({"pk": {"S": f"CUSTOMER#{world.victim.id}"}}),
            "null": "null",
            "bytes that are no text": base64.urlsafe_b64encode(b"\xff" * 48).decode(),
        }
        cases = [
            Case(
                f"{name}, {query}",
                partial(world.attacker.http.get, path, params=query | {"cursor": cursor}),
                NO_CURSOR,
            )
            for query in ({}, {"consistent": "true"})
            for name, cursor in damaged.items()
        ]
        world.refused("damaged cursors", cases)

    def test_a_forged_cursor_leads_to_no_other_partition(self, world: World) -> None:
        """The digest is public: anyone can make a good cursor, for any position in their list."""
        path, newest_first = f"/customers/{world.attacker.id}/orders", world.mine[::-1]
        scope = order_listing({}, path, f"customer {world.attacker.id}").scope
        for position in (*world.theirs, *world.mine, FIRST_ID, LAST_ID):
            cursor = encode_cursor(scope, position)
            expected = [order_id for order_id in newest_first if order_id < position]
            for consistent in ("true", "false"):
                page = world.orders(world.attacker, cursor=cursor, consistent=consistent)
                assert ids_of(page) == expected
                world.count("forged cursors", "accepted")

        no_positions = ("", "#", f"{world.theirs[0]}#x", world.theirs[0].upper(), "9" * 36)
        cases = [
            Case(
                f"forged: {position}",
                partial(world.orders, world.attacker, cursor=encode_cursor(scope, position)),
                NO_CURSOR,
            )
            for position in (*no_positions, "ffffffff-ffff-7fff-bfff-ffffffffffff")
        ]
        world.refused("forged cursors", cases)

    def test_a_forged_cursor_leads_out_of_no_window(self, world: World) -> None:
        first, *_, last = (world.attacker.get(order_id).json() for order_id in world.mine)
        query = {"createdFrom": first["createdAt"], "createdTo": last["createdAt"]}
        scope = order_listing(query, "", f"customer {world.attacker.id}").scope
        for position, expected in ((LAST_ID, world.mine[-2::-1]), (FIRST_ID, [])):
            cursor = encode_cursor(scope, position)
            assert ids_of(world.orders(world.attacker, cursor=cursor, **query)) == expected
            world.count("forged cursors", "accepted")

    def test_a_forged_cursor_leads_out_of_no_timeline(self, world: World) -> None:
        order_id = world.mine[0]
        path, scope = f"/orders/{order_id}/timeline", ("timeline", order_id)
        for position, expected in (("0", [1]), ("1", []), ("9999999998", [])):
            params = {"cursor": encode_cursor(scope, position)}
            entries = (
                world.attacker.http.get(path, params=params).raise_for_status().json()["items"]
            )
            assert [entry["version"] for entry in entries] == expected
            world.count("forged cursors", "accepted")
        cases = [
            Case(
                f"forged: {position}",
                partial(
                    world.attacker.http.get, path, params={"cursor": encode_cursor(scope, position)}
                ),
                NO_CURSOR,
            )
            for position in ("", "-1", "1.0", "1e1", " 1", "+1", "١", "9999999999", "#", "9" * 100)
        ]
        world.refused("forged cursors of timelines", cases)


def _with_a_bit_changed(content: bytes, at: int) -> str:
    changed = content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
    return base64.urlsafe_b64encode(changed).decode().rstrip("=")


class TestKeys:
    def test_what_is_no_key_is_refused(self, world: World) -> None:
        patch = f"/orders/{world.mine[0]}"
        cases = []
        for key in NO_KEYS:
            sent = {b"Idempotency-Key": key}
            create = partial(world.attacker.http.post, "/orders", json=world.attacker.order())
            update = partial(world.attacker.http.patch, patch, json={"status": "CANCELED"})
            cases += [
                Case(f"{call.args[0]} {key!r:.40}", partial(call, headers=sent), NO_KEY)
                for call in (create, update)
            ]
        for text in NO_KEYS_IN_EVENTS:
            headers = {"idempotency-key": text}
            cases += [
                Case(f"{event['routeKey']} {text!r:.40}", partial(world.invoke, event), NO_KEY)
                for event in (
                    request("POST", "/orders", world.attacker.order(), headers=headers),
                    request("PATCH", patch, {"status": "CANCELED"}, headers=headers),
                )
            ]
        world.refused("idempotency keys", cases)

    @pytest.mark.parametrize(
        "key",
        [
            "#",
            "#RECORD",
            "../../x",
            "IDEMPOTENCY#{victim}#x",
            "ORDER#{order}",
            "k" * 255,
            "'",
            "%23",
        ],
    )
    def test_a_key_stays_in_its_callers_partition(self, world: World, key: str) -> None:
        key = key.format(victim=world.victim.id, order=world.theirs[0])
        before = world.rows()
        made = world.attacker.post(world.attacker.order(), key=key)
        order_id = world.accepted("idempotency keys", made)["orderId"]

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
        world.accepted("idempotency keys", theirs, world.victim)
        assert "idempotent-replayed" not in theirs.headers


class TestBodies:
    def test_a_body_that_cannot_be_read_is_refused(self, world: World) -> None:
        path = f"/orders/{world.mine[0]}"
        cases = []
        for what, body in unreadable_bodies(world.attacker.order()).items():
            # The emulator makes text of every JSON body; bytes that are none come in base64.
            sent = body if isinstance(body, bytes) else body.encode()
            create = request("POST", "/orders", sent)
            update = request("PATCH", path, sent, headers={"content-type": MERGE_PATCH})
            cases += [
                Case(f"POST {what}", partial(world.invoke, create), MALFORMED),
                Case(f"PATCH {what}", partial(world.invoke, update), MALFORMED),
            ]
            if isinstance(body, str):
                cases.append(Case(f"POST {what} over HTTP", partial(world.post, body), MALFORMED))
        for garbage in ("%%%", "e30", "e30=\n", "é", "\ud800", "e30 =", "=", "====", "{}"):
            create = request("POST", "/orders", b"") | {"body": garbage, "isBase64Encoded": True}
            cases.append(Case(f"base64 {garbage!r}", partial(world.invoke, create), MALFORMED))
        world.refused("unreadable bodies", cases)

    def test_a_body_that_is_no_order_is_refused(self, world: World) -> None:
        bodies = wrong_orders(world.attacker.order())
        cases = [Case(what, partial(world.post, body), INVALID) for what, body in bodies.items()]
        world.refused("wrong orders", cases)

    def test_a_body_that_is_no_change_of_status_is_refused(self, world: World) -> None:
        cases = [
            Case(f"{media_type} {body:.60}", partial(world.patch, body, media_type), INVALID)
            for body in WRONG_CHANGES
            for media_type in (MERGE_PATCH, JSON)
        ]
        world.refused("wrong changes of status", cases)

    def test_a_body_of_more_than_256_kibibytes_is_refused(self, world: World) -> None:
        order, change = json.dumps(world.attacker.order()), json.dumps({"status": "CANCELED"})
        digits = with_text(world.attacker.order(), "9" * 1_000_000, "amount")
        too_large = {
            "a number of a million digits": partial(world.post, digits),
            "one byte, of a character of two": partial(world.post, order.ljust(MAX_BODY - 1) + "é"),
        }
        for size in (MAX_BODY + 1, 2 * MAX_BODY, 1_000_000):
            too_large[f"POST {size}"] = partial(world.post, order.ljust(size))
            too_large[f"PATCH {size}"] = partial(world.patch, change.ljust(size))
        cases = [Case(what, send, TOO_LARGE) for what, send in too_large.items()]
        world.refused("large bodies", cases)

    def test_another_media_type_is_refused(self, world: World) -> None:
        order, change = json.dumps(world.attacker.order()), json.dumps({"status": "CANCELED"})
        none = request("POST", "/orders", world.attacker.order())
        del none["headers"]["content-type"]
        cases = [
            Case("none", partial(world.invoke, none), WRONG_TYPE),
            Case("POST of a merge patch", partial(world.post, order, MERGE_PATCH), WRONG_TYPE),
        ]
        for kind in OTHER_MEDIA_TYPES:
            cases += [
                Case(f"POST {kind:.60}", partial(world.post, order, kind), WRONG_TYPE),
                Case(f"PATCH {kind:.60}", partial(world.patch, change, kind), WRONG_TYPE),
            ]
        world.refused("media types", cases)

    @pytest.mark.parametrize(
        "media_type", [f"{JSON}; charset=utf-16", JSON.upper(), f"{JSON};", f"{JSON};boundary=x"]
    )
    def test_parameters_of_the_media_type_change_nothing(
        self, world: World, media_type: str
    ) -> None:
        body = world.attacker.order(items=[item_body(name="Bücher")])
        sent = json.dumps(body, ensure_ascii=False)
        order = world.accepted("media types", world.post(sent, media_type))
        assert order["items"] == body["items"]

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
        order_id = world.accepted("strange orders", made)["orderId"]
        read = world.attacker.get(order_id)
        assert {name: read.json()[name] for name in change} == change
        assert read.text == made.text

    def test_of_two_members_with_one_name_the_last_counts(self, world: World) -> None:
        body = json.dumps(world.attacker.order())[:-1] + ', "currency": "EUR"}'
        order = world.accepted("strange orders", world.post(body.ljust(MAX_BODY)))
        assert order["currency"] == "EUR"

    def test_minus_zero_is_zero(self, world: World) -> None:
        body = with_text(world.attacker.order(), "-0", "items", 0, "unitAmount")
        made = world.post(body)
        world.accepted("strange orders", made)
        assert '"unitAmount":0}' in made.text


class TestHeaders:
    def test_what_names_no_version_changes_nothing(self, world: World) -> None:
        path, change = f"/orders/{world.mine[0]}", {"status": "CANCELED"}
        patch = partial(world.attacker.http.patch, path, json=change)
        cases = [
            Case(f"{tags!r:.60}", partial(patch, headers={b"If-Match": tags}), outcome)
            for all_tags, outcome in ((NO_TAGS, MALFORMED), (OTHER_TAGS, STALE))
            for tags in all_tags
        ]
        cases += [
            Case(
                f"in an event: {tags!r:.60}",
                partial(world.invoke, request("PATCH", path, change, headers={"if-match": tags})),
                outcome,
            )
            for all_tags, outcome in ((NO_TAGS_IN_EVENTS, MALFORMED), (OTHER_TAGS_IN_EVENTS, STALE))
            for tags in all_tags
        ]
        world.refused("preconditions", cases)

    def test_what_the_client_has_is_only_ever_what_it_names(self, world: World) -> None:
        path = f"/orders/{world.mine[0]}"
        other = [
            b"1",
            b'"1',
            b'"2"',
            b'"2",',
            b"",
            b",",
            b'"01"',
            b"\xff",
            b'"2",' * 1500,
            b"x" * 8000,
        ]
        known = [
            b'"1"',
            b'W/"1"',
            b"*",
            b'"2", "1"',
            b'"2",,"1",',
            b'"2", W/"1"',
            b'"' + b"x" * 5000 + b'", "1"',
        ]
        cases = [
            Case(
                f"{tags!r:.60}",
                partial(world.attacker.http.get, path, headers={b"If-None-Match": tags}),
                (status, ""),
            )
            for all_tags, status in ((other, 200), (known, 304))
            for tags in all_tags
        ]
        world.answered("If-None-Match", "accepted", cases)


class TestQueries:
    def test_what_is_no_query_of_a_list_is_refused(self, world: World) -> None:
        mine = f"/customers/{world.attacker.id}/orders"
        lists = [
            *(f"{mine}?{query}" for query in NO_LIST_QUERIES),
            *(f"/orders?status=PENDING&{query}" for query in NO_LIST_QUERIES),
            *(f"{mine}?consistent={value}" for value in (
                "", "1", "TRUE", "True", "yes", "true%00", "true,true", "true&consistent=true",
            )),
            "/orders", "/orders?", "/orders?limit=1", "/orders?status=PENDING&consistent=true",
        ]  # fmt: skip
        cases = [Case(each[:100], partial(world.staff.http.get, each), MALFORMED) for each in lists]
        world.refused("queries of lists", cases)

    def test_the_limits_of_a_lists_query_are_within_it(self, world: World) -> None:
        paths = (f"/customers/{world.attacker.id}/orders?", "/orders?status=PENDING&")
        cases = [
            Case(f"{path}{query}", partial(world.staff.http.get, path + query), FINE)
            for path in paths
            for query in LIST_QUERIES
        ]
        world.answered("queries of lists", "accepted", cases)

    def test_a_query_that_a_route_does_not_know_is_refused(self, world: World) -> None:
        order_id = world.mine[0]
        queries = ("x=1", "limit=1&x", "=", "%00=%00", "fields=*", "orderId=" + world.theirs[0])
        create = partial(world.attacker.http.post, json=world.attacker.order())
        cancel = partial(world.attacker.http.patch, json={"status": "CANCELED"})
        cases = [
            Case(f"{path}?{query}", partial(call, f"{path}?{query}"), MALFORMED)
            for call, path in (
                (create, "/orders"),
                (cancel, f"/orders/{order_id}"),
                (world.attacker.http.get, f"/orders/{order_id}"),
                (world.attacker.http.get, f"/orders/{order_id}/timeline"),
                (world.staff.http.get, "/reports/daily/2026-11-23"),
            )
            for query in queries
        ]
        world.refused("queries of other routes", cases)
