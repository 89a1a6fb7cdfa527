"""`status`: whether everything works, and what to do about what doesn't."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from orderctl.app import FAILED, AsJson, Role, StageName, app, examples, needs
from orderctl.findings import NEEDS, findings
from orderctl.stage import find_stage
from orderctl.terminal import Terminal

if TYPE_CHECKING:
    from orderctl.findings import Finding
    from orderctl.stage import Stage


@app.command(epilog=examples("status", "status --stage prod --json"))
@needs(Role.READER, NEEDS)
def status(stage_name: StageName = None, *, as_json: AsJson = False) -> None:
    """Show on one screen what works and what doesn't. Exit code 1 if anything is wrong."""
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    found = findings(stage)
    for one in found:
        if as_json:
            terminal.json(one._asdict())
    _show(stage, terminal, found)
    if not all(one.ok for one in found):
        raise typer.Exit(FAILED)


def _show(stage: Stage, terminal: Terminal, found: list[Finding]) -> None:
    """What is wrong comes first."""
    wrong = [one for one in found if not one.ok]
    verdict = f"{len(wrong)} of {len(found)} checks found a fault" if wrong else "all is well"
    terminal.print(Text(f"{stage.stack}: {verdict}", style="bold"))
    for one in wrong:
        terminal.print(Text.assemble(("✗ ", "red"), f"{one.kind} {one.name} {one.detail}".strip()))
        if one.remedy:
            terminal.print(f"  → {one.remedy}")
    width = max((len(one.name) for one in found), default=0)
    for kind, ones in groupby((one for one in found if one.ok), lambda one: one.kind):
        terminal.print(Text(kind, style="bold"))
        for one in ones:
            terminal.print(Text.assemble(("✓ ", "green"), f"{one.name:{width}}  {one.detail}"))
    if stage.is_local:
        terminal.print(_UNSEEN)


_UNSEEN = (
    "On the local stack nothing measures how long messages wait, how fast responses are, and which "
    "requests the gateway rejects."
)
