"""`status`: whether everything works, and what to do about what doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer
from rich.text import Text

from orderctl.app import FAILED, AsJson, Role, StageName, app, examples, needs
from orderctl.findings import NEEDS, findings
from orderctl.stage import find_stage
from orderctl.terminal import Terminal, visible

if TYPE_CHECKING:
    from orderctl.findings import Finding
    from orderctl.stage import Stage

_UNSEEN: Final = (
    "The local stack doesn't measure how long messages wait and how fast responses are, nor count "
    "requests that the gateway rejects."
)


@app.command(epilog=examples("status", "status --stage prod --json"))
@needs(Role.READER, NEEDS)
def status(stage_name: StageName = None, *, as_json: AsJson = False) -> None:
    """Show on one screen what works and what doesn't. The exit code is 1 if anything is wrong."""
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    found = findings(stage)
    if as_json:
        for one in found:
            terminal.json(one._asdict())
    else:
        _show(stage, terminal, found)
    if not all(one.ok for one in found):
        raise typer.Exit(FAILED)


def _show(stage: Stage, terminal: Terminal, found: list[Finding]) -> None:
    """What is wrong comes first."""
    kinds, names = (max(map(len, column)) for column in list(zip(*found, strict=True))[:2])

    def line(mark: str, style: str, one: Finding) -> Text:
        shown = f"{one.kind:{kinds}}  {one.name:{names}}  {one.detail}"
        return Text.assemble((f"{mark} ", style), visible(shown))

    wrong = [one for one in found if not one.ok]
    verdict = f"{len(wrong)} of {len(found)} checks found a fault" if wrong else "all is well"
    terminal.print(Text(f"{stage.stack}: {verdict}\n", style="bold"))
    for one in wrong:
        terminal.print(line("✗", "red", one))
        if one.remedy:
            terminal.print(f"    {visible(one.remedy)}")
    if wrong:
        terminal.print()
    for one in found:
        if one.ok:
            terminal.print(line("✓", "green", one))
    if stage.is_local:
        terminal.print(f"\n{_UNSEEN}")
