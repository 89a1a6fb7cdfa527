"""Who may do what: every caller at every route, for their own order and for anyone else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proof import oracle
from proof.oracle import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Callers, by what they send as Authorization. `authorizations` makes it.
TURNED_AWAY: Final = [
    "expired",
    "not valid before an hour",
    "issued in an hour",
    "wrong issuer",
    "wrong audience",
    "wrong client_id",
    "of another app client",
    "of another user pool",
    "garbage",
    "garbage in three parts",
    "made another's",
    "made staff's",
    "prolonged",
    "alg none",
    "alg NONE",
    "alg none without kid",
    "alg none, signed",
    "without a signature",
    "in two parts",
    "HS256 with the public key (PEM)",
    "HS256 with the public key (PEM, stripped)",
    "HS256 with the public key (PKCS #1)",
    "HS256 with the public key (DER)",
    "HS256 with the public key (JWK)",
    "HS256 with the public key (modulus)",
    "own key, the right kid",
    "own key, no kid",
    "own key, own kid",
    "own key, jwk",
    "own key, jwk, the right kid",
    "own key, jku",
    "own key, jku, the right kid",
    "own key, own issuer",
    "no token",
    "nothing",
    "scheme alone",
    "Basic",
    "Basic, a good token",
    "two tokens, one header",
    "two headers",
    "two schemes",
]
OF_ANOTHER_KIND: Final = [
    "ID token",
    "ID token of staff",
    "refresh token",
    "no sub",
    "a sub that is no customer id",
]
GROUPS: Final = "cognito:groups"
URL_NAME: Final = "https://shop.example.com/roles"

# Customers, by what the pool's signature says of them besides. None of it makes anyone staff.
CLAIMS_OF_CUSTOMERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "in group former staff": {GROUPS: ["former staff"]},
    "in group Warehouse staff": {GROUPS: ["Warehouse staff"]},
    "in group no staff access": {GROUPS: ["no staff access"]},
    "in group staff, with a blank": {GROUPS: ["staff "]},
    "in groups, none of staff": {GROUPS: ["former", "staffing"]},
    "in no group": {GROUPS: []},
    "in a list of a list": {GROUPS: [["staff"]]},
    "with groups as a text of words": {GROUPS: "ops staff"},
    "with groups as the gateway writes them": {GROUPS: "[staff]"},
    "staff by claims that aren't asked": {
        "roles": ["staff"],
        "scope": "staff",
        "scp": "openid staff",
        URL_NAME: ["staff"],
        "realm_access": {"roles": ["staff"]},
        "cognito": {"groups": ["staff"]},
    },
}
CLAIMS_OF_STAFF: Final[Mapping[str, Mapping[str, Any]]] = {
    "staff alone": {GROUPS: ["staff"]},
    "staff, last of three groups": {GROUPS: ["former", "Warehouse staff", "staff"]},
    "staff by a text": {GROUPS: "staff"},
}
CUSTOMERS: Final = [
    "customer A",
    "customer B",
    "in group nonstaff",
    "in group staffing",
    "in group Staff",
    "in group staff-only",
    "no scheme",
    "lower-case scheme",
    "signed again by the pool",
    *CLAIMS_OF_CUSTOMERS,
]
STAFF_MEMBERS: Final = ["staff", *CLAIMS_OF_STAFF]

# Responses: a status, and the last part of the problem's type or `gateway`, whose errors are no
# problem details.
OUT: Final = "401 gateway"
KIND: Final = "401 unauthenticated"
DENIED: Final = "403 forbidden"
HIDDEN: Final = "404 order-not-found"
NO_DAY: Final = "404 report-not-found"
LOST: Final = "404 route-not-found"
VERB: Final = "405 method-not-allowed"

NO_SUCH_DAY: Final = "a day without a report"


class Line(NamedTuple):
    """What is asked, of whose, and what each kind of caller gets.

    `status` is the order's, where the line is about one; `asks` is the status that it should get.
    """

    route: str
    whose: str
    status: str | None
    asks: str | None
    turned_away: str
    of_another_kind: str
    customer: str
    staff: str

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.route, self.whose, self.status, self.asks)))

    @property
    def writes(self) -> bool:
        return not self.route.startswith(("GET ", "HEAD "))


def _lines_of(key: str, route: oracle.Route) -> Iterator[Line]:
    """Whatever a route can be asked for, and what its audience gets."""
    success = "201" if key == "POST /orders" else "200"
    match route.audience:
        case Audience.EVERYONE:
            yield Line(key, "public", None, None, success, success, success, success)
        case Audience.STAFF:
            whose, status = "everybody's", None
            if "{orderId}" in key:
                whose, status = "own", oracle.FIRST_STATUS
            yield Line(key, whose, status, None, OUT, KIND, DENIED, success)
        case Audience.CUSTOMER:
            yield Line(key, "own", None, None, OUT, KIND, success, success)
            yield Line(key, "another's", None, None, OUT, KIND, DENIED, success)
            yield Line(key, "nobody's", None, None, OUT, KIND, DENIED, success)
        case Audience.OWNER if key.startswith("PATCH "):
            for status in oracle.STATUSES:
                for asks in oracle.TRANSITIONS[status]:
                    may = oracle.customer_may_request(asks, of=status)
                    own = success if may else DENIED
                    yield Line(key, "own", status, asks, OUT, KIND, own, success)
                    yield Line(key, "another's", status, asks, OUT, KIND, HIDDEN, success)
            yield Line(key, "nobody's", None, "CANCELED", OUT, KIND, HIDDEN, HIDDEN)
        case Audience.OWNER:
            first = oracle.FIRST_STATUS
            yield Line(key, "own", first, None, OUT, KIND, success, success)
            yield Line(key, "another's", first, None, OUT, KIND, HIDDEN, success)
            yield Line(key, "nobody's", None, None, OUT, KIND, HIDDEN, HIDDEN)


MATRIX: Final = [
    *(line for key, route in oracle.ROUTES.items() for line in _lines_of(key, route)),
    # What the routes' audiences do not say.
    Line("GET /reports/daily/{date}", NO_SUCH_DAY, None, None, OUT, KIND, DENIED, NO_DAY),
    Line("GET /nowhere", "public", None, None, LOST, LOST, LOST, LOST),
    Line("DELETE /orders/{orderId}", "own", oracle.FIRST_STATUS, None, VERB, VERB, VERB, VERB),
    Line("PUT /orders/{orderId}", "another's", oracle.FIRST_STATUS, None, VERB, VERB, VERB, VERB),
]

CALLERS: Final = (
    dict.fromkeys(TURNED_AWAY, "turned_away")
    | dict.fromkeys(OF_ANOTHER_KIND, "of_another_kind")
    | dict.fromkeys(CUSTOMERS, "customer")
    | dict.fromkeys(STAFF_MEMBERS, "staff")
)
"""The column of each."""


class Cell(NamedTuple):
    """One caller's one request."""

    caller: str
    line: Line

    @property
    def expected(self) -> str:
        response: str = getattr(self.line, CALLERS[self.caller])
        return response

    @property
    def may_write(self) -> bool:
        return self.line.writes and self.expected.startswith("2")


