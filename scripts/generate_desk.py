"""Writes what the desk takes from the platform: types from openapi.json, constants from src."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from orders.domain.money import MINOR_UNIT_DIGITS
from orders.domain.status import TRANSITIONS, OrderStatus

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ROOT / "desk" / "src" / "generated"
USUAL_DIGITS = 2


def main() -> None:
    """Write both files."""
    subprocess.run(
        ["node_modules/.bin/openapi-typescript", "openapi.json", "--output", GENERATED / "api.ts"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    unusual = {
        code: digits for code, digits in sorted(MINOR_UNIT_DIGITS.items()) if digits != USUAL_DIGITS
    }
    (GENERATED / "domain.ts").write_text(
        "// Written by make generate.\n\n"
        "/** In the order of an order's life. */\n"
        f"export const STATUSES: readonly string[] = {json.dumps(list(OrderStatus))};\n\n"
        "/** Those that lead to another one: somebody is to act on such an order. */\n"
        "export const OPEN_STATUSES: readonly string[] = "
        f"{json.dumps([status for status in OrderStatus if TRANSITIONS[status]])};\n\n"
        f"/** Of the currencies that don't have {USUAL_DIGITS}, by ISO 4217. */\n"
        "export const MINOR_UNIT_DIGITS: Readonly<Record<string, number>> = "
        f"{json.dumps(unusual)};\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
