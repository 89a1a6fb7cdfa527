"""The rows of an order agree with each other, with their index and with the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from proof.checks.violations import Kind, Violation
from proof.oracle import FIRST_STATUS, SUMMARY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Life
    from proof.history import History, Json

_SHARDS: Final = 8


def check_rows(evidence: Evidence) -> Iterator[Violation]:
    yield from _stream(evidence.history)
    yield from _out_of_place(evidence.history)
    for life in (*evidence.lives.values(), *evidence.strays):
        yield from _pair(life)


def _stream(history: History) -> Iterator[Violation]:
    """Each row is as the last commit left it: what the stream says is what happened."""
    left: dict[tuple[str, str], Json | None] = {}
    for commit in history.commits:
        left[commit.pk, commit.sk] = commit.new
    rows = {(row["pk"], row["sk"]): row for row in history.rows}
    for pk, sk in left.keys() | rows.keys():
        if left.get((pk, sk)) != rows.get((pk, sk)):
            detail = f"row {pk} {sk} is not as its last commit left it"
            yield Violation(Kind.STREAM_DISAGREES, detail, _order_of(pk))


def _out_of_place(history: History) -> Iterator[Violation]:
    """Only records of keys expire; only a new order's own row has a payment token."""
    for commit in history.commits:
        row = commit.new or {}
        what = f"row {commit.pk} {commit.sk}"
        if "purgeAt" in row and not commit.pk.startswith("IDEMPOTENCY#"):
            yield Violation(Kind.ROW_EXPIRES, f"{what} expires", _order_of(commit.pk))
        if "paymentToken" in row and (commit.sk, row.get("status")) != ("DETAIL", FIRST_STATUS):
            detail = f"{what} has a payment token, and is {row.get('status')}"
            yield Violation(Kind.TOKEN_KEPT, detail, _order_of(commit.pk))


def _pair(life: Life) -> Iterator[Violation]:
    detail, customer_row = life.detail, life.customer_row
    if detail and not customer_row:
        what = f"order {life.order_id} is not among its customer's"
        yield Violation(Kind.DETAIL_WITHOUT_CUSTOMER_ROW, what, life.order_id)
    if customer_row and not detail:
        what = f"{customer_row['pk']} has order {life.order_id}, which is not there"
        yield Violation(Kind.CUSTOMER_ROW_WITHOUT_DETAIL, what, life.order_id)
    if detail and customer_row:
        wrong = [
            name for name in sorted(SUMMARY_FIELDS) if detail.get(name) != customer_row.get(name)
        ]
        if wrong or customer_row["pk"] != f"CUSTOMER#{detail['customerId']}":
            what = f"detail and customer row of {life.order_id} disagree on {', '.join(wrong)}"
            yield Violation(Kind.ROWS_DISAGREE, what, life.order_id)
    shard = crc32(life.order_id.encode()) % _SHARDS
    if detail:
        yield from _index(life, detail, f"STATUS#{detail['status']}#{shard}")
    if customer_row:
        yield from _index(life, customer_row, f"CUST_ORDERS#{customer_row['customerId']}")
    for version, (*_, event) in life.events.items():
        place = f"{event['recordedAt']}#{life.order_id}#{version:010}"
        yield from _index(life, event, f"EVENTS#{shard}", place)


def _index(life: Life, row: Json, partition: str, place: str | None = None) -> Iterator[Violation]:
    """`place` is by creation, where it isn't given."""
    expected = partition, place or f"{row['createdAt']}#{life.order_id}"
    found = row.get("gsi1pk"), row.get("gsi1sk")
    if found != expected:
        what = f"row {row['pk']} {row['sk']} is indexed as {found}, not as {expected}"
        yield Violation(Kind.INDEX_WRONG, what, life.order_id)


def _order_of(pk: str) -> str | None:
    return pk.removeprefix("ORDER#") if pk.startswith("ORDER#") else None
