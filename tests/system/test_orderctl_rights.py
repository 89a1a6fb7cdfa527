"""Each command of orderctl needs exactly the rights that docs/orderctl.md lists.

It runs as an IAM user with the deployed policy of its role, cut down to the command's own rights:
with all of them it succeeds, without any one of them it says that this one is missing.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest

from emulator import REGION, ROOT
from infrastructure.templates import listed
from local_stack import STACK
from orderctl.reference import COMMANDS
from system.deployment import TABLE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from subprocess import CompletedProcess

    from orderctl.reference import CommandReference
    from system.deployment import Deployment, Json

PLACES: Final[dict[str, list[str]]] = {
    role: list(rights)
    for role, rights in json.loads((ROOT / "infra" / "operators.json").read_text()).items()
}
"""What each statement of a role's policy is about."""

RESTORED: Final = f"{TABLE}-restored"

ALWAYS: Final = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
"""AWS grants it to everybody; a policy must have a statement."""


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

    def may(self, role: str, rights: Mapping[str, str]) -> None:
        """Have these rights of the role's deployed policy, and no others."""
        arn = f"arn:aws:iam::{self._account}:policy/{STACK}-{role}-{REGION}"
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document: Any = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)[
            "PolicyVersion"
        ]["Document"]
        statements: list[Json] = [
            statement
            | {"Action": kept, "Resource": [emulated(one) for one in listed(statement["Resource"])]}
            | ({} if ON_EVERYTHING.isdisjoint(kept) else {"Resource": "*"})
            for place, statement in zip(PLACES[role], document["Statement"], strict=True)
            if (
                kept := [
                    action
                    for action in listed(statement["Action"])
                    if place in rights.get(action.removesuffix("Batch"), "").split(" and ")
                ]
            )
        ]
        self._iam.put_user_policy(
            UserName=self._name,
            PolicyName="rights",
            PolicyDocument=json.dumps(document | {"Statement": [ALWAYS, *statements]}),
        )


def emulated(arn: str) -> str:
    """AWS names a log group with `:*` at the end, and the emulator without."""
    return arn.removesuffix(":*") if ":log-group:" in arn else arn


