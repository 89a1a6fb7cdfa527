"""Whatever a newcomer's machine has on it, the same is installed, or a sentence says what to do."""

from __future__ import annotations

import ast
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import doctor
from checkouts import (
    PYTHON,
    ROOT,
    Checkout,
    environment,
    free_port,
    new_checkout,
    on_mounts,
    program,
    programs,
)
from environments import PIP, UV
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

HELP: Final = ("./orderctl", "--help")
USAGE: Final = "Usage: orderctl"
SCRIPT: Final = Path(".local", "orderctl", "bin", "typer")
"""A program of the environment, which names its interpreter by path."""
INDEX: Final = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
NO_HOME: Final = "/dev/null/home"
NEEDED_PYTHON: Final = "Python 3.11 or newer"


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout with nothing installed."""
    return new_checkout(tmp_path)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One in which two commands were the first, side by side."""
    checkout = new_checkout(tmp_path_factory.mktemp("used"))
    other = subprocess.Popen(
        HELP,
        cwd=checkout.path,
        env=environment() | {"PYTHON": PYTHON},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert USAGE in checkout.works(*HELP)
    printed, _ = other.communicate()
    assert USAGE in printed
    return checkout


class TestSettingsOfTheUser:
    def test_none_of_pip_uv_and_python_leads_elsewhere(self, fresh: Checkout) -> None:
        elsewhere = str(fresh.path.parent / "elsewhere")
        settings = fresh.path.parent / "pip.conf"
        settings.write_text(
            f"[global]\nuser = true\nroot = {elsewhere}\n[install]\nno-deps = true\n"
        )
        assert USAGE in fresh.works(
            *HELP,
            PIP_CONFIG_FILE=str(settings),
            PIP_USER="1",
            PIP_TARGET=elsewhere,
            PIP_PREFIX=elsewhere,
            PIP_REQUIRE_VIRTUALENV="1",
            PIP_DRY_RUN="1",
            PIP_NO_BINARY=":all:",
            PYTHONHOME=elsewhere,
            PYTHONPATH=str(fresh.path / "scripts" / "docs_page"),
            PYTHONSAFEPATH="1",
            PYTHONOPTIMIZE="2",
            PYTHONPLATLIBDIR="nope",
            PYTHONWARNINGS="error",
            LOG_LEVEL="DEBUG",
            VIRTUAL_ENV=elsewhere,
            CONDA_PREFIX=elsewhere,
            UV_PYTHON="3.12",
            UV_SYSTEM_PYTHON="1",
            UV_PROJECT_ENVIRONMENT=elsewhere,
            UV_EXCLUDE_NEWER="2020-01-01",
            UV_CONFIG_FILE=elsewhere,
            UV_WORKING_DIR="/",
        )
        assert not Path(elsewhere).exists()

    def test_none_of_npm_leaves_anything_out(self, fresh: Checkout) -> None:
        theirs = Path(printed_by("npm", "config", "get", "userconfig").strip())
        settings = fresh.path.parent / "npmrc"
        registry = theirs.read_text() if theirs.exists() else ""
        settings.write_text(
            f"{registry}\nomit[]=dev\nomit[]=optional\nglobal=true\ndry-run=true\nbin-links=false\n"
            "package-lock=false\ninstall-strategy=linked\nmin-release-age=9000\n"
            "os=none\ncpu=none\nlibc=none\n"
        )
        above, linked = fresh.path.parent, fresh.path.parent / "linked"
        (above / "package.json").write_text('{"name": "above", "workspaces": ["*"]}')
        (above / "package-lock.json").write_text('{"name": "above", "lockfileVersion": 3}')
        (above / "node_modules").mkdir()
        for theirs in (above / "node_modules" / "theirs", linked):
            theirs.mkdir()
        (linked / "theirs").touch()
        (fresh.path / "node_modules").symlink_to(linked)
        fresh.works(
            *("make", "test-desk"),
            NODE_ENV="production",
            NPM_CONFIG_USERCONFIG=str(settings),
            npm_config_omit="dev",
            npm_config_only="production",
            npm_config_production="true",
            npm_config_workspaces="true",
            npm_config_prefix=str(fresh.path.parent / "elsewhere"),
            npm_config_cpu="none",
        )
        assert (above / "node_modules" / "theirs").exists()
        assert [path.name for path in linked.iterdir()] == ["theirs"]

    def test_the_index_of_pip_is_uvs_too(self, fresh: Checkout) -> None:
        settings = fresh.path.parent / "pip.conf"
        with index() as (address, asked):
            settings.write_text(f"[global]\nindex-url = {address}\n")
            printed = fresh.fails(
                *HELP, PIP_CONFIG_FILE=str(settings), PIP_INDEX_URL="", NO_PROXY="127.0.0.1"
            )
        # It has uv alone.
        assert "try again" in printed
        assert {"/simple/uv/", "/simple/typer/"} <= asked

    def test_where_pip_asks_no_index_uv_asks_none(self, fresh: Checkout) -> None:
        wheels = fresh.path.parent / "wheels"
        download = (
            "-m",
            "pip",
            "download",
            "--quiet",
            "--requirement",
            "requirements/bootstrap.txt",
        )
        fresh.works(PIP, *download, "--dest", wheels)
        with index() as (address, asked):
            printed = fresh.fails(
                *HELP,
                PIP_INDEX_URL=address,
                PIP_NO_INDEX="True",
                PIP_FIND_LINKS=str(wheels),
                NO_PROXY="127.0.0.1",
            )
        assert "Installing orderctl" in printed  # and the folder has uv alone
        assert asked == set()


@contextmanager
def index() -> Iterator[tuple[str, set[str]]]:
    """An index on this machine that has uv alone; yields its address and the paths asked for."""
    asked = set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.add(self.path)
            self.send_response(302 if self.path == "/simple/uv/" else 404)
            self.send_header("Location", f"{INDEX}/uv/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple", asked
        finally:
            server.shutdown()


class TestHome:
    def test_it_need_not_be_writable_to_install(self, fresh: Checkout) -> None:
        elsewhere = {"XDG_CACHE_HOME": "", "PIP_CACHE_DIR": "", "UV_CACHE_DIR": ""}
        assert USAGE in fresh.works(*HELP, HOME=NO_HOME, **elsewhere)
        assert (fresh.path / ".local" / "cache" / "uv").is_dir()

    def test_it_need_not_be_writable_to_package(self, fresh: Checkout) -> None:
        for installed in (".venv", "node_modules"):
            (fresh.path / installed).symlink_to(ROOT / installed)
        fresh.works("make", "check-infrastructure", HOME=NO_HOME)


class TestPlace:
    def test_a_copy_leaves_the_original_alone_and_can_be_moved(
        self, used: Checkout, tmp_path: Path
    ) -> None:
        before = files(used.path)
        copy = Checkout(tmp_path / "copy")
        shutil.copytree(used.path, copy.path, symlinks=True)
        assert f"made in {used.path}" in copy.command("make", "doctor").stdout
        assert USAGE in copy.works(*HELP)
        assert files(used.path) == before
        moved = Checkout(copy.path.rename(tmp_path / "moved"))
        assert USAGE in moved.works(*HELP)
        aside = used.path.rename(tmp_path / "aside")
        try:
            assert "Usage" in moved.works(SCRIPT, "--help")
        finally:
            aside.rename(used.path)

    def test_line_ends_are_the_repositorys(self, fresh: Checkout) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.com")
        for command in (("init", "--quiet"), ("add", "."), (*identity, "commit", "-qm", "all")):
            fresh.works("git", "-c", "core.autocrlf=false", *command)
        clone = Checkout(fresh.path.parent / "clone")
        fresh.works("git", "clone", "-q", "-c", "core.autocrlf=true", fresh.path, clone.path)
        assert "make doctor" in clone.works("make", "help")
        assert NEEDED_PYTHON in clone.fails(*HELP, PYTHON="nowhere")

    def test_a_read_only_one_is_named(self, fresh: Checkout) -> None:
        read_only = 'mount --bind . . && mount -o remount,bind,ro "$PWD" && cd "$PWD"'
        printed = fresh.fails(*on_mounts(read_only, f"exec {' '.join(HELP)}"))
        assert f"{fresh.path}/.local: Read-only file system." in printed
        assert "must be writable" in printed

    def test_a_full_disk_is_named(self, fresh: Checkout, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        small = f"mount -t tmpfs -o size=40m none {disk} && cp -R . {disk} && cd {disk}"
        printed = fresh.fails(*on_mounts(small, f"exec {' '.join(HELP)}"))
        assert re.search(f"Only [0-9]+ MB are free on the disk of {disk}: free 500 MB", printed)


def files(directory: Path) -> dict[Path, tuple[int, int]]:
    """The times and sizes of all files in a checkout."""
    return {path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in directory.rglob("*")}


class TestInterpreter:
    def test_an_environment_whose_python_is_gone_is_made_anew(self, used: Checkout) -> None:
        used.works(*HELP)
        for name in ("uv", "orderctl"):
            python = used.path / ".local" / name / "bin" / "python"
            python.unlink()
            python.symlink_to("/nowhere/python")
        assert "without their Python" in used.command("make", "doctor").stdout
        assert USAGE in used.works(*HELP)

    def test_another_one_is_used_once_it_is_asked_for(self, used: Checkout) -> None:
        used.works(*HELP)
        other, version = another_python()
        assert USAGE in used.works(*HELP, PYTHON=other)
        says = used.works(SCRIPT.with_name("python"), "--version")
        assert says.strip() == f"Python {version}"

    @pytest.mark.parametrize("version", ["2.7", "3.6", "3.10"])
    def test_one_that_is_too_old_is_named(self, fresh: Checkout, version: str) -> None:
        old = old_python(version)
        for command in (HELP, ("make", "test-fast"), ("python", "scripts/install.py", "dev")):
            printed = fresh.fails(
                *(old if part == "python" else part for part in command), PYTHON=old
            )
            assert f"{NEEDED_PYTHON} is needed; this is Python {version}" in printed
            assert "make up PYTHON=/path/to/python3.13" in printed
        assert f"PROBLEM   {NEEDED_PYTHON}" in fresh.fails("make", "doctor", PYTHON=old)

    @pytest.mark.parametrize("name", ["doctor", "install"])
    def test_old_ones_can_read_what_says_so(self, name: str) -> None:
        tree = ast.parse((ROOT / "scripts" / f"{name}.py").read_text(), feature_version=(3, 4))
        newer = (ast.JoinedStr, ast.AnnAssign, ast.Nonlocal, ast.YieldFrom)
        assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
        assert not [node for node in ast.walk(tree) if getattr(node, "annotation", None)]
        assert not [node for node in ast.walk(tree) if getattr(node, "returns", None)]
        assert not [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        ]

    @pytest.mark.parametrize("python", ["nowhere", "/nowhere/python3", "ls", "false"])
    def test_a_program_that_is_none_is_named(self, fresh: Checkout, python: str) -> None:
        for command in (HELP, ("make", "up"), ("make", "doctor")):
            printed = fresh.fails(*command, PYTHON=python)
            assert f'There is no Python that runs as "{python}". Install {NEEDED_PYTHON}' in printed

    def test_its_path_may_have_a_blank(self, fresh: Checkout) -> None:
        python = program(fresh.path.parent / "my programs" / "python", f'exec "{PYTHON}" "$@"')
        fresh.works("make", "doctor", PYTHON=python, LOCAL_PORT=free_port())

    def test_without_venv_it_says_what_to_install(self, fresh: Checkout) -> None:
        without = (
            "import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = sys.argv[1:]; "
            "sys.path.insert(0, 'scripts'); runpy.run_path(sys.argv[0], run_name='__main__')"
        )
        python = program(
            fresh.path.parent / "python3",
            f'[ "$1" = -Ec ] && exec "{PYTHON}" "$@"\nshift\nexec "{PYTHON}" -Ec "{without}" "$@"',
        )
        assert "venv and ensurepip" in fresh.fails(*HELP, PYTHON=python)
        assert re.search(
            "apt-get install python3.[0-9]+-venv", fresh.fails("make", "doctor", PYTHON=python)
        )


def another_python() -> tuple[str, str]:
    """The path and the version of a Python that is new enough, and not the one of the tests."""
    this = printed_by(PYTHON, "--version")
    listed = json.loads(
        printed_by(
            *(UV, "python", "list", "--no-config", "--only-installed"), "--output-format=json"
        )
    )
    for one in listed:
        parts = one["version_parts"]
        if (
            one["implementation"] == "cpython"
            and (parts["major"], parts["minor"]) >= doctor.MIN_PYTHON
            and one["version"] not in this
            and printed_by(one["path"], "-c", "import ensurepip; print('is there')")
        ):
            return one["path"], one["version"]
    return missing("Only one Python that is new enough is installed")


def old_python(version: str) -> str:
    """The path of one. Where there is none, whether it could read the files is tested anyway."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [*pyenv.glob(f"{version}.*/bin/python"), Path(f"/usr/bin/python{version}")]
    if not any(path.exists() for path in found):
        pytest.skip(f"No Python {version} is installed")
    return str(next(path for path in found if path.exists()))


def printed_by(*command: str | Path) -> str:
    """What a command prints to stdout."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


class TestNode:
    @pytest.mark.parametrize("script", ["exit 1", "echo v18.19.0", "echo v20.18.3"])
    def test_one_that_is_broken_or_too_old_is_named(self, fresh: Checkout, script: str) -> None:
        path = programs(fresh.path.parent / "bin", node=script)
        printed = fresh.fails("make", "test-desk", PATH=path)
        assert "Node.js 20.19 or newer is needed" in printed
        assert "https://nodejs.org" in printed
        assert not (fresh.path / "node_modules").exists()

    @pytest.mark.parametrize("missing_program", ["node", "npm"])
    def test_without_it_a_sentence_says_what_to_install(
        self, fresh: Checkout, missing_program: str
    ) -> None:
        path = programs(fresh.path.parent / "bin", missing_program)
        printed = fresh.fails("make", "test-desk", PATH=path)
        assert re.search(f"{missing_program}.* is missing or broken", printed)


class TestInterruption:
    def test_it_ends_quietly_and_the_next_command_heals_it(self, fresh: Checkout) -> None:
        for moment in ("Installing uv", "Installing orderctl"):
            running = subprocess.Popen(
                HELP,
                cwd=fresh.path,
                env=environment() | {"PYTHON": PYTHON},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            assert running.stdout is not None
            assert any(line.startswith(moment) for line in running.stdout)
            os.killpg(running.pid, signal.SIGINT)
            printed = running.stdout.read()
            assert running.wait() in {130, -signal.SIGINT}
            assert "Traceback" not in printed
            assert "Interrupted" in printed
        assert USAGE in fresh.works(*HELP)
        assert "Usage" in fresh.works(SCRIPT, "--help")


class TestPackaging:
    def test_it_says_what_it_needs_before_it_installs_anything(self, fresh: Checkout) -> None:
        for variables in ({}, {"JWT_ISSUER": "https://issuer.example.com/"}):
            printed = fresh.fails("make", "package", **variables)
            assert "make package JWT_ISSUER=https://... JWT_AUDIENCE=..." in printed
        assert not (fresh.path / ".local").exists()


class TestChecking:
    @pytest.mark.parametrize("without", ["clone", "git"])
    def test_without_a_clone_or_git_it_says_so(self, fresh: Checkout, without: str) -> None:
        path = programs(fresh.path.parent / "bin", without)
        printed = fresh.fails(PYTHON, "scripts/check_drift.py", PATH=path)
        assert "`make check` needs git, and a clone of your own." in printed
