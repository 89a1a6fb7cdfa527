"""What all routes share: who calls, what is not there, problems."""

from __future__ import annotations

import gzip
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
from orders.application import errors
from orders.application.errors import TryAgain
from orders.domain import errors as domain_errors
from orders.domain.errors import OrderError
from orders.functions import not_found
from orders.http import problems
from orders.http.endpoint import endpoint
from orders.http.routes import ROUTES, allowed_methods

if TYPE_CHECKING:
    from orders.http.request import Request
    from orders.http.response import Response
    from orders.http.routes import Route

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
            response = api.send(request(method, target, body, claims=claims))
            assert (response.status, response.problem) == (401, "unauthenticated")
            assert response.headers["WWW-Authenticate"] == "Bearer"
        assert api.orders.calls == []

    @pytest.mark.parametrize(
        "authorizer",
        [
            None,
            {},
            {"lambda": {}},
            {"jwt": None},
            {"jwt": {}},
            {"jwt": {"claims": None}},
            {"jwt": {"claims": {}}},
        ],
    )
    def test_an_authorizer_of_another_kind_is_no_token(
        self, api: Api, authorizer: dict[str, Any] | None
    ) -> None:
        event = request("GET", f"/orders/{AN_ID}")
        event["requestContext"]["authorizer"] = authorizer
        assert api.send(event).status == 401

    def test_the_api_is_healthy(self, api: Api) -> None:
        response = api.get("/health", None)
        assert (response.status, response.json) == (200, {"status": "ok", "version": "unknown"})
        assert response.headers["Cache-Control"] == "no-store"


class TestWhatIsNotThere:
    @pytest.mark.parametrize("path", ["/orders", "/nothing"])
    def test_a_preflight_gets_a_success_without_leave(self, api: Api, path: str) -> None:
        """The gateway adds the leave for the origins that are configured."""
        asking = {"origin": "https://shop.example.com", "access_control_request_method": "POST"}
        response = api.send(request("OPTIONS", path, headers=asking))
        assert (response.status, response.text) == (204, "")
        assert not [name for name in response.headers if name.lower().startswith("access-control")]

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("DELETE", "/orders", "GET, HEAD, POST"),
            ("PUT", f"/orders/{AN_ID}", "GET, HEAD, PATCH"),
            ("DELETE", "/orders/none", "GET, HEAD, PATCH"),
            ("POST", "/health", "GET, HEAD"),
            ("POST", "/customers/cus_42/orders", "GET, HEAD"),
            ("OPTIONS", "/reports/daily/2026-11-23", "GET, HEAD"),
            ("PATCH", "/openapi.json", "GET, HEAD"),
        ],
    )
    def test_a_method_that_a_route_lacks_is_told_the_others(
        self, api: Api, method: str, path: str, allowed: str
    ) -> None:
        for event in (request(method, path), at_stage(request(method, path), "dev")):
            response = api.send(event)
            assert (response.status, response.problem) == (405, "method-not-allowed")
            assert response.headers["Allow"] == allowed

    @pytest.mark.parametrize("public_address", ["https://a.example/v1", "https://a.example/v1/"])
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/v1/orders", 405),
            ("/v1/orders/1/timeline", 405),
            ("/orders", 405),
            ("/v1", 404),
            ("/v1/", 404),
            ("/v1/nowhere", 404),
            ("/v1orders", 404),
            ("/v1x/orders", 404),
            ("/v1/v1/orders", 404),
            ("/x/v1/orders", 404),
        ],
    )
    def test_a_base_path_of_a_custom_domain_is_no_part_of_the_route(
        self, public_address: str, path: str, status: int
    ) -> None:
        assert Api(public_address).send(request("DELETE", path)).status == status

    @pytest.mark.parametrize("public_address", ["", "https://a.example", "https://a.example/"])
    def test_without_a_base_path_there_is_none_to_pass_over(self, public_address: str) -> None:
        api = Api(public_address)
        assert api.send(request("DELETE", "/orders")).status == 405
        assert api.send(request("DELETE", "/v1/orders")).status == 404

    def test_a_base_path_may_have_several_parts(self) -> None:
        api = Api("https://a.example/shop/orders")
        assert api.send(request("DELETE", "/shop/orders/orders")).status == 405
        assert api.send(request("DELETE", "/shop/orders")).status == 404

    def test_a_base_path_ends_where_a_part_of_the_path_does(self) -> None:
        assert Api("https://a.example/or").send(request("DELETE", "/orders")).status == 405

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
            response = api.send(event | {"routeKey": "$default"})
            assert (response.status, response.problem) == (404, "route-not-found")

    def test_no_token_is_needed_to_be_told(self, api: Api) -> None:
        assert api.get("/nowhere", None).status == 404

    def test_the_root_of_a_stage_is_not_found(self) -> None:
        event = at_stage(request("GET", ""), "dev")
        assert not_found.handler(event, None)["statusCode"] == 404

    def test_each_route_is_found_by_its_own_path(self) -> None:
        for route in ROUTES:
            methods = allowed_methods(re.sub(r"\{\w+\}", "x.1", route.path))
            assert set(route.methods) <= set(methods)


