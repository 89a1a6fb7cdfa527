"""Who gets in, and who may do what."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from local_stack import CUSTOMER, EMULATOR_PYTHON
from system.deployment import problem_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from system.deployment import Caller, Deployment

# The emulator's own Python has the library that its user pool signs tokens with.
SIGN = """
import base64, json, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
key = serialization.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
signature = key.sign(sys.argv[2].encode(), padding.PKCS1v15(), hashes.SHA256())
print(base64.urlsafe_b64encode(signature).rstrip(b"=").decode())
"""


def with_claims(deployment: Deployment, **changes: int) -> str:
    """The customer's access token with other claims, signed by the user pool's own key."""
    header, payload, _ = deployment.customer.token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(claims | changes).encode()).rstrip(b"=").decode()
    keys = deployment.stack.directory / "state" / "cognito-pool-keys"
    key = keys / f"{deployment.outputs['LocalUserPoolId']}-access.pem"
    signed = subprocess.run(
        [str(EMULATOR_PYTHON), "-c", SIGN, str(key), f"{header}.{changed}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return f"{header}.{changed}.{signed.stdout.strip()}"


def forged(deployment: Deployment) -> str:
    """Another's claims under the customer's signature."""
    header, _, signature = deployment.customer.token.split(".")
    return f"{header}.{deployment.staff.token.split('.')[1]}.{signature}"


@pytest.mark.parametrize(
    "token",
    [
        lambda _: None,
        lambda _: "garbage",
        lambda _: "a.b.c",
        forged,
        lambda deployment: with_claims(deployment, iat=1_700_000_000, exp=1_700_003_600),
    ],
    ids=["none", "garbage", "garbage in three parts", "forged", "expired"],
)
def test_the_gateway_turns_away_whoever_has_no_valid_token(
    deployment: Deployment, token: Callable[[Deployment], str | None]
) -> None:
    caller = deployment.caller("nobody", token(deployment))
    for method, path in (
        ("POST", "/orders"),
        ("GET", "/orders?status=PENDING"),
        ("GET", "/orders/1"),
        ("PATCH", "/orders/1"),
        ("GET", "/orders/1/timeline"),
        ("GET", "/customers/1/orders"),
        ("GET", "/reports/daily/2026-11-23"),
    ):
        refused = caller.http.request(method, path)
        assert refused.status_code == 401, (method, path)
        assert refused.json() == {"message": "Unauthorized"}


def test_the_same_signing_with_a_good_expiry_gets_in(deployment: Deployment) -> None:
    token = with_claims(deployment, iat=1_700_000_000)
    assert deployment.caller("the customer", token).http.get("/orders/1").status_code == 404


def test_an_id_token_is_no_access_token(deployment: Deployment, customer: Caller) -> None:
    order_id = customer.place()["orderId"]
    tokens = deployment.tokens(CUSTOMER)
    assert deployment.caller("", tokens["AccessToken"]).get(order_id).status_code == 200

    refused = deployment.caller("", tokens["IdToken"]).get(order_id)
    assert (refused.status_code, problem_type(refused)) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_health_and_unknown_routes_need_no_token(deployment: Deployment) -> None:
    health = deployment.nobody.http.get("/health")
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert deployment.nobody.http.get("/nowhere").status_code == 404


def test_a_customer_does_not_learn_of_anothers_order(
    customer: Caller, other_customer: Caller
) -> None:
    order_id = customer.place()["orderId"]
    for refused in (
        other_customer.get(order_id),
        other_customer.patch(order_id, "CANCELED"),
        other_customer.patch(order_id, "PAID"),
        other_customer.http.get(f"/orders/{order_id}/timeline"),
        other_customer.get("00000000-0000-7000-8000-000000000000"),
        other_customer.get("none"),
    ):
        assert (refused.status_code, problem_type(refused)) == (404, "order-not-found")
    assert customer.get(order_id).json()["version"] == 1


def test_a_customer_lists_and_creates_for_nobody_else(
    customer: Caller, other_customer: Caller
) -> None:
    for refused in (
        other_customer.http.get(f"/customers/{customer.id}/orders"),
        other_customer.post(other_customer.order(customerId=customer.id)),
        other_customer.http.get("/orders?status=PENDING"),
        other_customer.http.get("/reports/daily/2026-11-23"),
    ):
        assert (refused.status_code, problem_type(refused)) == (403, "forbidden")


def test_a_customer_may_cancel_a_pending_order_and_nothing_else(
    customer: Caller, staff: Caller
) -> None:
    order_id = customer.place()["orderId"]
    assert customer.patch(order_id, "PAID").status_code == 403
    assert customer.patch(order_id, "CANCELED").status_code == 200
    repeated = customer.patch(order_id, "CANCELED")
    assert (repeated.status_code, repeated.json()["version"]) == (200, 2)

    paid_id = customer.place()["orderId"]
    assert staff.patch(paid_id, "PAID").status_code == 200
    assert customer.patch(paid_id, "SHIPPED").status_code == 403
    assert customer.patch(paid_id, "CANCELED").status_code == 403
    assert staff.patch(paid_id, "CANCELED").status_code == 200


def test_staff_act_for_everyone(customer: Caller, staff: Caller) -> None:
    order_id = staff.place(customerId=customer.id)["orderId"]
    listed = staff.http.get(f"/customers/{customer.id}/orders?consistent=true&limit=1").json()
    assert [one["orderId"] for one in listed["items"]] == [order_id]
    assert customer.get(order_id).status_code == 200
    assert staff.patch(order_id, "PAID").status_code == 200
    assert staff.patch(order_id, "SHIPPED").status_code == 200


def test_only_staff_see_who_of_the_staff_did_it(customer: Caller, staff: Caller) -> None:
    order_id = customer.place()["orderId"]
    assert staff.patch(order_id, "PAID").status_code == 200

    made, paid = staff.complete_timeline(order_id, 2)
    claims = json.loads(base64.urlsafe_b64decode(staff.token.split(".")[1] + "=="))
    assert (made["actor"], "actorId" in made) == ("customer", False)
    assert (paid["actor"], paid["actorId"]) == ("staff", claims["sub"])
    assert [sorted(entry) for entry in customer.timeline(order_id)] == [sorted(made)] * 2
