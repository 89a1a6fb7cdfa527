"""All subcommands with what they need, from the commands themselves, for docs and tests."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer.main

from orderctl.__main__ import complete_app
from orderctl.app import NEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderctl.app import Needs


class CommandReference(NamedTuple):
    """`name` as it is typed, such as `dead-letters list`."""

    name: str
    summary: str
    options: frozenset[str]
    needs: Needs


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[CommandReference]:  # noqa: ANN401 - typer's own click
    for name, one in sorted(getattr(command, "commands", {}).items()):
        yield from _walk(one, (*path, name))
    if command.callback and (needs := NEEDS.get(inspect.unwrap(command.callback))):
        options = frozenset(text for parameter in command.params for text in parameter.opts)
        summary = command.help.partition("\n\n")[0].replace("\n", " ")
        yield CommandReference(" ".join(path), summary, options, needs)


COMMANDS: Final = tuple(_walk(typer.main.get_command(complete_app()), ()))
