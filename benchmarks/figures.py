"""What each part of the benchmarks measured: kept in build/bench, put together by `results`."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
KEPT: Final = ROOT / "build" / "bench"


def keep(part: str, lines: Iterable[str], values: Mapping[str, object]) -> None:
    """Print a part's tables, and keep them with the numbers that other parts and targets need.

    `lines` are Markdown, with headings from the third level on. `values` is JSON; a digest of the
    measured code is kept with it.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    text = "\n".join(lines) + "\n"
    (KEPT / f"{part}.md").write_text(text)
    (KEPT / f"{part}.json").write_text(
        json.dumps({**values, "package": package()}, indent=2) + "\n"
    )
    sys.stdout.write(f"\n{text}")
    sys.stdout.flush()


def kept(part: str) -> dict[str, Any]:
    """Return the numbers of a part that ran before. SystemExit where it did not."""
    file = KEPT / f"{part}.json"
    if not file.exists():
        raise SystemExit(f"{part} was not measured yet; `make bench` measures it.")
    values: dict[str, Any] = json.loads(file.read_text())
    return values


def package() -> str:
    """A digest of src/orders: figures of different digests must not be compared."""
    source = ROOT / "src" / "orders"
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*.py")):
        digest.update(f"{file.relative_to(source)} ".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def table(head: Sequence[str], rows: Iterable[Sequence[object]], texts: int = 1) -> Iterator[str]:
    """Lines of a Markdown table; the columns after the first `texts` are numbers."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * texts + "--:|" * (len(head) - texts)
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


def number(value: float) -> str:
    """With at most three digits after the point."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def quote(page: Path, name: str, lines: Iterable[str]) -> None:
    """Put lines between `<!-- NAME -->` and `<!-- end -->` of a page.

    Raises LookupError where the page lacks these marks.
    """
    text = "\n".join(lines)
    quoted, places = re.subn(
        rf"(<!-- {name} -->\n).*?(<!-- end -->)",
        lambda place: f"{place[1]}\n{text}\n\n{place[2]}",
        page.read_text(),
        flags=re.DOTALL,
    )
    if places != 1:
        raise LookupError(f"{page} has no place for {name}")
    page.write_text(quoted)
