"""Reads what a function wrote: its log lines and its metrics."""

from __future__ import annotations

import json
from typing import Any


def metric(written: str, name: str) -> float | None:
    """The metric's sum in the output; None if it was not written."""
    blobs = [json.loads(line) for line in written.splitlines() if '"_aws"' in line]
    values = [blob[name] for blob in blobs if name in blob]
    return sum(values) if values else None


def log_lines(written: str) -> list[dict[str, Any]]:
    """Without the lines that hold metrics alone."""
    lines = map(json.loads, written.splitlines())
    return [line for line in lines if "message" in line]
