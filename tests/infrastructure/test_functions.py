from __future__ import annotations

import ast
import importlib.util
import json
import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import orders.environment
from infrastructure.templates import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infrastructure.templates import Template

SOURCE = ROOT / "src" / "orders"
HTTP = [
    "api-docs",
    "create-order",
    "get-daily-report",
    "get-order",
    "get-order-timeline",
    "health",
    "list-customer-orders",
    "list-events",
    "list-orders-by-status",
    "not-found",
    "update-order",
]
BACKGROUND = [
    "daily-report",
    "expire-stale-orders",
    "settle-payments",
    "publish-order-events",
]
FUNCTIONS = sorted(HTTP + BACKGROUND)
# Read by Powertools, or when any function starts.
TELEMETRY = {
    "POWERTOOLS_LOG_LEVEL",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_SERVICE_NAME",
    "TRACER_ENABLED",
    "VERSION",
}
GATEWAY_SECONDS = 30


def module_of(function: str) -> Path:
    return SOURCE / "functions" / f"{function.replace('-', '_')}.py"


def test_these_are_the_functions(production: Template) -> None:
    assert sorted(production.functions) == FUNCTIONS


def test_every_module_of_a_function_is_deployed(production: Template) -> None:
    modules = {path for path in (SOURCE / "functions").glob("*.py") if has_handler(path)}
    assert modules == {module_of(function) for function in production.functions}


def has_handler(path: Path) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "handler"
        for statement in ast.parse(path.read_text()).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


@pytest.mark.parametrize("function", FUNCTIONS)
class TestFunction:
    def test_it_runs_on_python_3_13_on_arm(self, function: str, production: Template) -> None:
        assert production.functions[function]["Runtime"] == "python3.13"
        assert production.functions[function]["Architectures"] == ["arm64"]

    def test_its_module_has_its_name(self, function: str, production: Template) -> None:
        handler = f"orders.functions.{function.replace('-', '_')}.handler"
        assert production.functions[function]["Handler"] == handler

    def test_it_is_traced(self, function: str, production: Template) -> None:
        assert production.functions[function]["TracingConfig"] == {"Mode": "Active"}

    def test_its_log_is_kept_for_90_days_in_production_and_14_elsewhere(
        self, function: str, production: Template, development: Template
    ) -> None:
        assert retention(production, f"/aws/lambda/orders-prod-{function}") == 90
        assert retention(development, f"/aws/lambda/orders-dev-{function}") == 14

    def test_it_has_a_role_of_its_own(self, function: str, production: Template) -> None:
        role = production.functions[function]["Role"]
        sharing = [name for name, other in production.functions.items() if other["Role"] == role]
        assert sharing == [function]

    def test_its_environment_is_what_it_reads(
        self, function: str, production: Template, reads: Mapping[str, set[str]]
    ) -> None:
        given = set(production.variables(function))
        # What reads the table can be told the index, which few of them use.
        index = {"GSI1_NAME"} - given
        assert given == (reads[function] | TELEMETRY) - index

    def test_it_is_told_the_index_if_it_may_query_it(
        self, function: str, production: Template
    ) -> None:
        queries_index = any(
            "index/gsi1" in json.dumps(statement) for statement in production.statements(function)
        )
        given = production.variables(function).get("GSI1_NAME")
        assert given == ("gsi1" if queries_index else None)


def retention(template: Template, log_group: str) -> int:
    (days,) = (
        group["RetentionInDays"]
        for group in template.properties("AWS::Logs::LogGroup").values()
        if group["LogGroupName"] == log_group
    )
    return int(days)


@pytest.fixture(scope="session")
def reads() -> Mapping[str, set[str]]:
    """The settings that each function reads: recorded while its module is run."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        recorder = Recorder()
        monkeypatch.setattr(orders.environment, "os", SimpleNamespace(environ=recorder))
        found = {}
        for function in FUNCTIONS:
            recorder.names = set()
            run(module_of(function))
            found[function] = recorder.names
        return found


class Recorder:
    """Stands for `os.environ`, and remembers what was asked for."""

    names: set[str]

    def get(self, name: str) -> str | None:
        self.names.add(name)
        return os.environ.get(name)


def run(module: Path) -> None:
    """Run a module under another name, so that no other test gets this copy of it."""
    spec = importlib.util.spec_from_file_location(f"probed_{module.stem}", module)
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as monkeypatch:
        # Where a dataclass looks for its module.
        monkeypatch.setitem(sys.modules, spec.name, copy)
        spec.loader.exec_module(copy)


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


@pytest.mark.parametrize("function", HTTP)
def test_it_ends_before_the_gateway_gives_up(function: str, production: Template) -> None:
    assert production.functions[function]["Timeout"] < GATEWAY_SECONDS


def test_the_tracer_is_on_for_dev_and_off_for_production(
    production: Template, development: Template, customized: Template
) -> None:
    assert everywhere(production, "TRACER_ENABLED") == {"false"}
    assert everywhere(development, "TRACER_ENABLED") == {"true"}
    assert everywhere(customized, "TRACER_ENABLED") == {"true"}


def everywhere(template: Template, variable: str) -> set[Any]:
    """The values that the functions are given for a variable."""
    environments = [template.variables(function) for function in template.functions]
    return {variables[variable] for variables in environments if variable in variables}


def test_payments_are_mocked_everywhere_but_in_production(
    production: Template, development: Template, local: Template, customized: Template
) -> None:
    assert everywhere(production, "PAYMENTS") == {"none"}
    assert everywhere(development, "PAYMENTS") == everywhere(local, "PAYMENTS") == {"mock"}
    assert everywhere(customized, "PAYMENTS") == {"none"}


def test_settings_reach_the_functions(customized: Template) -> None:
    assert everywhere(customized, "CUSTOMER_ID_CLAIM") == {"customer"}
    assert everywhere(customized, "STAFF_CLAIM") == {"roles"}
    assert everywhere(customized, "STAFF_VALUE") == {"clerk"}
    assert everywhere(customized, "PUBLIC_BASE_URL") == {"https://api.example.com/v1"}
    assert everywhere(customized, "POWERTOOLS_LOG_LEVEL") == {"DEBUG"}


def test_the_feed_shows_what_is_a_minute_old_and_locally_five_seconds(
    production: Template, development: Template, local: Template
) -> None:
    assert everywhere(production, "FEED_DELAY_SECONDS") == {"60"}
    assert everywhere(development, "FEED_DELAY_SECONDS") == {"60"}
    assert everywhere(local, "FEED_DELAY_SECONDS") == {"5"}


def test_production_takes_the_usual_claims(production: Template) -> None:
    assert everywhere(production, "CUSTOMER_ID_CLAIM") == {"sub"}
    assert everywhere(production, "STAFF_CLAIM") == {"cognito:groups"}
    assert everywhere(production, "STAFF_VALUE") == {"staff"}
    assert everywhere(production, "PUBLIC_BASE_URL") == {""}
    assert everywhere(production, "POWERTOOLS_LOG_LEVEL") == {"INFO"}
