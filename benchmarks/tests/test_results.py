"""What is written of the figures, when it is a failure, and what an order costs."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import figures, memory, money, results
from benchmarks.functions import COMPARED
from benchmarks.growth import PAGES, PLACES
from benchmarks.systems import HTTP_FUNCTIONS

if TYPE_CHECKING:
    from pathlib import Path

MEASURED: dict[str, Any] = {
    "calls": {"GetItem": 1, "TransactWriteItems": 1},
    "read_units": 1,
    "write_units": 7,
    "log_bytes": 500,
}


def parts() -> dict[str, Any]:
    """Figures as the parts keep them, in small; all of them meet their targets."""
    costs = {
        "create": (1, 9), "create with key": (1, 11), "get": (1, 0), "page of 20": (1, 0),
        "update": (2, 10), "update with key": (2, 12), "replayed create": (1, 8),
        "replayed update": (1, 0),
    }  # fmt: skip
    ours = {
        name: {
            "function": "get-order",
            "calls": {"GetItem": calls},
            "write_units": units,
            "log_bytes": 700,
        }
        for name, (calls, units) in costs.items()
    }
    quiet = {"lost_or_doubled": 0, "failed": {}, "own_p95_ms": 49}
    pages = {
        f"{name}_{place}": {
            size: {"read_units": 1.5, "bytes_in": 1_000} for size in ("104", "1000064")
        }
        for name in PAGES
        for place in PLACES
    }
    return {
        "functions": {
            "ours": {
                name: {
                    "init_instructions": 1_000,
                    "bare_kb": 9 * 1024,
                    "idle_kb": 15 * 1024,
                    "peak_kb": 40 * 1024,
                }
                for name in (*HTTP_FUNCTIONS, "settle-payments")
            },
            "typical": {"create-order": {"init_instructions": 10_000}},
            "bare call": {"create-order": {"init_instructions": 500}},
            "cpu ratios": {
                name: {"typical": [0.01, 0.05, 9], "bare call": [1.5]} for name in COMPARED
            },
            "cold ratios": {"create": {"typical": [0.1, 0.2, 9]}},
        },
        "operations": {"ours": ours},
        "growth": pages,
        "money": {},
        "memory": {},
        "load": {name: dict(quiet) for name in ("light", "busy", "burst")},
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results are written; the figures of all parts are kept beside it."""
    monkeypatch.setattr(results, "ROOT", tmp_path)
    for module in (figures, results):
        monkeypatch.setattr(module, "KEPT", tmp_path / "bench")
    artefact = tmp_path / "orders.zip"
    with zipfile.ZipFile(artefact, "w") as archive:
        for name in ("large/__init__.py", "large/more.py", "small.py", "large.dist-info/METADATA"):
            archive.writestr(name, b"x" * 10)
    monkeypatch.setattr(results, "build_artefact", lambda: artefact)
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "README.md").write_text("before\n<!-- benchmarks -->\n<!-- end -->\nafter\n")
    for part, values in parts().items():
        figures.keep(part, [f"### Tables of {part}"], values)
    return tmp_path / "benchmarks"


def test_the_page_and_the_readme_show_targets_that_are_met(folder: Path) -> None:
    results.main()

    rows = json.loads((folder / "results.json").read_text())
    size = (folder.parent / "orders.zip").stat().st_size
    assert {
        "name": "artefact, bytes zipped",
        "value": size,
        "bound": "≤ 10,500,000",
        "met": True,
    } in rows
    assert all(row["met"] for row in rows)
    assert len({row["name"] for row in rows}) == len(rows)
    page = (folder / "results.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("### ")] == [
        f"### Tables of {part}" for part in results.PARTS
    ]
    assert page.splitlines()[-3:] == [
        "| large | 20 |",
        "| small.py | 10 |",
        f"| metadata of the packages, bytecode of single modules | {size - 30} |",
    ]
    readme = (folder.parent / "README.md").read_text()
    assert "| init of create-order, instructions, ÷ typical | 0.1 |" in readme
    assert "| page of 20 of the feed at 1,000,064 events ÷ at 104, read units | 1 |" in readme


INIT, RATIOS, OURS, LARGE = "init_instructions", "cpu ratios", "ours", "1000064"


