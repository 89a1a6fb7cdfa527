"""What a command prints: results on standard output, progress and questions on standard error."""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from orderctl.app import NothingToDo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import RenderableType

_WIDE: Final = 500
"""Columns, where no terminal limits them: a file, a pipe."""
_ROWS_AT_ONCE: Final = 50


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would exit, as if the command had ended by itself."""
        raise  # noqa: PLE0704 - the BrokenPipeError that Rich is handling


class Terminal:
    """Standard output for people, or, `as_json`, for scripts: one JSON object per line."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        width = None if sys.stdout.isatty() else _WIDE
        self._out = _Console(highlight=False, emoji=False, width=width, soft_wrap=True)
        self._err = _Console(highlight=False, emoji=False, stderr=True, soft_wrap=True)

    def json(self, item: Mapping[str, Any]) -> None:
        """One line for scripts. What isn't JSON is written as its text."""
        sys.stdout.write(json_line(item))

    def print(self, what: RenderableType = "") -> None:
        """For people; nothing for scripts. Markup in a text means nothing."""
        if not self.as_json:
            self._out.print(what, markup=False)

    def note(self, line: str) -> None:
        """Progress, for people and scripts alike."""
        self._err.print(line, markup=False)

    def rows(self, rows: Iterable[Mapping[str, Any]], widths: Mapping[str, int]) -> int:
        """Print each row as it comes; returns their number.

        For people only the columns in `widths`, each at least so wide.
        """
        count = 0
        remaining = iter(rows)
        while chunk := list(islice(remaining, 1 if self.as_json else _ROWS_AT_ONCE)):
            if self.as_json:
                self.json(chunk[0])
            else:
                self.print(_table(chunk, widths, is_first=count == 0))
            count += len(chunk)
        return count

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask, unless `yes`; no response is a no. Raises NothingToDo."""
        if yes:
            return
        self._err.print(f"{question} [y/N] ", end="", markup=False)
        answer = sys.stdin.readline() if sys.stdin else ""
        if answer.strip().lower() not in {"y", "yes"}:
            if answer:
                raise NothingToDo("Nothing was done.")
            self._err.print()
            raise NothingToDo("Nothing was done. Without a terminal, pass --yes.")

    def progress(self) -> Progress:
        """On standard error, and only where that is a terminal.

        Lines that are printed meanwhile appear above it if they go to the same terminal.
        """
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._err,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
            disable=not self._err.is_terminal,
        )


def _table(rows: list[Mapping[str, Any]], widths: Mapping[str, int], *, is_first: bool) -> Table:
    table = Table(box=None, show_header=is_first, pad_edge=False)
    for name, width in widths.items():
        table.add_column(name, min_width=width, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in widths))
    return table


def _cell(value: object) -> str:
    return "–" if value is None else visible(str(value))


def json_line(item: Mapping[str, Any]) -> str:
    """In ASCII, which no terminal or encoding mistakes. NaN, which isn't JSON, is its text."""
    try:
        line = json.dumps(item, default=str, allow_nan=False)
    except ValueError:
        line = json.dumps(json.loads(json.dumps(item, default=str), parse_constant=str))
    return line + "\n"


def visible(text: str) -> str:
    """Anybody's text in one line: escapes what would move the cursor or hide something."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
