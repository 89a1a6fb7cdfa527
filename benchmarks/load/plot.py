"""Latency over time, a panel for each load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure

from benchmarks.load.times import timed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.load.run import Outcome

_DOT: Final = 3
_CROSS: Final = 14


def draw(outcomes: Sequence[Outcome], file: Path) -> None:
    """Write the PNG: each request twice, as its client and as the function saw it."""
    figure = Figure(figsize=(10, 3.2 * len(outcomes)), layout="constrained")
    panels = figure.subplots(len(outcomes), squeeze=False, sharey=True)[:, 0]
    for panel, outcome in zip(panels, outcomes, strict=True):
        requests = timed(outcome.answers, outcome.own)
        known = [(one.at - outcome.began, one.own) for one in requests if one.own is not None]
        cold = [
            (one.at - outcome.began, one.own)
            for one in requests
            if one.cold_start and one.own is not None
        ]
        seen = [(one.at - outcome.began, one.client) for one in requests]
        panel.scatter(*zip(*seen, strict=True), s=_DOT, color="tab:gray", label="client")
        if known:
            panel.scatter(*zip(*known, strict=True), s=_DOT, color="tab:blue", label="function")
        if cold:
            panel.scatter(
                *zip(*cold, strict=True),
                s=_CROSS,
                color="tab:red",
                marker="x",
                linewidths=0.8,
                label="function, a process's first request",
            )
        panel.set_yscale("log")
        panel.grid(visible=True, alpha=0.3)
        panel.set_title(f"{outcome.profile.name}: {outcome.profile.describes}", loc="left")
        panel.set_ylabel("ms")
        panel.legend(loc="upper right", markerscale=2, fontsize="small")
    panels[-1].set_xlabel("seconds since the load began, when the request was sent")
    figure.savefig(file, dpi=90)