@pytest.mark.parametrize(
    ("path", "value", "missed"),
    [
        (("functions", OURS, "health", INIT), 1_900, "init of health, instructions, ÷ typical"),
        (("functions", OURS, "settle-payments", INIT), 2_600, "init of settle-payments, instr"),
        (("functions", "cold ratios", "create", "typical"), [0.3], "cold create with TLS, CPU,"),
        (("functions", OURS, "create-order", "peak_kb"), 41 * 1024, "memory of a warm create, wi"),
        (("functions", RATIOS, "get", "typical"), [0, 0.26, 0.3], "warm get, CPU, ÷ typical"),
        (("functions", RATIOS, "create", "bare call"), [3], "warm create, CPU, ÷ one bare call"),
        (("operations", OURS, "get", "calls"), {}, "get, calls"),
        (("operations", OURS, "update", "calls"), {"GetItem": 2, "Query": 1}, "update, calls"),
        (("operations", OURS, "create", "write_units"), 10, "create, write units"),
        (("operations", OURS, "get", "log_bytes"), 701, "log bytes of a successful request,"),
        (
            ("growth", "feed_page_of_20_first", LARGE, "bytes_in"),
            1_001,
            "page of 20 of the feed at 1,000,064 events ÷ at 104, bytes",
        ),
        (
            ("growth", "status_page_middle", LARGE, "read_units"),
            1,
            "page of 20 of a status at 1,000,064 orders ÷ at 104, read units",
        ),
        (("load", "light", "own_p95_ms"), 50, "light load, p95 of the functions' own time, ms"),
        (("load", "busy", "failed"), {"status 503": 1}, "busy load, failed requests"),
        (("load", "burst", "lost_or_doubled"), 1, "burst load, orders or entries lost or doubled"),
    ],
)
def test_a_missed_target_is_written_and_fails(
    folder: Path, path: tuple[str, ...], value: object, missed: str
) -> None:
    part, *names, last = path
    values = parts()[part]
    place = values
    for name in names:
        place = place[name]
    place[last] = value
    figures.keep(part, [], values)

    with pytest.raises(SystemExit):
        results.main()

    rows = json.loads((folder / "results.json").read_text())
    (name,) = (row["name"] for row in rows if not row["met"])
    assert name.startswith(missed)
    assert f"| {name} |" in (folder / "results.md").read_text().split("## What is missed")[1]


@pytest.mark.parametrize("part", results.PARTS)
def test_a_part_that_was_not_measured_is_named(folder: Path, part: str) -> None:
    (figures.KEPT / f"{part}.json").unlink()

    with pytest.raises(SystemExit, match=rf"^{part} was not measured yet; `make bench`"):
        results.main()

    assert list(folder.iterdir()) == []


def test_a_part_that_was_measured_of_other_code_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changes:
        changes.setattr(figures, "package", lambda: "other")
        figures.keep("growth", [], parts()["growth"])

    results.main()

    page = (folder / "results.md").read_text()
    assert page.count("measured when the digest was") == 1
    assert "**Growth: measured when the digest was other.**" in page


def test_a_step_of_an_order_uses_what_was_measured_as_often_as_it_happens() -> None:
    step = money.Step("update", 2, http=True)

    used = money.usage(step, MEASURED, cpu_ms=0.0, memory=512)
    polled = money.usage(step._replace(http=False, polled=True), MEASURED, cpu_ms=0.0, memory=512)
    sending = money.usage(step, MEASURED | {"calls": {"SendMessageBatch": 1}}, 0.0, 512)

    access = money.access_line_bytes()
    assert 200 < access < 300
    assert used == {
        "HTTP API": 2,
        "Lambda requests": 2,
        "Lambda time": pytest.approx(2 * 0.5 * 2 * money.ROUND_TRIP_MS / 1000),
        "DynamoDB writes": 14,
        "DynamoDB reads": 2,
        "SQS": 0,
        "CloudWatch Logs": 2 * (500 + len(money.LAMBDA_LINES) + access),
        "X-Ray": 2 * money.TRACED,
    }
    logged = used["CloudWatch Logs"] - 2 * access
    assert polled == {**used, "HTTP API": 0, "SQS": 4, "CloudWatch Logs": logged}
    assert sending["SQS"] == 2


