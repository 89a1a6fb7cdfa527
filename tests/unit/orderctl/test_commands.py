"""What holds for every subcommand, whatever it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from orderctl.__main__ import run
from orderctl.app import Role
from orderctl.reference import COMMANDS

if TYPE_CHECKING:
    from orderctl.reference import CommandReference

EVERY: Final = pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)


@EVERY
def test_help_shows_two_examples(
    command: CommandReference, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command.name.split(), "--help"]) == 0

    assert capsys.readouterr().out.count(f"$ ./orderctl {command.name}") == 2


@EVERY
def test_options_are_the_same_everywhere(command: CommandReference) -> None:
    assert {"--stage", "--json"} <= command.options
    assert ("--yes" in command.options) is (command.needs.role is not Role.READER)


@EVERY
def test_its_rights_are_declared(command: CommandReference) -> None:
    records = "logs:PutLogEvents" in command.needs.rights

    assert "cloudformation:DescribeStacks" in command.needs.rights
    assert records is (command.needs.role is not Role.READER), "every change is recorded"


@pytest.mark.parametrize("arguments", [["x"], ["pause"], ["pause", "a", "b"], ["--x"]])
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().out == ""
