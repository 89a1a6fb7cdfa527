"""What holds for every subcommand, whatever it does."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

import pytest
import typer.main

from orderctl.__main__ import complete_app, run
from orderctl.app import Role
from orderctl.reference import COMMANDS
from orders.domain.order_number import read_order_id

if TYPE_CHECKING:
    from orderctl.reference import CommandReference

EVERY: Final = pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)


@EVERY
def test_help_shows_two_examples_that_are_valid(
    command: CommandReference, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run([*command.name.split(), "--help"]) == 0

    out = capsys.readouterr().out
    examples = [line.partition("$ ./orderctl ")[2] for line in out.splitlines() if "$ ./" in line]
    assert len(examples) == 2
    for example in examples:
        assert example.startswith(command.name)
        parameters = parsed(shlex.split(example.partition(" | ")[0]))
        order = parameters.get("order")
        assert order is None or read_order_id(order), example


@EVERY
def test_help_breaks_neither_paragraphs_nor_words(
    command: CommandReference, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "600")
    run([*command.name.split(), "--help"])
    head = capsys.readouterr().out.partition("╭")[0].splitlines()
    usage, *paragraphs = "\n".join(line.strip() for line in head).strip().split("\n\n")
    monkeypatch.setenv("COLUMNS", "80")
    run([*command.name.split(), "--help"])

    assert "[[" not in usage
    assert paragraphs
    assert not any("\n" in one for one in paragraphs)
    assert usage.partition("[OPTIONS]")[2].isupper() or usage.endswith("[OPTIONS]")
    options = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert not [line for line in options if "|" in line.replace("<csv|jsonl>", "")]


def parsed(arguments: list[str]) -> dict[str, Any]:
    """The parameters of a command line, which is not run. Raises what wrong usage raises."""
    command: Any = typer.main.get_command(complete_app())
    context = command.make_context("orderctl", arguments)
    while hasattr(command, "commands"):
        _, command, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        context = command.make_context(command.name, rest, parent=context)
    parameters: dict[str, Any] = context.params
    return parameters


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


@EVERY
def test_a_period_is_given_by_the_same_options_everywhere(command: CommandReference) -> None:
    assert ("--since" in command.options) is ("--until" in command.options)
    if command.name in {"list", "events", "export", "replay"}:
        assert "--since" in command.options