@pytest.fixture(scope="module")
def operator(deployment: Deployment) -> Iterator[Operator]:
    yield Operator(deployment)
    deployment.orderctl("resume", "settle-payments", "--yes")
    for output in ("OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl"):
        deployment.aws("sqs").purge_queue(QueueUrl=deployment.outputs[output])
    dynamodb = deployment.aws("dynamodb")
    with contextlib.suppress(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.delete_table(TableName=RESTORED)


def switched(before: str) -> Callable[[Deployment], list[str]]:
    def prepare(deployment: Deployment) -> list[str]:
        deployment.orderctl(before, "settle-payments", "--yes")
        return ["settle-payments", "--yes"]

    return prepare


def order_with_a_dead_letter(deployment: Deployment) -> list[str]:
    order_id = deployment.customer.place()["orderId"]
    letter(deployment, "OrderEventsDeadLetterQueueUrl", {"subject": order_id})
    return [order_id]


def dead_letters(deployment: Deployment) -> list[str]:
    """A dead event, and a batch of the stream."""
    order = deployment.customer.place()
    event = {"subject": order["orderId"], "id": f"{order['orderId']}/1"}
    letter(deployment, "OrderEventsDeadLetterQueueUrl", event)
    times = {f"approximateArrivalOf{one}Record": order["createdAt"] for one in ("First", "Last")}
    letter(deployment, "OrderStreamDeadLetterQueueUrl", {"DDBStreamBatchInfo": times})
    return ["--yes"]


def letter(deployment: Deployment, output: str, body: Json) -> None:
    deployment.aws("sqs").send_message(
        QueueUrl=deployment.outputs[output], MessageBody=json.dumps(body)
    )


def customer_with_an_order(deployment: Deployment) -> list[str]:
    customer = deployment.new_customer()
    customer.place()
    return [customer.id, "--yes"]


@cache
def quiet_millisecond(deployment: Deployment) -> tuple[str, str]:
    """Begin and end of one with an order in the feed, and none that another test damaged."""
    created = datetime.fromisoformat(deployment.customer.place()["createdAt"])
    since, until = created.isoformat(), (created + timedelta(milliseconds=1)).isoformat()
    exported = ("export", "--from", since, "--to", until)
    eventually(lambda: deployment.orderctl(*exported).returncode, lambda code: code == 0)
    return since, until


def quiet(deployment: Deployment, *more: str) -> list[str]:
    since, until = quiet_millisecond(deployment)
    return ["--since", since, "--until", until, *more]


def reported(deployment: Deployment) -> list[str]:
    deployment.orderctl("make-report", "2026-01-01", "--yes")
    return ["2026-01-01"]


def lost_row(deployment: Deployment) -> list[str]:
    """A table with an order that the customer's list lost, and one that a forgotten's got back."""
    customer, person = deployment.new_customer(), deployment.new_customer()
    dynamodb = deployment.aws("dynamodb")
    order_id, forgotten = customer.place()["orderId"], person.place()["orderId"]
    definition = dynamodb.describe_table(TableName=TABLE)["Table"]
    with contextlib.suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(
            TableName=RESTORED,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=definition["KeySchema"],
            AttributeDefinitions=definition["AttributeDefinitions"][:2],
        )
    for row in (*deployment.rows(order_id).values(), *deployment.rows(forgotten).values()):
        dynamodb.put_item(TableName=RESTORED, Item=row)
    lost, listed = (
        {"pk": {"S": f"CUSTOMER#{one.id}"}, "sk": {"S": f"ORDER#{its}"}}
        for one, its in ((customer, order_id), (person, forgotten))
    )
    dynamodb.delete_item(TableName=TABLE, Key=lost)
    deployment.orderctl("forget", person.id, "--yes")
    dynamodb.put_item(TableName=TABLE, Item=listed)
    return ["--from", RESTORED, "--all", "--yes"]


PREPARED: Final[dict[str, Callable[[Deployment], list[str]]]] = {
    "dead-letters delete": lambda deployment: [*dead_letters(deployment), "--all"],
    "dead-letters list": lambda deployment: dead_letters(deployment)[:0],
    "dead-letters redrive": dead_letters,
    "events": quiet,
    "export": quiet,
    "forget": customer_with_an_order,
    "list": quiet,
    "make-report": lambda _: ["2026-01-01", "--yes"],
    "pause": switched("resume"),
    "replay": lambda deployment: quiet(deployment, "--yes"),
    "report": reported,
    "restore": lost_row,
    "resume": switched("pause"),
    "show": order_with_a_dead_letter,
    "status": lambda _: [],
    "token": lambda _: [],
}
"""Prepares what a command needs all of its rights for, and returns its arguments."""

NOT_ASKED_FOR: Final = {"lambda:UpdateEventSourceMapping", "logs:StopQuery", "sqs:GetQueueUrl"}
"""Rights that AWS asks for and the emulator doesn't, or that are for slow queries of show, or for a
queue that replay is told by name."""

ON_EVERYTHING: Final = {"events:DescribeRule", "events:ListTargetsByRule", "logs:StartQuery"}
"""Rights on something that AWS names in one way and the emulator in another."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_a_command_needs_the_rights_that_it_names_and_no_others(
    command: CommandReference, deployment: Deployment, operator: Operator
) -> None:
    def run() -> CompletedProcess[str]:
        arguments = PREPARED[command.name](deployment)
        return deployment.orderctl(*command.name.split(), *arguments, **operator.credentials)

    needed = command.needs.rights
    for missing in needed:
        operator.may(command.needs.role, {one: needed[one] for one in needed if one != missing})
        refused = run()
        if missing in NOT_ASKED_FOR:
            assert refused.returncode == 0, "the emulator asks for it now"
            continue
        assert refused.returncode == 1, (missing, refused.stdout)
        assert missing.partition(":")[2] in refused.stdout + refused.stderr

    operator.may(command.needs.role, command.needs.rights)

    allowed = run()

    assert "You lack a right" not in allowed.stdout + allowed.stderr
    assert allowed.returncode == 0 or command.name == "status", "which may find other faults"
