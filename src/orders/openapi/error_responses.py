"""Error responses. Their examples are made by the code that makes the real ones."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from orders.application.errors import OrderNotFound, TryAgain
from orders.http.problems import (
    DOCUMENTATION,
    MethodNotAllowed,
    RouteNotFound,
    Unauthenticated,
    problem_response,
)
from orders.openapi import examples
from orders.openapi.parameters import headers
from orders.openapi.schemas import reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders.http.response import Response
    from orders.openapi.schemas import Node

_GATEWAY_MESSAGES: Final = {
    401: "Unauthorized",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_WHY_THE_GATEWAY: Final = {
    401: "its authorizer found no valid token",
    413: "the request exceeds 10 MB",
    429: "the rate limit was exceeded",
    500: "it could not get a response from the function",
    503: "it could not get a response from the function",
}
_OF_EVERY_PROBLEM: Final = frozenset({"Content-Type", "Cache-Control"})


def responses_to(*errors: Exception) -> Node:
    """The responses by status, with one example per problem type: the type's first error."""
    by_status: defaultdict[int, list[Response]] = defaultdict(list)
    for error in errors:
        response = problem_response(error, examples.REQUEST_ID)
        by_status[response.status].append(response)
    return {str(status): _response(status, by_status[status]) for status in sorted(by_status)}


def _response(status: int, responses: list[Response]) -> Node:
    bodies = [msgspec.json.decode(response.body) for response in responses]
    problems = list({problem["type"]: problem for problem in reversed(bodies)}.values())[::-1]
    title, *others = (problem["title"] for problem in problems)
    names = {name for response in responses for name in response.headers} - _OF_EVERY_PROBLEM
    response: Node = {
        "description": f"{' or '.join((title, *map(str.lower, others)))}.",
        "headers": headers("X-Request-Id", *sorted(names)),
        "content": {
            "application/problem+json": {
                "schema": {
                    "allOf": [reference("Problem")],
                    "properties": {
                        "type": {"enum": [problem["type"] for problem in problems]},
                        "status": {"const": status},
                    },
                    "required": sorted(set.intersection(*(set(each) for each in problems))),
                },
                "examples": {
                    problem["type"].removeprefix(DOCUMENTATION): {
                        "summary": problem["title"],
                        "value": problem,
                    }
                    for problem in problems
                },
            }
        },
    }
    if status in _GATEWAY_MESSAGES:
        response["description"] += (
            f" The gateway itself returns this when {_WHY_THE_GATEWAY[status]}."
        )
        response["content"] |= _gateway_content(status)
    return response


def _gateway_content(status: int) -> Node:
    return {
        "application/json": {
            "schema": reference("GatewayError"),
            "examples": {"gateway": {"value": {"message": _GATEWAY_MESSAGES[status]}}},
        }
    }


def _by_the_gateway(status: int) -> Node:
    return {
        "description": f"{_GATEWAY_MESSAGES[status]}: by the gateway itself, because"
        f" {_WHY_THE_GATEWAY[status]}.",
        "content": _gateway_content(status),
    }


_unauthenticated: Final = Unauthenticated("Send an access token as a bearer token.")
_unexpected: Final = Exception()

SHARED: Final[Node] = {
    "Unauthenticated": responses_to(_unauthenticated)["401"],
    "OrderNotFound": responses_to(OrderNotFound())["404"],
    "RouteNotFound": responses_to(RouteNotFound())["404"],
    "MethodNotAllowed": responses_to(MethodNotAllowed(["GET", "HEAD", "PATCH"]))["405"],
    "TooManyRequests": _by_the_gateway(429),
    "InternalError": responses_to(_unexpected)["500"],
    "TryAgain": responses_to(TryAgain())["503"],
    "ServiceUnavailable": _by_the_gateway(503),
}
"""`RouteNotFound` and `MethodNotAllowed` belong to no operation of the document."""


def shared(names: Mapping[int, str]) -> Node:
    """References to shared responses, by status."""
    return {
        str(status): {"$ref": f"#/components/responses/{name}"} for status, name in names.items()
    }


OF_EVERY_ROUTE: Final = shared(
    {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
)
OF_ORDER_ROUTES: Final = OF_EVERY_ROUTE | shared({401: "Unauthenticated", 503: "TryAgain"})
"""The errors of every route that needs a token and reads the table."""
