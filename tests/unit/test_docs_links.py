"""Every relative link of the documentation leads to a file, and to a heading in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
TRACKED: Final = ["git", "-C", str(ROOT), "ls-files", "*.md"]
# A copy of the project, as `make mutate` makes one, is not under version control.
PAGES: Final = (
    subprocess.check_output(TRACKED, text=True).split() if (ROOT / ".git").exists() else []
)
CODE: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file_and_to_a_heading_in_it(page: str) -> None:
    text = CODE.sub("", (ROOT / page).read_text())
    for path, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)", text):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"
