"""What each part of the benchmarks measured: kept in build/bench, put together by `results`."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT: Final = Path(__file__).resolve().parent.parent
KEPT: Final = ROOT / "build" / "bench"


def keep(part: str, lines: Iterable[str], values: Mapping[str, object]) -> None:
    """Print a part's tables, and keep them with the numbers that other parts and targets need.

    `lines` are Markdown, with headings from the third level on. `values` is JSON; kept with it is
    which code it was measured of.
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
    """A digest of src/orders: figures of different ones must not be compared."""
    source = ROOT / "src" / "orders"
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*.py")):
        digest.update(f"{file.relative_to(source)} ".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def quote(page: Path, name: str, lines: Iterable[str]) -> None:
    """Put lines between `<!-- NAME -->` and `<!-- end -->` of a page.

    Raises:
        LookupError: they are not there.
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
