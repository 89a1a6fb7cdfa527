"""`make check` against pretended releases, in repositories made for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
RELEASED: Final = (
    ".gitignore",
    "scripts/check_compatibility.py",
    "scripts/interface_changes.py",
    "scripts/last_release.py",
    "openapi.json",
    "schemas",
)
CHANGELOG: Final = "# Changelog\n\n## [Unreleased]\n{entries}\n## [0.1.0] - 2026-11-30\n"


class Repository:
    """This repository's interface, released as 0.1.0."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in RELEASED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, root / name)
        self.write("VERSION", "0.1.0\n")
        self.write("CHANGELOG.md", CHANGELOG.format(entries=""))
        self.git("init", "--quiet")
        self.commit("The first version")

    def git(self, *command: str) -> None:
        author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        subprocess.run(["git", *author, *command], cwd=self.root, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def say(self, *entries: str, version: str = "") -> None:
        """Write the changelog's entries, under the heading of a new version if one is given."""
        text = CHANGELOG.format(entries="".join(f"\n- {each}\n" for each in entries))
        self.write("CHANGELOG.md", text.replace("[Unreleased]", f"[{version or 'Unreleased'}]"))
        self.write("VERSION", f"{version or '0.1.0'}\n")

    def drop_the_parameter_sort(self) -> None:
        document = json.loads((self.root / "openapi.json").read_text())
        orders = document["paths"]["/orders"]["get"]
        orders["parameters"] = [each for each in orders["parameters"] if each["name"] != "sort"]
        self.write("openapi.json", json.dumps(document))

    def check(self, *, ci: bool = False) -> tuple[bool, str]:
        """Whether the check passes, and what it says."""
        done = subprocess.run(
            [sys.executable, "scripts/check_compatibility.py"],
            cwd=self.root,
            env=os.environ | {"CI": "true" if ci else "false"},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        print(said)
        return done.returncode == 0, said


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.git("tag", "--annotate", "--message", "Version 0.1.0", "v0.1.0")
    made.commit("Something else")
    return made


def test_a_break_fails_until_the_changelog_names_it(repository: Repository) -> None:
    assert repository.check()[0]
    repository.drop_the_parameter_sort()
    passes, said = repository.check()
    assert not passes
    assert "last release, 0.1.0 (tag v0.1.0)" in said
    assert "GET /orders: `sort` is gone from the query parameters" in said
    assert "- Breaking: ... `sort` ..." in said
    for entry in ("Breaking: `limit` is gone.", "The parameter `sort` is gone.", "Wider: `sort`."):
        repository.say(entry)
        assert not repository.check()[0]
    repository.say("Breaking: from `GET /orders` the\n  parameter `sort` is gone.")
    assert repository.check()[0]


def test_a_break_raises_the_second_number_before_1_0_and_then_the_first(
    repository: Repository,
) -> None:
    repository.drop_the_parameter_sort()
    repository.say("Breaking: the parameter `sort` is gone.", version="0.1.1")
    assert "raise VERSION's second number" in repository.check()[1]
    repository.say("Breaking: the parameter `sort` is gone.", version="0.2.0")
    assert repository.check()[0]


def test_an_event_type_stays_and_a_changed_pattern_is_argued(repository: Repository) -> None:
    event = repository.root / "schemas" / "events" / "ORDER_PAID.json"
    text = event.read_text()
    event.write_text(text.replace('"^[A-Z]{3}$"', '"^[A-Z0-9]{3}$"'))
    passes, said = repository.check()
    assert not passes
    assert "only you can tell:\n  event ORDER_PAID: `currency` had" in said
    repository.say("Wider: a `currency` may have digits.")
    assert repository.check()[0]
    event.unlink()
    passes, said = repository.check()
    assert not passes
    assert "events: `ORDER_PAID` is gone" in said


def test_version_and_changelog_agree(repository: Repository) -> None:
    repository.write("VERSION", "0.2.0\n")
    passes, said = repository.check()
    assert not passes
    assert "VERSION says 0.2.0, and CHANGELOG.md's newest version is 0.1.0" in said


def test_without_a_tag_the_commit_that_wrote_version_stands_for_the_release(
    tmp_path: Path,
) -> None:
    repository = Repository(tmp_path / "repository")
    repository.drop_the_parameter_sort()
    repository.commit("A break")
    passes, said = repository.check(ci=True)
    assert not passes
    assert "0.1.0 (no tag v0.1.0: commit " in said
    assert "`sort` is gone" in said


@pytest.mark.parametrize("is_tagged", [True, False])
def test_a_release_is_compared_with_the_one_before_it(tmp_path: Path, *, is_tagged: bool) -> None:
    repository = Repository(tmp_path / "repository")
    if is_tagged:
        repository.git("tag", "v0.1.0")
    repository.drop_the_parameter_sort()
    repository.say("Fewer parameters.", version="0.2.0")
    repository.commit("Version 0.2.0")
    if is_tagged:
        repository.git("tag", "v0.2.0")
    passes, said = repository.check()
    assert not passes
    assert "last release, 0.1.0" in said
    assert "`sort` is gone" in said
    repository.commit("Something else")
    assert repository.check()[0]


def test_a_checkout_without_the_last_release_says_what_to_type(
    repository: Repository, tmp_path: Path
) -> None:
    shallow = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth", "1", f"file://{repository.root}", str(shallow))
    repository.root = shallow
    repository.drop_the_parameter_sort()
    passes, said = repository.check()
    assert passes
    assert "Compatibility was not checked." in said
    assert "git fetch --unshallow --tags" in said
    assert not repository.check(ci=True)[0]
    repository.git("fetch", "--quiet", "--unshallow", "--tags")
    assert not repository.check()[0]


def test_what_is_no_clone_says_so(repository: Repository) -> None:
    shutil.rmtree(repository.root / ".git")
    passes, said = repository.check()
    assert passes
    assert "this is not a clone" in said


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1", "git can't read this clone: fatal: detected"),
        ("PATH", "", "git, which is not installed"),
    ],
)
def test_what_git_can_not_read_says_so(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    passes, said = repository.check()
    assert passes
    assert says in said
    assert not repository.check(ci=True)[0]
