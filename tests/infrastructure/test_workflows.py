"""The workflows call what the Makefile has, and name the same stages; linters don't see that."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from infrastructure.templates import ROOT

GITHUB: Final = ROOT / ".github"
FILES: Final = [*GITHUB.rglob("*.yml")]


def workflow(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load((GITHUB / "workflows" / name).read_text())
    return found


def test_every_command_of_make_that_they_call_is_there() -> None:
    targets = {*re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)}
    commands = [line for file in FILES for line in file.read_text().splitlines() if "#" not in line]
    called = {name for line in commands for name in re.findall(r"\bmake ([a-z-]+)", line)}
    assert called >= {"package", "deploy", "rollback", "smoke", "audit"}
    assert called <= targets


def test_a_stage_has_one_name_as_environment_as_queue_and_as_what_is_deployed() -> None:
    deployed = [
        (job["environment"], job["concurrency"]["group"], job["steps"][-1]["with"]["stage"])
        for job in workflow("deploy.yml")["jobs"].values()
        if "environment" in job
    ]
    stages = [environment for environment, _, _ in deployed]
    assert deployed == [(stage, f"stage-{stage}", stage) for stage in stages]
    # YAML 1.1 reads the key `on` as true.
    inputs = workflow("rollback.yml")[True]["workflow_dispatch"]["inputs"]
    assert inputs["stage"]["options"] == stages
    service = yaml.safe_load((ROOT / "serverless.yml").read_text())
    assert stages[-1] in service["custom"]["productionStages"]
