"""Puts the figures of build/reliability into docs/reliability.md; `make reliability` measures them.

A figure stands between two comments, `<!-- NAME -->` and `<!-- end -->`; one that was not measured
since `build` was made stays as it is.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from figures import FIGURES

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
_FIGURE: Final = re.compile(r"(<!-- ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Write the page anew, and name the figures that stayed."""
    kept: list[str] = []

    def measured(figure: re.Match[str]) -> str:
        start, name, before, end = figure.groups()
        file = FIGURES / f"{name}.md"
        if not file.exists():
            kept.append(name)
            return f"{start}{before}{end}"
        return f"{start}\n{file.read_text()}\n{end}"

    PAGE.write_text(_FIGURE.sub(measured, PAGE.read_text()))
    if kept:
        sys.stdout.write(f"Not measured, so left as they were: {', '.join(kept)}\n")


if __name__ == "__main__":
    main()
