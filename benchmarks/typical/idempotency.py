"""Powertools' idempotency: one execution per caller, operation and key, for a day."""

import os
from typing import Any

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from benchmarks.typical.aws import CONFIG, SESSION
from benchmarks.typical.models import OrderResult


def mark_replayed(response: OrderResult, idempotent_data: DataRecord) -> OrderResult:  # noqa: ARG001 - Powertools' names
    return response.model_copy(update={"replayed": True})


persistence = DynamoDBPersistenceLayer(
    table_name=os.environ["IDEMPOTENCY_TABLE_NAME"], boto_config=CONFIG, boto3_session=SESSION
)

config = IdempotencyConfig(
    event_key_jmespath="[caller, key]",
    payload_validation_jmespath="request",
    raise_on_no_idempotency_key=True,
    expires_after_seconds=24 * 60 * 60,
    response_hook=mark_replayed,
)


def submission(caller_id: str, key: str, request: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """What the configuration above reads: whose key it is, and what it was used for."""
    return {"caller": caller_id, "key": key, "request": request}
