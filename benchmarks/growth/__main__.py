"""Measures how everything grows, and draws it: `python -m benchmarks.growth`."""

from __future__ import annotations

import sys
import time

from benchmarks.growth.measure import SIZES, measure, show


def main() -> None:
    started = time.monotonic()
    show(measure(SIZES))
    sys.stdout.write(f"\nIt took {time.monotonic() - started:.0f} s.\n")


if __name__ == "__main__":
    main()
