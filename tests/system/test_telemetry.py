"""The functions' log lines and metrics."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from orders.http.routes import ROUTES
from system.deployment import eventually

if TYPE_CHECKING:
    import httpx

    from system.deployment import Caller, Deployment, Json


def test_every_request_leaves_a_line_with_its_id(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    known = customer.path_parameters()
    targets = {route.key: (route.method, route.path.format(**known)) for route in ROUTES}
    targets["$default"] = ("GET", "/nowhere")

    def send() -> dict[str, httpx.Response]:
        return {route: staff.http.request(*target) for route, target in targets.items()}

    def lines() -> dict[str, Json]:
        send()  # the emulator may be late with a line until the next request
        logged = [
            line
            for function in deployment.functions
            for line in deployment.log_lines(function)
            if "message" in line
        ]
        for line in logged:
            assert line["request_id"], line
            assert line["cold_start"] in {True, False}, line
        return {line["request_id"]: line for line in logged if "status" in line}

    responses = send()
    ids = {route: response.headers["x-request-id"] for route, response in responses.items()}
    logged = eventually(lines, lambda lines: lines.keys() >= set(ids.values()))

    for route, response in responses.items():
        line = logged[ids[route]]
        assert (line["message"], line["status"]) == (route, response.status_code)
        assert (line["service"], line["level"]) == ("orders", "INFO")
        assert isinstance(line["duration_ms"], float)
        if "{orderId}" in route and response.is_success:
            assert line["order_id"] == known["orderId"]


def test_functions_write_metrics(deployment: Deployment, customer: Caller, staff: Caller) -> None:
    order = customer.settled(customer.place(paymentToken="tok_approve")["orderId"])
    key = secrets.token_hex(8)
    for _ in range(2):
        customer.post(customer.order(), key=key).raise_for_status()
    deployment.settle()

    def counted() -> set[str]:
        # Again and again: the emulator may be late with a line until the next request.
        assert staff.patch(order["orderId"], "CANCELED", if_match='"9"').status_code == 412
        metrics = [
            metric["Name"]
            for function in deployment.functions
            for line in deployment.log_lines(function)
            if "_aws" in line
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        ]
        return set(metrics)

    wanted = {"OrdersCreated", "EventsPublished", "PaymentPaid", "Replays", "Conflicts"}
    eventually(counted, wanted.issubset)
