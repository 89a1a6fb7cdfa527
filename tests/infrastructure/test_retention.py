"""What `orderctl forget` says of the places that it can't reach."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from orderctl.commands.forget import ACCESS_LOG, KEPT
from proof.oracle import KEYS_ARE_KEPT

if TYPE_CHECKING:
    from infrastructure.templates import Template

STREAM: Final = timedelta(hours=24)
RECOVERY: Final = {"PointInTimeRecoveryEnabled": True}
"""Without a RecoveryPeriodInDays these are 35, the most there can be."""


def test_each_place_keeps_what_forget_does_not_reach_for_as_long_as_it_says(
    production: Template,
) -> None:
    queues: dict[bool, timedelta] = {}
    for name, queue in production.properties("AWS::SQS::Queue").items():
        is_last = name in production.dead_letter_queues
        kept = timedelta(seconds=queue["MessageRetentionPeriod"])
        queues[is_last] = max(kept, queues.get(is_last, kept))
    assert production.named("OrdersTable")["PointInTimeRecoverySpecification"] == RECOVERY
    assert {place: kept for place, (kept, _) in KEPT.items()} == {
        "idempotency records": KEYS_ARE_KEPT,
        "stream": STREAM,
        "queues": STREAM + queues[False],
        "dead-letter queues": STREAM + queues[False] + queues[True],
        "point-in-time recovery": timedelta(days=35),
    }


def test_forget_looks_up_for_how_long_the_access_log_is_kept(production: Template) -> None:
    groups = production.properties("AWS::Logs::LogGroup").values()
    kept = {group["LogGroupName"]: group["RetentionInDays"] for group in groups}
    assert kept[ACCESS_LOG + "orders-prod"] == 90
