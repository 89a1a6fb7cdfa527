"""`make smoke` on the deployed platform."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from emulator import ROOT
from environments import LOCAL
from local_stack import orderctl_environment
from prerequisites import missing
from proof.proxy import Proxy
from smoke.__main__ import CLEAN_UP
from smoke.claims import CLAIMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proof.proxy import PassOn, Request, Response
    from system.deployment import Caller, Deployment

ROW: Final = re.compile(r"^\| (.+) \| (.*) \| (\d+) \| (.+) \|$", re.MULTILINE)


def environment(deployment: Deployment, customer: Caller, api: str) -> dict[str, str]:
    return orderctl_environment(deployment.stack) | {
        "API_URL": api,
        "CUSTOMER_TOKEN": customer.token,
        "STAFF_TOKEN": deployment.staff.token,
        "STAGE": "local",
        # Nobody listens there, and nothing on this machine goes through a proxy.
        "HTTP_PROXY": "http://127.0.0.1:9",
    }


def outcomes(printed: str) -> Mapping[str, str]:
    return {claim: outcome for claim, _, _, outcome in ROW.findall(printed)}


def not_canceled(deployment: Deployment, customer: Caller) -> list[str]:
    made = deployment.details_of(customer.id)
    assert made
    return [one for one in made if customer.get(one).json()["status"] != "CANCELED"]


def test_every_claim_holds_here_and_no_order_is_left(deployment: Deployment) -> None:
    if not (LOCAL / "orderctl" / "bin" / "python").exists():
        missing("orderctl is not installed: make test installs it.")
    customer = deployment.new_customer()
    version = deployment.nobody.http.get("/health").json()["version"]
    result = subprocess.run(
        ["make", "--no-print-directory", "smoke", f"EXPECT_VERSION={version}"],
        cwd=ROOT,
        env=environment(deployment, customer, f"{deployment.stack.api_url}/"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcomes(result.stdout) == dict.fromkeys(
        [*(one.text for one in CLAIMS), CLEAN_UP], "ok"
    ), result.stdout + result.stderr
    assert result.returncode == 0
    assert result.stdout.startswith(f"# Smoke test of version {version}\n")
    assert not_canceled(deployment, customer) == []


class InterruptedOnTheWay:
    """Sends SIGINT to a process as soon as it asks for the feed, after its first orders."""

    process: subprocess.Popen[str] | None = None

    async def __call__(self, request: Request, pass_on: PassOn) -> Response | None:
        if self.process and "/events?recordedFrom" in request.target:
            self.process.send_signal(signal.SIGINT)
            self.process = None
        return await pass_on(request)


def test_at_another_address_than_its_own_two_claims_fail_and_ctrl_c_leaves_no_order(
    deployment: Deployment,
) -> None:
    customer, treat = deployment.new_customer(), InterruptedOnTheWay()
    with Proxy(deployment.stack.endpoint, treat) as proxy:
        api = deployment.stack.api_url.replace(deployment.stack.endpoint, proxy.address("smoke"))
        with subprocess.Popen(
            [sys.executable, "-m", "smoke"],
            env=environment(deployment, customer, api),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            treat.process = process
            printed, errors = process.communicate()
    found = outcomes(printed)
    assert [claim for claim, outcome in found.items() if outcome == "FAILED"] == [
        "`GET /openapi.json` describes the API at this address",
        "`Location` is the order's address here",
        "All claims were tried",
    ]
    assert found[CLEAN_UP] == "ok"
    assert "Interrupted. Canceling the orders" in errors
    assert process.returncode == 1
    assert not_canceled(deployment, customer) == []


def test_wrong_usage_says_what_to_type_and_exits_with_2() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "smoke"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/src{os.pathsep}{ROOT}/scripts"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "API_URL is not set. Type: make smoke API_URL=https://api.example.com\n"
    )
