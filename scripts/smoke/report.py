"""The table of a run: for a terminal, or as Markdown."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

from orderctl.terminal import visible

if TYPE_CHECKING:
    from datetime import datetime
    from typing import TextIO

    from smoke.target import Target


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "FAILED"
    NOT_APPLICABLE = "not applicable"
    NOT_TRIED = "not tried"


class Row(NamedTuple):
    """A claim, what was seen, and how long it took."""

    claim: str
    seen: str
    milliseconds: float
    outcome: Outcome


class Report(NamedTuple):
    """Of what was claimed, when, where, and of which version."""

    target: Target
    version: str
    started: datetime
    rows: list[Row]

    @property
    def has_failed(self) -> bool:
        return any(row.outcome is Outcome.FAILED for row in self.rows)

    @property
    def heading(self) -> str:
        return f"Smoke test of version {self._shown(self.version)}"

    @property
    def summary(self) -> str:
        counts = Counter(row.outcome for row in self.rows)
        counted = [f"{counts[one]} {one.lower()}" for one in Outcome if counts[one]]
        seconds = sum(row.milliseconds for row in self.rows) / 1000
        return (
            f"{self.started:%Y-%m-%d %H:%M} UTC, {self.target.place}, {seconds:.0f} s: "
            f"{', '.join(counted)}."
        )

    def write(self, output: TextIO) -> None:
        """To a terminal as a table, to anything else as Markdown."""
        if output.isatty():
            self._write_table(Console(file=output, highlight=False, emoji=False, markup=False))
        else:
            output.write(self.as_markdown())

    def as_markdown(self) -> str:
        lines = [f"# {self.heading}", "", self.summary, "", "| Claim | Seen | ms | |"]
        lines += ["|---|---|--:|---|"]
        for row in self.rows:
            seen = self._shown(row.seen).replace("|", "\\|")
            lines.append(f"| {row.claim} | {seen} | {row.milliseconds:.0f} | {row.outcome} |")
        return "\n".join(lines) + "\n"

    def _write_table(self, console: Console) -> None:
        table = Table(box=None, pad_edge=False)
        table.add_column("Claim")
        table.add_column("Seen")
        table.add_column("ms", justify="right")
        table.add_column()
        for row in self.rows:
            seen, took = self._shown(row.seen), f"{row.milliseconds:.0f}"
            table.add_row(row.claim.replace("`", ""), seen, took, row.outcome)
        console.print(self.heading, table, "", self.summary, sep="\n")

    def _shown(self, text: str) -> str:
        """A server's text in one line, without the tokens that it may have sent back."""
        return visible(self.target.without_secrets(text))
