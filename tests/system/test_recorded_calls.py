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


@pytest.mark.parametrize(
    ("service", "sent", "right"),
    [
        (
            "sns",
            ("POST", "/", {}, b"Action=Publish&TopicArn=arn%3Aaws%3Asns%3Ar%3A1%3At&Message=m"),
            ("f", "sns:Publish", "t"),
        ),
        (
            "sns",
            ("POST", "/", {}, b"Action=PublishBatch&TopicArn=arn%3Aaws%3Asns%3Ar%3A1%3At"),
            ("f", "sns:Publish", "t"),
        ),
        (
            "secretsmanager",
            (
                "POST",
                "/",
                {"X-Amz-Target": "secretsmanager.GetSecretValue"},
                b'{"SecretId": "arn:aws:secretsmanager:r:1:secret:s"}',
            ),
            ("f", "secretsmanager:GetSecretValue", "secret:s"),
        ),
        (
            "s3",
            ("PUT", "/bucket/key?x-id=PutObject", {}, b"{"),
            ("f", "s3:PutObject", "bucket/key"),
        ),
        ("s3", ("GET", "/bucket/?list-type=2", {}, b""), ("f", "s3:ListBucket", "bucket")),
        ("s3", ("DELETE", "/bucket/key", {}, b""), ("f", "s3:DeleteObject", "bucket/key")),
        (
            "lambda",
            ("GET", "/2015-03-31/functions/g", {}, b""),
            ("f", "lambda:GetFunction", "function:g"),
        ),
    ],
)
def test_another_service_asks_for_the_operation_on_what_the_request_names(
    service: str, sent: tuple[str, str, dict[str, str], bytes], right: tuple[str, str, str]
) -> None:
    method, path, headers, body = sent
    signed = headers | {"Authorization": f"AWS4-HMAC-SHA256 Credential=K/20260101/r/{service}/aws4"}
    assert [*needed(Request("f", method, path, signed, body, (0, 0)))] == [right]
