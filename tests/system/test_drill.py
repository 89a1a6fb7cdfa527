"""The drill of docs/runbook.md: the consumer breaks, its messages die, and all ends well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import figures
from system.deployment import SECONDS, eventually

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment, Json

BROKEN_TABLE = "a-table-that-is-not-there"


def test_orders_end_where_they_should_after_their_events_died(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    deployment.settle()
    for output in ("OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl"):
        deployment.aws("sqs").purge_queue(QueueUrl=deployment.outputs[output])

    with (
        deployment.quick_redelivery(),
        deployment.changed_environment("settle-payments", TABLE_NAME=BROKEN_TABLE),
    ):
        approved = customer.place(paymentToken="tok_approve")["orderId"]
        declined = customer.place(paymentToken="tok_decline")["orderId"]
        by_hand = customer.place()["orderId"]
        canceled = customer.place(paymentToken="tok_approve")["orderId"]
        customer.patch(canceled, "CANCELED", reason="of two minds").raise_for_status()
        died = [
            f"order {approved}, ORDER_CREATED, version 1: ",
            f"order {declined}, ORDER_CREATED, version 1: ",
            f"order {by_hand}, ORDER_CREATED, version 1: ",
            f"order {canceled}, ORDER_CREATED, version 1: ",
            f"order {canceled}, ORDER_CANCELED, version 2: ",
        ]
        told = eventually(
            lambda: deployment.dead_letters("list").stdout,
            lambda told: all(line in told for line in died),
            2 * SECONDS,
        )
        assert "order-events-dlq: 5 messages" in told
        assert "AccessDeniedException" in told, "why, from the consumer's log"
        statuses = [customer.get(one).json()["status"] for one in (approved, declined, by_hand)]
        assert statuses == ["PENDING"] * 3, "nobody settles them"

    redrive = deployment.dead_letters("redrive", "--yes")

    assert redrive.returncode == 0, redrive.stdout
    assert customer.settled(approved)["status"] == "PAID"
    assert customer.settled(declined)["status"] == "CANCELED"
    eventually(deployment.queue_depth, lambda depth: depth == 0)
    assert customer.get(by_hand).json()["status"] == "PENDING"
    assert customer.get(canceled).json()["version"] == 2
    assert deployment.states(approved) == {"CHARGE": "CHARGED", "RESERVATION": "RESERVED"}
    assert set(deployment.states(declined).values()).isdisjoint({"CHARGED", "RESERVED"})
    assert set(deployment.states(canceled).values()).isdisjoint({"CHARGED", "RESERVED"})
    assert deployment.states(by_hand) == {}
    assert paths(staff, approved) == ["PENDING", "PAID"]
    assert paths(staff, declined) == ["PENDING", "CANCELED"]
    assert paths(staff, canceled) == ["PENDING", "CANCELED"]
    assert deployment.dead_letters("list").returncode == 1, "no dead letter is left"
    figures.leave(
        "recovery",
        [
            "| The drill | |",
            "|---|---|",
            f"| Events that died of a broken consumer | {len(died)} |",
            "| Orders they were about | 4 |",
            "| Dead letters after `make redrive` | 0 |",
            "| Orders PAID and charged once, CANCELED and not charged, PENDING | 1, 2, 1 |",
        ],
    )


def paths(staff: Caller, order_id: str) -> list[str]:
    """The statuses that the timeline has."""
    entries: list[Json] = staff.complete_timeline(order_id, 2)
    return [entry["status"] for entry in entries]
