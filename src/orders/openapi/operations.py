"""The operations, by their routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orders.application.caller import CANCEL_ONLY, OWN_ORDERS_ONLY, STAFF_ONLY
from orders.application.errors import (
    Forbidden,
    IdempotencyKeyReused,
    OrderNotFound,
    ReportNotFound,
    VersionMismatch,
)
from orders.domain.errors import IllegalTransition
from orders.domain.status import FIRST_STATUS, TRANSITIONS, OrderStatus
from orders.http.problems import (
    FieldError,
    InvalidCursor,
    InvalidIdempotencyKey,
    MalformedRequest,
    PayloadTooLarge,
    PaymentsNotConfigured,
    PreconditionFailed,
    UnsupportedContentCoding,
    UnsupportedMediaType,
    ValidationFailed,
)
from orders.http.request import JSON, MAX_BODY_BYTES, MERGE_PATCH
from orders.openapi import examples, parameters
from orders.openapi.error_responses import OF_EVERY_ROUTE, OF_ORDER_ROUTES, responses_to
from orders.openapi.parameters import headers
from orders.openapi.schemas import reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orders.openapi.schemas import Node

_NOT_JSON: Final = MalformedRequest("The body could not be parsed as JSON.")
_WRONG_LIMIT: Final = MalformedRequest("limit must be a whole number from 1 to 100.")
_UNKNOWN_PARAMETER: Final = MalformedRequest(
    "Unknown query parameter 'expand'; this route accepts: none."
)
_NO_TAGS: Final = MalformedRequest('If-Match must be * or a list of entity tags such as "1".')
_NOT_THEIRS: Final = Forbidden(OWN_ORDERS_ONLY)
_NOT_STAFF: Final = Forbidden(STAFF_ONLY)

_PUBLIC: Final[list[Any]] = []
_NOT_MODIFIED: Final = "Not modified: the client has the current version."


def _links_from_order(place: str, **of_update: str) -> Node:
    """`place` is the JSON Pointer to the order in the response's body.

    `of_update` are further parameters of the update operation.
    """
    order_id = {"orderId": f"$response.body#{place}/orderId"}
    return {
        "getOrder": {"operationId": "getOrder", "parameters": order_id},
        "updateOrder": {"operationId": "updateOrder", "parameters": order_id | of_update},
        "getOrderTimeline": {"operationId": "getOrderTimeline", "parameters": order_id},
        "listCustomerOrders": {
            "operationId": "listCustomerOrders",
            "parameters": {"customerId": f"$response.body#{place}/customerId"},
        },
    }


def _json(schema: str, **values: Any) -> Node:  # noqa: ANN401 - JSON
    return {
        "application/json": {
            "schema": reference(schema),
            "examples": {name: {"value": value} for name, value in values.items()},
        }
    }


def _order_response(description: str, *names: str, **values: Any) -> Node:  # noqa: ANN401 - JSON
    return {
        "description": description,
        "headers": headers("ETag", "Cache-Control", "X-Request-Id", *names),
        "content": _json("Order", **values),
        "links": _links_from_order("", **{"If-Match": "$response.header.ETag"}),
    }


def _link_to_next_page(operation_id: str, of_operation: Sequence[Node]) -> Node:
    """Repeats the request's parameters, with the cursor of the next page."""
    same = {
        parameter["name"]: f"$request.{parameter['in']}.{parameter['name']}"
        for parameter in of_operation
    }
    return {
        "nextPage": {
            "operationId": operation_id,
            "description": "There is none if `nextCursor` is null.",
            "parameters": same | {"cursor": "$response.body#/nextCursor"},
        }
    }


def _order_page(operation_id: str, of_operation: Sequence[Node]) -> Node:
    return {
        "description": "A page of the list.",
        "headers": headers("Link", "Cache-Control", "X-Request-Id"),
        "content": _json("OrderPage", page=examples.ORDER_PAGE, lastPage=examples.LAST_ORDER_PAGE),
        "links": _links_from_order("/items/0") | _link_to_next_page(operation_id, of_operation),
    }


_TRANSITIONS: Final = "; ".join(
    f"`{before}` to {' or '.join(f'`{status}`' for status in after)}"
    for before, after in TRANSITIONS.items()
    if after
)
_CHANGES: Final = {
    status.lower(): {"value": {"status": status.value}}
    for status in OrderStatus
    if status is not FIRST_STATUS
} | {
    "withReason": {"value": {"status": "CANCELED", "reason": "changed my mind"}},
}


