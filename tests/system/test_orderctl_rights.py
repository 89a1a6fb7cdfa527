"""Each command of orderctl needs exactly the rights that docs/orderctl.md lists.

It runs as an IAM user with the deployed policy of its role, cut down to the command's own rights:
with all of them it succeeds, without any one of them it says that this one is missing.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final

import pytest

from infrastructure.templates import listed
from local_stack import STACK
from orderctl.reference import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from subprocess import CompletedProcess

    from orderctl.reference import CommandReference
    from system.deployment import Deployment, Json


class Operator:
    """A user whose rights change."""

    def __init__(self, deployment: Deployment) -> None:
        self._iam = deployment.aws("iam")
        self._name = f"operator-{secrets.token_hex(4)}"
        self._iam.create_user(UserName=self._name)
        key = self._iam.create_access_key(UserName=self._name)["AccessKey"]
        self.credentials = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        self._account = deployment.aws("sts").get_caller_identity()["Account"]

    def may(self, role: str, actions: Collection[str]) -> None:
        """Have these rights of the role's deployed policy, and no others."""
        arn = f"arn:aws:iam::{self._account}:policy/{STACK}-{role}"
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document: Any = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)[
            "PolicyVersion"
        ]["Document"]
        statements: list[Json] = [
            statement
            | {"Action": kept}
            | ({} if ON_EVERYTHING.isdisjoint(kept) else {"Resource": "*"})
            for statement in document["Statement"]
            if (kept := [one for one in listed(statement["Action"]) if one in actions])
        ]
        self._iam.put_user_policy(
            UserName=self._name,
            PolicyName="rights",
            PolicyDocument=json.dumps(document | {"Statement": statements}),
        )


@pytest.fixture(scope="module")
def operator(deployment: Deployment) -> Iterator[Operator]:
    yield Operator(deployment)
    deployment.aws("sqs").purge_queue(QueueUrl=deployment.outputs["OrderEventsDeadLetterQueueUrl"])


def switched(before: str) -> Callable[[Deployment], list[str]]:
    def prepare(deployment: Deployment) -> list[str]:
        deployment.orderctl(before, "settle-payments", "--yes")
        return ["settle-payments", "--yes"]

    return prepare


def order_with_a_dead_letter(deployment: Deployment) -> list[str]:
    order_id = deployment.customer.place()["orderId"]
    deployment.aws("sqs").send_message(
        QueueUrl=deployment.outputs["OrderEventsDeadLetterQueueUrl"],
        MessageBody=json.dumps({"subject": order_id}),
    )
    return [order_id]


def customer_with_an_order(deployment: Deployment) -> list[str]:
    customer = deployment.new_customer()
    customer.place()
    return [customer.id, "--yes"]


PREPARED: Final[dict[str, Callable[[Deployment], list[str]]]] = {
    "forget": customer_with_an_order,
    "pause": switched("resume"),
    "resume": switched("pause"),
    "show": order_with_a_dead_letter,
}
"""Prepares what a command needs all of its rights for, and returns its arguments."""

NOT_ASKED_FOR: Final = {"lambda:UpdateEventSourceMapping", "logs:StopQuery"}
"""Rights that AWS asks for and the emulator doesn't, or that show needs for slow queries alone."""

ON_EVERYTHING: Final = {"logs:StartQuery"}
"""Rights on several log groups, which AWS asks for on each, and the emulator on `*`."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_a_command_needs_the_rights_that_it_names_and_no_others(
    command: CommandReference, deployment: Deployment, operator: Operator
) -> None:
    def run() -> CompletedProcess[str]:
        arguments = PREPARED[command.name](deployment)
        return deployment.orderctl(*command.name.split(), *arguments, **operator.credentials)

    for missing in command.needs.rights:
        operator.may(command.needs.role, command.needs.rights.keys() - {missing})
        refused = run()
        if missing in NOT_ASKED_FOR:
            assert refused.returncode == 0, "the emulator asks for it now"
            continue
        assert refused.returncode == 1, (missing, refused.stdout)
        assert missing.partition(":")[2] in refused.stdout + refused.stderr

    operator.may(command.needs.role, command.needs.rights.keys())

    allowed = run()

    assert allowed.returncode == 0, allowed.stderr
