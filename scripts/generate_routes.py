"""Writes the README's table of routes, from openapi.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def main() -> None:
    """Write the table between its two marks."""
    paths = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))["paths"]
    rows = [
        f"| `{method.upper()} {path}` | {operation['summary']}{no_token(operation)} |"
        for path, operations in paths.items()
        for method, operation in operations.items()
    ]
    table = "\n".join(["| Route | |", "|---|---|", *rows])
    page = README.read_text(encoding="utf-8")
    marked = re.compile(r"(?<=<!-- routes -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
    README.write_text(marked.sub(lambda _: table, page, count=1), encoding="utf-8")


def no_token(operation: dict[str, Any]) -> str:
    """What to add where the route needs none: the document's own requirement doesn't hold."""
    return " (no token)" if operation.get("security") == [] else ""


if __name__ == "__main__":
    main()
