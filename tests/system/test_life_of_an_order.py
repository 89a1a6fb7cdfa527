"""An order from its creation to its shipping, and everything that follows from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proof.oracle import ITEM, ORDER, TRANSITIONS, as_sent, event_type
from proof.order_number import order_number
from system.deployment import claims_of

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment


def test_an_order_is_created_paid_and_shipped_and_leaves_events_and_a_timeline(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    with deployment.held_queue() as queue:
        sent = customer.order(metadata={"channel": "web"})
        created = customer.post(sent)
        order = created.json()
        path = f"/orders/{order['orderId']}"
        created_at = order["createdAt"]

        assert created.status_code == 201
        assert created.headers["location"] == f"{deployment.stack.api_url}{path}"
        assert created.headers["etag"] == '"1"'
        assert created.headers["cache-control"] == "private, no-cache"
        assert order == as_sent(sent, ORDER) | {
            "orderId": order["orderId"],
            "orderNumber": order_number(order["orderId"]),
            "customerId": customer.id,
            "status": "PENDING",
            "amount": 5997,
            "items": [as_sent(item, ITEM) for item in sent["items"]],
            "version": 1,
            "allowedTransitions": [*TRANSITIONS["PENDING"]],
            "createdAt": created_at,
            "updatedAt": created_at,
        }

        found = customer.http.get(created.headers["location"])
        assert (found.status_code, found.text) == (200, created.text)
        assert found.headers["etag"] == '"1"'
        by_number = customer.http.get(f"/orders/{order['orderNumber']}")
        assert (by_number.status_code, by_number.text) == (200, created.text)
        unchanged = customer.http.get(path, headers={"If-None-Match": '"1"'})
        assert (unchanged.status_code, unchanged.content) == (304, b"")

        paid = staff.http.patch(
            path,
            content='{"status": "PAID"}',
            headers={"Content-Type": "application/merge-patch+json", "If-Match": '"1"'},
        )
        assert (paid.status_code, paid.headers["etag"]) == (200, '"2"')
        assert paid.json() == order | {
            "status": "PAID",
            "version": 2,
            "allowedTransitions": [*TRANSITIONS["PAID"]],
            "updatedAt": paid.json()["updatedAt"],
        }

        shipped = staff.patch(order["orderId"], "SHIPPED", reason="by parcel")
        assert (shipped.status_code, shipped.headers["etag"]) == (200, '"3"')
        assert shipped.json()["allowedTransitions"] == [*TRANSITIONS["SHIPPED"]]
        assert customer.get(order["orderId"]).text == shipped.text

        too_late = staff.patch(order["orderId"], "CANCELED")
        assert too_late.status_code == 409
        assert too_late.json()["currentStatus"] == "SHIPPED"

        times = [created_at, paid.json()["updatedAt"], shipped.json()["updatedAt"]]
        steps = [
            (1, "PENDING", None, "customer", None, times[0]),
            (2, "PAID", "PENDING", "staff", None, times[1]),
            (3, "SHIPPED", "PAID", "staff", "by parcel", times[2]),
        ]
        assert customer.timeline(order["orderId"]) == [
            {
                "version": version,
                "status": status,
                "previousStatus": previous,
                "actor": actor,
                "reason": reason,
                "changedAt": changed_at,
            }
            for version, status, previous, actor, reason, changed_at in steps
        ]

        by_staff = {"actorId": claims_of(staff.token)["sub"]}
        assert [
            event.items() >= by_staff.items() for event in staff.timeline(order["orderId"])
        ] == [False, True, True]

        messages = deployment.published(queue, order["orderId"])

    types = [event_type(status, previous) for _, status, previous, *_ in steps]
    assert [m["MessageAttributes"]["type"]["StringValue"] for m in messages] == types
    assert [json.loads(message["Body"]) for message in messages] == [
        {
            "specversion": "1.0",
            "id": f"{order['orderId']}/{version}",
            "source": "/orders",
            "type": type_,
            "subject": order["orderId"],
            "time": changed_at,
            "datacontenttype": "application/json",
            "data": {
                "orderId": order["orderId"],
                "orderNumber": order["orderNumber"],
                "customerId": customer.id,
                "status": status,
                "amount": 5997,
                "currency": "USD",
                "version": version,
            }
            | ({} if previous is None else {"previousStatus": previous})
            | ({} if reason is None else {"reason": reason}),
        }
        for type_, (version, status, previous, _, reason, changed_at) in zip(
            types, steps, strict=True
        )
    ]


def test_an_update_to_the_present_status_changes_nothing(
    deployment: Deployment, staff: Caller
) -> None:
    with deployment.held_queue() as queue:
        order = staff.place(customerId="cus_42")
        paid = staff.patch(order["orderId"], "PAID")
        again = staff.patch(order["orderId"], "PAID", reason="twice")
        messages = deployment.published(queue, order["orderId"])

    assert (again.status_code, again.text) == (200, paid.text)
    assert len(messages) == 2
    assert len(staff.timeline(order["orderId"])) == 2
