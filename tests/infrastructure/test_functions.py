from __future__ import annotations

import ast
import importlib.util
import json
import random
import sys
import time
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import orders.environment
from infrastructure.templates import ROOT, compiled
from orders.adapters import sns
from orders.adapters.aws import client
from orders.adapters.aws.connection import Endpoint, HttpResponse
from orders.adapters.dynamodb.table import Table
from orders.application.errors import TryAgain
from orders.http.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType

    from infrastructure.templates import Template

SOURCE = ROOT / "src" / "orders"
# Read when any function starts.
TELEMETRY = {"LOG_LEVEL", "METRICS_NAMESPACE", "VERSION"}
# What Lambda sets itself, as AWS's SDKs read it.
LAMBDAS_OWN = dict.fromkeys(("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "set")
OF_THE_DESK = {
    *("DESK_CLIENT_ID", "DESK_SCOPE", "DESK_ISSUER", "DESK_AUDIENCE", "DESK_SIGN_IN_ORIGIN"),
    "DESK_TOKEN_IN_LINK",
}
GATEWAY_SECONDS = 30


def module_of(function: str) -> Path:
    return SOURCE / "functions" / f"{function.replace('-', '_')}.py"


def test_every_module_with_a_handler_is_deployed_as_the_function_of_its_name(
    production: Template,
) -> None:
    modules = {path for path in (SOURCE / "functions").glob("*.py") if has_handler(path)}
    assert modules == {module_of(function) for function in production.functions}
    for function, properties in production.functions.items():
        assert properties["Handler"] == f"orders.functions.{module_of(function).stem}.handler"


def has_handler(path: Path) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "handler"
        for statement in ast.parse(path.read_text()).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


def test_every_function_runs_on_python_3_13_on_arm_and_is_traced(watched: Template) -> None:
    for function, properties in watched.functions.items():
        assert properties["Runtime"] == "python3.13", function
        assert properties["Architectures"] == ["arm64"], function
        assert properties["TracingConfig"] == {"Mode": "Active"}, function


def test_every_log_is_kept_for_90_days_in_production_and_14_elsewhere(
    watched: Template, development: Template
) -> None:
    for template, days in ((watched, 90), (development, 14)):
        retention = {
            group["LogGroupName"]: group["RetentionInDays"]
            for group in template.properties("AWS::Logs::LogGroup").values()
        }
        for properties in template.functions.values():
            assert retention[f"/aws/lambda/{properties['FunctionName']}"] == days


def test_each_function_is_given_the_settings_that_it_reads(
    production: Template, reads: Mapping[str, set[str]]
) -> None:
    # What reads the table can be told the index, which few functions use. Few stages have a topic;
    # some have no desk, or one that signs in by itself.
    not_always = {"GSI1_NAME", "TOPIC_ARN", "DESK", *OF_THE_DESK}
    given = {name: {*production.variables(name)} - not_always for name in production.functions}
    assert given == {name: (reads[name] | TELEMETRY) - not_always for name in given}


def test_a_function_is_told_the_index_if_it_may_query_it(production: Template) -> None:
    for function in production.functions:
        queries = "index/gsi1" in json.dumps(production.statements(function))
        given = production.variables(function).get("GSI1_NAME")
        assert given == ("gsi1" if queries else None), function


def test_the_publisher_is_told_the_topic_if_there_is_one(
    with_topic: Template, reads: Mapping[str, set[str]]
) -> None:
    assert "TOPIC_ARN" in reads["publish-order-events"]
    assert with_topic.variables("publish-order-events")["TOPIC_ARN"] == {"Ref": "OrderEventsTopic"}


def test_the_desk_is_told_how_to_sign_in_if_it_is_a_client_of_the_issuer(
    production: Template, local: Template, customized: Template, reads: Mapping[str, set[str]]
) -> None:
    assert reads["desk"] - TELEMETRY == OF_THE_DESK
    told = [
        {name: one.variables("desk")[name] for name in OF_THE_DESK & {*one.variables("desk")}}
        for one in (production, local, customized)
    ]
    assert told == [
        {},
        {"DESK_TOKEN_IN_LINK": "true"},
        {
            "DESK_CLIENT_ID": "the-desk",
            "DESK_SCOPE": "openid offline_access",
            "DESK_ISSUER": "https://login.example.com/tenant",
            "DESK_AUDIENCE": "web",
            "DESK_SIGN_IN_ORIGIN": "https://login.shop.example.com",
        },
    ]


def test_a_client_that_is_the_audience_asks_for_no_other() -> None:
    stage = compiled("dev", "--param=jwtAudience=web, the-desk", "--param=deskClientId=the-desk")
    assert "DESK_AUDIENCE" not in stage.variables("desk")


@pytest.fixture(scope="session")
def reads(production: Template) -> Mapping[str, set[str]]:
    """The settings that each function reads: recorded while its module is run."""
    found = {}
    for function in production.functions:
        variables = {name: str(value) for name, value in production.variables(function).items()}
        environment = Environment(LAMBDAS_OWN | variables)
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(orders.environment, "os", SimpleNamespace(environ=environment))
            run(module_of(function))
        found[function] = {name for name in environment.read if not name.startswith("AWS_")}
    return found


class Environment(dict[str, str]):
    """Stands for `os.environ`, and remembers what was asked for."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables)
        self.read: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # all that is used
        self.read.add(name)
        return super().get(name, default)


def run(module: Path) -> ModuleType:
    """A copy of a module, run under another name, so that no other test gets it."""
    spec = importlib.util.spec_from_file_location(f"probed_{module.stem}", module)
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as monkeypatch:
        # Where a dataclass looks for its module.
        monkeypatch.setitem(sys.modules, spec.name, copy)
        spec.loader.exec_module(copy)
    return copy


def test_only_one_module_reads_the_environment() -> None:
    readers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.alias)
        and {"environ", "environb", "getenv"}
        & {getattr(node, "attr", ""), getattr(node, "name", "")}
    }
    assert readers == {"environment.py"}


def test_a_request_ends_before_the_gateway_gives_up(production: Template) -> None:
    for function in {"not-found", *(route.function for route in ROUTES)}:
        assert production.functions[function]["Timeout"] < GATEWAY_SECONDS, function


def test_settings_have_these_values_on_the_stages(
    production: Template, development: Template, local: Template, customized: Template
) -> None:
    stages = (production, development, local, customized)
    for name, values in {
        "PAYMENTS": ("none", "mock", "mock", "none"),
        "CUSTOMER_ID_CLAIM": ("sub", "sub", "sub", "customer"),
        "STAFF_CLAIM": ("cognito:groups", "cognito:groups", "cognito:groups", "roles"),
        "STAFF_VALUE": ("staff", "staff", "staff", "clerk"),
        "LOG_LEVEL": ("INFO", "INFO", "INFO", "WARNING"),
        "FEED_DELAY_SECONDS": ("60", "60", "5", "60"),
    }.items():
        assert [stage.everywhere(name) for stage in stages] == [{value} for value in values], name
    assert production.everywhere("PUBLIC_BASE_URL") == {""}
    assert customized.everywhere("PUBLIC_BASE_URL") == {"https://api.example.com/v1"}


class StallingServices:
    """Each attempt is answered at its last moment, with an error; each pause is its longest."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replaces the clock, too."""
        self._monkeypatch = monkeypatch
        self._now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self._now)
        monkeypatch.setattr(time, "sleep", self._pass)
        monkeypatch.setattr(random, "uniform", lambda _, high: high)

        def answer(endpoint: Endpoint, *_: object) -> HttpResponse:
            self._pass(endpoint._milliseconds / 1000)
            return HttpResponse(500, b'{"__type":"InternalServerError"}')

        monkeypatch.setattr(Endpoint, "post", answer)

    def started(self, function: str) -> tuple[ModuleType, list[client.Client]]:
        """The function's module, and the clients that it makes where there is a topic."""
        made: list[client.Client] = []

        def recorded(make: type[client.Client]) -> Callable[..., client.Client]:
            def record(*arguments: Any) -> client.Client:  # noqa: ANN401 - whatever it takes
                made.append(make(*arguments))
                return made[-1]

            return record

        with self._monkeypatch.context() as changes:
            changes.setenv("TOPIC_ARN", "arn:aws:sns:ap-southeast-1:000000000000:order-events")
            changes.setattr(client, "Client", recorded(client.Client))
            changes.setattr(sns, "SnsClient", recorded(sns.SnsClient))
            return run(module_of(function)), made

    def seconds(self, call: Callable[[], object]) -> float:
        """How long the call takes until it fails."""
        started = self._now
        with pytest.raises((TryAgain, client.Refused, client.Unreachable)):
            call()
        return self._now - started

    def _pass(self, seconds: float) -> None:
        self._now += seconds


@pytest.fixture
def stalling(monkeypatch: pytest.MonkeyPatch) -> StallingServices:
    return StallingServices(monkeypatch)


def test_a_call_ends_within_the_time_that_its_function_keeps_for_it(
    production: Template, stalling: StallingServices
) -> None:
    """Together with a call of each other service, such as to put off the message."""
    for function, properties in production.functions.items():
        module, clients = stalling.started(function)
        timeout = properties["Timeout"]
        kept = getattr(module, "_LEFT_MILLISECONDS", timeout * 1000) / 1000
        assert kept <= timeout
        assert sum(stalling.seconds(partial(one.call, "x", {})) for one in clients) < kept, function


def test_a_read_and_a_write_end_within_their_functions_time(
    production: Template, stalling: StallingServices
) -> None:
    """The write is repeated as a contended one is; a message, if there is one, is put off."""
    for function, properties in production.functions.items():
        _, clients = stalling.started(function)
        calls: list[Callable[[], object]] = [partial(one.call, "x", {}) for one in clients]
        tables = [
            Table(one, "orders") for one in clients if "DynamoDB" in getattr(one, "_target", "")
        ]
        calls += [partial(table.write, table.put({"pk": "a"})) for table in tables]
        seconds = sum(map(stalling.seconds, calls))
        print(f"{function}: {seconds:.1f} s of {properties['Timeout']}")
        assert seconds < properties["Timeout"], function
