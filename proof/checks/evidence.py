"""A history, looked through once: what each call was told, and the life of each order."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import msgspec

from proof import oracle
from proof.history import STAFF
from proof.oracle import Shows
from proof.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from proof.history import Call, Commit, History, Json

_EVENT: Final = "EVENT#"
_CURRENT_VERSION: Final = re.compile(r"at version (\d+)")
_FIRST_SERVER_ERROR: Final = 500
_FIRST_REFUSAL: Final = 400


class Operation(StrEnum):
    """What a call asks for: the routes that checks know by name. A call can ask for any other."""

    CREATE = "POST /orders"
    UPDATE = "PATCH /orders/{orderId}"
    GET = "GET /orders/{orderId}"
    TIMELINE = "GET /orders/{orderId}/timeline"
    LIST_CUSTOMER = "GET /customers/{customerId}/orders"
    LIST_STATUS = "GET /orders"
    FEED = "GET /events"
    REPORT = "GET /reports/daily/{date}"


class Outcome(StrEnum):
    """What the client knows of its call. After any 5xx it knows nothing."""

    DONE = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


_SCOPES: Final[Mapping[str, str]] = {Operation.CREATE: "create", Operation.UPDATE: "update"}
"""What idempotency keys are scoped by."""
_PAGES: Final[Mapping[Shows, frozenset[str]]] = {
    Shows.SUMMARIES: oracle.SUMMARY_FIELDS,
    Shows.TIMELINE: oracle.TIMELINE_FIELDS,
    Shows.FEED: oracle.EVENT_FIELDS,
}
_FIELDS: Final[Mapping[Shows, frozenset[str]]] = {
    Shows.ORDER: frozenset(oracle.ORDER),
    Shows.REPORT: oracle.REPORT_FIELDS,
    Shows.HEALTH: frozenset({"status", "version"}),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A call and what its response says. `body` is None where there is none of the right form."""

    call: Call
    operation: str
    """An Operation, another of the oracle's routes, or none that the API has."""
    subject: str
    """The order's id, the customer's id or the date in the path."""
    outcome: Outcome
    body: Json | None

    @property
    def id(self) -> int:
        return self.call.id

    @property
    def is_replay(self) -> bool:
        return self.call.headers.get("idempotent-replayed") == "true"

    @property
    def problem(self) -> str | None:
        """The last part of the problem's type."""
        kind = (self.body or {}).get("type")
        return kind.rpartition("#")[2] if isinstance(kind, str) else None

    @property
    def current_version(self) -> int | None:
        """Of an order that was not at the version that the caller named."""
        found = _CURRENT_VERSION.search(str((self.body or {}).get("detail")))
        return int(found[1]) if found else None

    @property
    def reason(self) -> str | None:
        """Names the logical request that a PATCH belongs to."""
        return (self.call.body or {}).get("reason")

    @property
    def request(self) -> str | None:
        """Names the logical request that a POST belongs to."""
        metadata = (self.call.body or {}).get("metadata")
        return metadata.get("request") if isinstance(metadata, dict) else None


@dataclass(slots=True)
class Life:
    """What the table and its stream say of one order."""

    order_id: str
    images: list[Json] = field(default_factory=list)
    """The detail row as each commit left it."""
    summaries: dict[int, list[Json]] = field(default_factory=dict)
    """How lists show each version."""
    removed: bool = False
    detail: Json | None = None
    customer_row: Json | None = None
    events: dict[int, list[Json]] = field(default_factory=dict)
    """By version, the event's row as each commit left it: one, in a life as it should be."""
    rewritten: set[int] = field(default_factory=set)
    """Versions whose event's row was changed or removed."""
    charge: list[Commit] = field(default_factory=list)
    reservation: list[Commit] = field(default_factory=list)
    _by_version: dict[int, list[Json]] = field(default_factory=dict)

    @property
    def first(self) -> Json:
        return self.images[0]

    @property
    def last(self) -> Json:
        return self.images[-1]

    @property
    def request(self) -> str | None:
        metadata: Json = self.first.get("metadata") or {}
        return metadata.get("request")

    def at(self, version: int) -> list[Json]:
        """Its images at a version: one, in a life as it should be."""
        return self._by_version.get(version, [])

    def event(self, image: Json) -> Json:
        """The row of the version's event; empty where it has none."""
        version = image["version"]
        for event, told in zip(self.events.get(version, []), self.at(version), strict=False):
            if told is image:
                return event
        return {}

    def actor(self, image: Json) -> str:
        """Who made the version, as its event says; empty where it has none."""
        return str(self.event(image).get("actor", ""))

    def add(self, image: Json) -> None:
        """Take what a commit left of the detail row."""
        self.images.append(image)
        self._by_version.setdefault(image["version"], []).append(image)
        summary = _shown(image, oracle.SUMMARY_FIELDS)
        self.summaries.setdefault(image["version"], []).append(summary)

    def version_of(self, status: str) -> int | None:
        """The version that it had the status at; None if it never had, or more than once."""
        versions = [image["version"] for image in self.images if image["status"] == status]
        return versions[0] if len(versions) == 1 else None


