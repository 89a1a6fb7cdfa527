"""What `orderctl show` makes of a log line."""

from __future__ import annotations

from datetime import UTC, datetime

from orderctl.commands.show import _log_line
from orderctl.logs import LogLine

AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_an_exception_is_one_line() -> None:
    chain = [
        {"exception": "KeyError", "frames": ["a.py:1 outer", "a.py:9 inner"], "detail": "x"},
        {"exception": "OSError", "frames": ["b.py:2 read"]},
    ]
    line = LogLine(AT, "settle-payments", {"message": "settlement failed", "error": chain})

    assert (
        _log_line(line)["details"] == "error: KeyError at a.py:9 inner from OSError at b.py:2 read"
    )


def test_any_other_detail_is_as_it_was_logged() -> None:
    line = LogLine(AT, "anybody", {"error": [], "more": ["a"], "odd": [{"frames": []}]})

    assert _log_line(line)["details"] == "error: [], more: ['a'], odd: [{'frames': []}]"
