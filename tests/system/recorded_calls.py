"""Everything that the functions ask of AWS, as the rights that AWS demands for it.

The rules are those of the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html,
.../list_amazonsqs.html, .../list_amazonsns.html) and of DynamoDB's guide on transactions
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

from system.rights import Right, resource_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.proxy import PassOn, Request, Response

Json = dict[str, Any]

_PARTS_OF_TRANSACTIONS: Final = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Get": "dynamodb:GetItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
"""A transaction has no action of its own."""

_BATCHES_OF_MESSAGES: Final = {
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "PublishBatch": "sns:Publish",
    "SendMessageBatch": "sqs:SendMessage",
}
"""SQS and SNS ask for the action on one message."""


OPERATOR: Final = "orderctl"
"""The caller of its calls."""

_OF_BUCKETS: Final = {"GET": "s3:ListBucket"}
_OF_OBJECTS: Final = {"GET": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}
"""By method, as far as they are used: S3 and Lambda name no operation."""

DENIED: Final = rb"AccessDenied|AuthorizationError"
"""SNS says it in its own word, and S3 in no word where the method is HEAD."""


class Call(NamedTuple):
    """One request. `denied`: the role lacks one of the rights, and nothing happened."""

    needs: frozenset[Right]
    denied: bool


class RecordedCalls:
    """A proxy's treatment that changes nothing, and remembers."""

    def __init__(self) -> None:
        self._made: list[tuple[Request, bool]] = []

    async def __call__(self, request: Request, pass_on: PassOn) -> Response:
        response = await pass_on(request)
        denied = response.status == 403 or (
            response.status >= 400 and re.search(DENIED, response.body) is not None
        )
        self._made.append((request, denied))
        return response

    def __len__(self) -> int:
        return len(self._made)

    def since(self, number: int) -> list[Call]:
        """The functions' calls, but the first so many calls."""
        return [
            Call(frozenset(needed(request)), denied)
            for request, denied in self._made[number:]
            if request.caller != OPERATOR
        ]

    def of_dynamodb(self, *, by_operators: bool) -> list[Request]:
        """What the functions asked of it, or what orderctl did."""
        return [
            request
            for request, _ in self._made
            if request.headers.get("X-Amz-Target", "").startswith("DynamoDB_")
            and (request.caller == OPERATOR) == by_operators
        ]


def needed(request: Request) -> Iterator[Right]:
    """The rights that AWS demands for a request."""
    target, _, operation = request.headers.get("X-Amz-Target", "").partition(".")
    if target.startswith("DynamoDB_"):
        for action, resource in _of_dynamodb(operation, json.loads(request.body)):
            yield Right(request.caller, action, resource)
    elif target == "AmazonSQS":
        action = _BATCHES_OF_MESSAGES.get(operation, f"sqs:{operation}")
        queue = json.loads(request.body).get("QueueUrl", "*").rpartition("/")[2]
        yield Right(request.caller, action, queue)
    else:
        yield Right(request.caller, *_of_another_service(operation, request))


def _of_dynamodb(operation: str, body: Json) -> Iterator[tuple[str, str]]:
    if "TransactItems" in body:
        for item in body["TransactItems"]:
            for part, what in item.items():
                yield _PARTS_OF_TRANSACTIONS[part], f"table/{what['TableName']}"
    elif "RequestItems" in body:
        for table in body["RequestItems"]:
            yield f"dynamodb:{operation}", f"table/{table}"
    else:
        index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
        yield f"dynamodb:{operation}", f"table/{body.get('TableName', '*')}{index}"


def _of_another_service(operation: str, request: Request) -> tuple[str, str]:
    """The action is the operation, on what the request names by its ARN; in S3, on the object."""
    service = request.headers["Authorization"].split("/")[3]
    path = request.target.partition("?")[0].strip("/")
    if service == "s3":
        return (_OF_OBJECTS if "/" in path else _OF_BUCKETS)[request.method], path
    if service == "lambda" and request.method == "GET":
        return "lambda:GetFunction", f"function:{path.rpartition('/')[2]}"
    form = dict(parse_qsl(request.body.decode()))
    arns = re.findall(r"arn:[\w:/.-]+", unquote_plus(request.body.decode()))
    operation = operation or form["Action"]
    action = _BATCHES_OF_MESSAGES.get(operation, f"{service}:{operation}")
    return action, resource_of(arns[0]) if arns else "*"
