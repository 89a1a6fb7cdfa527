"""What the emulated AWS's process is known by."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from emulator import EMULATOR_APP, Emulator

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WAIT = "import sys; sys.stdin.read()"


def test_it_is_known_to_run_from_a_long_path_and_in_a_narrow_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    emulator = Emulator(tmp_path, 4566)
    command = [sys.executable, "-c", WAIT, "x" * 80, EMULATOR_APP]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        running = {"pid": process.pid, "port": 4566}
        emulator.process_file.write_text(json.dumps(running))
        assert emulator.running() == running
        process.communicate()
    assert emulator.running() is None
