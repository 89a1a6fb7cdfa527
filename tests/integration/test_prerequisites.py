"""What tests do where a prerequisite is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import servers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["dynamodb_local", "ministack"])
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The function that starts a server, on a machine where it can't."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(servers, "EMULATOR_PYTHON", tmp_path / "python")
    return str(request.param)


def test_on_a_laptop_tests_are_skipped_with_the_reason(
    start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"install|Java"):
        getattr(servers, start).__wrapped__()


def test_in_ci_tests_fail(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"install|Java"):
        getattr(servers, start).__wrapped__()
