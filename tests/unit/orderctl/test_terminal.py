"""What is printed for people and for scripts."""

from __future__ import annotations

import json
from io import StringIO
from itertools import count
from typing import TYPE_CHECKING

import pytest

from orderctl.app import NothingToDo
from orderctl.terminal import Terminal, _Console, json_line

if TYPE_CHECKING:
    from collections.abc import Iterator


def endless() -> Iterator[dict[str, object]]:
    for number in count():
        if number == 120:
            raise KeyboardInterrupt
        yield {"order": number, "status": None}


@pytest.mark.parametrize(("as_json", "shown"), [(True, 120), (False, 100)])
def test_rows_are_printed_as_they_come(
    as_json: bool,  # noqa: FBT001 - a parameter of the test
    shown: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        Terminal(as_json=as_json).rows(endless(), {"order": 8, "status": 8})

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == shown + (not as_json), "with a header for people"


def test_a_row_is_a_line_of_json_or_of_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"order": "[red]\x1b[2J\u202ex", "status": None, "more": 1}

    assert Terminal(as_json=True).rows([row], {"order": 8}) == 1
    assert json.loads(capsys.readouterr().out) == row
    Terminal(as_json=False).rows([row], {"order": 8, "status": 8})
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["order", "status"]
    assert line.split() == [r"[red]\x1b[2J\u202ex", "–"]


def test_nothing_but_json_is_printed_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(as_json=True).print("for people")
    Terminal(as_json=True).note("progress")

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "progress\n"


def test_a_question_is_skipped_by_yes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(NothingToDo):
        Terminal(as_json=False).confirm("Erase?", yes=False)
    Terminal(as_json=False).confirm("Erase?", yes=True)
    for answer, hint in {"": True, "n\n": False, "\n": False}.items():
        monkeypatch.setattr("sys.stdin", StringIO(answer))
        with pytest.raises(NothingToDo) as refusal:
            Terminal(as_json=False).confirm("Erase?", yes=False)
        assert ("--yes" in str(refusal.value)) is hint


def test_results_go_to_standard_output_while_a_terminal_shows_progress(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for as_json in (True, False):
        terminal = Terminal(as_json=as_json)
        terminal._err = _Console(stderr=True, force_terminal=True)
        with terminal.progress():
            terminal.print("a result")
            terminal.json({"a": "result"})

    printed = capsys.readouterr()
    assert printed.out == '{"a": "result"}\na result\n{"a": "result"}\n'
    assert "result" not in printed.err


def test_emoji_codes_and_markup_in_a_text_mean_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "tenant:key:42 [bold]x[/bold]"
    terminal = Terminal(as_json=False)
    terminal.print(text)
    terminal.note(text)
    terminal.rows([{"customer": text}], {"customer": 8})
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(NothingToDo):
        terminal.confirm(text, yes=False)

    printed = capsys.readouterr()
    assert (printed.out.count(text), printed.err.count(text)) == (2, 2)
    assert "[y/N]" in printed.err


def test_json_is_json_and_ascii_whatever_a_text_or_number_is() -> None:
    item = {"text": "é\x9b\u202e\ud800", "numbers": [float("nan"), float("-inf"), 1.5]}

    line = json_line(item)

    def no_json(name: str) -> None:
        raise AssertionError(name)

    assert line.rstrip("\n").isascii()
    assert json.loads(line, parse_constant=no_json) == {
        "text": item["text"],
        "numbers": ["NaN", "-Infinity", 1.5],
    }
