"""Who the caller is, by token and settings: seen through a list for staff."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from api import Api
from gateway import CUSTOMER_CLAIMS, STAFF_CLAIMS, bearer, request, token, token_of
from orders.http.claims import Claims

REFUSED, CUSTOMER, STAFF = 401, 403, 200
TOKEN = token(STAFF_CLAIMS)
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
URL_NAME = "https://shop.example.com/roles"


def status(
    claims: object = STAFF_CLAIMS, settings: Claims | None = None, *, header: str | None = None
) -> int:
    """Of the list; whatever the header, the gateway has verified something."""
    event = request("GET", "/orders?status=PAID", claims=STAFF_CLAIMS)
    event["headers"]["authorization"] = bearer(claims) if header is None else header
    return Api(claims=settings).send(event).status


def of_groups(groups: object, staff_value: str = "staff") -> int:
    """The status for a member of these groups."""
    settings = Claims("sub", "cognito:groups", staff_value)
    return status(CUSTOMER_CLAIMS | {"cognito:groups": groups}, settings)


def payload(text: str | bytes) -> str:
    return f"Bearer {token_of(text if isinstance(text, bytes) else text.encode())}"


class TestHeader:
    @pytest.mark.parametrize(
        "header",
        [
            *(f"{scheme}{TOKEN}" for scheme in ("Bearer ", "bearer ", "BEARER ", "Bearer   ", "")),
            *(f" \tBearer {TOKEN}\t ", f"Bearer {HEADER}.{PAYLOAD}."),
        ],
    )
    def test_the_token_is_read_with_or_without_its_scheme(self, header: str) -> None:
        assert status(header=header) == STAFF

    @pytest.mark.parametrize(
        "header",
        [
            *("", "Bearer", "Bearer ", PAYLOAD, f"Basic {TOKEN}", f"Bearer Bearer {TOKEN}"),
            *(f"Bearer: {TOKEN}", f"Bearer\t{TOKEN}", f"Bearer\u00a0{TOKEN}", f"Bearer\n{TOKEN}"),
            *(f"Bearer {TOKEN}\n", f"Bearer {TOKEN};q=1", f'Bearer "{TOKEN}"'),
            *(f"Bearer {TOKEN} {TOKEN}", f"Bearer {TOKEN}, {TOKEN}", f"{TOKEN},{TOKEN}"),
            *(f"Bearer {TOKEN},Bearer {TOKEN}", f"Bearer {TOKEN}.{PAYLOAD}"),
            *(f"Bearer {HEADER}.{PAYLOAD}", f"Bearer .{PAYLOAD}.{SIGNATURE}"),
            *(f"Bearer {HEADER}..{SIGNATURE}", f"Bearer {HEADER}. {PAYLOAD}.{SIGNATURE}"),
            f"Bearer {HEADER}.{PAYLOAD}=.{SIGNATURE}",
            f"Bearer {HEADER}.{PAYLOAD[:8]}\u017f{PAYLOAD[8:]}.{SIGNATURE}",
            f"Bearer {HEADER}.{PAYLOAD[:8]}+/{PAYLOAD[8:]}.{SIGNATURE}",
        ],
    )
    def test_anything_but_exactly_one_token_is_refused(self, header: str) -> None:
        assert status(header=header) == REFUSED

    def test_a_request_whose_token_the_gateway_found_elsewhere_is_refused(self) -> None:
        event = request("GET", "/orders?status=PAID", claims=STAFF_CLAIMS)
        del event["headers"]["authorization"]
        assert Api().send(event).status == REFUSED

    def test_a_token_that_the_gateway_did_not_verify_proves_nothing(self) -> None:
        event = request("GET", "/orders?status=PAID", claims=None)
        event["headers"]["authorization"] = bearer(STAFF_CLAIMS)
        assert Api().send(event).status == REFUSED


class TestPayload:
    @pytest.mark.parametrize("rest", ["", "a", "ab", "abc"])
    def test_a_payload_is_read_at_any_length(self, rest: str) -> None:
        assert status(STAFF_CLAIMS | {"jti": rest}) == STAFF

    def test_a_payload_may_use_the_whole_alphabet(self) -> None:
        header = payload(json.dumps(STAFF_CLAIMS | {"name": "ÿþ???>>>~~~"}, ensure_ascii=False))
        assert {"-", "_"} <= set(header)
        assert status(header=header) == STAFF

    def test_a_payload_may_be_huge(self) -> None:
        many = [f"group {number}" for number in range(20_000)]
        assert of_groups(many) == CUSTOMER
        assert of_groups([*many, "staff"]) == STAFF

    def test_of_duplicate_members_the_last_counts(self) -> None:
        first = json.dumps(STAFF_CLAIMS)[:-1]
        assert status(header=payload(f'{first}, "cognito:groups": []}}')) == CUSTOMER
        assert status(header=payload(f'{first}, "token_use": "id"}}')) == REFUSED

    @pytest.mark.parametrize(
        "text",
        [
            *("", "{}", "null", "[]", '"staff"', "1", "{", "{} {}", "\ufeff{}"),
            *(b"\xff", b'{"sub": "\xff"}', '{"sub": "\\ud800"}', '{"sub": NaN}'),
            *("[" * 20_000, '{"sub": "ann", "deep": ' + "[" * 20_000 + "]" * 20_000 + "}"),
        ],
    )
    def test_a_payload_without_an_object_of_claims_is_refused(self, text: str | bytes) -> None:
        assert status(header=payload(text)) == REFUSED

    def test_a_payload_that_is_not_base64url_is_refused(self) -> None:
        text = base64.urlsafe_b64encode(b'{"sub":"ann"}  ').decode()
        assert status(header=f"Bearer {HEADER}.{text}.{SIGNATURE}") == CUSTOMER
        assert status(header=f"Bearer {HEADER}.{text}a.{SIGNATURE}") == REFUSED


class TestCustomer:
    @pytest.mark.parametrize("kind", ["id", "refresh", "", "Access", None, 1, True, ["access"], {}])
    def test_a_token_of_another_kind_is_refused(self, kind: object) -> None:
        assert status(STAFF_CLAIMS | {"token_use": kind}) == REFUSED

    def test_a_token_that_names_no_kind_is_accepted(self) -> None:
        claims = {name: claim for name, claim in STAFF_CLAIMS.items() if name != "token_use"}
        assert status(claims) == STAFF

    @pytest.mark.parametrize(
        "sub",
        ["", "a#b", "a b", "c" * 129, "a/b", "ä", "a\n", None, 1, 1.5, True, ["ann"], {"ann": 1}],
    )
    def test_a_token_without_a_valid_customer_id_is_refused(self, sub: object) -> None:
        assert status(STAFF_CLAIMS | {"sub": sub}) == REFUSED
        assert status({"token_use": "access"}) == REFUSED

    @pytest.mark.parametrize("sub", ["auth0|5f7c3e", "c" * 128, "a@b.c", "x:y", "client@clients"])
    def test_a_customer_id_of_any_issuer_is_accepted(self, sub: str) -> None:
        assert status(STAFF_CLAIMS | {"sub": sub}) == STAFF

    @pytest.mark.parametrize(
        ("setting", "claims"),
        [
            ("customer", {"sub": "x", "customer": "cus_42"}),
            (f"{URL_NAME}.id", {f"{URL_NAME}.id": "cus_42"}),
            ("/customer", {"customer": "cus_42"}),
            ("/shop/customer", {"shop": {"customer": "cus_42"}, "customer": "x"}),
            ("/accounts/1/id", {"accounts": [{"id": "x"}, {"id": "cus_42"}]}),
        ],
    )
    def test_the_setting_says_which_claim_names_the_customer(
        self, setting: str, claims: dict[str, Any]
    ) -> None:
        api = Api(claims=Claims(setting, "roles", "staff"))
        assert api.post(claims=claims).status == 201
        assert api.post(claims={"sub": "cus_42"}).status == REFUSED


KEYCLOAK = "/realm_access/roles"


class TestStaff:
    @pytest.mark.parametrize(
        "groups", [["staff"], ["ops", "staff"], ["staff", "ops"], ["a", "staff", "b"], "staff"]
    )
    def test_members_of_the_group_are_staff(self, groups: object) -> None:
        assert of_groups(groups) == STAFF

    @pytest.mark.parametrize(
        "groups",
        [
            *(["former staff"], ["Warehouse staff"], ["no staff access"], ["staff ops"]),
            *(["Staff"], ["STAFF"], ["staff "], [" staff"], ["staff\n"], ["ｓtaff"], ["staf"]),
            *(["nonstaff"], ["staff-only"], ["staff,ops"], ["[staff]"], [""], []),
            *([["staff"]], [{"staff": True}], [None], [True], [1, 2.5]),
            *("former staff", "staff ops", "[staff]", "[ops staff]", "staff,ops", "Staff", ""),
            *({"staff": True}, {"0": "staff"}, None, True, False, 0, 1.5),
        ],
    )
    def test_members_of_other_groups_are_not_staff(self, groups: object) -> None:
        assert of_groups(groups) == CUSTOMER

    def test_without_the_claim_nobody_is_staff(self) -> None:
        assert status(CUSTOMER_CLAIMS) == CUSTOMER

    @pytest.mark.parametrize(
        ("groups", "expected"),
        [
            *((groups, STAFF) for groups in (["store staff"], ["ops", "store staff"])),
            *((groups, CUSTOMER) for groups in (["store", "staff"], ["store  staff"])),
            *((["former store staff"], CUSTOMER), ("former store staff", CUSTOMER)),
            ("store staff", STAFF),
        ],
    )
    def test_the_name_of_the_group_may_have_a_blank(self, groups: object, expected: int) -> None:
        assert of_groups(groups, "store staff") == expected

    @pytest.mark.parametrize("setting", ["scope", "scp", "/scope", "/scp"])
    @pytest.mark.parametrize(
        ("scope", "expected"),
        [
            *(("orders:staff", STAFF), ("openid orders:staff email", STAFF)),
            *((["openid", "orders:staff"], STAFF), (["openid orders:staff"], CUSTOMER)),
            *(("openid orders:staff-only", CUSTOMER), ("openid\torders:staff", CUSTOMER)),
            *(("openid\u00a0orders:staff", CUSTOMER), ("[openid orders:staff]", CUSTOMER)),
            ("", CUSTOMER),
        ],
    )
    def test_a_scope_is_a_list_of_words(self, setting: str, scope: object, expected: int) -> None:
        settings = Claims("sub", setting, "orders:staff")
        assert status({"sub": "ann", setting.strip("/"): scope}, settings) == expected

    @pytest.mark.parametrize("setting", ["/auth/scope", "scopes", f"{URL_NAME}/scope"])
    def test_no_other_claim_is_a_list_of_words(self, setting: str) -> None:
        words = "openid staff"
        claims = {"sub": "ann", "auth": {"scope": words}, "scopes": words, setting: words}
        assert status(claims, Claims("sub", setting, "staff")) == CUSTOMER

    @pytest.mark.parametrize(
        ("setting", "claims", "expected"),
        [
            # Auth0
            *((URL_NAME, {URL_NAME: roles}, STAFF) for roles in (["staff"], "staff")),
            *((URL_NAME, {URL_NAME: roles}, CUSTOMER) for roles in (["former staff"], [])),
            (URL_NAME, {"https:": {"": {"shop.example.com": {"roles": ["staff"]}}}}, CUSTOMER),
            ("/https:~1~1shop.example.com~1roles", {URL_NAME: ["staff"]}, STAFF),
            # Entra
            ("roles", {"roles": ["Orders.Read", "staff"]}, STAFF),
            ("roles", {"roles": ["no staff access"]}, CUSTOMER),
            # Keycloak
            *(
                (KEYCLOAK, {"realm_access": {"roles": roles}}, STAFF)
                for roles in (["staff", "a", "b"], ["a", "staff", "b"], ["a", "b", "staff"])
            ),
            *(
                (KEYCLOAK, {"realm_access": {"roles": roles}}, CUSTOMER)
                for roles in (["former staff"], [])
            ),
            *((KEYCLOAK, {"realm_access": None}, CUSTOMER), (KEYCLOAK, {}, CUSTOMER)),
            (KEYCLOAK, {"realm_access": "roles"}, CUSTOMER),
            (KEYCLOAK, {"realm_access": ["roles", "staff"]}, CUSTOMER),
            (KEYCLOAK, {"/realm_access/roles": ["staff"]}, CUSTOMER),
            (KEYCLOAK, {"realm_access/roles": ["staff"]}, CUSTOMER),
            ("/realm_access", {"realm_access": {"staff": True}}, CUSTOMER),
            (
                "/resource_access/my.shop~1api/roles",
                {"resource_access": {"my.shop/api": {"roles": ["staff"]}}},
                STAFF,
            ),
            # A name with dots is no path.
            ("realm_access.roles", {"realm_access": {"roles": ["staff"]}}, CUSTOMER),
            ("realm_access.roles", {"realm_access.roles": ["staff"]}, STAFF),
            # RFC 6901
            *(("/m~0n", {"m~n": "staff"}, STAFF), ("/m~01n", {"m~1n": "staff"}, STAFF)),
            *(("/~1roles", {"/roles": "staff"}, STAFF), ("/a b", {"a b": "staff"}, STAFF)),
            ("m~0n", {"m~0n": "staff"}, STAFF),
            ("/roles/0", {"roles": ["staff", "b"]}, STAFF),
            ("/roles/1", {"roles": ["staff", "b"]}, CUSTOMER),
            *(
                (f"/roles/{step}", {"roles": ["a", "staff"]}, CUSTOMER)
                for step in ("2", "01", "-1", "-", "+1", "1.0", "١", " 1", "staff", "1/0")
            ),
            ("/roles/1", {"roles": {"1": "staff"}}, STAFF),
            ("/roles/0", {"roles": "staff"}, CUSTOMER),
        ],
    )
    def test_the_setting_says_which_claim_marks_staff(
        self, setting: str, claims: dict[str, Any], expected: int
    ) -> None:
        assert status({"sub": "ann"} | claims, Claims("sub", setting, "staff")) == expected
