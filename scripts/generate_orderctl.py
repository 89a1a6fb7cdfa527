"""Writes the tables of docs/orderctl.md and infra/operators.json, from the commands themselves."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

from orderctl.app import Role
from orderctl.reference import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "orderctl.md"
POLICIES = ROOT / "infra" / "operators.json"


def main() -> None:
    """Write both."""
    page = PAGE.read_text(encoding="utf-8")
    for mark, table in {"commands": commands(), "rights": rights()}.items():
        marked = re.compile(rf"(?<=<!-- {mark} -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
        page = marked.sub(lambda _, table=table: table, page, count=1)  # type: ignore[misc]  # bound early
    PAGE.write_text(page, encoding="utf-8")
    POLICIES.write_text(f"{json.dumps(policies(), indent=2)}\n", encoding="utf-8")


def commands() -> str:
    """Return the table of what each command does, and who may run it."""
    rows = [f"| `{one.name}` | {one.needs.role} | {one.summary} |" for one in COMMANDS]
    return "\n".join(["| Command | Role | Does |", "|---|---|---|", *rows])


def rights() -> str:
    """Return the table of the rights of each command."""
    rows = []
    for one in COMMANDS:
        needed = [f"`{action}` on {place}" for action, place in sorted(one.needs.rights.items())]
        rows.append(f"| `{one.name}` | {'<br>'.join(needed)} |")
    return "\n".join(["| Command | Rights |", "|---|---|", *rows])


def policies() -> dict[str, dict[str, list[str]]]:
    """Return the actions of each role by what they are on. A role may do what the last one may."""
    known: dict[str, set[str]] = defaultdict(set)
    found = {}
    for role in Role:
        for one in COMMANDS:
            if one.needs.role is role:
                for action, places in one.needs.rights.items():
                    for place in places.split(" and "):
                        known[place].add(action)
        found[str(role)] = {place: sorted(actions) for place, actions in sorted(known.items())}
    return found


if __name__ == "__main__":
    main()