class TestHead:
    @pytest.mark.parametrize(
        "route",
        [route for route in ROUTES if route.method == "GET" and route.function != "api-docs"],
    )
    @pytest.mark.parametrize("claims", [STAFF_CLAIMS, CUSTOMER_CLAIMS, None])
    def test_is_answered_as_get_without_a_body(
        self, api: Api, route: Route, claims: dict[str, Any] | None
    ) -> None:
        order_id = api.post().json["orderId"]
        path = route.path.format(orderId=order_id, customerId="cus_42", date="2026-11-23")
        for target in (path, f"{path}?status=PENDING", f"{path}?limit=0"):
            got = api.get(target, claims)
            head = api.head(target, claims)
            assert (head.status, head.headers, head.text) == (got.status, got.headers, "")

    @pytest.mark.parametrize(
        "headers", [{"if_none_match": '"1"'}, {"if_match": '"2"'}, {"if_match": "1"}]
    )
    def test_has_the_preconditions_of_get(self, api: Api, headers: dict[str, str]) -> None:
        target = f"/orders/{api.post().json['orderId']}"
        got = api.get(target, claims=CUSTOMER_CLAIMS, **headers)
        head = api.head(target, claims=CUSTOMER_CLAIMS, **headers)
        assert got.status in {304, 412, 400}
        assert (head.status, head.headers, head.text) == (got.status, got.headers, "")

    def test_of_what_is_not_there_has_no_body_either(self, api: Api) -> None:
        for target in ("/nowhere", f"/orders/{AN_ID}", "/orders/1"):
            response = api.head(target)
            assert (response.status, response.text) == (404, "")
            assert response.headers["Content-Type"] == "application/problem+json"


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
        response = api.post(body)
        assert (response.status, response.problem) == (400, "malformed-request")

    @pytest.mark.parametrize(
        "body", [b'"\xff"', b'{"a":"\xc3"}', b'"\xed\xa0\x80"', b"\xff\xfe{\x00}\x00", b"\x80"]
    )
    def test_that_are_no_utf_8_are_not_read(self, api: Api, body: bytes) -> None:
        for method, target in (("POST", "/orders"), ("PATCH", f"/orders/{AN_ID}")):
            kind = {"content-type": "application/json"}
            response = api.send(request(method, target, body, headers=kind))
            assert (response.status, response.problem) == (400, "malformed-request")

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
        response = api.send(event)
        assert response.status == status
        if status == 413:
            assert response.problem == "payload-too-large"

    @pytest.mark.parametrize("media_type", ["", "text/plain", MERGE_PATCH, "application/jsonp"])
    def test_of_another_media_type_are_told_which_to_send(self, api: Api, media_type: str) -> None:
        response = api.post(content_type=media_type)
        assert (response.status, response.problem) == (415, "unsupported-media-type")
        assert response.headers["Accept"] == "application/json"

    @pytest.mark.parametrize(
        "coding", ["gzip", "GZIP", "br", "identity, gzip", "gzip,", ",deflate", "x", "identity;q=1"]
    )
    def test_that_are_encoded_are_told_to_come_plain(self, api: Api, coding: str) -> None:
        content = gzip.compress(json.dumps(order_body()).encode())
        sent = {"content-type": "application/json", "content-encoding": coding}
        for method, target in (("POST", "/orders"), ("PATCH", f"/orders/{AN_ID}")):
            response = api.send(request(method, target, content, headers=sent))
            assert (response.status, response.problem) == (415, "unsupported-media-type")
            assert response.headers["Accept-Encoding"] == "identity"
            assert not {"Accept", "Accept-Patch"} & response.headers.keys()
        assert api.orders.orders == {}

    @pytest.mark.parametrize("coding", ["identity", "Identity", "", ",", " identity , identity,"])
    def test_that_are_plain_may_say_so(self, api: Api, coding: str) -> None:
        assert api.post(content_encoding=coding).status == 201

    def test_of_another_media_type_are_not_told_about_codings(self, api: Api) -> None:
        """RFC 9110, section 12.5.3: a client is to know which of the two was at fault."""
        assert "Accept-Encoding" not in api.post(content_type="text/plain").headers

    def test_of_no_media_type_are_told_which_to_send(self, api: Api) -> None:
        event = request("POST", "/orders", order_body())
        del event["headers"]["content-type"]
        assert api.send(event).problem == "unsupported-media-type"


class TestProblems:
    def response(self, error: Exception) -> dict[str, Any]:
        def fail(_: Request) -> Response:
            raise error

        return endpoint(fail)(request("GET", "/health"), None)

    def test_has_the_members_of_rfc_9457(self, api: Api) -> None:
        response = api.get(f"/orders/{AN_ID}")
        assert response.json == {
            "type": "/docs#order-not-found",
            "title": problems.ORDER_NOT_FOUND.title,
            "status": 404,
            "detail": "There is no such order.",
            "instance": REQUEST_ID,
        }
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["Cache-Control"] == "no-store"

    def test_every_error_of_the_domain_that_a_caller_may_see_has_its_type(self) -> None:
        family = {
            error
            for error in (vars(domain_errors) | vars(errors)).values()
            if isinstance(error, type) and issubclass(error, OrderError) and error is not OrderError
        }
        assert family == set(problems.PROBLEM_TYPES)

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
            (422, "payments-not-configured"),
            (422, "idempotency-key-reused"),
            (500, "internal-error"),
            (503, "try-again"),
        }

    @pytest.mark.parametrize(
        "error", [RuntimeError("secret"), KeyError("secret"), errors.MalformedRow("secret")]
    )
    def test_an_error_that_is_none_of_the_callers_says_nothing(self, error: Exception) -> None:
        response = self.response(error)
        assert response["statusCode"] == 500
        assert json.loads(response["body"]) == {
            "type": "/docs#internal-error",
            "title": problems.INTERNAL_ERROR.title,
            "status": 500,
            "detail": "The request could not be processed.",
            "instance": REQUEST_ID,
        }

    def test_a_store_out_of_reach_says_when_to_try_again(self) -> None:
        response = self.response(TryAgain())
        assert (response["statusCode"], response["headers"]["Retry-After"]) == (503, "1")

    def test_only_that_has_a_time_to_try_again(self) -> None:
        assert "Retry-After" not in self.response(errors.OrderNotFound())["headers"]
