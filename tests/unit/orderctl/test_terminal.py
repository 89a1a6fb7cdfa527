"""What goes to which of a command's two outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from orderctl.terminal import Terminal

if TYPE_CHECKING:
    import pytest


def test_results_go_to_standard_output_while_a_terminal_shows_progress(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for as_json in (True, False):
        terminal = Terminal(as_json=as_json)
        terminal._err = Console(stderr=True, force_terminal=True)
        with terminal.progress():
            terminal.print("a result")
            terminal.json({"a": "result"})

    printed = capsys.readouterr()
    assert printed.out == '{"a": "result"}\na result\n{"a": "result"}\n'
    assert "result" not in printed.err
