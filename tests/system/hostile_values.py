"""Hostile values."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from system.deployment import Json

FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"
LAST_ID: Final = "e677d21f-dbff-ffff-ffff-ffffffffffff"
"""The greatest of the year 9999, the last one that a timestamp can be written for."""

# What stands in a path, a body or a token becomes a part of a key. Paths are as they are sent: the
# gateway decodes once, but for %25.
NO_CUSTOMERS: Final = [
    "%23", "cus_42%23", "%23cus_42", "ORDER%23x", "cus_42%23ORDER%23x", "cus_42%2523", "%252523",
    "a%00b", "%00", "a%0A", "%0Aa", "a%0D%0A", "a%09", "%20", "a%20b", "a%20", "a%25", "a%252Fb",
    "a%5Cb", "a%22b", "a%27b", "a%26b", "a%3Db", "a%3Bb", "a,b", "a*b", "a~b", "%7Ba%7D", "$a",
    "a%7Fb", "%C2%A0", "a%E2%80%8B", "%EF%BB%BFa", "с%D1%83s_42", "cus＿42", "cus＃42", "ﬀ",
    "cus_４２", "%FF%FE", "%ED%A0%80", "%C0%A3", "x" * 129, "x" * 3000,
]  # fmt: skip
OTHER_PATHS: Final = ["", "a%2Fb", "a/b", "%2F", "..%2F..", "a%2Forders"]
"""In a path these lead to no route."""
NO_CUSTOMERS_IN_JSON: Final[list[object]] = [
    "", "#", "cus_42#", "cus_42#ORDER#x", "a/b", "a%23b", "a\0", "a\n", "\na", " a", "a ", "a b",
    "сus_42", "cus＿42", "cus＃42", "a\u200b", "x" * 129, "x" * 100_000, None, 1, 1.5, True,
    [], ["a"], {}, {"S": "a"},
]  # fmt: skip

NO_ORDERS: Final = [
    "%23", "DETAIL", "CHARGE", "{id}%23DETAIL", "{id}%23EVENT%230000000001", "{id}%23", "%23{id}",
    "ORDER%23{id}", "{id}%2523DETAIL", "{id}%00", "%00{id}", "{id}%0A", "{id}%20", "%20{id}",
    "%7B{id}%7D", "urn:uuid:{id}", "{id}{id}", "{id},{id}", "{bare}", "{cut}",
    "{number}0", "0{number}", "{number}%20", "{number}%00", "%20{number}", "{number}%23DETAIL",
    "{number},{number}", "{number}{id}", "\uff10{number}", "0000-0000-0000-1", "ZZZZ-ZZZZ-ZZZZ-U",
    "٠{cut}", "０{cut}", "g{cut}", "{id}%E2%80%8B", "{id}＃DETAIL", "%FF{id}", "*", "null", "0",
    "-1",
    "7d444840-9dc0-41d1-b245-5ffdce74fad2",  # version 4, of the year 6336
    "ffffffff-ffff-7fff-bfff-ffffffffffff",  # of the year 10889
    "e677d21f-dc00-7000-8000-000000000000",  # of the first millisecond of the year 10000
    FIRST_ID, LAST_ID, "x" * 3000,
]  # fmt: skip

NO_CURSORS: Final = [
    "null", "%22x%22", FIRST_ID, base64.urlsafe_b64encode(FIRST_ID.encode()).decode(),
    base64.urlsafe_b64encode(b"\xff" * 48).decode(), "%7B%22pk%22%3A%22CUSTOMER%23x%22%7D",
]  # fmt: skip

NO_DAYS: Final = [
    "%23", "2026-11-23%00", "2026-11-23%0A", "2026-11-23%20", "2026-11-23%23", "20261123",
    "2026-W48-1", "2026-327", "2026-02-30", "2026-11-23T00:00:00Z", "２０２６-11-23", "٢٠٢٦-11-23",
    "0000-01-01", "10000-01-01", "-001-01-01", "today", "x" * 3000,
]  # fmt: skip


NO_KEYS: Final[list[bytes]] = [
    b"", b'""', b"k" * 256, b'"' + b"k" * 256 + b'"', b"k" * 8000, b"a b", b'"a b"', b"a, b",
    b"k,k", b",", b"k,", b'"a","a"', b'"a",',
    b'"', b'"open', b'"a"b"', b'"a";b', b'"a", "b"', b'"\\x"', b'"a\\"', b"a\tb",
    "schlüssel".encode(), "schlüssel".encode("latin-1"), "🔑".encode(), b"\x80", b"\xff",
]  # fmt: skip
OTHER_MEDIA_TYPES: Final = [
    "", "json", "text/json", "application/jsonx", "application/json+x", "application/x-json",
    "application/vnd.api+json", "text/plain; application/json", "application/json, text/plain",
    "application/json-patch+json", "application/x-www-form-urlencoded", "application/xml",
    "multipart/form-data; boundary=application/json", "application /json", "*/*", "a" * 8000,
]  # fmt: skip
NO_TAGS: Final = [
    b"", b"1", b'"1', b'1"', b'"1" "2"', b",", b", ,", b'w/"1"', b"W/1", b"W/*",
    b'"1"; x', b"'1'", b'*, "1"', b"*,", b"*, *", b'"a b"', b'"1"\t"2"', "＂1＂".encode(),
    b"1" * 8000,
]  # fmt: skip
OTHER_TAGS: Final = [
    b'W/"1"', b'"0"', b'"2"', b'""', b'"01"', b'"1.0"', b'"-1"', b'"+1"', b'"\x80"', b'"*"',
    b'"2",', b',"2"', b'"2",,"3"', b'",1"',
    b'"2", "3"', b'W/"1", "2"', b'"' + b"1" * 5000 + b'"', b'"2",' * 1500 + b'"2"',
]  # fmt: skip
STRANGE_SKUS: Final = [
    "A#B",
    "１",
    "#",
    "../..",
    "\u202eguM",
    "a\u2028b",
    "<b>",
    "\ufeffA",
    "😀" * 64,
]
STRANGE_NAMES: Final = ["\0", "😀" * 200, "\u202eguM", "</script>", "a\r\nX: 1", "\ufffe", " "]
STRANGE_METADATA: Final = {
    "__proto__": "x", "constructor": "", "pk": "CUSTOMER#x", "\0": "\0", "$ref": "#",
    "ü": "u\u0308",
}  # fmt: skip

DEEP: Final = 100_000
PLACE: Final = "@@"


def with_text(body: Json, value: str, *path: str | int) -> str:
    """The body as JSON, with this text in a place of it."""
    body = json.loads(json.dumps(body))
    node: Any = body
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = PLACE
    return json.dumps(body).replace(f'"{PLACE}"', value)


NO_NUMBERS: Final = [
    "1e400", "-1e400", "1e99999999999999999999", "9" * 250_000, "-" + "9" * 250_000, "NaN",
    "Infinity", "-Infinity", "nan", "01", "+1", "0x10", "1_000", ".5", "1.", "1,0", "١",
]  # fmt: skip
NO_AMOUNTS: Final = [
    "-1", "-0.0", "0.0", "3.0", "1e2", "1E0", "0." + "0" * 200_000 + "1", "1e-400", str(2**53),
    str(2**63), str(2**64), str(2**64 + 1), str(-(2**63) - 1), str(10**300), '"1"', "true", "null",
    "[]", "[1]", "{}", '{"N": "1"}',
]  # fmt: skip
NO_TEXTS: Final = [
    r'"\ud800"', r'"\udc00"', r'"\udc00\ud800"', r'"\ud800x"', r'"\ud83d\ud83d"', '"\0"', '"\n"',
    '"\x1f"', r'"\x41"', r'"\u12"', r'"\u{41}"', "'x'", '"x', "x",
]  # fmt: skip
UNKNOWN_MEMBERS: Final = [
    "__proto__", "constructor", "prototype", "__class__", "__init__", "__dict__", "toString",
    "$ref",
    "$where", "pk", "sk", "gsi1pk", "orderId", "status", "version", "createdAt", "purgeAt", "",
    "CustomerId", "customer_id", "customerId ", "customerId\0", "ｃustomerId", "a/b~c", "😀", "\0",
    "`", "x" * 200_000,
]  # fmt: skip


def unreadable_bodies(order: Json) -> dict[str, str]:
    """Invalid JSON, and texts and numbers that no field can hold."""
    text = json.dumps(order)
    return {
        **{f"number {number:.30}": with_text(order, number, "amount") for number in NO_NUMBERS},
        **{f"text {value!r}": with_text(order, value, "items", 0, "name") for value in NO_TEXTS},
        "a surrogate as a member": '{"\\ud800": 1}',
        "arrays without end": "[" * DEEP,
        "deep arrays": "[" * DEEP + "]" * DEEP,
        "deep objects": '{"a":' * (DEEP // 3) + "1" + "}" * (DEEP // 3),
        "deep metadata": with_text(order, '{"a":' * 30_000 + "1" + "}" * 30_000, "metadata"),
        "a deep name": with_text(order, "[" * DEEP + "]" * DEEP, "items", 0, "name"),
        "nothing": "",
        "white space": " \r\n\t",
        "a comma too many": f"{text[:-1]},}}",
        "two documents": text * 2,
        "an end": f"{text}x",
        "NUL at the end": f"{text}\0",
        "NUL before": f"\0{text}",
        "a comment": f"/**/{text}",
        "no-break space": f"\u00a0{text}",
        "a byte order mark": f"\ufeff{text}",
        "single quotes": text.replace('"', "'"),
        "cut": text[:-1],
    }


def wrong_orders(order: Json) -> dict[str, str]:
    """JSON that breaks a rule for orders."""
    item = order["items"][0]
    changes: dict[str, Json] = {
        "no item": {"items": []},
        "101 items": {"items": [item] * 101},
        "items by number": {"items": {"0": item}},
        "nested items": {"items": [[item]]},
        "21 metadata": {"metadata": {f"k{number}": "" for number in range(21)}},
        "one wrong of many metadata": {"metadata": {"a": "", "b/~": None}},
        "a long metadata key": {"metadata": {"k" * 41: ""}},
        "an empty metadata key": {"metadata": {"": ""}},
        "long metadata": {"metadata": {"k": "v" * 501}},
        "huge metadata": {"metadata": {"k": "v" * 200_000}},
        "nested metadata": {"metadata": {"k": {}}},
        "a number as metadata": {"metadata": {"k": 1}},
        "another order's sum": {"amount": 1},
        "more than an order may cost": {
            "items": [item | {"quantity": 1_000_000, "unitAmount": 10**12}] * 100
        },
        "a lower-case currency": {"currency": "usd"},
        "a currency and a line feed": {"currency": "USD\n"},
        "gold": {"currency": "XAU"},
        "full-width currency": {"currency": "ＵＳＤ"},
        "a long token": {"paymentToken": "t" * 201},
        "no token": {"paymentToken": ""},
        **{
            f"SKU {sku!r:.30}": {"items": [item | {"sku": sku}]}
            for sku in ("", " ", "A ", "\u00a0A", "A\u2028", "A\n", "A\0B", "\x85", "s" * 65)
        },
        "a long name": {"items": [item | {"name": "n" * 201}]},
        "no name": {"items": [item | {"name": ""}]},
    }
    return {
        **{what: json.dumps(order | change) for what, change in changes.items()},
        **{f"amount {value:.30}": with_text(order, value, "amount") for value in NO_AMOUNTS},
        **{
            f"price {value:.30}": with_text(order, value, "items", 0, "unitAmount")
            for value in NO_AMOUNTS
        },
        **{
            f"quantity {value:.30}": with_text(order, value, "items", 0, "quantity")
            for value in [*NO_AMOUNTS, "0", "-0", "1000001"]
        },
        **{
            f"member {name!r:.30}": json.dumps({name: order.get(name, 1)} | order | {name: 1})
            for name in UNKNOWN_MEMBERS
        },
        **{f"a lone {value}": value for value in ("[]", "{}", "null", "true", "0", '"x"', "[{}]")},
        "the last of two currencies": json.dumps(order)[:-1] + ', "currency": "usd"}',
    }


WRONG_CHANGES: Final = [
    "{}", "[]", "null", "true", "1", '"PAID"', '{"status": null}', '{"status": "canceled"}',
    '{"status": "CANCELED\\n"}', '{"status": "CANCELED#0"}', '{"status": ["CANCELED"]}',
    '{"status": {"S": "CANCELED"}}', '{"status": "PENDING\\u0000"}', '{"status": "ＰＡＩＤ"}',
    '{"status": 1}', '{"status": "CANCELED", "reason": null}',
    '{"status": "CANCELED", "reason": 1}',
    '{"status": "CANCELED", "version": 1}', '{"status": "CANCELED", "customerId": "cus_42"}',
    '{"status": "CANCELED", "__proto__": {}}', '{"reason": "x"}', '{"Status": "CANCELED"}',
    '[{"op": "replace", "path": "/status", "value": "CANCELED"}]',
    '{"status": "CANCELED", "status": "LOST"}',
    '{"status": "CANCELED", "reason": "expired"}',
    '{"status": "CANCELED", "reason": "payment-decl\\u0069ned"}',
    json.dumps({"status": "CANCELED", "reason": "r" * 501}),
    json.dumps({"status": "CANCELED", "reason": "r" * 200_000}),
]  # fmt: skip


# As they are sent in a query. Repeated parameters reach the function joined by a comma.
NO_WHOLE_NUMBERS: Final = [
    "", "0", "-0", "-1", "+1", "%2B1", "1e2", "1.0", "100.0", "0x10", "1_0", "1%2C2",
    "%D9%A1%D9%A2", "%EF%BC%91", "%C2%B2", "1%00", "%00", "1%0A", "%201", "1%20", "٢", "null",
    "NaN", "9" * 5000, "%25", "1%23",
]  # fmt: skip
NO_FLAGS: Final = ["", "1", "TRUE", "True", "yes", "true%00", "true,true"]
NO_INSTANTS: Final = [
    "", "0", "yesterday", "2026-11-23", "2026-11-23T00:00:00", "2026-11-23 00:00:00Z",
    "2026-11-23T00:00:00+00:00", "2026-11-23T24:00:00Z", "2026-11-23T23:59:61Z",
    "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
    "%2B2026-11-23T00:00:00Z", "-001-01-01T00:00:00Z", "2026-11-23T00:00:00%2B24:00",
    "2026-11-23T00:00:00-24:00", "2026-11-23T00:00:00%2B00:60", "2026-11-23T00:00:00-99:99",
    "2026-11-23T00:00:00%2B0000", "2026-11-23T00:00:00%2B00", "2026-11-23T00:00:00.Z",
    "2026-11-23T00:00:00,5Z", f"2026-11-23T00:00:00.{'0' * 61}Z", "2026-11-23T00:00Z",
    f"2026-11-23T00:00:00.{'9' * 5000}Z", "20261123T000000Z", "2026-W48-1T00:00:00Z",
    "2026-11-23T00:00:00Z%00", "2026-11-23T00:00:00Z%0A", "２０２６-11-23T00:00:00Z",
    "٢٠٢٦-11-23T00:00:00Z", "2026-11-23T00:00:00Zulu", "1764000000000", "NaN",
    "2026-11-23T00:00:00Z,2026-11-24T00:00:00Z",
]  # fmt: skip
INSTANTS: Final = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59.999999999Z",
    "2016-12-31T23:59:60Z", "9999-12-31T23:59:60.9999-23:59", "9999-12-31T23:59:59.999-23:59",
    "1969-12-31T23:59:59Z", "2026-11-23t00:00:00z", f"2026-11-23T00:00:00.{'9' * 60}Z",
    "2026-11-23T00:00:00-00:00", "2026-11-23T00%3A00%3A00Z",
]  # fmt: skip
UNKNOWN_PARAMETERS: Final = [
    "x=1", "Limit=1", "limit%00=1", "limit[]=1", "limit%5B%5D=1", "__proto__=1", "=1", "=", "%00=1",
    "ExclusiveStartKey=x", "pk=x", "fields=*", "x" * 5000, "é=1", "%FF=1",
]  # fmt: skip


def not_one_of(allowed: list[str]) -> list[str]:
    """Texts that are almost one of the words."""
    word, other = allowed[0], allowed[-1]
    return [
        "", "*", "P" * 5000, word.swapcase(), f"%20{word}", f"{word},{other}", f"-{word}{word}",
        *(f"{word}{tail}" for tail in ("%00", "%0A", "%20desc", "%23", "%230", "%23PAID%230")),
        word.translate({ord(letter): ord(letter) + 0xFEE0 for letter in word}),
    ]  # fmt: skip


def wrong_values(parameter: Json) -> list[str]:
    """Invalid values of a query parameter, from its schema in the OpenAPI document."""
    name, schema = parameter["name"], parameter["schema"]
    match schema:
        case {"enum": [first, *_] as allowed}:
            wrong, right = not_one_of(allowed), first
        case {"type": "integer"}:
            wrong, right = [*NO_WHOLE_NUMBERS, str(schema["maximum"] + 1)], "1"
        case {"type": "boolean"}:
            wrong, right = NO_FLAGS, "true"
        case {"format": "date-time"}:
            wrong, right = NO_INSTANTS, "2026-11-23T00:00:00Z"
        case _:
            raise AssertionError(f"What is no {name}? Nothing hostile is known for {schema}.")
    return [*wrong, f"{right}&{name}={right}"]


def extreme_values(parameter: Json) -> list[str]:
    """Valid values at its limits."""
    match parameter["schema"]:
        case {"type": "integer", "maximum": most}:
            return ["1", str(most), "001"]
        case {"format": "date-time"}:
            return INSTANTS
        case _:
            return []