CELLS: Final = [Cell(caller, line) for caller in CALLERS for line in MATRIX]


class Setting(NamedTuple):
    """Settings as for some issuer, and which claims mark staff under them."""

    claim: str
    value: str
    staff: list[Mapping[str, Any]]
    customers: list[Mapping[str, Any]]


def _realm(*roles: str) -> Mapping[str, Any]:
    return {"realm_access": {"roles": roles}}


SETTINGS: Final = {
    "Keycloak": Setting(
        "/realm_access/roles",
        "staff",
        [_realm("staff", "a", "b"), _realm("a", "staff", "b"), _realm("a", "b", "staff")],
        [
            _realm(),
            _realm("former staff"),
            {"realm_access": {}},
            {"realm_access": ["staff"]},
            {"/realm_access/roles": ["staff"]},
            {GROUPS: ["staff"]},
        ],
    ),
    "Auth0": Setting(
        URL_NAME,
        "store staff",
        [{URL_NAME: ["store staff"]}, {URL_NAME: ["a", "store staff"]}, {URL_NAME: "store staff"}],
        [{URL_NAME: ["store", "staff"]}, {URL_NAME: []}, {URL_NAME: "former store staff"}, {}],
    ),
    "Entra, roles": Setting(
        "roles",
        "Orders.Staff",
        [{"roles": ["Orders.Staff"]}, {"roles": ["Orders.Read", "Orders.Staff"]}],
        [{"roles": ["Orders.Staff.Former"]}, {"roles": []}, {"scp": "Orders.Staff"}],
    ),
    "Entra, scp": Setting(
        "scp",
        "Orders.Staff",
        [{"scp": "Orders.Staff"}, {"scp": "Orders.Read Orders.Staff"}],
        [{"scp": "Orders.Staff.Former"}, {"scp": ["Orders.Read Orders.Staff"]}, {"scp": ""}],
    ),
}
