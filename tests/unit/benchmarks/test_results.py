"""What is written of the figures, and when it is a failure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import figures, results
from figures_of_parts import artefact, functions, growth, load, operations

if TYPE_CHECKING:
    from pathlib import Path

MEASURED = {
    "functions": functions,
    "operations": operations,
    "growth": growth,
    "money": dict,
    "artefact": artefact,
    "load": load,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the results are written; the figures of all parts are kept beside it."""
    monkeypatch.setattr(results, "ROOT", tmp_path)
    for module in (figures, results):
        monkeypatch.setattr(module, "KEPT", tmp_path / "bench")
    written = tmp_path / "benchmarks"
    written.mkdir()
    (tmp_path / "README.md").write_text("before\n<!-- benchmarks -->\n<!-- end -->\nafter\n")
    for part, values in MEASURED.items():
        figures.keep(part, [f"### Tables of {part}"], values())
    return written


def test_the_readme_quotes_four_lines(folder: Path) -> None:
    results.main()

    before, *lines, after = (folder.parent / "README.md").read_text().splitlines()
    assert (before, after) == ("before", "after")
    assert len([line for line in lines if line.startswith("| ")]) == 5
    assert "| init of create-order, instructions, ÷ typical | 0.1 |" in lines


def test_a_part_that_was_measured_of_other_code_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "package", lambda: "other")
    figures.keep("growth", [], growth())

    results.main()

    page = (folder / "results.md").read_text()
    assert page.count("was measured of another one") == 1
    assert "**Growth was measured of another one, other.**" in page


def test_what_is_missed_is_listed_beside_what_the_client_takes(folder: Path) -> None:
    values = functions()
    values["cpu ratios"]["get"] = {"typical": [0.5], "bare call": [2.0]}
    figures.keep("functions", [], values)

    with pytest.raises(SystemExit):
        results.main()

    page = (folder / "results.md").read_text()
    assert "| warm get, CPU, ÷ typical | 0.5 | ≤ 0.25 | 0.25 | 50% |" in page


def test_a_row_has_a_name_a_value_a_bound_and_whether_it_is_met(folder: Path) -> None:
    results.main()

    rows = json.loads((folder / "results.json").read_text())
    assert all(list(row) == ["name", "value", "bound", "met"] for row in rows)
    assert {
        "name": "artefact, bytes zipped",
        "value": 10_000_000,
        "bound": "≤ 10,000,000",
        "met": True,
    } in rows
    names = [row["name"] for row in rows]
    assert len(names) == len(set(names))
    assert names[0].startswith("init of ")
    assert names[-1] == "burst load, orders or entries lost or doubled"


def test_the_page_has_the_targets_and_then_every_parts_tables(folder: Path) -> None:
    results.main()

    page = (folder / "results.md").read_text()
    assert "| artefact, bytes zipped | 10,000,000 | ≤ 10,000,000 | yes |" in page
    headings = [line for line in page.splitlines() if line.startswith("##")]
    assert headings[:2] == ["## Targets", "## What is missed"]
    assert headings[3::2] == [f"### Tables of {part}" for part in MEASURED]
    assert "**no**" not in page


def test_a_missed_target_is_a_failure_that_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures.keep("artefact", [], artefact() | {"zipped_bytes": 10_000_001})
    capsys.readouterr()

    with pytest.raises(SystemExit) as failure:
        results.main()

    assert failure.value.code == 1
    line = "| artefact, bytes zipped | 10,000,001 | ≤ 10,000,000 | **no** |"
    page = (folder / "results.md").read_text()
    assert line in page
    assert page.count("**no**") == 1
    assert line in capsys.readouterr().out
    rows = json.loads((folder / "results.json").read_text())
    assert [row["name"] for row in rows if not row["met"]] == ["artefact, bytes zipped"]


@pytest.mark.parametrize("part", MEASURED)
def test_a_part_that_was_not_measured_is_named(folder: Path, part: str) -> None:
    for ending in ("json", "md"):
        (figures.KEPT / f"{part}.{ending}").unlink()

    with pytest.raises(
        SystemExit, match=rf"^{part} was not measured yet; `make bench` measures it\.$"
    ):
        results.main()

    assert list(folder.iterdir()) == []
