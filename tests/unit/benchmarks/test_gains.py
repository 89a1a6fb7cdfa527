"""A change is measured only where git has our package before and after it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from benchmarks import figures, gains

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty."""
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    monkeypatch.setattr(figures, "KEPT", tmp_path / "kept")
    _git(tmp_path, "init", "--quiet")
    return tmp_path


def test_a_change_has_the_packages_of_its_parent_and_of_itself(repository: Path) -> None:
    first, second = (_commit(repository, text) for text in ("before", "after"))
    change = gains.change_of(second)
    assert change is not None
    assert change.subject == "after"
    assert change.sources == tuple(
        _git(repository, "rev-parse", f"{commit}:src/orders") for commit in (first, second)
    )


def test_a_commit_whose_parent_is_not_there_is_no_change(repository: Path) -> None:
    assert gains.change_of(_commit(repository, "shallow")) is None


def test_without_the_history_nothing_is_kept_and_that_is_said(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gains, "require_valgrind", lambda: None)
    _commit(repository, "shallow")
    gains.main()
    assert "not measured" in capsys.readouterr().out
    assert not figures.KEPT.exists()


def _commit(repository: Path, text: str) -> str:
    package = repository / "src" / "orders"
    package.mkdir(parents=True, exist_ok=True)
    (package / "module.py").write_text(text)
    _git(repository, "add", ".")
    _git(repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", text)
    return _git(repository, "rev-parse", "HEAD")


def _git(repository: Path, *arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()
