"""The deliberate bugs, which have to fit the code that they break."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from emulator import ROOT
from proof.bugs import BUGS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_can_be_put_into_a_copy_of_the_code(bug: str, tmp_path: Path) -> None:
    for name in ("src", "infra"):
        shutil.copytree(ROOT / name, tmp_path / name)
    subprocess.run(["git", "apply", str(BUGS[bug])], cwd=tmp_path, check=True)
    changed = (tmp_path / "src/orders/adapters/dynamodb/repository.py").read_text()
    assert changed != (ROOT / "src/orders/adapters/dynamodb/repository.py").read_text()
