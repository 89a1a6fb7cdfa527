"""The rivals can be imported on their own: from the root alone, with what each may need."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from local_stack import ROOT

FLOOR = "benchmarks.floor"
LOADED = """
import importlib, json, sys
before = set(sys.modules)
assert importlib.import_module(sys.argv[1]).handler
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(loaded - sys.stdlib_module_names)))
"""


def packages_of(module: str) -> set[str]:
    """What importing it loads besides the standard library."""
    environment = {
        "TABLE_NAME": "orders",
        "IDEMPOTENCY_TABLE_NAME": "idempotency",
        "PYTHONPATH": ".",
    }
    shown = subprocess.run(
        [sys.executable, "-c", LOADED, module],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(shown.stdout))


@pytest.mark.parametrize(
    ("module", "allowed"),
    [("bare", set()), ("bare_call", {"pydynox"}), ("signed_request", set())],
)
def test_the_floor_loads_nothing_more(module: str, allowed: set[str]) -> None:
    loaded = packages_of(f"{FLOOR}.{module}")

    assert {name for name in loaded if "pydynox" not in name} == {"benchmarks"}
    assert any("pydynox" in name for name in loaded) == bool(allowed)


def test_the_typical_rival_loads_nothing_of_ours() -> None:
    loaded = packages_of("benchmarks.typical.app")

    assert {"boto3", "pydantic", "aws_lambda_powertools", "aws_xray_sdk"} <= loaded
    assert not loaded & {"orders", "msgspec", "pydynox", "tenacity", "rivals", "servers"}
