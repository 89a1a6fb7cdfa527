"""Two customers, sound requests for every operation, and a table that must stay the same."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from api_document import resolved
from proof import oracle
from proof.oracle import Audience
from sample_requests import sample_body
from system.deployment import TABLE, problem_type
from system.described_requests import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx

    from system.deployment import Caller, Deployment, Json
    from system.described_requests import Operation

Outcome = tuple[int, str]
"""A status, and the name of the problem; empty for a success."""
Key = tuple[str, str]

OPERATIONS: Final = [
    one for one in operations() if oracle.ROUTES[one.key].audience is not Audience.EVERYONE
]


def parameters(operation: Operation, place: str) -> dict[str, Json]:
    """Those in the path, the query or the headers, with their schemas."""
    return {
        one["name"]: one | {"schema": resolved(one["schema"])}
        for one in operation.parameters
        if one["in"] == place
    }


class Case(NamedTuple):
    """A request and its expected outcome."""

    name: str
    send: Callable[[], httpx.Response]
    outcome: Outcome


@dataclass
class World:
    """An attacker and a victim, who have orders of their own; ids oldest first."""

    deployment: Deployment
    attacker: Caller
    victim: Caller
    mine: list[str]
    theirs: list[str]
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def with_orders(cls, deployment: Deployment) -> Self:
        """Everything that follows from their orders has happened when it returns."""
        attacker, victim = deployment.new_customer(), deployment.new_customer()
        mine: list[str] = []
        theirs: list[str] = []
        for _ in range(4):  # one after the other, so that each has some of the other's about it
            theirs.append(victim.place()["orderId"])
            mine.append(attacker.place()["orderId"])
        deployment.staff.patch(theirs[1], "PAID").raise_for_status()
        return cls(deployment, attacker, victim, mine, theirs)

    @property
    def staff(self) -> Caller:
        return self.deployment.staff

    def rows(self) -> dict[Key, Json]:
        """The whole table."""
        pages = self.deployment.aws("dynamodb").get_paginator("scan")
        return {
            (row["pk"]["S"], row["sk"]["S"]): row
            for page in pages.paginate(TableName=TABLE, ConsistentRead=True)
            for row in page["Items"]
        }

    def target(self, operation: Operation, query: str | None = None, **path: str) -> str:
        """The operation's path and query: the attacker's first order, and what else it needs."""
        known = {"orderId": self.mine[0], "customerId": self.attacker.id, "date": "2026-11-23"}
        needed = {
            name: one["schema"]["enum"][0]
            for name, one in parameters(operation, "query").items()
            if one.get("required")
        }
        pairs = [f"{name}={value}" for name, value in needed.items() if not _has(query, name)]
        pairs += [] if query is None else [query]
        return operation.path.format(**known | path) + ("?" if pairs else "") + "&".join(pairs)

    def body(self, operation: Operation) -> Json:
        """The document's first example; an order is the attacker's."""
        body: Any = sample_body(operation.key)
        return self.attacker.order() if "customerId" in body else body

    def send(
        self,
        operation: Operation,
        query: str | None = None,
        *,
        headers: Any = None,  # noqa: ANN401 - whatever httpx takes, bytes too
        content: str | bytes | None = None,
        media_type: str | None = None,
        **path: str,
    ) -> httpx.Response:
        """A request by staff, who may do everything; sound but for what is given."""
        sent = dict(headers or {})
        if operation.content:
            sent[b"Content-Type"] = (
                operation.content_type if media_type is None else media_type
            ).encode()
            content = json.dumps(self.body(operation)) if content is None else content
        return self.staff.http.request(
            operation.method, self.target(operation, query, **path), headers=sent, content=content
        )

    def cases(
        self, where: str, outcome: Outcome, operations: Iterable[Operation], **values: Iterable[Any]
    ) -> list[Case]:
        """Every operation with every value of one argument of `send`."""
        ((argument, given),) = values.items()
        return [
            Case(
                f"{operation.key} {where} {value!r:.60}",
                partial(self.send, operation, **{argument: value}),
                outcome,
            )
            for operation in operations
            for value in given
        ]

    def refused(self, cases: Iterable[Case]) -> None:
        """Each gets its problem, and the table stays the same."""
        before = self.rows()
        self.get_outcomes(cases)
        written = changed(before, self.rows())
        assert not written, written

    def get_outcomes(self, cases: Iterable[Case]) -> None:
        """Raises AssertionError with all cases that had another outcome."""
        wrong = []
        for case in cases:
            outcome = outcome_of(case.send())
            self.counts["refused" if outcome[0] >= 400 else "accepted by design"] += 1
            if outcome != case.outcome:
                wrong.append((case.name, outcome, case.outcome))
        assert not wrong, wrong

    def accepted(self, made: httpx.Response, caller: Caller | None = None) -> Json:
        """The new order; its timeline has it too."""
        order: Json = made.raise_for_status().json()
        assert len((caller or self.attacker).timeline(order["orderId"])) == 1
        self.counts["accepted by design"] += 1
        return order

    def orders(self, caller: Caller, of: str = "", **query: str) -> httpx.Response:
        """The customer's list, by default the caller's own."""
        return caller.http.get(f"/customers/{of or caller.id}/orders", params=query)


def _has(query: str | None, name: str) -> bool:
    return query is not None and f"&{query}".find(f"&{name}=") >= 0


def outcome_of(response: httpx.Response) -> Outcome:
    return response.status_code, problem_type(response) if response.status_code >= 400 else ""


def ids_of(page: httpx.Response) -> list[str]:
    return [item["orderId"] for item in page.raise_for_status().json()["items"]]


def changed(before: dict[Key, Json], after: dict[Key, Json]) -> set[Key]:
    """The keys of the rows that differ."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
