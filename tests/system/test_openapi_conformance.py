"""The deployed API against the committed OpenAPI document, with requests from schemathesis.

`SCHEMATHESIS_MAX_EXAMPLES` is the number of random requests per operation and caller, besides those
for the document's own values and limits; `SCHEMATHESIS_SEED` changes them.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import hypothesis
import pytest
import schemathesis
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup

from orders.openapi import examples
from system.conformance import Client, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import BaseSchema, Case, Response

    from system.deployment import Deployment

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "openapi.json"
MAX_EXAMPLES: Final = int(os.environ.get("SCHEMATHESIS_MAX_EXAMPLES", "12"))
SEED: Final = int(os.environ.get("SCHEMATHESIS_SEED", "1"))


def document(*, every_limit: bool) -> BaseSchema:
    schema = schemathesis.openapi.from_path(DOCUMENT, config=SchemathesisConfig(seed=SEED))
    schema.config.generation.update(
        max_examples=MAX_EXAMPLES, database="none", with_security_parameters=False
    )
    schema.config.checks.positive_data_acceptance.expected_statuses = ["2xx", "3xx"]
    schema.config.phases.coverage.enabled = every_limit
    return schema


for_staff = document(every_limit=True)
for_customers = document(every_limit=False).exclude(tag="About")
walking = hypothesis.settings(
    max_examples=MAX_EXAMPLES,
    stateful_step_count=10,
    deadline=None,
    database=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """Counts; an operation that never succeeded was not tested."""
    tally = Tally()
    yield tally
    tried = {label for label, _ in tally.statuses}
    assert {label for label, status in tally.statuses if status < 300} == tried
    print(f"\n{tally.statuses.total()} requests; refused by rules: {dict(tally.exceptions)}")


@pytest.fixture(scope="module")
def staff_client(deployment: Deployment, tally: Tally) -> Client:
    deployment.invoke("daily-report", {"date": f"{examples.DAY}"})
    return Client(deployment, deployment.staff, tally, is_staff=True)


@pytest.fixture(scope="module")
def customers_client(deployment: Deployment, tally: Tally) -> Client:
    return Client(deployment, deployment.new_customer(), tally, is_staff=False)


@for_staff.parametrize()
def test_staff_get_the_documented_responses(case: Case[Any], staff_client: Client) -> None:
    staff_client.check(case, staff_client.send(case))


@for_customers.parametrize()
def test_customers_get_the_documented_responses(case: Case[Any], customers_client: Client) -> None:
    customers_client.check(case, customers_client.send(case))


def test_the_documented_links_work(staff_client: Client) -> None:
    # Hypothesis expects that what it repeats happens again, but the table remembers. Where it finds
    # a difference it gives up, and the next round goes on with other requests.
    walks = 0
    wrong: list[FailureGroup] = []

    class Walk(for_staff.as_state_machine()):  # type: ignore[misc]  # made at run time
        def call(self, case: Case[Any], **_: object) -> Response:
            return staff_client.send(case)

        def validate_response(self, response: Response, case: Case[Any], **_: object) -> None:
            try:
                staff_client.check(case, response, self.recorder)
            except FailureGroup as failures:
                wrong.append(failures)
                raise

        def teardown(self) -> None:
            nonlocal walks
            walks += 1
            super().teardown()

    for seed in range(SEED, SEED + MAX_EXAMPLES):
        with contextlib.suppress(FlakyStrategyDefinition):
            hypothesis.seed(seed)(Walk).run(settings=walking)
        assert not wrong
        if walks >= MAX_EXAMPLES:
            return
    pytest.fail(f"only {walks} walks came about")
