"""What the platform responds and holds, against what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from proof.model.expected import ADDRESS
from proof.oracle import EVENT_DATA, FIRST_STATUS, SUMMARY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api import Response
    from proof.model.draft import Draft
    from proof.model.expected import Expected
    from proof.model.model import Model

Rows = dict[tuple[str, str], Any]
"""What is to be known of the row at each primary key."""

_SUMMARY: Final = SUMMARY_FIELDS - {"orderNumber"}
_EVENT: Final = {
    *EVENT_DATA,
    *("type", "previousStatus", "recordedAt", "reason", "actor", "staffId"),
}
_MONEY: Final = {"charged": "CHARGED", "refunded": "REFUNDED"}
"""The states of a charge that moved money."""


def of_responses(response: Response, expected: Expected) -> None:
    """All but the cursor and the link of a page, which the platform may write as it likes."""
    assert response.status == expected.status, response.text
    own = {"X-Request-Id", "Link"}
    assert {
        name: response.headers[name] for name in response.headers.keys() - own
    } == expected.headers
    if expected.body is None:
        assert not response.text
        return
    body = response.json
    if expected.status >= 400:
        body = _without_details(body)
    elif expected.next_page:
        cursor = body.pop("nextCursor")
        assert (cursor is None) == (expected.next_page.position is None)
    assert body == expected.body


def of_links(response: Response, draft: Draft) -> None:
    """The link is the same request with the page's cursor, and is there if the cursor is."""
    cursor = response.json["nextCursor"]
    assert ("Link" in response.headers) == (cursor is not None)
    if cursor is not None:
        address, _, relation = response.headers["Link"].partition(">")
        assert relation == '; rel="next"'
        target = urlsplit(address.removeprefix("<"))
        assert f"{target.scheme}://{target.netloc}{target.path}" == ADDRESS + draft.path
        assert dict(parse_qsl(target.query)) == draft.query | {"cursor": cursor}


def rows_of(model: Model) -> tuple[Rows, int]:
    """The table's rows as the model has them, and how many idempotency records there are."""
    rows: Rows = {}
    for order in model.orders.values():
        pk = f"ORDER#{order.id}"
        token = order.token if order.status == FIRST_STATUS else None
        summary = {name: value for name, value in order.summary().items() if value is not None}
        stored = {name: summary[name] for name in summary.keys() & _SUMMARY}
        rows[pk, "DETAIL"] = stored, token, order.changes[-1].reason
        rows[f"CUSTOMER#{order.customer_id}", f"ORDER#{order.id}"] = stored, None, None
        for change in order.changes:
            event = model.event(change)
            known = event["data"] | {
                "type": event["type"],
                "recordedAt": event["time"],
                "actor": change.actor,
                "staffId": change.staff_id,
            }
            rows[pk, f"EVENT#{change.version:010}"] = {name: known.get(name) for name in _EVENT}
        if order.money in _MONEY:
            rows[pk, "CHARGE"] = _MONEY[order.money]
        if order.is_reserved:
            rows[pk, "RESERVATION"] = "RESERVED"
    for day in model.reports:
        rows["REPORT#DAILY", day.isoformat()] = None
    return rows, len(model.records)


def rows_found(table: Iterable[dict[str, Any]]) -> tuple[Rows, int]:
    """Likewise, of rows in DynamoDB's JSON. Charges without money and released stock are none."""
    rows: Rows = {}
    records = 0
    for row in table:
        place = pk, sk = row["pk"]["S"], row["sk"]["S"]
        state = row.get("state", {}).get("S")
        if pk.startswith("IDEMPOTENCY#"):
            records += 1
        elif sk == "DETAIL" or sk.startswith("ORDER#"):
            token, reason = (row.get(name, {}).get("S") for name in ("paymentToken", "reason"))
            rows[place] = (
                {name: _scalar(row[name]) for name in row.keys() & _SUMMARY},
                token,
                reason,
            )
        elif sk.startswith("EVENT#"):
            rows[place] = {name: _scalar(row[name]) if name in row else None for name in _EVENT}
        elif sk == "CHARGE":
            if state in _MONEY.values():
                rows[place] = state
        elif sk == "RESERVATION":
            if state == "RESERVED":
                rows[place] = state
        else:
            rows[place] = None
    return rows, records


def _scalar(value: dict[str, str]) -> str | int:
    return int(value["N"]) if "N" in value else value["S"]


def _without_details(body: dict[str, Any]) -> dict[str, Any]:
    """A problem without the texts that are for people, each of which is there."""
    assert body.pop("detail")
    for error in body.get("errors", []):
        assert error.pop("detail")
    return body
