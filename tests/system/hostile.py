"""Two customers, what both are told, and the table under them: nothing may be written to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from api import Response
from gateway import MERGE_PATCH, authorizer, bearer
from orders.http.routes import ROUTES
from system.deployment import TABLE, problem_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from system.deployment import Caller, Deployment, Json

Outcome = tuple[int, str]
"""Status, and the problem's name."""
Key = tuple[str, str]
HOW: Final = ("refused", "accepted")


@dataclass(frozen=True, slots=True)
class Case:
    """One request, and what it is answered."""

    name: str
    send: Callable[[], httpx.Response | Response]
    outcome: Outcome


@dataclass
class World:
    """An attacker and a victim, who have orders of their own; ids oldest first."""

    deployment: Deployment
    attacker: Caller
    victim: Caller
    mine: list[str]
    theirs: list[str]
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

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

    def refused(self, what: str, cases: Sequence[Case]) -> None:
        """Each is answered with its problem, and all of them together wrote nothing."""
        before = self.rows()
        self.answered(what, "refused", cases)
        written = changed(before, self.rows())
        assert not written, written

    def answered(self, what: str, how: str, cases: Sequence[Case]) -> None:
        """Raises AssertionError, with all cases whose outcome was another."""
        wrong = [
            (case.name, outcome, case.outcome)
            for case in cases
            if (outcome := outcome_of(case.send())) != case.outcome
        ]
        assert not wrong, wrong
        self.count(what, how, len(cases))

    def post(self, content: str | bytes, media_type: str = "application/json") -> httpx.Response:
        """POST /orders, by the attacker."""
        headers = {"Content-Type": media_type}
        return self.attacker.http.post("/orders", content=content, headers=headers)

    def patch(self, content: str | bytes, media_type: str = MERGE_PATCH) -> httpx.Response:
        """PATCH of an order of the attacker's, who could cancel it."""
        headers = {"Content-Type": media_type}
        return self.attacker.http.patch(f"/orders/{self.mine[0]}", content=content, headers=headers)

    def accepted(self, what: str, made: httpx.Response, caller: Caller | None = None) -> Json:
        """The order that was made; its timeline shows it too."""
        order: Json = made.raise_for_status().json()
        assert len((caller or self.attacker).timeline(order["orderId"])) == 1
        self.count(what, "accepted")
        return order

    def orders(self, caller: Caller, of: str = "", **query: str) -> httpx.Response:
        """The customer's list, by default the caller's own."""
        return caller.http.get(f"/customers/{of or caller.id}/orders", params=query)

    def cursor(self, path: str, query: dict[str, str]) -> str:
        """What staff are told of where the list goes on after its first entry."""
        page = self.staff.http.get(path, params=query | {"limit": "1"}).raise_for_status()
        cursor = page.json()["nextCursor"]
        assert isinstance(cursor, str)
        return cursor

    def invoke(self, event: Json, claims: Json | None = None) -> Response:
        """The answer of the deployed function of the event's route; by default to the attacker."""
        function = next(one.function for one in ROUTES if one.key == event["routeKey"])
        claims = claims or {"sub": self.attacker.id, "token_use": "access"}
        event["headers"]["authorization"] = bearer(claims)
        event["requestContext"]["authorizer"] = authorizer(claims)
        response = self.deployment.invoke(function, event)
        return Response(response["statusCode"], response["headers"], response["body"])

    def count(self, what: str, how: str, cases: int = 1) -> None:
        self.counts[what, how] += cases

    def lines(self) -> list[str]:
        """A table in Markdown."""
        groups = dict.fromkeys(what for what, _ in self.counts)
        rows = [(what, *(self.counts[what, how] for how in HOW)) for what in groups]
        sums = (sum(n for (_, of), n in self.counts.items() if of == how) for how in HOW)
        return [
            "| Hostile input | refused, nothing written | accepted by design |",
            "|---|---:|---:|",
            *(
                f"| {what} | {refused} | {accepted} |"
                for what, refused, accepted in [*rows, ("all", *sums)]
            ),
        ]


def outcome_of(response: httpx.Response | Response) -> Outcome:
    """The problem's name is empty where it is none."""
    if isinstance(response, Response):
        return response.status, response.problem if response.status >= 400 else ""
    return response.status_code, problem_type(response) if response.status_code >= 400 else ""


def ids_of(page: httpx.Response) -> list[str]:
    return [item["orderId"] for item in page.raise_for_status().json()["items"]]


def changed(before: dict[Key, Json], after: dict[Key, Json]) -> set[Key]:
    """The keys of the rows that differ."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
