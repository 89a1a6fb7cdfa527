"""What all routes share: callers, methods, bodies, problems."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from gateway import (
    CUSTOMER_CLAIMS,
    MERGE_PATCH,
    OTHER_CLAIMS,
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
from orders.http import problems
from orders.http.endpoint import endpoint
from orders.http.routes import ROUTES
from proof import oracle
from proof.oracle import Audience
from sample_requests import KEYS, api_with_samples, sample_request, sample_target

if TYPE_CHECKING:
    from gateway import Event
    from orders.http.request import Request
    from orders.http.response import Response

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
AN_ID = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
REFUSED = {
    Audience.OWNER: (404, "order-not-found"),
    Audience.CUSTOMER: (403, "forbidden"),
    Audience.STAFF: (403, "forbidden"),
}
GUARDED = [key for key, route in oracle.ROUTES.items() if route.audience in REFUSED]
READS = [key for key in KEYS if key.startswith("GET ")]


@pytest.fixture
def api() -> Api:
    return api_with_samples()


def test_the_routes_are_those_of_the_contract() -> None:
    found = {route.key: route.function for route in ROUTES}
    assert found == {key: route.function for key, route in oracle.ROUTES.items()}


class TestCallers:
    @pytest.mark.parametrize("key", GUARDED)
    def test_a_guarded_route_serves_staff(self, api: Api, key: str) -> None:
        assert api.send(sample_request(key, claims=STAFF_CLAIMS)).status in {200, 201}

    @pytest.mark.parametrize("key", GUARDED)
    @pytest.mark.parametrize("claims", [None, {}])
    def test_a_guarded_route_refuses_a_request_without_a_token(
        self, api: Api, key: str, claims: Event | None
    ) -> None:
        response = api.send(sample_request(key, claims=claims))
        assert (response.status, response.problem) == (401, "unauthenticated")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert api.orders.calls == []

    @pytest.mark.parametrize("key", GUARDED)
    def test_a_guarded_route_refuses_customers_whom_it_does_not_serve(
        self, api: Api, key: str
    ) -> None:
        response = api.send(sample_request(key, claims=OTHER_CLAIMS))
        assert (response.status, response.problem) == REFUSED[oracle.ROUTES[key].audience]

    @pytest.mark.parametrize("key", READS)
    def test_a_customer_reads_what_is_theirs_and_what_is_everyones(
        self, api: Api, key: str
    ) -> None:
        is_theirs = oracle.ROUTES[key].audience is not Audience.STAFF
        response = api.send(sample_request(key, claims=CUSTOMER_CLAIMS))
        assert response.status == (200 if is_theirs else 403)

    @pytest.mark.parametrize("key", GUARDED)
    def test_a_guarded_route_refuses_a_query_parameter_that_it_does_not_know(
        self, api: Api, key: str
    ) -> None:
        event = sample_request(key, claims=STAFF_CLAIMS)
        event["queryStringParameters"] = event.get("queryStringParameters", {}) | {"unheardOf": "1"}
        response = api.send(event)
        assert (response.status, response.problem) == (400, "malformed-request")
        assert "unheardOf" in response.json["detail"]

    @pytest.mark.parametrize(
        "authorizer",
        [
            *(None, {}, {"lambda": {}}, {"jwt": None}, {"jwt": {}}),
            *({"jwt": {"claims": None}}, {"jwt": {"claims": {}}}),
        ],
    )
    def test_an_authorizer_of_another_kind_verifies_no_token(
        self, api: Api, authorizer: dict[str, Any] | None
    ) -> None:
        event = request("GET", f"/orders/{AN_ID}")
        event["requestContext"]["authorizer"] = authorizer
        assert api.send(event).status == 401

    def test_the_health_check_names_the_deployed_version(self, api: Api) -> None:
        response = api.get("/health", None)
        assert (response.status, response.json) == (200, {"status": "ok", "version": "unknown"})
        assert response.headers["Cache-Control"] == "no-store"


class TestOtherMethodsAndPaths:
    @pytest.mark.parametrize("path", ["/orders", "/nothing"])
    def test_a_preflight_succeeds_and_the_gateway_adds_what_is_allowed(
        self, api: Api, path: str
    ) -> None:
        asking = {"origin": "https://shop.example.com", "access_control_request_method": "POST"}
        response = api.send(request("OPTIONS", path, headers=asking))
        assert (response.status, response.text) == (204, "")
        assert not [name for name in response.headers if name.lower().startswith("access-control")]

    @pytest.mark.parametrize("key", KEYS)
    def test_an_unsupported_method_returns_405_with_allow(self, api: Api, key: str) -> None:
        path = sample_target(key).partition("?")[0]
        allowed = [each for each in METHODS if request(each, path)["routeKey"] != "$default"]
        for method in set(METHODS) - {*allowed, "HEAD"}:
            for event in (request(method, path), at_stage(request(method, path), "dev")):
                response = api.send(event)
                assert (response.status, response.problem) == (405, "method-not-allowed")
                assert response.headers["Allow"] == ", ".join(allowed)

    @pytest.mark.parametrize(
        ("public_address", "path", "status"),
        [
            *(
                (f"https://a.example/v1{slash}", path, status)
                for slash in ("", "/")
                for status, paths in (
                    (405, ("/v1/orders", "/v1/orders/1/timeline", "/orders")),
                    (404, ("/v1", "/v1/", "/v1/nowhere", "/v1orders", "/v1x/orders")),
                    (404, ("/v1/v1/orders", "/x/v1/orders")),
                )
                for path in paths
            ),
            *(
                (address, path, status)
                for address in ("", "https://a.example", "https://a.example/")
                for path, status in (("/orders", 405), ("/v1/orders", 404))
            ),
            ("https://a.example/shop/orders", "/shop/orders/orders", 405),
            ("https://a.example/shop/orders", "/shop/orders", 404),
            ("https://a.example/or", "/orders", 405),
        ],
    )
    def test_the_base_path_of_a_custom_domain_precedes_the_routes_path(
        self, public_address: str, path: str, status: int
    ) -> None:
        assert Api(public_address).send(request("DELETE", path)).status == status

    @pytest.mark.parametrize(
        "path",
        [
            *("", "/", "/order", "/orders/", "/orders//timeline", "/orders/1/2", "/openapixjson"),
            *("/Orders", "/orders/1/timeline/", "/customers/orders", "/health.", "//orders"),
            "/%2e%2e/orders",
        ],
    )
    def test_a_path_without_a_route_is_not_found_with_or_without_a_token(
        self, api: Api, path: str
    ) -> None:
        for claims in (CUSTOMER_CLAIMS, None):
            event = request("GET", path, claims=claims)
            for sent in (event, at_stage(event, "dev")):
                response = api.send(sent | {"routeKey": "$default"})
                assert (response.status, response.problem) == (404, "route-not-found")


class TestHead:
    @pytest.mark.parametrize("key", READS)
    @pytest.mark.parametrize("claims", [STAFF_CLAIMS, OTHER_CLAIMS, None])
    @pytest.mark.parametrize("more", ["", "limit=0"])
    def test_the_response_is_that_of_get_without_its_body(
        self, api: Api, key: str, claims: Event | None, more: str
    ) -> None:
        path, _, query = sample_target(key).partition("?")
        target = f"{path}?{query}&{more}"
        got, head = api.get(target, claims), api.head(target, claims)
        assert (head.status, head.headers, head.text) == (got.status, got.headers, "")

    def test_a_404_has_no_body_either(self, api: Api) -> None:
        for target in ("/nowhere", f"/orders/{AN_ID}", "/orders/1"):
            response = api.head(target)
            assert (response.status, response.text) == (404, "")
            assert response.headers["Content-Type"] == "application/problem+json"


BOTH = [("POST", "/orders"), ("PATCH", f"/orders/{AN_ID}")]


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            *("", " ", "{", "nope", "{'a': 1}", '{"a": 1,}', '{"a": 1} x', "\ufeff{}", "\x00"),
            *('{"a": "\\ud800"}', '{"\\udfff": 1}', '{"a": "\n"}', '{"a": NaN}'),
            *("[" * 100_000, '{"a":' * 50_000, '{"customerId": "\ud800"}'),
            *(b'"\xff"', b'{"a":"\xc3"}', b'"\xed\xa0\x80"', b"\xff\xfe{\x00}\x00", b"\x80"),
        ],
    )
    @pytest.mark.parametrize(("method", "target"), BOTH)
    def test_a_body_that_is_not_json_in_utf_8_is_malformed(
        self, api: Api, method: str, target: str, body: str | bytes
    ) -> None:
        event = request(method, target, body, headers={"content-type": "application/json"})
        assert api.send(event).problem == "malformed-request"

    @pytest.mark.parametrize("body", ["%", "e30", "e30=é", "\ud800", "e 30="])
    def test_a_body_that_is_not_the_base64_it_claims_to_be_is_malformed(
        self, api: Api, body: str
    ) -> None:
        event = request("PATCH", f"/orders/{AN_ID}", {}, claims=STAFF_CLAIMS)
        assert api.send(event | {"body": body, "isBase64Encoded": True}).problem == (
            "malformed-request"
        )

    @pytest.mark.parametrize("is_base64", [False, True])
    @pytest.mark.parametrize("body", [{}, {"body": None}])
    def test_a_missing_body_is_malformed(
        self, api: Api, body: dict[str, None], *, is_base64: bool
    ) -> None:
        event = request("POST", "/orders", order_body())
        del event["body"]
        response = api.send(event | body | {"isBase64Encoded": is_base64})
        assert response.problem == "malformed-request"

    @pytest.mark.parametrize("body", ["null", "[]", "1", "1.5", "true", '"text"', "[{}]"])
    def test_a_body_that_is_no_object_is_invalid_as_a_whole(self, api: Api, body: str) -> None:
        assert api.post(body).pointer == ""

    def test_of_duplicate_members_the_last_counts(self, api: Api) -> None:
        text = json.dumps(order_body(currency="SGD"))
        assert api.post('{"currency": 5, ' + text[1:]).json["currency"] == "SGD"
        assert api.post(text[:-1] + ', "currency": 5}').pointer == "/currency"

    @pytest.mark.parametrize("in_base64", [False, True])
    @pytest.mark.parametrize(("more", "status"), [(0, 201), (1, 413)])
    def test_a_body_may_have_256_kibibytes(
        self, api: Api, more: int, status: int, *, in_base64: bool
    ) -> None:
        """Counted in bytes as they were sent: not in characters, nor as base64."""
        text = json.dumps(order_body(metadata={"a": "é"}), ensure_ascii=False)
        text += " " * (256 * 1024 - len(text.encode()) + more)
        event = request("POST", "/orders", text.encode() if in_base64 else text)
        assert event["isBase64Encoded"] is in_base64
        response = api.send(event)
        assert response.status == status
        assert status == 201 or response.problem == "payload-too-large"

    @pytest.mark.parametrize(
        "media_type", [None, "", "text/plain", MERGE_PATCH, "application/jsonp"]
    )
    def test_a_body_of_another_media_type_is_refused_with_the_one_to_send(
        self, api: Api, media_type: str | None
    ) -> None:
        """Not with the content coding: it must see which was wrong (RFC 9110, 12.5.3)."""
        event = request("POST", "/orders", order_body())
        event["headers"]["content-type"] = media_type
        response = api.send(event)
        assert (response.status, response.problem) == (415, "unsupported-media-type")
        assert response.headers["Accept"] == "application/json"
        assert "Accept-Encoding" not in response.headers

    @pytest.mark.parametrize(
        "coding",
        [
            "gzip",
            "GZIP",
            "br",
            "identity, gzip",
            "gzip,",
            ",deflate",
            "identity;q=1",
            "Xidentity",
            "\u00a0identity",
        ],
    )
    @pytest.mark.parametrize(("method", "target"), BOTH)
    def test_an_encoded_body_is_refused_with_the_coding_to_send(
        self, api: Api, method: str, target: str, coding: str
    ) -> None:
        content = gzip.compress(json.dumps(order_body()).encode())
        sent = {"content-type": "application/json", "content-encoding": coding}
        response = api.send(request(method, target, content, headers=sent))
        assert (response.status, response.problem) == (415, "unsupported-media-type")
        assert response.headers["Accept-Encoding"] == "identity"
        assert not {"Accept", "Accept-Patch"} & response.headers.keys()

    @pytest.mark.parametrize("coding", ["identity", "Identity", "", ",", " identity , identity,"])
    def test_an_unencoded_body_may_say_so(self, api: Api, coding: str) -> None:
        assert api.post(content_encoding=coding).status == 201


class TestProblems:
    def response(self, error: Exception) -> dict[str, Any]:
        def fail(_: Request) -> Response:
            raise error

        return endpoint(fail)(request("GET", "/health"), None)

    def test_a_problem_has_the_members_of_rfc_9457(self, api: Api) -> None:
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
        assert family | {errors.NewerRow} == set(problems.PROBLEM_TYPES)

    @pytest.mark.parametrize(
        "error", [RuntimeError("secret"), KeyError("secret"), errors.MalformedRow("secret")]
    )
    def test_an_unexpected_error_is_a_500_that_says_no_more(self, error: Exception) -> None:
        response = self.response(error)
        assert response["statusCode"] == 500
        assert json.loads(response["body"]) == {
            "type": "/docs#internal-error",
            "title": problems.INTERNAL_ERROR.title,
            "status": 500,
            "detail": "The request could not be processed.",
            "instance": REQUEST_ID,
        }

    def test_only_a_503_says_when_to_try_again(self) -> None:
        response = self.response(TryAgain())
        assert (response["statusCode"], response["headers"]["Retry-After"]) == (503, "1")
        assert "Retry-After" not in self.response(errors.OrderNotFound())["headers"]
