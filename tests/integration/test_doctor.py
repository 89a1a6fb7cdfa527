"""What `make doctor` says on machines that lack something."""

from __future__ import annotations

import re
import shutil
import socket
from typing import TYPE_CHECKING

import pytest

import doctor
from checkouts import ROOT, Checkout, free_port, new_checkout, programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCTOR = ("make", "--silent", "doctor")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One with nothing installed, and so it stays."""
    return new_checkout(tmp_path_factory.mktemp("newcomer"))


@pytest.fixture
def port() -> Iterator[str]:
    """One that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


def test_a_machine_that_has_everything_passes(checkout: Checkout) -> None:
    printed = checkout.works(*DOCTOR, LOCAL_PORT=free_port())
    assert printed.endswith("\n`make up` can work here.\n")
    assert "PROBLEM" not in printed
    assert len(printed.splitlines()) <= 20
    assert not (checkout.path / ".local").exists()


def test_what_is_needed_for_other_things_only_is_optional(
    checkout: Checkout, tmp_path: Path
) -> None:
    path = programs(tmp_path / "bin", *(command for command, *_ in doctor.TOOLS))
    printed = checkout.works(*DOCTOR, PATH=path, LOCAL_PORT=free_port())
    assert len(re.findall("^optional  ", printed, re.MULTILINE)) == len(doctor.TOOLS)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 1", "optional  java 17 or newer, for `make offline`"),
        ("echo 'openjdk version \"11.0.2\" 2019-01-15' >&2", "this is 11.0.2"),
        ("echo 'openjdk version \"21\" 2023-09-19' >&2", "ok        java 21"),
    ],
)
def test_versions_are_read(checkout: Checkout, tmp_path: Path, script: str, says: str) -> None:
    path = programs(tmp_path / "bin", java=script)
    assert says in checkout.works(*DOCTOR, PATH=path, LOCAL_PORT=free_port())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--nonsense", "`node` fails with NODE_OPTIONS=--nonsense\n"),
        ("--require /nowhere.js", "`npm` fails with NODE_OPTIONS=--require /nowhere.js\n"),
    ],
)
def test_options_that_break_node_are_named(checkout: Checkout, options: str, says: str) -> None:
    printed = checkout.fails(*DOCTOR, NODE_OPTIONS=options, LOCAL_PORT=free_port())
    assert says in printed
    assert "unset NODE_OPTIONS" in printed


def test_a_node_that_is_missing_is_not_laid_on_its_options(
    checkout: Checkout, tmp_path: Path
) -> None:
    path = programs(tmp_path / "bin", "node")
    printed = checkout.fails(*DOCTOR, PATH=path, NODE_OPTIONS="--use-openssl-ca")
    assert "`node` is missing or broken" in printed


@pytest.mark.parametrize("sign", [":", "*", "\\"])
def test_a_path_that_programs_read_otherwise_is_refused(
    checkout: Checkout, tmp_path: Path, sign: str
) -> None:
    moved = Checkout(shutil.copytree(checkout.path, tmp_path / f"a{sign}b", symlinks=True))
    assert f"has a {sign} in it" in moved.fails(*DOCTOR, LOCAL_PORT=free_port())
    assert f"has a {sign} in it" in moved.fails("make", "test-fast")


def test_several_problems_are_told_at_once(checkout: Checkout, tmp_path: Path, port: str) -> None:
    path = programs(tmp_path / "bin", node="echo v18.19.0")
    printed = checkout.fails(*DOCTOR, PATH=path, LOCAL_PORT=port, HTTPS_PROXY="http://127.0.0.1:9")
    assert "this is v18.19.0" in printed
    assert f"port {port} is taken\n" in printed
    assert "make up LOCAL_PORT=" in printed
    assert "downloads use the proxy in HTTPS_PROXY" in printed
    assert "`make up` can't work here." in printed


@pytest.mark.parametrize("port", ["abc", "", "0", "70000", "４５６６", "4566 "])
def test_what_is_no_port_is_named(checkout: Checkout, port: str) -> None:
    assert f'not "{port}"' in checkout.fails(*DOCTOR, LOCAL_PORT=port)


def test_a_home_that_cant_be_written_is_no_problem(checkout: Checkout) -> None:
    printed = checkout.works(*DOCTOR, HOME="/dev/null/home", LOCAL_PORT=free_port())
    assert "downloads are kept in .local/cache" in printed


def test_the_readme_names_what_it_looks_for() -> None:
    prerequisites = re.search(
        r"\*\*Prerequisites\.\*\*.*?\n\n\[", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert prerequisites is not None
    text = " ".join(prerequisites.group().split()).lower()
    needed = [("python", doctor.MIN_PYTHON), ("node.js", doctor.MIN_NODE), ("npm", ())]
    for command, least in needed + [(tool[0], tool[1]) for tool in doctor.TOOLS]:
        named = "its driver" if command == "chromedriver" else command
        version = f" {doctor.dotted(least)} or newer" if least else ""
        assert named + version in text
