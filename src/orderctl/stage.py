"""A deployed stage: its AWS clients, and what its stack says of itself."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator import REGION, ROOT, Emulator, own_session
from orderctl.app import Problem
from orderctl.aws import BotoClient
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.domain import timestamps
from orders.domain.customer_id import CUSTOMER_ID_PATTERN, parse_customer_id
from orders.domain.order_number import looks_like_order_number, read_order_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from orders.domain.customer_id import CustomerId
    from orders.domain.order_id import OrderId

LOCAL: Final = "local"
LOCAL_DIRECTORY: Final = ROOT / ".local"

_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=20,
    max_pool_connections=32,
    retries={"mode": "standard", "total_max_attempts": 5},
)
_PUNCTUAL: Final = _CONFIG.merge(
    Config(read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
)


class Stage:
    """One deployed stage. Threads may share it; AWS is called when something is first asked.

    `started` is since when the local stack has run: before, it could do nothing that was due.
    """

    def __init__(
        self,
        name: str,
        session: boto3.Session,
        endpoint: str | None = None,
        started: datetime | None = None,
    ) -> None:
        self.name = name
        self.started = started
        self.stack = f"orders-{name}"
        self._session = session
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """boto3's client of a service."""
        with self._lock:  # a session makes one client at a time
            if service not in self._clients:
                self._clients[service] = self._make_client(service, _CONFIG)
            return self._clients[service]

    def _make_client(self, service: str, config: Config) -> Any:  # noqa: ANN401 - as client's
        if self._endpoint:
            # No proxy stands between the operator and a stack on this machine.
            config = config.merge(Config(proxies={}))
        try:
            return self._session.client(service, endpoint_url=self._endpoint, config=config)
        except ValueError as error:  # AWS_ENDPOINT_URL is no address
            raise Problem(f"Your AWS settings can't be used: {error}") from error

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """CloudFormation's of the stack. Raises Problem: there is no such stage."""
        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            if self.is_local:
                raise Problem("The local stack is not fully deployed: run `make up`.") from error
            region = self.client("cloudformation").meta.region_name
            raise Problem(
                f'There is no stage "{self.name}" in {region} of this account: no stack '
                f"{self.stack}. Check --stage, AWS_PROFILE and AWS_REGION."
            ) from error
        description: Mapping[str, Any] = stacks[0]
        return description

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs. Raises Problem: there is no such stage."""
        outputs = self.description.get("Outputs", ())  # none before its first deployment ends
        return _Outputs({one["OutputKey"]: one["OutputValue"] for one in outputs})

    @cached_property
    def resources(self) -> Mapping[str, Sequence[str]]:
        """The physical ids of the stack's resources, by type, such as `AWS::SQS::Queue`.

        Raises Problem: there is no such stage.
        """
        name: str = self.description["StackName"]
        found: dict[str, list[str]] = defaultdict(list)
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=name):
            for one in page["StackResourceSummaries"]:
                if "PhysicalResourceId" in one:  # not while it is yet to be made
                    found[one["ResourceType"]].append(one["PhysicalResourceId"])
        return found

    def short_name(self, function: str) -> str:
        """A function's name in serverless.yml, from its deployed name or its ARN."""
        return function.rpartition(":")[2].removeprefix(f"{self.stack}-")

    def command(self, arguments: str) -> str:
        """What to type for a subcommand on this stage."""
        stage = "" if self.is_local else f" --stage {self.name}"
        return f"./orderctl {arguments}{stage}"

    @property
    def api_url(self) -> str:
        """Without a slash at the end."""
        if self._endpoint:
            return f"{self._endpoint}/_aws/execute-api/{self.outputs['HttpApiId']}"
        return self.outputs["HttpApiUrl"]

    @cached_property
    def table(self) -> Table:
        return Table(BotoClient(self.client("dynamodb")), self.outputs["OrdersTableName"])

    @cached_property
    def table_for_events(self) -> Table:
        """`table`, of which a write takes less than the minute by which the feed lags.

        The feed never shows an event that is written later after its time.
        """
        return self.table._replace(client=BotoClient(self._make_client("dynamodb", _PUNCTUAL)))

    @cached_property
    def orders(self) -> DynamoDbOrders:
        return DynamoDbOrders(self.table, self.outputs["OrdersIndexName"])

    def now(self) -> datetime:
        """AWS's time: events are dated with it, and the operator's clock may be wrong."""
        now = timestamps.to_milliseconds(datetime.now(UTC) + self._ahead)
        return timestamps.from_milliseconds(now)

    @cached_property
    def _ahead(self) -> timedelta:
        """How far AWS's clock is ahead of the operator's, to the second."""
        response, arrived = self._identity
        return parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"]) - arrived

    @cached_property
    def operator(self) -> str:
        """The ARN of whose credentials these are."""
        response, _ = self._identity
        arn: str = response["Arn"]
        return arn

    @cached_property
    def _identity(self) -> tuple[Mapping[str, Any], datetime]:
        """STS's response, and when it arrived by the operator's clock."""
        return self.client("sts").get_caller_identity(), datetime.now(UTC)


class _Outputs(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise Problem(
            f"The stack has no output {name}: it isn't fully deployed, or by another release. "
            "Deploy again."
        )


def find_stage(name: str | None) -> Stage:
    """The stage of that name; None is the local stack.

    Raises:
        Problem: the local stack does not run.
    """
    if name is None or name == LOCAL:
        return _local()
    return Stage(name, users_session())


def users_session() -> boto3.Session:
    """With the user's own AWS set-up. boto3 does not know AWS_REGION."""
    region = os.environ.get("AWS_REGION") or boto3.Session().region_name or REGION
    return boto3.Session(region_name=region)


def _local() -> Stage:
    """The stack of `make up`, or the one that tests name, with the credentials that they set."""
    given = os.environ.get("ORDERCTL_LOCAL_ENDPOINT")
    if given:
        return Stage(LOCAL, users_session(), given)
    return local_stage(LOCAL_DIRECTORY)


def local_stage(directory: Path) -> Stage:
    """The local stack in a directory. Raises Problem: it does not run."""
    running = Emulator(directory, 0).running()
    if running is None:
        raise Problem("The local stack doesn't run: start it with `make up`, or name a --stage.")
    session = boto3.Session(botocore_session=own_session(), region_name=REGION)
    return Stage(LOCAL, session, running.endpoint, running.started)


def read_order(text: str) -> OrderId:
    """The order that an id or a number names. Raises typer.BadParameter."""
    order_id = read_order_id(text)
    if order_id is None:
        mistyped = looks_like_order_number(text)
        raise typer.BadParameter(
            f"The order number {text} has a typing error: check each character."
            if mistyped
            else f"{text} is neither an order id nor an order number."
        )
    return order_id


def read_customer(text: str) -> CustomerId:
    """The customer of an id. Raises typer.BadParameter."""
    customer_id = parse_customer_id(text)
    if customer_id is None:
        raise typer.BadParameter(f"A customer's id matches {CUSTOMER_ID_PATTERN}.")
    return customer_id
