"""Folders of code as Lambda unpacks them: a package, its libraries, bytecode, nothing to write.

Built for this machine and, where it is installed, for the Python of Lambda's runtime.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Final

from benchmarks.figures import KEPT, ROOT
from build_artifact import UNNEEDED, copy_package, find_lambda_python
from environments import uv_pip

if TYPE_CHECKING:
    from pathlib import Path

PYTHON: Final = find_lambda_python() or sys.executable
TREES: Final = KEPT / "trees"


def ours() -> Path:
    """Our package with the libraries of requirements/lambda.txt."""
    tree = _empty("ours")
    copy_package(tree)
    return _finished(tree, ROOT / "requirements" / "lambda.txt")


def artifact() -> tuple[Path, Path]:
    """What goes to Lambda, behind its libraries for this machine: its own are for Lambda's."""
    tree, libraries = _empty("artifact"), _empty("libraries")
    built = tree / "orders.zip"
    subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "build_artifact.py"), "--output", str(built)],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tree)
    return _finished(libraries, ROOT / "requirements" / "lambda.txt"), tree


def typical() -> Path:
    """The typical rival with its libraries."""
    tree = _empty("typical")
    shutil.copytree(
        ROOT / "benchmarks" / "typical",
        _rivals(tree) / "typical",
        ignore=shutil.ignore_patterns(*UNNEEDED),
    )
    return _finished(tree, ROOT / "benchmarks" / "typical" / "requirements.txt")


def floor() -> Path:
    """The least that could respond, with our libraries: the client is the same."""
    tree = _empty("floor")
    shutil.copy(ROOT / "benchmarks" / "floor.py", _rivals(tree))
    return _finished(tree, ROOT / "requirements" / "lambda.txt")


def runtime() -> Path:
    """Lambda's runtime client, which imports the code of all others."""
    tree = _empty("runtime")
    pins = str(ROOT / "requirements" / "dev.txt")
    _install(tree, "--constraint", pins, "awslambdaric")
    return _compiled(tree)


def _empty(name: str) -> Path:
    tree = TREES / name
    if tree.exists():
        subprocess.run(["chmod", "-R", "u+w", str(tree)], check=True)
        shutil.rmtree(tree)
    tree.mkdir(parents=True)
    return tree


def _rivals(tree: Path) -> Path:
    package = tree / "benchmarks"
    package.mkdir()
    (package / "__init__.py").touch()
    return package


def _finished(tree: Path, requirements: Path) -> Path:
    _install(tree, "--no-deps", "--require-hashes", "--requirement", str(requirements))
    return _compiled(tree)


def _install(tree: Path, *what: str) -> None:
    uv_pip("install", "--only-binary", ":all:", "--target", str(tree), "--python", PYTHON, *what)


def _compiled(tree: Path) -> Path:
    subprocess.run(
        [PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(tree)],
        check=True,
    )
    subprocess.run(["chmod", "-R", "a-w", str(tree)], check=True)
    return tree
