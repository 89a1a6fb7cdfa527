"""Figures of docs/reliability.md: the command that measures them leaves them in build/reliability.

`scripts/generate_reliability.py` puts them into the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

FIGURES: Final = Path(__file__).resolve().parent.parent / "build" / "reliability"


def leave(name: str, lines: Iterable[str]) -> None:
    """Keep what was measured under its name in the page: lines of Markdown, without a heading."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / f"{name}.md").write_text("\n".join(lines) + "\n")
