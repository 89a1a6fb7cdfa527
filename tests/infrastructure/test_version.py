"""What is deployed says which commit it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from infrastructure.stages import resolved
from infrastructure.templates import ISSUER, Template, package, read, service

if TYPE_CHECKING:
    from pathlib import Path


def version_of(directory: Path, version: str = "") -> str:
    """What infra/stage.js of this copy says."""
    (outcome,) = resolved({"env:VERSION": version}, directory=directory)
    return outcome["refusal"] or str(outcome["stage"]["version"])


def git(directory: Path, *command: str) -> str:
    author = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    result = subprocess.run(
        ["git", *author, *command], cwd=directory, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


@pytest.fixture
def checkout() -> Path:
    """A service whose files are all in its last commit."""
    directory = service()
    git(directory, "init", "--quiet")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "All there is")
    return directory


def test_it_is_the_commit_and_whether_anything_differs_from_it(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "--short=12", "HEAD")
    assert version_of(checkout) == commit
    (checkout / "new.py").touch()
    assert version_of(checkout) == f"{commit}-dirty"


def test_it_is_the_checkout_s_where_the_files_are_linked_to(checkout: Path) -> None:
    linked = service()
    shutil.rmtree(linked / "infra")
    (linked / "infra").symlink_to(checkout / "infra")
    assert version_of(linked) == git(checkout, "rev-parse", "--short=12", "HEAD")


def test_the_environment_goes_before_git(checkout: Path) -> None:
    assert version_of(checkout, "v1.2.3+build.7") == "v1.2.3+build.7"
    assert version_of(service(), "v1.2.3") == "v1.2.3"


def test_without_either_it_is_unknown() -> None:
    assert version_of(service()) == "unknown"
    assert version_of(service(), "") == "unknown"


@pytest.mark.parametrize("value", ["two words", "a/b", "v" * 65, "ü", '"', "a\nb"])
def test_a_version_that_no_tag_or_log_line_has_room_for_is_refused(value: str) -> None:
    assert version_of(service(), value).startswith(f'VERSION "{value}": use up to 64 of')


def test_functions_stack_and_outputs_have_it() -> None:
    output = package(service(), "prod", VERSION="v1.2.3", **ISSUER)
    template = Template("prod", read(output))
    assert template.everywhere("VERSION") == {"v1.2.3"}
    assert template.document["Outputs"]["Version"]["Value"] == "v1.2.3"
    state = json.loads((output / "serverless-state.json").read_text())
    assert state["service"]["provider"]["stackTags"] == {"version": "v1.2.3"}
