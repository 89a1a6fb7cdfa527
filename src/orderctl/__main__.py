"""`python -m orderctl`: the exit codes, and one line for whatever goes wrong."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import TYPE_CHECKING

from orderctl import commands
from orderctl.app import FAILED, NOTHING_TO_DO, NothingToDo, Problem, app
from orderctl.aws import EXPLAINED, explain
from orders.telemetry import logger

if TYPE_CHECKING:
    from typer import Typer


def complete_app() -> Typer:
    """`app` with every subcommand."""
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")
    return app


def run(arguments: list[str] | None = None) -> int:
    """The exit code: 0 done, 1 failed, 2 wrong usage, 3 nothing to do."""
    logger.stream = sys.stderr  # what the platform's own modules log is no output of a command
    try:
        complete_app()(arguments, prog_name="orderctl")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (NothingToDo, Problem, *EXPLAINED) as error:
        sys.stderr.write(f"{explain(error) if isinstance(error, EXPLAINED) else error}\n")
        return NOTHING_TO_DO if isinstance(error, NothingToDo) else FAILED
    return 0


if __name__ == "__main__":
    sys.exit(run())
