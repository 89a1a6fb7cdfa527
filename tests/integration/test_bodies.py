"""Bodies that went through the table, whose client returns maps in no order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway import order_body

if TYPE_CHECKING:
    from api import Api

METADATA = dict.fromkeys(("web", "b", "campaign", "a", "zone", "channel"), "x")


def test_an_order_reads_the_same_at_every_look(api: Api) -> None:
    """Its ETag is strong: at one version there is one body."""
    made = api.post(order_body(metadata=METADATA))
    order_id = made.json["orderId"]
    path = f"/orders/{order_id}"
    looks = {api.get(path).text for _ in range(8)}
    assert looks == {made.text}
    changed = api.patch(order_id, {"status": "PAID"})
    assert {api.get(path).text for _ in range(8)} == {changed.text}
