"""What was measured at each size, and tables of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Point: TypeAlias = Mapping[str, float]
"""What was measured, by its name: `read_units`, `bytes_in`."""

Curve: TypeAlias = Mapping[int, Point]
"""By the size that it was measured at."""

Curves: TypeAlias = Mapping[str, Curve]
"""By what was measured there."""


def table(size: str, curves: Curves, measures: Sequence[str]) -> Iterator[str]:
    """Lines of Markdown: a row for each curve and size, a column for each measure.

    A measure's name says its unit.
    """
    head = ["", size, *(measure.replace("_", " ") for measure in measures)]
    yield _row(head)
    yield "|---|" + "---:|" * (len(head) - 1)
    for name, curve in curves.items():
        for number, point in curve.items():
            yield _row([name, f"{number:,}", *(_text(point[measure]) for measure in measures)])
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: float) -> str:
    """Whole numbers, and halves of units, as they are; others to three digits."""
    if value * 2 == int(value * 2):
        return f"{value:,g}" if value % 1 else f"{int(value):,}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
