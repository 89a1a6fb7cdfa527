"""What all subcommands share: options, exit codes, and the rights that each one needs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAILED: Final = 1
NOTHING_TO_DO: Final = 3


class Problem(Exception):
    """What went wrong and what to do about it, in one line. Exit code 1."""


class NothingToDo(Exception):
    """Why there is nothing to do, in one line. Exit code 3."""


app: Final = typer.Typer(
    name="orderctl",
    help="Operate the order platform: the local stack, or any stage on AWS.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing to do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)

StageName = Annotated[
    str | None,
    typer.Option("--stage", metavar="STAGE", help="A stage on AWS. Default: the local stack."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts, one line per item.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


class Role(StrEnum):
    """Who may run a command. Each may do what the ones before it may."""

    READER = "reader"
    OPERATOR = "operator"
    ERASER = "eraser"


class Needs(NamedTuple):
    """The least role for a command, and its rights: IAM actions, each with what it is on."""

    role: Role
    rights: Mapping[str, str]


NEEDS: Final[dict[object, Needs]] = {}
"""By the function of the command."""

Command = TypeVar("Command", bound="Callable[..., None]")


def needs(role: Role, rights: Mapping[str, str]) -> Callable[[Command], Command]:
    """Declares what a command needs. docs/orderctl.md lists it, and a test proves it."""

    def declare(command: Command) -> Command:
        NEEDS[command] = Needs(role, rights)
        return command

    return declare


def examples(*lines: str) -> str:
    """The end of a command's help."""
    return "\n\n".join(["Examples:", *(f"  $ ./orderctl {line}" for line in lines)])
