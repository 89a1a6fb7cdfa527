"""Builds the zip that Lambda gets: our package, what it imports, and bytecode.

Two builds of the same files give the same bytes. Without bytecode a function compiles
all that it imports at every start. Lambda's python3.13 reads bytecode of 3.13 only, so a 3.13
interpreter makes it where one is to be found; the code itself is never run here.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from environments import ROOT, UV, uv_pip

LAMBDA_PYTHON = "3.13"
LAMBDA_PLATFORM = "aarch64-manylinux_2_28"
LAMBDA_CODE_DIRECTORY = "/var/task"
# Lambda refuses more: 250 MB of unpacked code.
MAX_UNPACKED_BYTES = 250 * 1024 * 1024
UNNEEDED = ("*.pyi", "py.typed", "__pycache__", ".lock", "*.c", "*.h", "*.pxd", "*.pyx")


def main() -> None:
    """Build the artefact and print its path, size and hash."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "orders.zip")
    parser.add_argument(
        "--code-only",
        action="store_true",
        help="without libraries, with bytecode for the Python that runs this (for the local AWS)",
    )
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "code"
        tree.mkdir()
        copy_package(tree)
        if not arguments.code_only:
            install_libraries(tree)
        compiler = sys.executable if arguments.code_only else find_lambda_python()
        if compiler is not None:
            compile_bytecode(tree, compiler)
        write_zip(tree, arguments.output)

    if compiler is None:
        sys.stderr.write(
            f"WARNING: no Python {LAMBDA_PYTHON} found, so the artefact carries no bytecode and\n"
            "each cold start compiles everything anew. Install it (for example with\n"
            f"`uv python install {LAMBDA_PYTHON}` or `pyenv install {LAMBDA_PYTHON}`) and build "
            "again before you deploy.\n"
        )
    content = arguments.output.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    sys.stdout.write(f"{arguments.output}  {len(content):,} bytes  sha256 {digest}\n")


def copy_package(tree: Path) -> None:
    """Copy our package, with the pages built anew."""
    build_pages()
    source = ROOT / "src" / "orders"
    shutil.copytree(source, tree / "orders", ignore=shutil.ignore_patterns(*UNNEEDED))


def build_pages(environment: dict[str, str] | None = None) -> None:
    """Build the pages that the API serves into our package's folder."""
    script = str(ROOT / "scripts" / "build_pages.js")
    subprocess.run(["node", script], env=environment, check=True)


def install_libraries(tree: Path) -> None:
    """Install the pinned wheels for Lambda's platform, whatever platform this is."""
    uv_pip(
        *("install", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--target", str(tree), "--python", sys.executable),
        *("--python-version", LAMBDA_PYTHON, "--python-platform", LAMBDA_PLATFORM),
        *("--requirement", str(ROOT / "requirements" / "lambda.txt")),
    )
    for pattern in UNNEEDED:
        for path in sorted(tree.rglob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    # Which version it is, and under which licence; the rest of a dist-info is for pip.
    for path in tree.glob("*.dist-info/**/*"):
        if path.is_file() and not path.name.startswith(
            ("METADATA", "LICENSE", "NOTICE", "COPYING")
        ):
            path.unlink()
    foreign = [str(p) for p in tree.rglob("*.so*") if "x86_64" in p.name or "darwin" in p.name]
    if foreign:
        raise SystemExit(f"not for {LAMBDA_PLATFORM}: {', '.join(foreign)}")


def find_lambda_python() -> str | None:
    """Return a 3.13 interpreter from PATH, pyenv or uv, or None."""
    candidates = [shutil.which(f"python{LAMBDA_PYTHON}")]
    pyenv_root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    pyenv = shutil.which("pyenv")
    if pyenv is not None:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        pyenv_root = Path(root.stdout.strip() or pyenv_root)
    candidates += [
        str(path) for path in sorted(pyenv_root.glob(f"versions/{LAMBDA_PYTHON}*/bin/python"))
    ]
    found = subprocess.run(
        [str(UV), "python", "find", "--no-config", "--no-python-downloads", LAMBDA_PYTHON],
        capture_output=True,
        text=True,
        check=False,
    )
    candidates.append(found.stdout.strip() or None)
    return next((one for one in candidates if one is not None and is_lambda_python(one)), None)


def is_lambda_python(interpreter: str) -> bool:
    """Tell whether it runs and is 3.13: a pyenv shim may exist and do neither."""
    version = subprocess.run(
        [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    return version.stdout.strip() == LAMBDA_PYTHON


def compile_bytecode(tree: Path, interpreter: str) -> None:
    """Write bytecode that Python loads without looking at the source's time."""
    subprocess.run(
        [
            interpreter, "-m", "compileall", "-q",
            "--invalidation-mode", "unchecked-hash",
            "-s", str(tree),
            "-p", LAMBDA_CODE_DIRECTORY,
            str(tree),
        ],
        check=True,
        # The order of a set's constants follows the hash seed.
        env={"PYTHONHASHSEED": "0"},
    )  # fmt: skip


def write_zip(tree: Path, output: Path) -> None:
    """Zip the tree in a fixed order with fixed times and modes."""
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    unpacked = sum(path.stat().st_size for path in files)
    if unpacked > MAX_UNPACKED_BYTES:
        raise SystemExit(f"{unpacked:,} bytes unpacked, more than Lambda takes")
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"This failed, and its output is above: {shlex.join(error.cmd)}") from None
