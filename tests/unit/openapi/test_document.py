"""What the OpenAPI document promises about itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from api_document import (
    DOCUMENT,
    OPERATIONS,
    PROBLEM,
    check,
    resolved,
    responses_of,
)
from gateway import item_body
from orders.http import problems
from orders.http.bodies import OrderItemBody
from orders.http.idempotency import parse_key
from orders.http.preconditions import write_condition
from orders.http.request import Request
from orders.http.routes import ROUTES
from orders.http.validation import validated
from orders.openapi.document import VERSION, openapi_document
from proof.oracle import PLATFORM_REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
OF_TOKEN_HOLDERS = [key for key, each in OPERATIONS.items() if each.get("security", True)]


def problem_slugs(key: str) -> set[str]:
    return {
        slug
        for response in responses_of(key).values()
        if PROBLEM in response.get("content", {})
        for slug in response["content"][PROBLEM]["examples"]
    }


def nodes(node: Any, place: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - JSON
    """Every object in the document, with where it is."""
    if isinstance(node, dict):
        yield place, node
        for name, inner in node.items():
            yield from nodes(inner, f"{place}/{name}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from nodes(inner, f"{place}/{index}")


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_the_committed_document_is_the_one_that_is_served() -> None:
    committed = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    assert committed == DOCUMENT, "make generate writes openapi.json anew"


def test_the_version_is_that_of_the_release() -> None:
    assert (ROOT / "VERSION").read_text() == f"{VERSION}\n"


def test_the_operations_are_the_routes() -> None:
    assert set(OPERATIONS) == {route.key for route in ROUTES}


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


def test_the_server_is_the_address_that_was_called() -> None:
    assert openapi_document("https://api.example.com")["servers"] == [
        {"url": "https://api.example.com"}
    ]


def test_no_pattern_or_name_is_specific_to_python() -> None:
    """JSON Schema's `$` has no exception for line feeds, and no client knows our classes."""
    for place, node in nodes(DOCUMENT):
        assert not re.search(r"\(\?!|Body\b", json.dumps(node.get("pattern", ""))), place
    assert not [name for name in DOCUMENT["components"]["schemas"] if name.endswith("Body")]


def test_every_example_follows_its_schema() -> None:
    checked = 0
    for _, node in nodes(DOCUMENT):
        if "schema" in node:
            values = [example["value"] for example in node.get("examples", {}).values()]
            values += [node["example"]] if "example" in node else []
            values += node["schema"].get("examples", [])
            for value in values:
                check(value, node["schema"])
                checked += 1
    assert checked > 50


def test_every_example_of_a_schema_follows_it() -> None:
    for _, node in nodes(DOCUMENT["components"]["schemas"]):
        for value in node.get("examples", ()):
            check(value, node)


def test_request_bodies_refuse_unknown_fields() -> None:
    for operation in OPERATIONS.values():
        for content in operation.get("requestBody", {"content": {}})["content"].values():
            assert resolved(content["schema"])["additionalProperties"] is False


class TestProblems:
    def test_every_type_is_documented_with_its_status(self) -> None:
        documented = {
            (example["value"]["type"], int(status))
            for key in OPERATIONS
            for status, response in responses_of(key).items()
            for example in response.get("content", {}).get(PROBLEM, {}).get("examples", {}).values()
        }
        elsewhere = {problems.ROUTE_NOT_FOUND, problems.METHOD_NOT_ALLOWED}
        assert documented == {
            (f"/docs#{each.slug}", each.status)
            for each in vars(problems).values()
            if isinstance(each, problems.ProblemType) and each not in elsewhere
        }

    def test_the_responses_of_no_operation_are_documented_beside_them(self) -> None:
        shared = DOCUMENT["components"]["responses"]
        not_found, not_allowed = shared["RouteNotFound"], shared["MethodNotAllowed"]
        assert "route-not-found" in not_found["content"][PROBLEM]["examples"]
        assert "method-not-allowed" in not_allowed["content"][PROBLEM]["examples"]
        assert "Allow" in not_allowed["headers"]

    @pytest.mark.parametrize("key", OF_TOKEN_HOLDERS)
    def test_a_missing_token_is_documented_in_both_forms(self, key: str) -> None:
        content = responses_of(key)["401"]["content"]
        assert content[PROBLEM]["examples"].keys() == {"unauthenticated"}
        gateway = content["application/json"]["examples"]["gateway"]["value"]
        assert gateway == {"message": "Unauthorized"}

    @pytest.mark.parametrize("key", OPERATIONS)
    def test_throttling_and_faults_are_documented_for_every_operation(self, key: str) -> None:
        assert {"429", "500", "503"} <= OPERATIONS[key]["responses"].keys()
        assert ("try-again" in problem_slugs(key)) == (key in OF_TOKEN_HOLDERS)


