"""The Lambda function: four routes behind one resolver."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.typical import idempotency, orders, problems
from benchmarks.typical.caller import Caller, caller_of
from benchmarks.typical.models import (
    CreateOrderRequest,
    CustomerId,
    Order,
    OrderPage,
    OrderResult,
    UpdateOrderRequest,
)
from benchmarks.typical.observability import logger, metrics, tracer

PRIVATE = {"Cache-Control": "private, no-cache"}
THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}

IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", pattern=r"^[!-~]{1,255}$")]
IfMatch = Annotated[str | None, Header(alias="If-Match")]

app = APIGatewayHttpResolver(enable_validation=True)


@app.post("/orders")
def create_order(
    request: CreateOrderRequest, idempotency_key: IdempotencyKey = None
) -> Response[Order]:
    caller = current_caller()
    if idempotency_key is None:
        result = orders.create_order(caller, request)
    else:
        body = request.model_dump(mode="json", exclude_unset=True)
        submission = idempotency.submission(caller.id, idempotency_key, body)
        result = orders.create_order_once(caller, request, submission=submission)
    domain = app.current_event.request_context.domain_name
    location = f"https://{domain}/orders/{result.order.order_id}"
    return order_response(HTTPStatus.CREATED, result, {"Location": location})


@app.get("/orders/<order_id>")
def get_order(order_id: str) -> Response[Order]:
    order = orders.get_order(current_caller(), order_id)
    return order_response(HTTPStatus.OK, OrderResult(order=order))


@app.get("/customers/<customer_id>/orders")
def list_customer_orders(
    customer_id: Annotated[CustomerId, Path()],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query()] = None,
) -> Response[OrderPage]:
    page = orders.list_orders(current_caller(), customer_id, limit, cursor)
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, page, PRIVATE)


@app.patch("/orders/<order_id>")
def update_order(
    order_id: str,
    request: UpdateOrderRequest,
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response[Order]:
    caller = current_caller()
    if idempotency_key is None:
        result = orders.update_order(caller, order_id, request, if_match)
    else:
        body = {"orderId": order_id} | request.model_dump(mode="json", exclude_unset=True)
        submission = idempotency.submission(caller.id, idempotency_key, body)
        result = orders.update_order_once(
            caller, order_id, request, if_match, submission=submission
        )
    return order_response(HTTPStatus.OK, result)


def current_caller() -> Caller:
    """Raises Unauthenticated."""
    return caller_of(app.current_event.request_context.authorizer.jwt_claim)


def order_response(
    status: HTTPStatus, result: OrderResult, headers: dict[str, str] | None = None
) -> Response[Order]:
    sent = PRIVATE | {"ETag": orders.etag(result.order)} | (headers or {})
    if result.replayed:
        sent["Idempotent-Replayed"] = "true"
    return Response(status, content_types.APPLICATION_JSON, result.order, sent)


@app.exception_handler(problems.Problem)
def refuse(problem: problems.Problem) -> Response[str]:
    return refusal(problem)


@app.exception_handler(RequestValidationError)
def refuse_invalid(error: RequestValidationError) -> Response[str]:
    """Of a body that is no JSON, a parameter that can't be used, or a field at fault."""
    errors = error.errors()
    first = errors[0]
    where, *place = first["loc"]
    if where == "header":
        return refusal(problems.InvalidIdempotencyKey("A key is 1 to 255 visible characters."))
    if where != "body" or first["type"] == "json_invalid":
        return refusal(problems.MalformedRequest(f"{where} {place}: {first['msg']}"))
    fields = [
        {"pointer": "".join(f"/{part}" for part in fault["loc"][1:]), "detail": fault["msg"]}
        for fault in errors
    ]
    return refusal(problems.ValidationFailed(first["msg"], errors=fields))


@app.exception_handler(RequestUnsupportedContentType)
def refuse_media_type(_error: RequestUnsupportedContentType) -> Response[str]:
    return refusal(problems.UnsupportedMediaType("Send application/json."))


@app.exception_handler(IdempotencyValidationError)
def refuse_reused_key(_error: IdempotencyValidationError) -> Response[str]:
    return refusal(
        problems.IdempotencyKeyReused("This Idempotency-Key was used for a different request.")
    )


@app.exception_handler(IdempotencyAlreadyInProgressError)
def refuse_for_now(_error: IdempotencyAlreadyInProgressError) -> Response[str]:
    return refusal(problems.RequestInProgress("The first request with this key is in progress."))


@app.exception_handler([IdempotencyPersistenceLayerError, BotoCoreError, ClientError])
def give_up(error: Exception) -> Response[str]:
    cause = error.__cause__ if isinstance(error, IdempotencyPersistenceLayerError) else error
    code = cause.response["Error"]["Code"] if isinstance(cause, ClientError) else None
    if code is not None and code not in THROTTLED:
        return internal_error()
    logger.warning("table throttled or out of reach", exc_info=True)
    return refusal(problems.TryAgain("The request could not be finished in time. Try it again."))


@app.exception_handler(Exception)
def fail(_error: Exception) -> Response[str]:
    return internal_error()


@app.not_found
def refuse_route(_error: NotFoundError) -> Response[str]:
    return refusal(problems.RouteNotFound("No route has this path and method."))


def refusal(problem: problems.Problem) -> Response[str]:
    logger.info("request refused", status=problem.status, type=problem.slug)
    return problem.response(app.current_event.request_context.request_id)


def internal_error() -> Response[str]:
    logger.exception("internal error")
    return refusal(problems.InternalError("The request could not be processed."))


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    idempotency.config.register_lambda_context(context)
    return app.resolve(event, context)
