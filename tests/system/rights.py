"""What the functions may do, as the deployed roles say, and what Lambda does with these roles.

A resource is named by what follows the account in its ARN: `table/orders_app`, a queue's name.
"""

from __future__ import annotations

import contextlib
import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

from emulator import REGION
from infrastructure.lambda_rights import LOG, READ_QUEUE, READ_STREAM, TRACES
from infrastructure.templates import listed
from local_stack import STACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from system.deployment import Deployment, Json


class Right(NamedTuple):
    """To do something with something."""

    function: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.function}: {self.action} on {self.resource}"

    def covers(self, other: Right) -> bool:
        return self[:2] == other[:2] and fnmatchcase(other.resource, self.resource)


EMULATORS_OWN: Final = {
    "sns:Publish": "sns:PublishBatch",
    "sqs:SendMessage": "sqs:SendMessageBatch",
}
"""What the emulator asks for in a batch's case, where AWS asks for the first action."""


def granted(deployment: Deployment) -> list[Right]:
    """All that the roles allow, without what only the emulator knows; each once, in order."""
    rights = (
        Right(function, action, resource_of(arn))
        for function in deployment.functions
        for statement in Role(deployment, function).statements
        for arn in listed(statement["Resource"])
        for action in listed(statement["Action"])
        if action not in EMULATORS_OWN.values()
    )
    return list(dict.fromkeys(rights))


def used_by_lambda(deployment: Deployment) -> set[Right]:
    """What Lambda does in a function's name and with its role."""
    used: set[Right] = set()

    def uses(function: str, actions: frozenset[str], resource: str) -> None:
        used.update(Right(function, action, resource) for action in actions)

    for function in deployment.functions:
        uses(function, LOG, f"log-group:/aws/lambda/{STACK}-{function}:*:*")
        uses(function, TRACES, "*")
    for function, mapping in triggers(deployment).items():
        source = mapping["EventSourceArn"]
        uses(function, READ_QUEUE if ":sqs:" in source else READ_STREAM, resource_of(source))
        if failures := mapping.get("DestinationConfig"):
            queue = failures["OnFailure"]["Destination"]
            uses(function, frozenset({"sqs:SendMessage"}), resource_of(queue))
    return used


def triggers(deployment: Deployment) -> dict[str, Json]:
    """The stream or queue that each function reads, and how."""
    mappings = deployment.aws("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {
        mapping["FunctionArn"].rpartition(":")[2].removeprefix(f"{STACK}-"): mapping
        for mapping in mappings
    }


def resource_of(arn: str) -> str:
    return arn.split(":", 5)[-1]


class Role:
    """The deployed role of a function."""

    def __init__(self, deployment: Deployment, function: str) -> None:
        self._iam = deployment.aws("iam")
        self._name = f"{STACK}-{function}-{REGION}-lambdaRole"
        (self._policy,) = self._iam.list_role_policies(RoleName=self._name)["PolicyNames"]
        self._document: Json = self._iam.get_role_policy(
            RoleName=self._name, PolicyName=self._policy
        )["PolicyDocument"]

    @property
    def statements(self) -> list[Json]:
        return list(self._document["Statement"])

    @contextlib.contextmanager
    def without(self, lacks: Callable[[str, str], bool]) -> Iterator[None]:
        """Meanwhile the role lacks the actions on resources of which `lacks` is true."""
        rest = [
            statement | {"Action": action, "Resource": arn}
            for statement in self.statements
            for action in listed(statement["Action"])
            for arn in listed(statement["Resource"])
            if not lacks(action, resource_of(arn))
        ]
        self._put(self._document | {"Statement": rest})
        try:
            yield
        finally:
            self._put(self._document)

    def _put(self, document: Json) -> None:
        self._iam.put_role_policy(
            RoleName=self._name, PolicyName=self._policy, PolicyDocument=json.dumps(document)
        )


@contextlib.contextmanager
def without(deployment: Deployment, right: Right) -> Iterator[None]:
    """Meanwhile the function lacks this right, by the emulator's name for it too."""
    actions = {right.action, EMULATORS_OWN.get(right.action)}
    role = Role(deployment, right.function)
    with role.without(lambda action, resource: action in actions and resource == right.resource):
        yield


@contextlib.contextmanager
def with_no_right_but_to_log(deployment: Deployment, function: str) -> Iterator[None]:
    with Role(deployment, function).without(lambda action, _: not action.startswith("logs:")):
        yield
