"""The two tables: parameters of CreateTable, apart from TableName."""

from typing import Any

CUSTOMER_INDEX = "byCustomer"

ORDERS_TABLE: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "orderId", "AttributeType": "S"},
        {"AttributeName": "customerId", "AttributeType": "S"},
        {"AttributeName": "createdAt", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "orderId", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": CUSTOMER_INDEX,
            "KeySchema": [
                {"AttributeName": "customerId", "KeyType": "HASH"},
                {"AttributeName": "createdAt", "KeyType": "RANGE"},
            ],
            "Projection": {
                "ProjectionType": "INCLUDE",
                "NonKeyAttributes": ["status", "amount", "currency", "version", "updatedAt"],
            },
        }
    ],
    # Events are published from it, outside of the handler.
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}

IDEMPOTENCY_TABLE: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
"""As Powertools' documentation declares it; TTL on `expiration` is switched on besides."""
