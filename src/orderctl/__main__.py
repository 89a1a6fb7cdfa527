"""`python -m orderctl`: the exit codes, and one line for whatever goes wrong."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orderctl import commands
from orderctl.app import FAILED, NOTHING_TO_DO, NothingToDo, app
from orderctl.aws import EXPLAINED, explain
from orders.telemetry import logger

if TYPE_CHECKING:
    from typer import Typer

_INTERRUPTED: Final = 130
"""Typer's exit code after Ctrl-C."""


def complete_app() -> Typer:
    """`app` with every subcommand."""
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")
    return app


def run(arguments: list[str] | None = None, program: Typer | None = None) -> int:
    """The exit code: 0 done, 1 failed, 2 wrong usage, 3 nothing to do. The default is orderctl."""
    logger.stream = sys.stderr  # what the platform's own modules log is no output of a command
    try:
        code = _call(program or complete_app(), arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        code = FAILED  # whoever read the output, such as `head`, has seen enough
    except (NothingToDo, KeyboardInterrupt, OSError, *EXPLAINED) as error:
        code = NOTHING_TO_DO if isinstance(error, NothingToDo) else FAILED
        with suppress(OSError):
            sys.stderr.write(f"{_line(error)}\n")
    else:
        return code
    _give_up_output()
    return code


def _call(program: Typer, arguments: list[str] | None) -> int:
    try:
        program(arguments, prog_name=program.info.name)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            raise KeyboardInterrupt from end
        return end.code if isinstance(end.code, int) else FAILED
    return 0


def _line(error: BaseException) -> str:
    if isinstance(error, EXPLAINED):
        return explain(error)
    if isinstance(error, OSError):
        return f"The output, or a file, can't be used: {error}."
    return "Interrupted." if isinstance(error, KeyboardInterrupt) else str(error)


def _give_up_output() -> None:
    """What can't be written now can't be at exit either, where Python would complain of it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(program: Typer | None = None) -> int:
    """`run` as a process of its own."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, signal.default_int_handler)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = sys.stdout or nowhere  # None where the shell closed it
        sys.stderr = sys.stderr or nowhere
        for stream in (sys.stdin, sys.stdout):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return run(program=program)


if __name__ == "__main__":
    sys.exit(main())
