"""What is measured: the platform and its rivals, each on tables of its own behind a meter."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

from benchmarks.figures import ROOT
from benchmarks.meter import Meter
from benchmarks.process import LAMBDA_ENVIRONMENT, Code, Process
from benchmarks.typical.table import IDEMPOTENCY_TABLE, ORDERS_TABLE
from orders.http.routes import ROUTES
from servers import aws_client, create_table, dynamodb_local, ministack

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.process import Handled
    from gateway import Event

Environment = dict[str, str]

HTTP_FUNCTIONS: Final = (*dict.fromkeys(route.function for route in ROUTES), "not-found")
TEMPLATE: Final = ROOT / "build/template/prod/cloudformation-template-update-stack.json"
_ACCOUNT: Final = [name for name in LAMBDA_ENVIRONMENT if "KEY" in name or "REGION" in name]
_RELEASED: Final = frozenset(
    {"customerId", "currency", "items", "metadata", "status"}
    | {"sku", "name", "quantity", "unitAmount"}
    | {"channel"}  # in the metadata
)
"""The fields of our requests that the rivals know."""


@cache
def resources(kind: str) -> list[dict[str, Any]]:
    """Properties of the production template's resources of one type; compiled if it was not."""
    sources = (ROOT / "serverless.yml", *ROOT.glob("infra/*"))
    changed = max(source.stat().st_mtime for source in sources)
    if not TEMPLATE.exists() or TEMPLATE.stat().st_mtime < changed:
        subprocess.run([str(ROOT / "scripts" / "compile_template.sh"), "prod"], check=True)
    found = json.loads(TEMPLATE.read_text())["Resources"].values()
    return [one["Properties"] for one in found if one["Type"] == kind]


@dataclass(frozen=True, slots=True)
class Function:
    """A function's variables; `set` stands for an address or a name."""

    handler: str
    environment: Environment

    @property
    def module(self) -> str:
        return self.handler.rpartition(".")[0]


@cache
def deployed() -> dict[str, Function]:
    """Every function of the production stage, by its name."""
    return {
        one["FunctionName"].removeprefix("orders-prod-"): Function(
            one["Handler"],
            {
                name: value if isinstance(value, str) else "set"
                for name, value in one["Environment"]["Variables"].items()
            },
        )
        for one in resources("AWS::Lambda::Function")
    }


@dataclass(frozen=True, slots=True)
class System:
    """Something that responds to API Gateway's events, through the handlers of its functions.

    `set_up` makes its tables and queues at two addresses, DynamoDB's and SQS's, and returns the
    environment that names them.
    """

    name: str
    handler_of: Callable[[str], str]
    set_up: Callable[[str, str], Environment]
    is_frozen: bool = True

    def event(self, event: Event) -> Event:
        """The event as this system takes it: without what came after a rival's release."""
        if not self.is_frozen or "body" not in event:
            return event
        body = json.loads(event["body"], object_hook=_as_released)
        return event | {"body": json.dumps(body)}


def _as_released(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in _RELEASED}


def _our_tables(database: str, queues: str) -> Environment:
    environment: Environment = {}
    for function in deployed().values():
        environment |= function.environment
    sqs = aws_client("sqs", queues)
    for name in environment:
        if name.endswith("QUEUE_URL"):
            queue = f"orders-{secrets.token_hex(8)}"
            environment[name] = sqs.create_queue(QueueName=queue)["QueueUrl"]
    return environment | {"PAYMENTS": "mock", "TABLE_NAME": create_table(database)}


def _typical_tables(database: str, _queues: str) -> Environment:
    tables = {"TABLE_NAME": ORDERS_TABLE, "IDEMPOTENCY_TABLE_NAME": IDEMPOTENCY_TABLE}
    made = {variable: f"typical-{secrets.token_hex(8)}" for variable in tables}
    for variable, name in made.items():
        aws_client("dynamodb", database).create_table(TableName=name, **tables[variable])
    return made | {
        "POWERTOOLS_METRICS_NAMESPACE": "Orders",
        "POWERTOOLS_SERVICE_NAME": "orders",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


OURS: Final = System("ours", lambda name: deployed()[name].handler, _our_tables, is_frozen=False)
TYPICAL: Final = System("typical", lambda _: "benchmarks.typical.app.handler", _typical_tables)
FLOOR: Final = System("bare call", lambda _: "benchmarks.floor.handler", _our_tables)


class Running:
    """As a context manager: a system that runs. `database` and `queues` meter its calls.

    Its tables are at the address `database`, by default in DynamoDB Local.
    """

    def __init__(self, system: System, *, database: str | None = None) -> None:
        # For this process's own clients, which make tables and look into them.
        for variable in _ACCOUNT:
            os.environ.setdefault(variable, LAMBDA_ENVIRONMENT[variable])
        self.system = system
        self.upstream = database or dynamodb_local()
        self.database, self.queues = Meter(self.upstream), Meter(ministack())
        self.environment = system.set_up(self.upstream, ministack())
        self._processes: dict[str, Process] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for meter in (self.database, self.queues):
            self._open.enter_context(meter)
        addresses = {
            "AWS_ENDPOINT_URL": self.database.endpoint,
            "AWS_ENDPOINT_URL_SQS": self.queues.endpoint,
        }
        self._code = Code(self.environment | addresses)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def invoke(self, function: str, event: Event) -> Handled:
        """Raises AssertionError where an HTTP function refuses, or a consumer fails a record."""
        handler = self.system.handler_of(function)
        if handler not in self._processes:
            self._processes[handler] = self._open.enter_context(Process(self._code, handler))
        handled = self._processes[handler].handle([self.system.event(event)])
        if handled.refused:
            raise AssertionError(f"{self.system.name} {function}: {handled.responses}")
        return handled

    def send(self, event: Event) -> Any:  # noqa: ANN401 - whatever the route responds with
        """Send a request, and return the body of the response."""
        return json.loads(self.invoke(function_of(event), event).responses[0]["body"])


def function_of(event: Event) -> str:
    """The function that API Gateway passes the request to."""
    return next(route.function for route in ROUTES if event["routeKey"] in route.keys)
