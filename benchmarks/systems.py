"""What is measured: the platform and its rivals, each on tables of its own behind a meter."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from benchmarks.figures import ROOT
from benchmarks.function_process import LAMBDA_ENVIRONMENT, FunctionProcess
from benchmarks.meter import Meter
from benchmarks.typical.table import IDEMPOTENCY_TABLE, ORDERS_TABLE
from orders.http.routes import ROUTES
from servers import aws_client, create_table, dynamodb_local, ministack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.function_process import Invocation
    from gateway import Event

Environment = dict[str, str]

HTTP_FUNCTIONS: Final = (*dict.fromkeys(route.function for route in ROUTES), "not-found")
_OK: Final = range(200, 400)
_ACCOUNT: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
)


@dataclass(frozen=True, slots=True)
class System:
    """What answers API Gateway's events. `handlers` are by function, as module:attribute.

    `set_up` makes its tables and queues at two addresses, DynamoDB's and SQS's, and returns the
    environment that names them.
    """

    name: str
    handlers: Mapping[str, str]
    set_up: Callable[[str, str], Environment]


def _our_tables(database: str, queues: str) -> Environment:
    sqs = aws_client("sqs", queues)
    made = {
        name: sqs.create_queue(QueueName=f"orders-{secrets.token_hex(8)}")["QueueUrl"]
        for name in ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL")
    }
    return made | {"PAYMENTS": "mock", "TABLE_NAME": create_table(database)}


def _typical_tables(database: str, _queues: str) -> Environment:
    tables = {"TABLE_NAME": ORDERS_TABLE, "IDEMPOTENCY_TABLE_NAME": IDEMPOTENCY_TABLE}
    made = {variable: f"typical-{secrets.token_hex(8)}" for variable in tables}
    for variable, name in made.items():
        aws_client("dynamodb", database).create_table(TableName=name, **tables[variable])
    return made


OURS: Final = System(
    "ours",
    {
        module.stem.replace("_", "-"): f"orders.functions.{module.stem}:handler"
        for module in sorted((ROOT / "src" / "orders" / "functions").glob("*.py"))
        if "\nhandler = " in module.read_text()
    },
    _our_tables,
)
TYPICAL: Final = System(
    "typical",
    {route.function: "benchmarks.typical.app:handler" for route in ROUTES},
    _typical_tables,
)


class Running:
    """As a context manager: a system that runs. `database` and `queues` meter its calls.

    Its tables are at the address `database`, by default in DynamoDB Local.
    """

    def __init__(
        self, system: System, *, database: str | None = None, ask_for_units: bool = False
    ) -> None:
        # For this process's own clients, which make tables and look into them.
        for variable in _ACCOUNT:
            os.environ.setdefault(variable, LAMBDA_ENVIRONMENT[variable])
        self.system = system
        self.upstream = database or dynamodb_local()
        self.database = Meter(self.upstream, ask_for_units=ask_for_units)
        self.queues = Meter(ministack())
        self.settings = system.set_up(self.upstream, ministack())
        self.tables = [
            name for variable, name in self.settings.items() if variable.endswith("TABLE_NAME")
        ]
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for meter in (self.database, self.queues):
            self._open.enter_context(meter)
        environment = self.environment | {
            "AWS_ENDPOINT_URL": self.database.endpoint,
            "AWS_ENDPOINT_URL_SQS": self.queues.endpoint,
        }
        self._functions = self._open.enter_context(
            FunctionProcess(self.system.handlers, environment)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def environment(self) -> Environment:
        """What a stage sets, addresses apart."""
        return self.settings | {
            "PAYMENTS": "mock",
            "POWERTOOLS_METRICS_NAMESPACE": "Orders",
            "POWERTOOLS_SERVICE_NAME": "orders",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    def invoke(self, function: str, event: Mapping[str, Any]) -> Invocation:
        """Raises AssertionError where an HTTP function refuses, or a consumer fails a record."""
        invocation = self.ask(function, event)
        response = invocation.response
        refused = response.get("statusCode", _OK[0]) not in _OK or response.get("batchItemFailures")
        if refused:
            raise AssertionError(f"{self.system.name} {function}: {response}")
        return invocation

    def ask(self, function: str, event: Mapping[str, Any]) -> Invocation:
        """Whatever the function says."""
        return self._functions.invoke(function, event)

    def send(self, event: Event) -> Any:  # noqa: ANN401 - whatever the route answers
        """Answer a request, and return the body."""
        response = self.invoke(function_of(event), event).response
        return json.loads(response["body"])


def function_of(event: Event) -> str:
    """The function that API Gateway hands the request to."""
    return next(route.function for route in ROUTES if route.key == event["routeKey"])