class TestParameters:
    @pytest.mark.parametrize(
        "key",
        [
            *("k", "#", "+-.", "x" * 255, "x" * 256, "a b", "", "é", "k,k"),
            *('"k"', r'"a\"b"', '"a', 'a"', '""', '"a b"', '"k,k"', '"k","k"'),
        ],
    )
    def test_the_pattern_of_a_key_matches_what_is_accepted(self, key: str) -> None:
        pattern = _pattern("POST /orders", "Idempotency-Key")
        assert bool(pattern.search(key)) == _accepted(parse_key, "idempotency-key", key)

    @pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
    @pytest.mark.parametrize(
        "tags",
        ['"1"', '"1", "2"', 'W/"1"', "*", "1", '"1" "2"', '"1",', '"1",,"2"', "*,", ",", '"', ""],
    )
    def test_the_pattern_of_etags_matches_what_is_accepted(self, name: str, tags: str) -> None:
        pattern = _pattern("PATCH /orders/{orderId}", name)
        assert bool(pattern.search(tags)) == _accepted(write_condition, name.lower(), tags)


class TestBodies:
    @pytest.mark.parametrize(
        "sku", ["a", "S&M", " a", "a\u00a0", "a\nb", "a\x85b", "\u2028", "a" * 65]
    )
    def test_the_schema_of_a_sku_matches_what_is_accepted(self, sku: str) -> None:
        schema = DOCUMENT["components"]["schemas"]["OrderItem"]
        item = item_body(sku=sku)
        assert Draft202012Validator(schema).is_valid(item) == _valid(item)

    @pytest.mark.parametrize("reason", [*sorted(PLATFORM_REASONS), "Expired", ""])
    def test_the_schema_of_a_reason_excludes_the_platforms_own(self, reason: str) -> None:
        schema = DOCUMENT["components"]["schemas"]["StatusChange"]["properties"]["reason"]
        described = Draft202012Validator(schema).is_valid(reason)
        assert described == (reason not in PLATFORM_REASONS)


LINKS = [
    (key, link)
    for key in OPERATIONS
    for response in responses_of(key).values()
    for link in response.get("links", {}).values()
]


class TestLinks:
    def test_a_created_order_links_to_what_can_be_done_with_it(self) -> None:
        targets = {link["operationId"] for key, link in LINKS if key == "POST /orders"}
        assert {"getOrder", "updateOrder", "getOrderTimeline"} <= targets

    @pytest.mark.parametrize(("key", "link"), LINKS)
    def test_a_link_leads_to_an_operation_with_such_a_parameter(
        self, key: str, link: dict[str, Any]
    ) -> None:
        target = {each["operationId"]: each for each in OPERATIONS.values()}[link["operationId"]]
        assert link["parameters"].keys() <= {each["name"] for each in target["parameters"]}
        for parameter, expression in link["parameters"].items():
            schema = next(each for each in target["parameters"] if each["name"] == parameter)
            value = _evaluated(expression, key)
            if value is not None:
                check(value, schema["schema"])

    @pytest.mark.parametrize("key", [key for key, link in LINKS if "cursor" in link["parameters"]])
    def test_the_next_page_is_of_the_same_list(self, key: str) -> None:
        link = next(link for of, link in LINKS if of == key and "cursor" in link["parameters"])
        assert link["operationId"] == OPERATIONS[key]["operationId"]
        others = {each["name"]: each["in"] for each in OPERATIONS[key]["parameters"]}
        assert link["parameters"] == {
            name: f"$request.{place}.{name}" for name, place in others.items()
        } | {"cursor": "$response.body#/nextCursor"}


def _evaluated(expression: str, key: str) -> Any:  # noqa: ANN401 - JSON
    """A runtime expression's value in the operation's example; None for what was not sent."""
    success = next(each for status, each in responses_of(key).items() if status[0] == "2")
    if expression.startswith("$response.header."):
        return resolved(success["headers"][expression.rpartition(".")[2]])["example"]
    if expression.startswith("$request."):
        _, place, name = expression.split(".")
        (sent,) = (
            p for p in OPERATIONS[key]["parameters"] if (p["in"], p["name"]) == (place, name)
        )
        return sent.get("example")
    value = next(iter(success["content"]["application/json"]["examples"].values()))["value"]
    for step in expression.removeprefix("$response.body#/").split("/"):
        value = value[int(step)] if step.isdecimal() else value[step]
    return value


def _pattern(key: str, name: str) -> re.Pattern[str]:
    parameter = next(each for each in OPERATIONS[key]["parameters"] if each["name"] == name)
    return re.compile(parameter["schema"]["pattern"])


def _accepted(read: Any, header: str, value: str) -> bool:  # noqa: ANN401 - any reader of a header
    try:
        read(Request({"headers": {header: value}}))
    except problems.RequestError:
        return False
    return True


def _valid(item: object) -> bool:
    try:
        validated(item, OrderItemBody)
    except problems.ValidationFailed:
        return False
    return True