@pytest.mark.parametrize(
    ("cpu_ms", "calls", "memory", "milliseconds"),
    [
        (1.0, 0, 1769, 1),
        (1.0, 0, 512, 4),  # 0.29 of a core
        (10.0, 0, 3538, 10),  # one thread uses no second core
        (0.0, 2, 512, 2 * money.ROUND_TRIP_MS),
        (0.1, 1, 1769, money.ROUND_TRIP_MS + 1),  # every millisecond that has begun
    ],
)
def test_time_is_billed_in_whole_milliseconds(
    cpu_ms: float, calls: int, memory: int, milliseconds: float
) -> None:
    assert money.billed_ms(cpu_ms, calls, memory) == milliseconds


@pytest.mark.parametrize("by_token", [True, False])
def test_every_change_of_an_order_is_paid_for_published_and_consumed(*, by_token: bool) -> None:
    steps = money.life(paid_by_token=by_token)
    times = {step.operation: step.times for step in steps}
    used = money.total(money.usage(step, MEASURED, 2.0, 512) for step in steps)

    payments = times.get("payment by token", 0)
    assert times["create with key"] + times["update with key"] + payments == 3
    assert times["publishing an event"] == times["event without token"] + payments == 3
    assert used.keys() == money.PRICES.keys()
    assert money.dollars(used)["HTTP API"] == pytest.approx(7 if by_token else 8)
    assert money.dollars(used)["DynamoDB writes"] == pytest.approx(used["DynamoDB writes"] * 0.625)


def test_the_page_on_costs_quotes_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "KEPT", tmp_path)
    costs = (figures.ROOT / "docs" / "costs.md").read_text()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "costs.md").write_text(costs)
    monkeypatch.setattr(figures, "package", lambda: "this")
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    of = MEASURED | {"function": "any"}
    operations = {
        step.operation: of for by in (True, False) for step in money.life(paid_by_token=by)
    }
    figures.keep("operations", (), dict.fromkeys(("ours", "typical"), operations))
    monkeypatch.setattr(money, "memory_sizes", lambda: {"any": 512})
    cpu = {"any": {"warm_cpu_ms": 3.0}}
    figures.keep("functions", (), {"ours": cpu, "typical": cpu})

    money.main()
    money.main()

    kept = figures.kept("money")
    page = (tmp_path / "docs" / "costs.md").read_text()
    assert f"**{sum(kept['ours'].values()):.2f}**" in page
    assert page.count("| **Together** |") == 1
    assert page.count("# Costs") == costs.count("# Costs")


FUNCTION: dict[str, Any] = {"init_cpu_ms": 50.0, "cold_cpu_ms": 60.0, "warm_cpu_ms": 2.0}


@pytest.mark.parametrize(
    ("peak_megabytes", "limit_ms", "least"),
    [
        (60, 10_000, 128),
        (65, 10_000, 256),  # twice the peak has no room in 128
        (60, 250, 512),  # 256 would take 420 ms
        (600, 300, money.MEMORY_OF_ONE_VCPU),
        (60, 60, None),  # a whole core is too slow
    ],
)
def test_the_least_memory_has_room_and_starts_in_time(
    peak_megabytes: float, limit_ms: float, least: int | None
) -> None:
    sizes = [memory.sized(FUNCTION, 1, megabytes) for megabytes in memory.SIZES]

    assert memory.smallest(sizes, peak_megabytes, limit_ms) == least


def test_a_size_buys_a_share_of_a_core_and_costs_by_time() -> None:
    whole, half = (memory.sized(FUNCTION, 2, size) for size in (1769, 1769 // 2))

    assert (whole.cold_ms, whole.warm_ms) == (60 + 10, 2 + 10)
    assert half.warm_ms == pytest.approx(4 + 10, abs=0.01)
    assert whole.dollars == pytest.approx(1769 / 1024 * 12_000 * 0.0000133334)
    started = memory.sized(FUNCTION | {"cold_cpu_ms": None, "warm_cpu_ms": None}, 2, 1769)
    assert started == (1769, 50.0, None, None)


def test_the_shards_are_waited_for_together() -> None:
    assert memory.waits({"GetItem": 2, "Query": 9, "TransactWriteItems": 1}) == 2 + 2 + 1