class Evidence:
    """A history with its indices."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.told = [_told(call) for call in history.calls]
        self.creates: defaultdict[str, list[Told]] = defaultdict(list)
        """By request."""
        self.updates: defaultdict[tuple[str, str | None], list[Told]] = defaultdict(list)
        """By order and reason."""
        self.keys: defaultdict[tuple[str, str, str], list[Told]] = defaultdict(list)
        """By caller, operation and key."""
        self.lives: dict[str, Life] = {}
        """By order id: every order that ever committed."""
        self.strays: list[Life] = []
        """Rows that speak of an order that never committed."""
        self.by_request: defaultdict[str, list[Life]] = defaultdict(list)
        self.records: dict[tuple[str, str], Json] = {}
        """Idempotency records as last written, by caller and by digest of operation and key."""
        self._index_calls()
        self._index_table()

    def makers(self, life: Life, image: Json) -> list[Told]:
        """The calls that can have made a version; none if the platform made it by itself."""
        if image["version"] == 1:
            calls = self.creates.get(life.request or "", [])
        elif life.actor(image).startswith("system:"):
            return []
        else:
            calls = self.updates.get((life.order_id, image.get("reason")), [])
        return not_refused(calls)

    def is_last(self, told: Told) -> bool:
        """Whether the call began after the run had settled."""
        settled = self.history.settled
        return settled is not None and told.call.start >= settled

    def record(self, caller: str, operation: str, key: str) -> Json | None:
        digest = hashlib.sha256(f"{_SCOPES[operation]} {key}".encode()).hexdigest()
        return self.records.get((caller, digest))

    def _index_calls(self) -> None:
        for told in self.told:
            if told.operation == Operation.CREATE and told.request is not None:
                self.creates[told.request].append(told)
            elif told.operation == Operation.UPDATE:
                self.updates[told.subject, told.reason].append(told)
            key = told.call.key
            if key is not None and told.operation in {Operation.CREATE, Operation.UPDATE}:
                self.keys[told.call.caller, told.operation, bare(key)].append(told)

    def _index_table(self) -> None:
        lives: dict[str, Life] = {}

        def life(order_id: str) -> Life:
            return lives.setdefault(order_id, Life(order_id))

        for commit in self.history.commits:
            owner, _, order_id = commit.pk.partition("#")
            if owner == "ORDER" and commit.old != commit.new:
                _add_commit(life(order_id), commit)
        for row in self.history.rows:
            owner, _, order_id = row["pk"].partition("#")
            if owner == "ORDER":
                _add_row(life(order_id), row)
            elif owner == "CUSTOMER":
                life(row["sk"].removeprefix("ORDER#")).customer_row = row
        for found in lives.values():
            if found.images:
                self.lives[found.order_id] = found
                self.by_request[found.request or ""].append(found)
            else:
                self.strays.append(found)
        self._index_records()

    def _index_records(self) -> None:
        """Calls don't tell the ids of staff: an id that is not a customer's is theirs."""
        customers = {life.first["customerId"] for life in self.lives.values()}
        customers |= {told.call.caller for told in self.told}
        for commit in self.history.commits:
            owner, _, rest = commit.pk.partition("#")
            if owner == "IDEMPOTENCY" and commit.new:
                caller, _, digest = rest.rpartition("#")
                self.records[caller if caller in customers else STAFF, digest] = commit.new


def not_refused(calls: list[Told]) -> list[Told]:
    """Those that may have had an effect."""
    return [told for told in calls if told.outcome is not Outcome.REFUSED]


def order_body(image: Json) -> Json:
    """How the API shows an order whose detail row is this."""
    body = _shown(image, oracle.ORDER)
    body["allowedTransitions"] = list(oracle.TRANSITIONS.get(image["status"], ()))
    return body


def _shown(image: Json, fields: Collection[str]) -> Json:
    """Of a row, with the defaults of what it lacks, and the number, which no row has."""
    stored = {name: image.get(name, oracle.ORDER[name].default) for name in fields}
    shown = {name: value for name, value in stored.items() if value is not oracle.ABSENT}
    return shown | {"orderNumber": order_number(image.get("orderId"))}


def bare(key: str) -> str:
    """A key as it is, without the quotes it may be sent in."""
    return re.sub(r"\\(.)", r"\1", key[1:-1]) if key.startswith('"') else key


def _told(call: Call) -> Told:
    operation, subject = asked(call)
    body = _decoded(call.text)
    if call.status is None or call.status >= _FIRST_SERVER_ERROR:
        outcome = Outcome.UNKNOWN
    elif call.status >= _FIRST_REFUSAL:
        outcome = Outcome.REFUSED
    elif has_form(operation, call, body):
        outcome = Outcome.DONE
    else:
        outcome, body = Outcome.UNKNOWN, None
    return Told(call, operation, subject, outcome, body)


def asked(call: Call) -> tuple[str, str]:
    """The operation, and what the path names."""
    parts = tuple(unquote(part) for part in call.path.strip("/").split("/"))
    for key in oracle.ROUTES:
        method, _, path = key.partition(" ")
        pattern = path.strip("/").split("/")
        if method == call.method and len(pattern) == len(parts):
            pairs = list(zip(pattern, parts, strict=True))
            if all(known == part or known.startswith("{") for known, part in pairs):
                named = [part for known, part in pairs if known.startswith("{")]
                return key, named[0] if named else ""
    return f"{call.method} {call.path}", ""


def _decoded(text: str) -> Json | None:
    try:
        body = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return body if isinstance(body, dict) else None


def has_form(operation: str, call: Call, body: Json | None) -> bool:
    """Whether a success is the one that the operation promises, with a body of its form."""
    route = oracle.ROUTES.get(operation)
    if route is None or call.status != (201 if operation == Operation.CREATE else 200):
        return False
    if route.shows is Shows.OTHER:
        return True
    if body is None or (route.shows is Shows.FEED and not isinstance(body.get("nextCursor"), str)):
        return False
    if route.shows in _PAGES:
        return _is_page(body, _PAGES[route.shows])
    return _has_fields(body, _FIELDS[route.shows])


def _is_page(body: Json, fields: frozenset[str]) -> bool:
    """Staff also see who of them made a timeline's entry."""
    items: Any = body.get("items")
    return (
        body.keys() == {"items", "nextCursor"}
        and isinstance(items, list)
        and all(
            isinstance(item, dict)
            and _has_fields({name: item[name] for name in item.keys() - {"actorId"}}, fields)
            for item in items
        )
    )


def _has_fields(body: Json, fields: frozenset[str]) -> bool:
    return fields - oracle.OPTIONAL <= body.keys() <= fields


def _add_commit(life: Life, commit: Commit) -> None:
    if commit.sk == "DETAIL":
        if commit.new is None:
            life.removed = True
        else:
            life.add(commit.new)
    elif commit.sk == "CHARGE":
        life.charge.append(commit)
    elif commit.sk == "RESERVATION":
        life.reservation.append(commit)
    elif commit.sk.startswith(_EVENT):
        version = int(commit.sk.removeprefix(_EVENT))
        if commit.old:
            life.rewritten.add(version)
        if commit.new:
            life.events.setdefault(version, []).append(commit.new)


def _add_row(life: Life, row: Json) -> None:
    if row["sk"] == "DETAIL":
        life.detail = row
