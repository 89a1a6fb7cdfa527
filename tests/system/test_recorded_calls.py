"""What a request needs, as AWS documents it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from proof.proxy import Request
from system.recorded_calls import needed

if TYPE_CHECKING:
    from system.recorded_calls import Json

ITEM = {"TableName": "t"}
QUEUE = {"QueueUrl": "http://127.0.0.1:4566/000000000000/q"}


def request(target: str, body: Json) -> Request:
    return Request("f", "POST", "/", {"X-Amz-Target": target}, json.dumps(body).encode(), (0, 0))


@pytest.mark.parametrize(
    ("operation", "body", "rights"),
    [
        ("PutItem", ITEM, {("PutItem", "table/t")}),
        ("Query", ITEM, {("Query", "table/t")}),
        ("Query", ITEM | {"IndexName": "i"}, {("Query", "table/t/index/i")}),
        ("ListTables", {}, {("ListTables", "table/*")}),
        (
            "BatchGetItem",
            {"RequestItems": {"t": {}, "u": {}}},
            {("BatchGetItem", "table/t"), ("BatchGetItem", "table/u")},
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"ConditionCheck": ITEM},
                    {"Delete": ITEM},
                    {"Put": ITEM},
                    {"Update": {"TableName": "u"}},
                ]
            },
            {
                ("ConditionCheckItem", "table/t"),
                ("DeleteItem", "table/t"),
                ("PutItem", "table/t"),
                ("UpdateItem", "table/u"),
            },
        ),
        ("TransactGetItems", {"TransactItems": [{"Get": ITEM}]}, {("GetItem", "table/t")}),
    ],
)
def test_dynamodb_asks_for_the_action_on_each_item_of_a_transaction_and_for_each_table(
    operation: str, body: Json, rights: set[tuple[str, str]]
) -> None:
    found = needed(request(f"DynamoDB_20120810.{operation}", body))
    assert set(found) == {("f", f"dynamodb:{action}", resource) for action, resource in rights}


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("SendMessage", "SendMessage"),
        ("SendMessageBatch", "SendMessage"),
        ("DeleteMessageBatch", "DeleteMessage"),
        ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
        ("PurgeQueue", "PurgeQueue"),
    ],
)
def test_sqs_asks_for_the_action_on_one_message_for_a_batch_too(
    operation: str, action: str
) -> None:
    found = needed(request(f"AmazonSQS.{operation}", QUEUE))
    assert set(found) == {("f", f"sqs:{action}", "q")}


def test_a_request_that_no_rule_is_known_for_is_kept_under_its_address() -> None:
    found = needed(Request("f", "GET", "/bucket/key", {}, b"", (0, 0)))
    assert set(found) == {("f", "GET", "/bucket/key")}
