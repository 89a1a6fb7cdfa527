from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from examples import event_of, placed_order
from orders.adapters.dynamodb import rows
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from infrastructure.templates import Template


@pytest.fixture
def table(production: Template) -> dict[str, Any]:
    return production.named("OrdersTable")


def test_it_is_keyed_by_pk_and_sk_and_has_one_index(table: dict[str, Any]) -> None:
    (index,) = table["GlobalSecondaryIndexes"]
    assert table["KeySchema"] == key("pk", "sk")
    assert index["IndexName"] == "gsi1", "the default of GSI1_NAME"
    assert index["KeySchema"] == key("gsi1pk", "gsi1sk")
    assert table["AttributeDefinitions"] == [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "gsi1pk", "gsi1sk")
    ]


def key(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


class Reads(dict[str, object]):
    """A row that remembers which of its attributes were read."""

    def __init__(self, row: rows.Row) -> None:
        super().__init__(row)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> object:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: object = None) -> object:
        self.names.add(name)
        return super().get(name, default)


def test_the_index_projects_what_lists_and_the_feed_read_and_nothing_else(
    table: dict[str, Any],
) -> None:
    order = placed_order(payment_token="tok_approve")
    summary = Reads(rows.customer_row(order))
    event = Reads(rows.event_row(event_of(replace(order, status=OrderStatus.PAID), order)))
    rows.summary_from(summary)
    rows.event_from(event)
    (index,) = table["GlobalSecondaryIndexes"]
    projection = index["Projection"]
    assert projection["ProjectionType"] == "INCLUDE"
    # The feed doesn't tell who made a change.
    assert set(projection["NonKeyAttributes"]) == (summary.names | event.names) - {
        *("pk", "sk", "actor", "staffId")
    }


def test_every_table_is_paid_by_the_request_encrypted_and_restorable_to_any_second(
    watched: Template,
) -> None:
    for table in watched.properties("AWS::DynamoDB::Table").values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_rows_are_deleted_when_they_are_to_be_purged(table: dict[str, Any]) -> None:
    assert table["TimeToLiveSpecification"] == {"AttributeName": "purgeAt", "Enabled": True}


def test_its_stream_shows_rows_before_and_after(table: dict[str, Any]) -> None:
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_only_production_tables_are_protected_from_deletion(
    production: Template, development: Template
) -> None:
    for template, protected, policy in (
        (production, True, "Retain"),
        (development, False, "Delete"),
    ):
        resource = template.resources["OrdersTable"]
        assert resource["Properties"]["DeletionProtectionEnabled"] is protected
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == policy


def test_functions_are_given_the_name_of_the_stages_table(
    production: Template, local: Template, development: Template, customized: Template
) -> None:
    """Only production and the local stage have the plain name."""
    for template, name in (
        (production, "orders_app"),
        (local, "orders_app"),
        (development, "orders_app-dev"),
        (customized, "orders_app-sixteen-letters0"),
    ):
        assert template.named("OrdersTable")["TableName"] == name
        assert template.everywhere("TABLE_NAME") == {name}
