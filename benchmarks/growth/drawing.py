"""The curves as one picture."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from benchmarks.growth.curves import Curves

_COLUMNS: Final = 3
_PALETTE: Final = 64
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
"""Told apart by people who see colours differently: Okabe and Ito's."""
_MARKERS: Final = "osv^"


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes: a measure of some curves, each with the name that it has in the legend.

    Sizes are always on a logarithmic scale; so are the values where `log` says so, and else they
    begin at 0. `bound` is a value that must not be passed.
    """

    title: str
    size: str
    unit: str
    measure: str
    curves: Mapping[str, str]
    log: bool = False
    bound: float | None = None


def draw(panels: Sequence[Panel], curves: Curves, file: Path) -> None:
    """Write the panels, three in a row, to a PNG."""
    lines = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(10, 2.3 * lines), dpi=90, layout="constrained")
    grid = figure.subplots(lines, _COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        axes.set_visible(True)
        _draw(panel, curves, axes)
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    # A picture of few colours: a palette makes it a third as large.
    Image.open(drawn).convert("RGB").quantize(_PALETTE).save(file, optimize=True)


def _draw(panel: Panel, curves: Curves, axes: Axes) -> None:
    for number, (name, label) in enumerate(panel.curves.items()):
        points = {size: point[panel.measure] for size, point in curves[name].items()}
        axes.plot(
            list(points),
            list(points.values()),
            color=_COLOURS[number],
            marker=_MARKERS[number],
            markersize=4,
            linewidth=1.2,
            label=label,
        )
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(sorted({size for name in panel.curves for size in curves[name]}))
    if panel.log:
        axes.set_yscale("log")
        axes.set_ylim(*_decades(axes.dataLim.ymin, axes.dataLim.ymax, len(panel.curves)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1], panel.bound or 0) * 1.5)
    if panel.bound is not None:
        axes.axhline(panel.bound, color="black", linestyle="dotted", linewidth=1, label="limit")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axes.set_title(panel.title, fontsize=9)
    axes.set_xlabel(f"{panel.size} (log)", fontsize=8)
    axes.set_ylabel(f"{panel.unit} (log)" if panel.log else panel.unit, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(visible=True, color="#dddddd", linewidth=0.5)
    if len(panel.curves) > 1 or panel.bound is not None:
        axes.legend(fontsize=7, frameon=False, loc="upper left", ncols=2)


def _decades(low: float, high: float, curves: int) -> tuple[float, float]:
    """Whole powers of ten around the values, and one for the legend where there is one."""
    return 10 ** floor(log10(low)), 10 ** (ceil(log10(high)) + (curves > 1))
