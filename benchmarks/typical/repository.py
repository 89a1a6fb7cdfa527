"""Orders in DynamoDB: one item each, and an index by customer."""

import base64
import binascii
import json
import os
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from benchmarks.typical.aws import CONFIG, SESSION
from benchmarks.typical.models import Order, OrderPage, OrderSummary
from benchmarks.typical.observability import tracer
from benchmarks.typical.problems import InvalidCursor, OrderChanged
from benchmarks.typical.table import CUSTOMER_INDEX

_table = SESSION.resource("dynamodb", config=CONFIG).Table(os.environ["TABLE_NAME"])


@tracer.capture_method(capture_response=False)
def add(order: Order, *, changed_by: str, payment_token: str | None) -> None:
    item = order.model_dump(by_alias=True, mode="json", exclude={"allowed_transitions"})
    item["changedBy"] = changed_by
    if payment_token is not None:
        item["paymentToken"] = payment_token
    _table.put_item(Item=item, ConditionExpression="attribute_not_exists(orderId)")


@tracer.capture_method(capture_response=False)
def find(order_id: str) -> Order | None:
    item = _table.get_item(Key={"orderId": order_id}, ConsistentRead=True).get("Item")
    return None if item is None else Order.model_validate(item)


@tracer.capture_method(capture_response=False)
def change_status(before: Order, after: Order, *, changed_by: str, reason: str | None) -> Order:
    """Raises OrderChanged where the order has not the version any more that was read."""
    changes: dict[str, Any] = {
        "status": after.status,
        "version": after.version,
        "updatedAt": after.updated_at,
        "changedBy": changed_by,
    }
    gone = "paymentToken, reason"
    if reason is not None:
        changes["reason"] = reason
        gone = "paymentToken"
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in changes) + f" REMOVE {gone}"
    try:
        changed = _table.update_item(
            Key={"orderId": before.order_id},
            UpdateExpression=update,
            ConditionExpression="#version = :before",
            ExpressionAttributeNames={f"#{name}": name for name in changes},
            ExpressionAttributeValues={
                ":before": before.version,
                **{f":{name}": value for name, value in changes.items()},
            },
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise OrderChanged("Somebody else changed the order. Look at it again.") from error
        raise
    return Order.model_validate(changed["Attributes"])


@tracer.capture_method(capture_response=False)
def list_by_customer(customer_id: str, limit: int, cursor: str | None) -> OrderPage:
    """Newest first. Raises InvalidCursor."""
    query: dict[str, Any] = {
        "IndexName": CUSTOMER_INDEX,
        "KeyConditionExpression": Key("customerId").eq(customer_id),
        "ScanIndexForward": False,
        "Limit": limit,
    }
    if cursor is not None:
        query["ExclusiveStartKey"] = _start_key(customer_id, cursor)
    page = _table.query(**query)
    last = page.get("LastEvaluatedKey")
    return OrderPage(
        items=[OrderSummary.model_validate(item) for item in page["Items"]],
        next_cursor=None if last is None else _cursor(last),
    )


def _cursor(last: dict[str, Any]) -> str:
    position = json.dumps([last["createdAt"], last["orderId"]])
    return base64.urlsafe_b64encode(position.encode()).decode()


def _start_key(customer_id: str, cursor: str) -> dict[str, str]:
    """The customer is the path's, so that no cursor leads into another's list."""
    try:
        created_at, order_id = json.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidCursor("Use a cursor as this list gave it.") from error
    if not (created_at and isinstance(created_at, str) and order_id and isinstance(order_id, str)):
        raise InvalidCursor("Use a cursor as this list gave it.")
    return {"customerId": customer_id, "createdAt": created_at, "orderId": order_id}
