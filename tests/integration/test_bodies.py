"""Bodies of orders that were stored: the table's client returns maps in no order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway import order_body

if TYPE_CHECKING:
    from api import Api

METADATA = dict.fromkeys(("web", "b", "campaign", "a", "zone", "channel"), "x")


def test_every_read_of_an_order_returns_the_same_body(api: Api) -> None:
    """Its ETag is strong: one version has one body."""
    made = api.post(order_body(metadata=METADATA))
    order_id = made.json["orderId"]
    path = f"/orders/{order_id}"
    looks = {api.get(path).text for _ in range(8)}
    assert looks == {made.text}
    changed = api.patch(order_id, {"status": "PAID"})
    assert {api.get(path).text for _ in range(8)} == {changed.text}
