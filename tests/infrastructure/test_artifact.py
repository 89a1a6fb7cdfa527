"""The zip that goes to Lambda."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from tempfile import gettempdir, gettempprefix
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from infrastructure.templates import ROOT, temporary_directory
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Lambda's python3.13 brings these.
PROVIDED = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
AARCH64 = 183
PYTHON_3_13_MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
UNCHECKED_HASH = (1).to_bytes(4, "little")
LAMBDA = {"python_version": "3.13", "platform_machine": "aarch64", "sys_platform": "linux"}


@pytest.fixture(scope="session")
def artifact() -> Path:
    return build(ROOT)


@pytest.fixture(scope="session")
def content(artifact: Path) -> Mapping[str, bytes]:
    return unpacked(artifact)


def unpacked(artifact: Path) -> dict[str, bytes]:
    """The bytes of each file in the artefact."""
    with zipfile.ZipFile(artifact) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def digest(artifact: Path) -> str:
    return hashlib.sha256(artifact.read_bytes()).hexdigest()


def build(checkout: Path, **variables: str) -> Path:
    if shutil.which("node") is None:
        missing("Node.js is not installed, which builds the docs page.")
    output = temporary_directory() / "orders.zip"
    script = checkout / "scripts" / "build_artifact.py"
    result = subprocess.run(
        [sys.executable, str(script), "--output", str(output)],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    if "no Python 3.13 found" in result.stdout:
        missing(result.stdout)
    return output


def test_another_build_in_another_place_at_another_time_gives_the_same_bytes(
    artifact: Path, content: Mapping[str, bytes]
) -> None:
    checkout = temporary_directory() / "a checkout"
    built = shutil.ignore_patterns("__pycache__", "pages")
    for part in ("desk", "docs", "requirements", "scripts", "src"):
        shutil.copytree(ROOT / part, checkout / part, ignore=built, copy_function=shutil.copyfile)
    (checkout / ".local").mkdir()
    for installed in (".local/uv", "node_modules"):
        (checkout / installed).symlink_to(ROOT / installed)
    again = build(checkout, PYTHONHASHSEED="7", TZ="Asia/Kathmandu", LC_ALL="C")
    changed = [name for name, file in unpacked(again).items() if content.get(name) != file]
    assert not changed
    assert digest(again) == digest(artifact)


def test_its_files_are_in_an_order_that_no_file_system_decides(
    content: Mapping[str, bytes],
) -> None:
    assert list(content) == sorted(content, key=lambda name: name.split("/"))


def test_it_is_no_larger_than_its_target(artifact: Path) -> None:
    assert artifact.stat().st_size <= 10_500_000


def test_it_holds_the_whole_package(content: Mapping[str, bytes]) -> None:
    source = ROOT / "src"
    assert not [
        path
        for path in (source / "orders").rglob("*.py")
        if content.get(path.relative_to(source).as_posix()) != path.read_bytes()
    ]
    assert {"orders/pages/docs.json", "orders/pages/desk.json"} <= content.keys()


def test_it_holds_the_libraries_that_are_pinned_and_all_that_these_depend_on(
    content: Mapping[str, bytes],
) -> None:
    pinned = re.findall(
        r"^([\w-]+)==", (ROOT / "requirements" / "lambda.txt").read_text(), re.MULTILINE
    )
    distributions = [
        Parser().parsestr(metadata.decode())
        for name, metadata in content.items()
        if name.endswith(".dist-info/METADATA")
    ]
    installed = {normal(headers["Name"]) for headers in distributions}
    needed = {
        normal(requirement.name)
        for headers in distributions
        for requirement in map(Requirement, headers.get_all("Requires-Dist", []))
        if requirement.marker is None or requirement.marker.evaluate(LAMBDA | {"extra": ""})
    }
    assert installed == set(pinned)
    assert needed - installed - PROVIDED == set()


def test_it_holds_no_tests_and_no_files_for_other_tools(content: Mapping[str, bytes]) -> None:
    unneeded = (".c", ".h", ".lock", ".pxd", ".pyi", ".pyx", "py.typed", "/RECORD", "/INSTALLER")
    assert not [
        name for name in content if name.endswith(unneeded) or "/tests/" in name or "/bin/" in name
    ]


def test_it_holds_every_library_that_the_package_imports(content: Mapping[str, bytes]) -> None:
    top = {name.split("/")[0].removesuffix(".py") for name in content}
    imported = {
        name.split(".")[0]
        for path in (ROOT / "src" / "orders").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([str(node.module)] if isinstance(node, ast.ImportFrom) else names_of(node))
    }
    assert imported - top - PROVIDED - set(sys.stdlib_module_names) == set()


def names_of(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]


def normal(name: str) -> str:
    return name.lower().replace("_", "-")


def test_its_machine_code_is_for_lambdas_processor_and_python(
    content: Mapping[str, bytes],
) -> None:
    machines = {
        name: int.from_bytes(file[18:20], "little")
        for name, file in content.items()
        if file.startswith(b"\x7fELF")
    }
    assert set(machines.values()) == {AARCH64}
    assert {name for name in content if ".so" in name} == machines.keys()
    assert not [name for name in machines if "cpython-" in name and "cpython-313-" not in name]


def test_every_module_has_bytecode_that_python_3_13_loads_unchecked(
    content: Mapping[str, bytes],
) -> None:
    for name in content:
        if name.endswith(".py"):
            folder, _, file = name.rpartition("/")
            cached = f"{file.removesuffix('.py')}.cpython-313.pyc"
            bytecode = content["/".join(filter(None, (folder, "__pycache__", cached)))]
            assert bytecode[:4] == PYTHON_3_13_MAGIC
            assert bytecode[4:8] == UNCHECKED_HASH


def test_tracebacks_name_the_files_where_lambda_has_them(content: Mapping[str, bytes]) -> None:
    bytecode = content["orders/functions/__pycache__/create_order.cpython-313.pyc"]
    assert b"/var/task/orders/functions/create_order.py" in bytecode


def test_it_names_no_place_of_the_machine_that_built_it(
    artifact: Path, content: Mapping[str, bytes]
) -> None:
    places = [
        f"{ROOT}/",
        f"{sys.prefix}/",
        f"{artifact.parent}/",
        f"{gettempdir()}/{gettempprefix()}",
    ]
    for name, file in content.items():
        assert not [place for place in places if place.encode() in file], name
