"""What committed was published, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.domain.changes import EVENT_TYPES
from orders.domain.status import OrderStatus
from prove.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prove.checks.evidence import Evidence, Life
    from prove.history import Json


def check_events(evidence: Evidence) -> Iterator[Violation]:
    expected: dict[str, list[Json]] = {}
    for life in evidence.lives.values():
        for event in _events(life):
            expected.setdefault(event["id"], []).append(event)
    published: set[str] = set()
    for event in evidence.history.published:
        name, subject = str(event.get("id")), event.get("subject")
        if name not in expected:
            if name not in published:
                detail = f"event {name} ({event.get('type')}) tells of what never committed"
                yield Violation(Kind.EVENT_PHANTOM, detail, subject)
        elif event not in expected[name]:
            detail = f"event {name} does not say what committed: {event}"
            yield Violation(Kind.EVENT_DIFFERS, detail, subject)
        published.add(name)
    for name, (event, *_) in expected.items():
        if name not in published:
            detail = f"event {name} ({event['type']}) was not published"
            yield Violation(Kind.EVENT_MISSING, detail, event["subject"])


def _events(life: Life) -> Iterator[Json]:
    """Those of its versions, as docs/events.md has them."""
    previous = None
    for image in life.images:
        data = {
            "orderId": life.order_id,
            "customerId": image["customerId"],
            "status": image["status"],
            "amount": image["amount"],
            "currency": image["currency"],
            "version": image["version"],
        }
        if previous is not None:
            data["previousStatus"] = previous
        if image.get("reason") is not None:
            data["reason"] = image["reason"]
        yield {
            "specversion": "1.0",
            "id": f"{life.order_id}/{image['version']}",
            "source": "/orders",
            "type": EVENT_TYPES[OrderStatus(image["status"])],
            "subject": life.order_id,
            "time": image["updatedAt"],
            "datacontenttype": "application/json",
            "data": data,
        }
        previous = image["status"]
