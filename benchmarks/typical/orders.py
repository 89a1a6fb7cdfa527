"""What the API does: place an order, find one, list a customer's, move one along."""

from typing import Any
from uuid import uuid4

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import idempotent_function
from aws_lambda_powertools.utilities.idempotency.serialization.pydantic import PydanticSerializer

from benchmarks.typical import repository
from benchmarks.typical.caller import Caller
from benchmarks.typical.idempotency import config, persistence
from benchmarks.typical.models import (
    TRANSITIONS,
    CreateOrderRequest,
    Order,
    OrderItem,
    OrderPage,
    OrderResult,
    OrderStatus,
    UpdateOrderRequest,
    timestamp,
    total_of,
)
from benchmarks.typical.observability import logger, metrics, tracer
from benchmarks.typical.problems import IllegalTransition, OrderNotFound, PreconditionFailed


@tracer.capture_method(capture_response=False)
def create_order(caller: Caller, request: CreateOrderRequest) -> OrderResult:
    """Raises Forbidden."""
    caller.require_acts_for(request.customer_id)
    now = timestamp()
    order = Order(
        order_id=str(uuid4()),
        customer_id=request.customer_id,
        status=OrderStatus.PENDING,
        amount=total_of(request.items),
        currency=request.currency,
        version=1,
        created_at=now,
        updated_at=now,
        items=[OrderItem(**item.model_dump()) for item in request.items],
        metadata=request.metadata,
    )
    repository.add(order, changed_by=caller.name, payment_token=request.payment_token)
    logger.info("order created", order_id=order.order_id)
    metrics.add_metric(name="OrdersCreated", unit=MetricUnit.Count, value=1)
    return OrderResult(order=order)


@idempotent_function(
    data_keyword_argument="submission",
    config=config,
    persistence_store=persistence,
    output_serializer=PydanticSerializer(model=OrderResult),
)
def create_order_once(
    caller: Caller,
    request: CreateOrderRequest,
    *,
    submission: dict[str, Any],  # noqa: ARG001 - the decorator reads it
) -> OrderResult:
    """Raises what create_order does, and Powertools' errors of idempotency."""
    return create_order(caller, request)


@tracer.capture_method(capture_response=False)
def get_order(caller: Caller, order_id: str) -> Order:
    """Raises OrderNotFound, also for an order of somebody else."""
    order = repository.find(order_id)
    if order is None or not caller.acts_for(order.customer_id):
        raise OrderNotFound("There is no such order.")
    logger.info("order read", order_id=order_id)
    return order


@tracer.capture_method(capture_response=False)
def list_orders(caller: Caller, customer_id: str, limit: int, cursor: str | None) -> OrderPage:
    """Raises Forbidden and InvalidCursor."""
    caller.require_acts_for(customer_id)
    page = repository.list_by_customer(customer_id, limit, cursor)
    logger.info("orders listed", orders=len(page.items))
    return page


@tracer.capture_method(capture_response=False)
def update_order(
    caller: Caller, order_id: str, request: UpdateOrderRequest, if_match: str | None
) -> OrderResult:
    """Raises OrderNotFound, Forbidden, PreconditionFailed, IllegalTransition and OrderChanged."""
    order = repository.find(order_id)
    if order is None or not caller.acts_for(order.customer_id):
        raise OrderNotFound("There is no such order.")
    caller.require_may_change(order, request.status)
    if if_match not in {None, "*", etag(order)}:
        raise PreconditionFailed(f"The order is at version {order.version}.")
    if order.status is request.status:
        return OrderResult(order=order)
    allowed = TRANSITIONS[order.status]
    if request.status not in allowed:
        raise IllegalTransition(
            f"An order that is {order.status} cannot become {request.status}.",
            currentStatus=order.status,
            allowedTransitions=allowed,
        )
    changed = order.model_copy(
        update={
            "status": request.status,
            "version": order.version + 1,
            "updated_at": timestamp(),
        }
    )
    changed = repository.change_status(
        order, changed, changed_by=caller.name, reason=request.reason
    )
    logger.info("order updated", order_id=order_id, status=changed.status)
    metrics.add_metric(name="StatusChanges", unit=MetricUnit.Count, value=1)
    return OrderResult(order=changed)


@idempotent_function(
    data_keyword_argument="submission",
    config=config,
    persistence_store=persistence,
    output_serializer=PydanticSerializer(model=OrderResult),
)
def update_order_once(
    caller: Caller,
    order_id: str,
    request: UpdateOrderRequest,
    if_match: str | None,
    *,
    submission: dict[str, Any],  # noqa: ARG001 - the decorator reads it
) -> OrderResult:
    """Raises what update_order does, and Powertools' errors of idempotency."""
    return update_order(caller, order_id, request, if_match)


def etag(order: Order) -> str:
    return f'"{order.version}"'
