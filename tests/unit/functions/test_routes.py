"""What all routes share: who calls, what is not there, problems."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from gateway import (
    CUSTOMER_CLAIMS,
    MERGE_PATCH,
    REQUEST_ID,
    STAFF_CLAIMS,
    at_stage,
    order_body,
    request,
)
from orders.domain import errors
from orders.domain.errors import OrderError, TryAgain
from orders.functions import not_found
from orders.http import problems
from orders.http.caller import Claims
from orders.http.endpoint import endpoint
from orders.http.routes import ROUTES, allowed_methods

if TYPE_CHECKING:
    from orders.http.request import Request
    from orders.http.response import Response

AN_ID = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
GUARDED: list[tuple[str, str, object]] = [
    ("POST", "/orders", order_body()),
    ("GET", "/orders?status=PENDING", None),
    ("GET", f"/orders/{AN_ID}", None),
    ("PATCH", f"/orders/{AN_ID}", {"status": "PAID"}),
    ("GET", f"/orders/{AN_ID}/timeline", None),
    ("GET", "/customers/cus_42/orders", None),
    ("GET", "/events", None),
    ("GET", "/reports/daily/2026-11-23", None),
]
OPEN = {"GET /health", "GET /openapi.json", "GET /docs"}


@pytest.fixture
def api() -> Api:
    return Api()


class TestWithoutAToken:
    def test_every_route_is_guarded_or_known_to_be_open(self) -> None:
        keys = {request(method, target)["routeKey"] for method, target, _ in GUARDED}
        assert keys | OPEN == {route.key for route in ROUTES}

    @pytest.mark.parametrize(("method", "target", "body"), GUARDED)
    def test_a_guarded_route_answers_nobody(
        self, api: Api, method: str, target: str, body: object
    ) -> None:
        no_claims: tuple[dict[str, Any] | None, ...] = (None, {})
        for claims in no_claims:
            answer = api.send(request(method, target, body, claims=claims))
            assert (answer.status, answer.problem) == (401, "unauthenticated")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert api.orders.calls == []

    @pytest.mark.parametrize("authorizer", [None, {}, {"jwt": None}, {"jwt": {}}, {"lambda": {}}])
    def test_an_authorizer_of_another_kind_is_no_token(
        self, api: Api, authorizer: dict[str, Any] | None
    ) -> None:
        event = request("GET", f"/orders/{AN_ID}")
        event["requestContext"]["authorizer"] = authorizer
        assert api.send(event).status == 401

    def test_the_api_is_healthy(self, api: Api) -> None:
        answer = api.get("/health", None)
        assert (answer.status, answer.json) == (200, {"status": "ok"})
        assert answer.headers["Cache-Control"] == "no-store"


class TestTokens:
    def status(self, claims: dict[str, Any], api: Api | None = None) -> int:
        """Of a list that only staff see: 200 for staff, 403 for a customer, 401 for nobody."""
        return (api or Api()).get("/orders?status=PAID", claims).status

    @pytest.mark.parametrize("kind", ["id", "refresh", "", "Access", None, 1, ["access"]])
    def test_of_another_kind_are_refused(self, kind: object) -> None:
        assert self.status(STAFF_CLAIMS | {"token_use": kind}) == 401

    def test_without_a_kind_are_taken(self) -> None:
        claims = {name: value for name, value in STAFF_CLAIMS.items() if name != "token_use"}
        assert self.status(claims) == 200

    @pytest.mark.parametrize(
        "sub", ["", "a#b", "a b", "c" * 129, "a/b", "ä", "a\n", None, 1, ["a"]]
    )
    def test_that_name_no_customer_are_refused(self, sub: object) -> None:
        assert self.status(STAFF_CLAIMS | {"sub": sub}) == 401

    def test_that_name_nobody_are_refused(self) -> None:
        assert self.status({"token_use": "access"}) == 401

    @pytest.mark.parametrize("sub", ["auth0|5f7c3e", "c" * 128, "a@b.c", "x:y", "client@clients"])
    def test_of_many_issuers_are_taken(self, sub: str) -> None:
        assert self.status(STAFF_CLAIMS | {"sub": sub}) == 200

    @pytest.mark.parametrize(
        "groups",
        [
            "staff",
            "[staff]",
            "[ops staff]",
            "[staff ops]",
            "ops staff",
            ["staff"],
            ["ops", "staff"],
        ],
    )
    def test_of_staff_are_known_in_every_form(self, groups: object) -> None:
        assert self.status(CUSTOMER_CLAIMS | {"cognito:groups": groups}) == 200

    @pytest.mark.parametrize(
        "groups",
        [
            "nonstaff",
            "staff2",
            "[nonstaff]",
            "[staffing ops]",
            "Staff",
            "staff,ops",
            "[]",
            "",
            [],
            ["nonstaff"],
            ["staff ops"],
            [["staff"]],
            [None],
            {"staff": True},
            None,
            True,
            1,
        ],
    )
    def test_of_others_are_not_taken_for_staff(self, groups: object) -> None:
        assert self.status(CUSTOMER_CLAIMS | {"cognito:groups": groups}) == 403

    def test_claims_are_named_by_the_settings(self) -> None:
        api = Api(claims=Claims("customer", "permissions", "orders:admin"))
        claims = {"sub": "x", "customer": "cus_42", "permissions": ["orders:admin"]}
        assert self.status(claims, api) == 200
        assert self.status(STAFF_CLAIMS, api) == 401
        assert api.post(claims={"customer": "cus_42"}).status == 201


class TestWhatIsNotThere:
    @pytest.mark.parametrize("path", ["/orders", "/nothing"])
    def test_a_preflight_gets_a_success_without_leave(self, api: Api, path: str) -> None:
        """The gateway adds the leave for the origins that are configured."""
        asking = {"origin": "https://shop.example.com", "access_control_request_method": "POST"}
        answer = api.send(request("OPTIONS", path, headers=asking))
        assert (answer.status, answer.text) == (204, "")
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("DELETE", "/orders", "GET, POST"),
            ("PUT", f"/orders/{AN_ID}", "GET, PATCH"),
            ("DELETE", "/orders/none", "GET, PATCH"),
            ("POST", "/health", "GET"),
            ("HEAD", "/orders/1/timeline", "GET"),
            ("POST", "/customers/cus_42/orders", "GET"),
            ("OPTIONS", "/reports/daily/2026-11-23", "GET"),
            ("PATCH", "/openapi.json", "GET"),
        ],
    )
    def test_a_method_that_a_route_lacks_is_told_the_others(
        self, api: Api, method: str, path: str, allowed: str
    ) -> None:
        for event in (request(method, path), at_stage(request(method, path), "dev")):
            answer = api.send(event)
            assert (answer.status, answer.problem) == (405, "method-not-allowed")
            assert answer.headers["Allow"] == allowed

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/order",
            "/orders/",
            "/orders//timeline",
            "/orders/1/2",
            "/openapixjson",
            "/Orders",
            "/orders/1/timeline/",
            "/customers/orders",
            "/health.",
            "//orders",
            "/%2e%2e/orders",
        ],
    )
    def test_a_path_that_no_route_has_is_not_found(self, api: Api, path: str) -> None:
        for event in (request("GET", path), at_stage(request("GET", path), "dev")):
            answer = api.send(event | {"routeKey": "$default"})
            assert (answer.status, answer.problem) == (404, "route-not-found")

    def test_no_token_is_needed_to_be_told(self, api: Api) -> None:
        assert api.get("/nowhere", None).status == 404

    def test_the_root_of_a_stage_is_not_found(self) -> None:
        event = at_stage(request("GET", ""), "dev")
        assert not_found.handler(event, None)["statusCode"] == 404

    def test_each_route_is_found_by_its_own_path(self) -> None:
        for route in ROUTES:
            assert route.method in allowed_methods(re.sub(r"\{\w+\}", "x.1", route.path))


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            "",
            " ",
            "{",
            "nope",
            "{'a': 1}",
            '{"a": 1,}',
            '{"a": 1} x',
            "\ufeff{}",
            '{"a": "\\ud800"}',
            '{"\\udfff": 1}',
            '{"a": "\n"}',
            '{"a": NaN}',
            "[" * 100_000,
            '{"a":' * 50_000,
            "\x00",
        ],
    )
    def test_that_are_no_json_are_not_read(self, api: Api, body: str) -> None:
        answer = api.post(body)
        assert (answer.status, answer.problem) == (400, "malformed-request")

    @pytest.mark.parametrize(
        "body", [b'"\xff"', b'{"a":"\xc3"}', b'"\xed\xa0\x80"', b"\xff\xfe{\x00}\x00", b"\x80"]
    )
    def test_that_are_no_utf_8_are_not_read(self, api: Api, body: bytes) -> None:
        for method, target in (("POST", "/orders"), ("PATCH", f"/orders/{AN_ID}")):
            kind = {"content-type": "application/json"}
            answer = api.send(request(method, target, body, headers=kind))
            assert (answer.status, answer.problem) == (400, "malformed-request")

    def test_that_hold_a_lone_surrogate_of_the_event_are_not_read(self, api: Api) -> None:
        event = request("POST", "/orders", order_body())
        event["body"] = '{"customerId": "\ud800"}'
        assert api.send(event).problem == "malformed-request"

    @pytest.mark.parametrize("body", ["%", "e30", "e30=é", "\ud800", "e 30="])
    def test_that_are_no_base64_are_not_read(self, api: Api, body: str) -> None:
        event = request("PATCH", f"/orders/{AN_ID}", {}, claims=STAFF_CLAIMS)
        event |= {"body": body, "isBase64Encoded": True}
        assert api.send(event).problem == "malformed-request"

    @pytest.mark.parametrize("is_base64", [False, True])
    def test_that_are_missing_are_not_read(self, api: Api, *, is_base64: bool) -> None:
        event = request("POST", "/orders", order_body())
        del event["body"]
        assert api.send(event | {"isBase64Encoded": is_base64}).problem == "malformed-request"

    @pytest.mark.parametrize("body", ["null", "[]", "1", "1.5", "true", '"text"', "[{}]"])
    def test_that_are_no_object_break_a_rule(self, api: Api, body: str) -> None:
        assert api.post(body).pointer == ""

    def test_of_duplicate_members_the_last_counts(self, api: Api) -> None:
        text = json.dumps(order_body(currency="SGD"))
        assert api.post('{"currency": 5, ' + text[1:]).json["currency"] == "SGD"
        assert api.post(text[:-1] + ', "currency": 5}').pointer == "/currency"

    @pytest.mark.parametrize("in_base64", [False, True])
    @pytest.mark.parametrize(("more", "status"), [(0, 201), (1, 413)])
    def test_may_have_256_kibibytes(
        self, api: Api, more: int, status: int, *, in_base64: bool
    ) -> None:
        """Counted in bytes as they were sent, not in characters, nor as base64."""
        text = json.dumps(order_body(metadata={"a": "é"}), ensure_ascii=False)
        text += " " * (256 * 1024 - len(text.encode()) + more)
        event = request("POST", "/orders", text.encode() if in_base64 else text)
        assert event["isBase64Encoded"] is in_base64
        answer = api.send(event)
        assert answer.status == status
        if status == 413:
            assert answer.problem == "payload-too-large"

    @pytest.mark.parametrize("media_type", ["", "text/plain", MERGE_PATCH, "application/jsonp"])
    def test_of_another_media_type_are_told_which_to_send(self, api: Api, media_type: str) -> None:
        answer = api.post(content_type=media_type)
        assert (answer.status, answer.problem) == (415, "unsupported-media-type")
        assert answer.headers["Accept"] == "application/json"

    def test_of_no_media_type_are_told_which_to_send(self, api: Api) -> None:
        event = request("POST", "/orders", order_body())
        del event["headers"]["content-type"]
        assert api.send(event).problem == "unsupported-media-type"


class TestProblems:
    def answer(self, error: Exception) -> dict[str, Any]:
        def fail(_: Request) -> Response:
            raise error

        return endpoint(fail)(request("GET", "/health"), None)

    def test_has_the_members_of_rfc_9457(self, api: Api) -> None:
        answer = api.get(f"/orders/{AN_ID}")
        assert answer.json == {
            "type": "/docs#order-not-found",
            "title": problems.ORDER_NOT_FOUND.title,
            "status": 404,
            "detail": "There is no such order.",
            "instance": REQUEST_ID,
        }
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"

    def test_every_error_of_the_domain_that_a_caller_may_see_has_its_type(self) -> None:
        family = {
            error
            for error in vars(errors).values()
            if isinstance(error, type) and issubclass(error, OrderError) and error is not OrderError
        }
        assert family == set(problems.DOMAIN_PROBLEMS)

    def test_the_types_are_those_of_the_contract(self) -> None:
        found = {
            (kind.status, kind.slug)
            for kind in vars(problems).values()
            if isinstance(kind, problems.ProblemType)
        }
        assert found == {
            (400, "malformed-request"),
            (400, "invalid-cursor"),
            (400, "invalid-idempotency-key"),
            (401, "unauthenticated"),
            (403, "forbidden"),
            (404, "order-not-found"),
            (404, "report-not-found"),
            (404, "route-not-found"),
            (405, "method-not-allowed"),
            (409, "illegal-transition"),
            (412, "precondition-failed"),
            (413, "payload-too-large"),
            (415, "unsupported-media-type"),
            (422, "validation-failed"),
            (422, "idempotency-key-reused"),
            (500, "internal-error"),
            (503, "try-again"),
        }

    @pytest.mark.parametrize(
        "error", [RuntimeError("secret"), KeyError("secret"), errors.MalformedRow("secret")]
    )
    def test_an_error_that_is_none_of_the_callers_says_nothing(self, error: Exception) -> None:
        answer = self.answer(error)
        assert answer["statusCode"] == 500
        assert json.loads(answer["body"]) == {
            "type": "/docs#internal-error",
            "title": problems.INTERNAL_ERROR.title,
            "status": 500,
            "detail": "The request could not be processed.",
            "instance": REQUEST_ID,
        }

    def test_a_store_out_of_reach_says_when_to_try_again(self) -> None:
        answer = self.answer(TryAgain())
        assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")

    def test_only_that_has_a_time_to_try_again(self) -> None:
        assert "Retry-After" not in self.answer(errors.OrderNotFound())["headers"]
