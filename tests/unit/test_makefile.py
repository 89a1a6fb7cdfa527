"""The Makefile's recipes, as make would run them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PHONY: Final = re.compile(r"^\.PHONY: (.*)$", re.MULTILINE)
SECTION: Final = "\n## On the machine that builds and deploys\n"
HOSTILE: Final = "x y'\";touch z"


def recipes(*targets: str, **variables: str) -> str:
    """What make would hand to the shell."""
    settings = [f"{name}={value}" for name, value in variables.items()]
    return subprocess.run(
        ["make", "--dry-run", *targets, *settings],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_shell_never_reads_what_users_set_as_commands() -> None:
    (listed,) = PHONY.findall((ROOT / "Makefile").read_text())
    targets = [name for name in listed.split() if not name.startswith("$")]
    section = (
        (ROOT / "docs" / "settings.md").read_text().partition(SECTION)[2].partition("\n## ")[0]
    )
    names = {*re.findall(r"`([A-Z_]+)`", section)} - {"PYTHON"}  # which is run
    assert {"STAGE", "VERSION", "LOCAL_PORT"} <= names
    printed = recipes(*targets, **dict.fromkeys(names, HOSTILE))
    assert "osls package" in printed
    assert "touch z" not in printed


@pytest.mark.parametrize(("value", "asks"), [("1", False), ("0", True), ("no", True), ("", True)])
@pytest.mark.parametrize("target", ["deploy", "rollback"])
def test_only_yes_1_lets_a_deployment_go_on_unasked(target: str, value: str, *, asks: bool) -> None:
    assert ("--yes" in recipes(target, STAGE="prod", YES=value)) is not asks


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONWARNINGS", "PYTHONHASHSEED", "LOG_LEVEL"])
def test_what_is_set_for_other_programs_reaches_no_recipe(name: str) -> None:
    assert not re.search(f"^{name}=", exported(**{name: "other"}), re.MULTILINE)


def test_a_folder_for_temporary_files_that_is_not_there_reaches_no_recipe(tmp_path: Path) -> None:
    assert "\nTMPDIR=" not in exported(TMPDIR=str(tmp_path / "gone"))
    assert f"\nTMPDIR={tmp_path}\n" in exported(TMPDIR=str(tmp_path))


def test_the_python_that_is_asked_for_reaches_a_make_within() -> None:
    assert "\nPYTHON=other\n" in exported(PYTHON="other")


def exported(**variables: str) -> str:
    """The environment of a recipe where a shell has these variables."""
    return subprocess.run(
        ["make", "--silent", "--eval=exported:; @echo; env", "exported"],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
