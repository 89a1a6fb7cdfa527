from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from infrastructure.templates import Template


@pytest.fixture
def table(production: Template) -> dict[str, Any]:
    return production.named("OrdersTable")


def test_there_is_one_table(production: Template) -> None:
    assert list(production.properties("AWS::DynamoDB::Table")) == ["OrdersTable"]


def test_it_is_keyed_by_pk_and_sk(table: dict[str, Any]) -> None:
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["AttributeDefinitions"] == [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "gsi1pk", "gsi1sk")
    ]


def test_its_one_index_projects_what_lists_and_the_feed_show(
    table: dict[str, Any],
) -> None:
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "gsi1"
    assert index["KeySchema"] == [
        {"AttributeName": "gsi1pk", "KeyType": "HASH"},
        {"AttributeName": "gsi1sk", "KeyType": "RANGE"},
    ]
    assert index["Projection"]["ProjectionType"] == "INCLUDE"
    assert sorted(index["Projection"]["NonKeyAttributes"]) == [
        "amount",
        "currency",
        "customerId",
        "orderId",
        "previousStatus",
        "reason",
        "recordedAt",
        "schemaVersion",
        "status",
        "type",
        "updatedAt",
        "version",
    ]


def test_it_is_paid_by_the_request(table: dict[str, Any]) -> None:
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert "ProvisionedThroughput" not in table
    assert "ProvisionedThroughput" not in table["GlobalSecondaryIndexes"][0]


def test_rows_go_when_they_are_to_be_purged(table: dict[str, Any]) -> None:
    assert table["TimeToLiveSpecification"] == {"AttributeName": "purgeAt", "Enabled": True}


def test_it_can_be_restored_to_any_second(table: dict[str, Any]) -> None:
    recovery = table["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}


def test_it_is_encrypted(table: dict[str, Any]) -> None:
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_its_stream_shows_rows_before_and_after(table: dict[str, Any]) -> None:
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_nothing_deletes_a_production_table(production: Template) -> None:
    resource = production.resources["OrdersTable"]
    assert resource["Properties"]["DeletionProtectionEnabled"] is True
    assert resource["DeletionPolicy"] == "Retain"
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_another_stage_goes_as_it_came(development: Template) -> None:
    resource = development.resources["OrdersTable"]
    assert resource["Properties"]["DeletionProtectionEnabled"] is False
    assert resource["DeletionPolicy"] == "Delete"
    assert resource["UpdateReplacePolicy"] == "Delete"


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        ("production", "orders_app"),
        ("local", "orders_app"),
        ("development", "orders_app-dev"),
        ("customized", "orders_app-sixteen-letters0"),
    ],
)
def test_only_production_and_the_local_stage_have_the_plain_name(
    stage: str, name: str, request: pytest.FixtureRequest
) -> None:
    template: Template = request.getfixturevalue(stage)
    assert template.named("OrdersTable")["TableName"] == name
    names = {
        template.variables(function)["TABLE_NAME"]
        for function in template.functions
        if "TABLE_NAME" in template.variables(function)
    }
    assert names == {name}
