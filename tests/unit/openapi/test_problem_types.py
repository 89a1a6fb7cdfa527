"""docs/errors.md explains every problem type."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orders.http import problems

PAGE = Path(__file__).resolve().parents[3] / "docs" / "errors.md"
TYPES = [each for each in vars(problems).values() if isinstance(each, problems.ProblemType)]
SECTIONS = {
    slug: text
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for slug, _, text in [section.partition("\n")]
}


def test_the_page_has_a_section_for_every_type_and_no_other() -> None:
    assert sorted(SECTIONS) == sorted(each.slug for each in TYPES)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.slug)
def test_a_section_gives_status_meaning_cause_and_what_to_do(kind: problems.ProblemType) -> None:
    meaning, *rest = SECTIONS[kind.slug].strip().split("\n\n")

    assert meaning.startswith(f"**{kind.status}.** ")
    assert len(rest) == 2
