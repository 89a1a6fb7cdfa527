"""What the matrix of callers and routes can't say: who may do what, one thing after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from system.deployment import claims_of

if TYPE_CHECKING:
    from system.deployment import Caller


def test_a_customer_may_repeat_a_cancellation_but_not_of_an_order_that_was_paid(
    customer: Caller, staff: Caller
) -> None:
    order_id = customer.place()["orderId"]
    assert customer.patch(order_id, "CANCELED").status_code == 200
    repeated = customer.patch(order_id, "CANCELED")
    assert (repeated.status_code, repeated.json()["version"]) == (200, 2)

    paid_id = customer.place()["orderId"]
    assert staff.patch(paid_id, "PAID").status_code == 200
    assert customer.patch(paid_id, "CANCELED").status_code == 403
    assert customer.get(paid_id).json()["status"] == "PAID"


def test_what_staff_do_for_a_customer_is_the_customers(customer: Caller, staff: Caller) -> None:
    order_id = staff.place(customerId=customer.id)["orderId"]
    listed = staff.http.get(f"/customers/{customer.id}/orders?consistent=true&limit=1").json()
    assert [one["orderId"] for one in listed["items"]] == [order_id]
    assert customer.get(order_id).status_code == 200


def test_only_staff_see_who_of_the_staff_did_it(customer: Caller, staff: Caller) -> None:
    order_id = customer.place()["orderId"]
    assert staff.patch(order_id, "PAID").status_code == 200

    made, paid = staff.timeline(order_id)
    assert (made["actor"], "actorId" in made) == ("customer", False)
    assert (paid["actor"], paid["actorId"]) == ("staff", claims_of(staff.token)["sub"])
    assert [sorted(entry) for entry in customer.timeline(order_id)] == [sorted(made)] * 2
