"""What each part of the benchmarks measured: kept in build/bench, put together by `results`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT: Final = Path(__file__).resolve().parent.parent
KEPT: Final = ROOT / "build" / "bench"


def keep(part: str, lines: Iterable[str], values: Mapping[str, object]) -> None:
    """Print a part's tables, and keep them with the numbers that other parts and targets need.

    `lines` are Markdown, with headings from the third level on. `values` is JSON.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    text = "\n".join(lines) + "\n"
    (KEPT / f"{part}.md").write_text(text)
    (KEPT / f"{part}.json").write_text(json.dumps(values, indent=2) + "\n")
    sys.stdout.write(f"\n{text}")
    sys.stdout.flush()


def kept(part: str) -> dict[str, Any]:
    """Return the numbers of a part that ran before. SystemExit where it did not."""
    file = KEPT / f"{part}.json"
    if not file.exists():
        raise SystemExit(f"{part} was not measured yet: PYTHONPATH=... python -m benchmarks.{part}")
    values: dict[str, Any] = json.loads(file.read_text())
    return values