def _published(description: str, media_type: str, schema: Node) -> Node:
    """Descriptions of the API itself: public and cacheable."""
    return {
        "tags": ["About"],
        "security": _PUBLIC,
        "parameters": [parameters.IF_MATCH_OF_READ, parameters.IF_NONE_MATCH],
        "responses": {
            "200": {
                "description": description,
                "headers": headers("X-Request-Id", ETag="PageETag"),
                "content": {media_type: {"schema": schema}},
            },
            "304": {
                "description": _NOT_MODIFIED,
                "headers": headers("X-Request-Id", ETag="PageETag"),
            },
        }
        | responses_to(_NO_TAGS, PreconditionFailed('"2"'))
        | OF_EVERY_ROUTE,
    }


OPERATIONS: Final[Mapping[str, Node]] = {
    "POST /orders": {
        "operationId": "createOrder",
        "summary": "Place an order",
        "description": (
            "Customers order for themselves, staff for anyone. The server computes the amount. With"
            " an `Idempotency-Key` the request can be retried safely. With a `paymentToken` the"
            " platform reserves the items, charges the order and changes it to PAID or CANCELED by"
            " itself, usually within seconds."
        ),
        "tags": ["Orders"],
        "parameters": [parameters.IDEMPOTENCY_KEY],
        "requestBody": {
            "description": "At most 256 KiB. Unknown fields are rejected.",
            "required": True,
            "content": _json(
                "NewOrder",
                order=examples.NEW_ORDER,
                paidByToken=examples.NEW_ORDER_PAID_BY_TOKEN,
            ),
        },
        "responses": {
            "201": _order_response(
                f"The order, {FIRST_STATUS}, at version 1.",
                "Location",
                "Idempotent-Replayed",
                order=examples.PENDING_ORDER,
            )
        }
        | responses_to(
            _NOT_JSON,
            InvalidIdempotencyKey(),
            _NOT_THEIRS,
            PayloadTooLarge(MAX_BODY_BYTES),
            UnsupportedMediaType((JSON,), "POST"),
            UnsupportedContentCoding(),
            ValidationFailed(FieldError("/items/0/quantity", "Expected int, got float.")),
            PaymentsNotConfigured(),
            IdempotencyKeyReused(),
        )
        | OF_ORDER_ROUTES,
    },
    "GET /orders": {
        "operationId": "listOrdersByStatus",
        "summary": "List all orders in one status (staff)",
        "description": (
            "The work queue: all customers' orders in one status. It lags behind changes by"
            " milliseconds."
        ),
        "tags": ["Orders"],
        "parameters": parameters.QUEUE,
        "responses": {"200": _order_page("listOrdersByStatus", parameters.QUEUE)}
        | responses_to(_WRONG_LIMIT, InvalidCursor(), _NOT_STAFF)
        | OF_ORDER_ROUTES,
    },
    "GET /orders/{orderId}": {
        "operationId": "getOrder",
        "summary": "Get an order",
        "description": (
            "Always the last committed version. Customers see their own orders; any other order"
            " returns 404, as if it did not exist."
        ),
        "tags": ["Orders"],
        "parameters": [
            parameters.ORDER_ID,
            parameters.IF_MATCH_OF_READ,
            parameters.IF_NONE_MATCH,
        ],
        "responses": {
            "200": _order_response(
                "The order.", pending=examples.PENDING_ORDER, paid=examples.PAID_ORDER
            ),
            "304": {
                "description": _NOT_MODIFIED,
                "headers": headers("ETag", "Cache-Control", "X-Request-Id"),
            },
        }
        | responses_to(_UNKNOWN_PARAMETER, OrderNotFound(), PreconditionFailed('"2"'))
        | OF_ORDER_ROUTES,
    },
    "PATCH /orders/{orderId}": {
        "operationId": "updateOrder",
        "summary": "Change an order's status",
        "description": (
            f"Allowed transitions: {_TRANSITIONS}. The other statuses are final. Setting the"
            f" current status again is a no-op and returns 200. {CANCEL_ONLY} Staff may make every"
            " transition."
        ),
        "tags": ["Orders"],
        "parameters": [
            parameters.ORDER_ID,
            parameters.IF_MATCH,
            parameters.UNLESS_MATCH,
            parameters.IDEMPOTENCY_KEY,
        ],
        "requestBody": {
            "description": "A merge patch (RFC 7396). Only `status` can be changed.",
            "required": True,
            "content": {
                media_type: {"schema": reference("StatusChange"), "examples": _CHANGES}
                for media_type in (MERGE_PATCH, JSON)
            },
        },
        "responses": {
            "200": _order_response(
                "The order as it is now.",
                "Idempotent-Replayed",
                paid=examples.PAID_ORDER,
                canceled=examples.CANCELED_ORDER,
            )
        }
        | responses_to(
            _NOT_JSON,
            InvalidIdempotencyKey(),
            Forbidden(CANCEL_ONLY),
            OrderNotFound(),
            IllegalTransition(OrderStatus.CANCELED, OrderStatus.PAID),
            VersionMismatch(2),
            PayloadTooLarge(MAX_BODY_BYTES),
            UnsupportedMediaType((MERGE_PATCH, JSON), "PATCH"),
            UnsupportedContentCoding(),
            ValidationFailed(FieldError("/amount", "Unknown field.")),
            IdempotencyKeyReused(),
        )
        | OF_ORDER_ROUTES,
    },
    "GET /orders/{orderId}/timeline": {
        "operationId": "getOrderTimeline",
        "summary": "See what happened to an order",
        "description": (
            "One event per version, oldest first, consistent with the order. Staff also see which"
            " member of staff made a change."
        ),
        "tags": ["Orders"],
        "parameters": parameters.TIMELINE,
        "responses": {
            "200": {
                "description": "A page of the timeline.",
                "headers": headers("Link", "Cache-Control", "X-Request-Id"),
                "content": _json("TimelinePage", timeline=examples.TIMELINE),
                "links": _link_to_next_page("getOrderTimeline", parameters.TIMELINE),
            }
        }
        | responses_to(_WRONG_LIMIT, InvalidCursor(), OrderNotFound())
        | OF_ORDER_ROUTES,
    },
    "GET /customers/{customerId}/orders": {
        "operationId": "listCustomerOrders",
        "summary": "List a customer's orders",
        "description": (
            "Customers list their own orders, staff anyone's. Following the pages never repeats an"
            " order. With `status` a page can be shorter than `limit` although more follow; only"
            " `nextCursor: null` marks the end."
        ),
        "tags": ["Orders"],
        "parameters": parameters.CUSTOMERS_LIST,
        "responses": {"200": _order_page("listCustomerOrders", parameters.CUSTOMERS_LIST)}
        | responses_to(_WRONG_LIMIT, InvalidCursor(), _NOT_THEIRS)
        | OF_ORDER_ROUTES,
    },
    "GET /events": {
        "operationId": "listEvents",
        "summary": "Follow all events (staff)",
        "description": (
            "Every event of every order, in recording order: use it to sync, back-fill or export."
            " Store `nextCursor`, which is never null, and send it next time: you miss nothing and"
            " see each event once. An event appears one minute after it was recorded. With `type`"
            " a page can be shorter than `limit` before the end. If an empty page returns the"
            " cursor that you sent, you have reached the current end."
        ),
        "tags": ["Events"],
        "parameters": parameters.FEED,
        "responses": {
            "200": {
                "description": "A page of the feed.",
                "headers": headers("Link", "Cache-Control", "X-Request-Id"),
                "content": _json("EventPage", page=examples.EVENT_PAGE),
                "links": _link_to_next_page("listEvents", parameters.FEED),
            }
        }
        | responses_to(
            MalformedRequest("limit must be a whole number from 1 to 1000."),
            InvalidCursor(),
            _NOT_STAFF,
        )
        | OF_ORDER_ROUTES,
    },
    "GET /reports/daily/{date}": {
        "operationId": "getDailyReport",
        "summary": "Read a day's report (staff)",
        "description": (
            "Orders created on that UTC day, as of the time of the report, shortly after the day"
            " ended."
        ),
        "tags": ["Reports"],
        "parameters": [parameters.DATE],
        "responses": {
            "200": {
                "description": "The report.",
                "headers": headers("Cache-Control", "X-Request-Id"),
                "content": _json("DailyReport", report=examples.DAILY_REPORT),
            }
        }
        | responses_to(_UNKNOWN_PARAMETER, _NOT_STAFF, ReportNotFound())
        | OF_ORDER_ROUTES,
    },
    "GET /health": {
        "operationId": "getHealth",
        "summary": "Check whether the API responds",
        "tags": ["About"],
        "security": _PUBLIC,
        "responses": {
            "200": {
                "description": "The API is up.",
                "headers": headers("X-Request-Id"),
                "content": _json("Health", ok={"status": "ok", "version": "4f1c9d0a7b3e"}),
            }
        }
        | OF_EVERY_ROUTE,
    },
    "GET /openapi.json": {
        "operationId": "getOpenApiDocument",
        "summary": "Get the OpenAPI document",
    }
    | _published("The OpenAPI document.", "application/json", {"type": "object"}),
    "GET /docs": {
        "operationId": "getDocsPage",
        "summary": "Read the documentation page",
    }
    | _published("The page.", "text/html", {"type": "string"}),
    "GET /desk": {
        "operationId": "getDesk",
        "summary": "Open the staff desk",
        "description": (
            "A page where staff work on orders: it signs them in and calls this API with their own"
            " token. A stage can be deployed without it."
        ),
    }
    | _published("The page.", "text/html", {"type": "string"}),
}
