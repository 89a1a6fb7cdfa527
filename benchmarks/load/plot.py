"""Latency over time, a panel for each load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from benchmarks.load.times import timed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.load.run import Outcome


def draw(outcomes: Sequence[Outcome], file: Path) -> None:
    """Write the PNG: each request twice, as its client and as the function saw it."""
    figure = Figure(figsize=(10, 3.2 * len(outcomes)), layout="constrained")
    panels = figure.subplots(len(outcomes), squeeze=False, sharey=True)[:, 0]
    for panel, outcome in zip(panels, outcomes, strict=True):
        requests = timed(outcome.responses, outcome.own)
        first = min(one.at for one in requests)
        for label, style, points in (
            ("client", {"color": "tab:gray", "s": 3}, [(one.at, one.client) for one in requests]),
            ("function", {"color": "tab:blue", "s": 3}, [(one.at, one.own) for one in requests]),
            (
                "function, a process's first request",
                {"color": "tab:red", "s": 14, "marker": "x", "linewidths": 0.8},
                [(one.at, one.own) for one in requests if one.cold_start],
            ),
        ):
            known = [(at - first, took) for at, took in points if took is not None]
            if known:
                panel.scatter(*zip(*known, strict=True), label=label, **style)
        panel.set_yscale("log")
        panel.grid(visible=True, alpha=0.3)
        panel.set_title(f"{outcome.profile.name}: {outcome.profile.describes}", loc="left")
        panel.set_ylabel("ms")
    # All kinds of points are in the burst's panel.
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), markerscale=2)
    panels[-1].set_xlabel("seconds from the first request until this one was sent")
    figure.savefig(file, dpi=80, pil_kwargs={"optimize": True})
