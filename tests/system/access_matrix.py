"""Who may do what: the contract as a table of every caller, every route, whosesoever order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

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

# What is answered: a status, and the last part of the problem's type or `gateway`, whose errors
# are no problems.
OUT: Final = "401 gateway"
KIND: Final = "401 unauthenticated"
DENIED: Final = "403 forbidden"
HIDDEN: Final = "404 order-not-found"
NO_DAY: Final = "404 report-not-found"
LOST: Final = "404 route-not-found"
VERB: Final = "405 method-not-allowed"

# What the body asks for: a status, or an order.
ORDER: Final = "PENDING"
PAY: Final = "PAID"
SHIP: Final = "SHIPPED"
CANCEL: Final = "CANCELED"


class Line(NamedTuple):
    """What is asked, of whose, and what each kind of caller is answered."""

    route: str
    whose: str
    asks: str | None
    turned_away: str
    of_another_kind: str
    customer: str
    staff: str

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.route, self.asks, self.whose)))


# fmt: off
MATRIX: Final = [Line(*line) for line in (
    #                                                                   turned of an-  custo-  staff
    # route                                whose              asks      away   other   mer
    ("POST /orders",                       "own",             ORDER,  OUT,   KIND,  "201",  "201"),
    ("POST /orders",                       "another's",       ORDER,  OUT,   KIND,  DENIED, "201"),
    ("POST /orders",                       "nobody's",        ORDER,  OUT,   KIND,  DENIED, "201"),
    ("GET /orders/{orderId}",              "own",             None,   OUT,   KIND,  "200",  "200"),
    ("GET /orders/{orderId}",              "another's",       None,   OUT,   KIND,  HIDDEN, "200"),
    ("GET /orders/{orderId}",              "nobody's",        None,   OUT,   KIND,  HIDDEN, HIDDEN),
    ("PATCH /orders/{orderId}",            "own",             CANCEL, OUT,   KIND,  "200",  "200"),
    ("PATCH /orders/{orderId}",            "own",             PAY,    OUT,   KIND,  DENIED, "200"),
    ("PATCH /orders/{orderId}",            "own, paid",       SHIP,   OUT,   KIND,  DENIED, "200"),
    ("PATCH /orders/{orderId}",            "own, paid",       CANCEL, OUT,   KIND,  DENIED, "200"),
    ("PATCH /orders/{orderId}",            "another's",       CANCEL, OUT,   KIND,  HIDDEN, "200"),
    ("PATCH /orders/{orderId}",            "another's",       PAY,    OUT,   KIND,  HIDDEN, "200"),
    ("PATCH /orders/{orderId}",            "another's, paid", SHIP,   OUT,   KIND,  HIDDEN, "200"),
    ("PATCH /orders/{orderId}",            "nobody's",        CANCEL, OUT,   KIND,  HIDDEN, HIDDEN),
    ("PATCH /orders/{orderId}",            "nobody's",        PAY,    OUT,   KIND,  HIDDEN, HIDDEN),
    ("GET /orders/{orderId}/timeline",     "own",             None,   OUT,   KIND,  "200",  "200"),
    ("GET /orders/{orderId}/timeline",     "another's",       None,   OUT,   KIND,  HIDDEN, "200"),
    ("GET /orders/{orderId}/timeline",     "nobody's",        None,   OUT,   KIND,  HIDDEN, HIDDEN),
    ("GET /customers/{customerId}/orders", "own",             None,   OUT,   KIND,  "200",  "200"),
    ("GET /customers/{customerId}/orders", "another's",       None,   OUT,   KIND,  DENIED, "200"),
    ("GET /customers/{customerId}/orders", "nobody's",        None,   OUT,   KIND,  DENIED, "200"),
    ("GET /orders",                        "everybody's",     None,   OUT,   KIND,  DENIED, "200"),
    ("GET /events",                        "everybody's",     None,   OUT,   KIND,  DENIED, "200"),
    ("GET /reports/daily/{date}",          "one there is",    None,   OUT,   KIND,  DENIED, "200"),
    ("GET /reports/daily/{date}",          "one there isn't", None,   OUT,   KIND,  DENIED, NO_DAY),
    ("GET /health",                        "public",          None,   "200", "200", "200",  "200"),
    ("GET /openapi.json",                  "public",          None,   "200", "200", "200",  "200"),
    ("GET /docs",                          "public",          None,   "200", "200", "200",  "200"),
    ("GET /nowhere",                       "public",          None,   LOST,  LOST,  LOST,   LOST),
    ("DELETE /orders/{orderId}",           "own",             None,   VERB,  VERB,  VERB,   VERB),
    ("PUT /orders/{orderId}",              "another's",       CANCEL, VERB,  VERB,  VERB,   VERB),
)]
# fmt: on

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
        return self.line.asks is not None and self.expected.startswith("2")


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
