"""serverless.yml is in the format of Serverless Framework v3: its last release reads it too.

It is installed in a folder of its own, 250 MB, since nothing but this test needs it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from infrastructure.templates import ISSUER, ROOT, framework, packaged, read, service
from prerequisites import missing

PINNED = Path(__file__).parent / "serverless-v3"
INSTALLED = ROOT / ".local" / "serverless-v3"


@pytest.fixture(scope="session")
def serverless_v3() -> Path:
    """The folder of an installed serverless@3.40.0."""
    npm = shutil.which("npm")
    if npm is None:
        missing("Node.js and npm are not installed.")
    stamp = INSTALLED / "stamp"
    digest = hashlib.sha256((PINNED / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.copytree(PINNED, INSTALLED, dirs_exist_ok=True)
        result = subprocess.run([npm, "ci", "--silent"], cwd=INSTALLED, check=False)
        if result.returncode != 0:
            missing("serverless@3.40.0 could not be installed; is there a network?")
        stamp.write_text(digest)
    return INSTALLED / "node_modules" / "serverless"


@pytest.mark.parametrize(
    ("stage", "arguments"), [("prod", ["--param=eventsTopic=true"]), ("local", [])]
)
def test_it_makes_the_same_template(stage: str, arguments: list[str], serverless_v3: Path) -> None:
    directory = service()
    # It hands over to the `serverless` beside serverless.yml, which is osls in the checkout.
    modules = directory / "node_modules"
    modules.unlink()
    modules.mkdir()
    for plugin in ("serverless-iam-roles-per-function", "serverless-offline"):
        (modules / plugin).symlink_to(ROOT / "node_modules" / plugin)
    (modules / "serverless").symlink_to(serverless_v3)

    result = framework(
        serverless_v3 / "bin" / "serverless.js",
        directory,
        *("package", "--stage", stage, "--package", str(directory / "packaged"), *arguments),
        CONFIG_VALIDATION_MODE="warn",
        **ISSUER,
    )

    assert result.returncode == 0, result.stdout
    # All that it has against the configuration: it is older than the functions' Python.
    (complaint,) = [line for line in result.stdout.splitlines() if line.startswith("  at '")]
    assert "at 'provider.runtime': must be equal to one of the allowed values" in complaint
    assert read(directory / "packaged") == read(packaged(stage, *arguments))
