"""Deliberate bugs, each a patch: a checker that finds nothing has to be seen finding something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from emulator import ROOT

BUGS: Final = {path.stem: path for path in (Path(__file__).parent / "bug_patches").glob("*.patch")}
"""The patches by the bugs' names."""

BROKEN: Final = 3
"""The exit code of a run in which a promise was broken; one that could not be made has another."""
UNPROVED: Final = 4
"""Of one in which too little happened."""

_INSTALLED: Final = (".venv", ".local/venv", "node_modules")
_NOT_COPIED: Final = shutil.ignore_patterns(
    ".git", ".venv", ".local", "node_modules", "build", ".serverless", "__pycache__", ".*_cache"
)


def run_in_copy(bug: str, seed: int, seconds: float) -> int:
    """Prove a copy of the project with the bug in it; return 0 where it is caught, 1 otherwise."""
    with tempfile.TemporaryDirectory(prefix="orders-prove-") as directory:
        copy = Path(directory) / "project"
        shutil.copytree(ROOT, copy, ignore=_NOT_COPIED)
        (copy / ".local").mkdir()
        for installed in _INSTALLED:
            (copy / installed).symlink_to(ROOT / installed)
        subprocess.run(["git", "apply", str(BUGS[bug])], cwd=copy, check=True)
        sys.stdout.write(f"With the bug {bug}:\n")
        sys.stdout.flush()
        run = subprocess.Popen(
            [sys.executable, "-m", "proof", "--seed", str(seed), "--duration", str(seconds)],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(["src", "scripts", "."])},
        )
        try:
            run.wait()
        finally:
            # Stopped itself, this lets the run stop its emulator.
            run.terminate()
            run.wait()
        caught = run.returncode == BROKEN
    sys.stdout.write(f"\n{bug}: {'caught' if caught else 'NOT CAUGHT'}\n")
    return 0 if caught else 1
