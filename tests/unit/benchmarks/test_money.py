"""Dollars from usage: what an order uses is counted once, and the sums are those of their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import figures, money
from benchmarks.money import (
    LAMBDA_LINES,
    MILLION,
    ROUND_TRIP_MS,
    TRACED,
    Step,
    access_line_bytes,
    billed_ms,
    dollars,
    gb_seconds,
    life,
    memory_size,
    total,
    usage,
)
from benchmarks.prices import (
    HTTP_API,
    LAMBDA_REQUESTS,
    LAMBDA_TIME,
    LOGS,
    READS,
    SINGAPORE,
    SQS,
    TRACES,
    UNITS,
    US_EAST,
    WRITES,
)

if TYPE_CHECKING:
    from pathlib import Path

MEASURED: dict[str, Any] = {
    "calls": {"GetItem": 1, "TransactWriteItems": 1},
    "read_units": 1,
    "write_units": 7,
    "log_bytes": 500,
}
CHANGE = Step("update", "update-order", 2, http=True)


def test_a_step_uses_what_was_measured_as_often_as_it_happens() -> None:
    used = usage(CHANGE, MEASURED, cpu_ms=0.0, memory=512)

    lines = 500 + len(LAMBDA_LINES) + access_line_bytes()
    assert used == {
        HTTP_API: 2,
        LAMBDA_REQUESTS: 2,
        LAMBDA_TIME: pytest.approx(2 * 0.5 * 2 * ROUND_TRIP_MS / 1000),
        WRITES: 14,
        READS: 2,
        SQS: 0,
        LOGS: 2 * lines,
        TRACES: 2 * TRACED,
    }


def test_only_requests_over_http_pass_the_gateway() -> None:
    used = usage(Step("update", "update-order", 1), MEASURED, cpu_ms=0.0, memory=512)
    assert used[HTTP_API] == 0
    assert used[LOGS] == 500 + len(LAMBDA_LINES)


def test_an_event_is_sent_received_and_deleted() -> None:
    sent = usage(Step("publish", "f", 3), MEASURED | {"calls": {"SendMessageBatch": 1}}, 0.0, 512)
    received = usage(Step("process", "f", 3, polled=True), MEASURED, 0.0, 512)
    assert (sent[SQS], received[SQS]) == (3, 6)


@pytest.mark.parametrize(
    ("cpu_ms", "calls", "memory", "milliseconds"),
    [
        (1.0, 0, 1769, 1),
        (1.0, 0, 512, 4),  # 0.29 of a core
        (10.0, 0, 3538, 10),  # one thread uses no second core
        (0.0, 2, 512, 2 * ROUND_TRIP_MS),
        (0.1, 1, 1769, ROUND_TRIP_MS + 1),  # every begun millisecond
    ],
)
def test_time_is_billed_in_whole_milliseconds(
    cpu_ms: float, calls: int, memory: int, milliseconds: float
) -> None:
    assert billed_ms(cpu_ms, calls, memory) == milliseconds


def test_a_gigabyte_second_is_lambdas() -> None:
    assert gb_seconds(1000, 1024) == 1
    assert gb_seconds(500, 512) == 0.25


@pytest.mark.parametrize("paid_by_token", [True, False])
def test_the_sum_is_that_of_the_services_and_that_of_the_steps(*, paid_by_token: bool) -> None:
    steps = [
        usage(step, MEASURED, cpu_ms=2.0, memory=512) for step in life(paid_by_token=paid_by_token)
    ]
    by_service = dollars(total(steps), US_EAST)
    by_step = [sum(dollars(used, US_EAST).values()) for used in steps]
    assert sum(by_service.values()) == pytest.approx(sum(by_step))
    assert by_service[HTTP_API] == pytest.approx((7 if paid_by_token else 8) * 1.00)
    assert by_service[WRITES] == pytest.approx(total(steps)[WRITES] * 0.625)


@pytest.mark.parametrize("paid_by_token", [True, False])
def test_each_change_of_an_order_is_published_and_processed(*, paid_by_token: bool) -> None:
    times = {step.operation: step.times for step in life(paid_by_token=paid_by_token)}
    changes = 3
    assert times["publishing an event"] == changes
    processed = times["event without token"] + times.get("payment by token", 0)
    assert processed == changes
    assert times["create with key"] == 1
    assert times["update with key"] + times.get("payment by token", 0) == 2
    assert times["get"] + times["page of 20"] == 5


def test_a_service_without_a_price_is_left_out() -> None:
    used = {HTTP_API: 1.0, SQS: 1.0}
    assert dollars(used, SINGAPORE) == {HTTP_API: pytest.approx(1.25)}
    assert dollars(used, {SQS: 1 / MILLION}) == {SQS: pytest.approx(1.0)}


def test_every_service_has_a_price_and_a_unit() -> None:
    used = usage(CHANGE, MEASURED, cpu_ms=1.0, memory=512)
    assert used.keys() == US_EAST.keys() == UNITS.keys()


def test_settings_are_those_of_the_deployment() -> None:
    assert memory_size() == 512
    assert 200 < access_line_bytes() < 300


class TestTheWhole:
    """`main`, on figures that were kept before."""

    @pytest.fixture
    def root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(figures, "KEPT", tmp_path)
        (tmp_path / "docs").mkdir()
        (tmp_path / "serverless.yml").write_text((figures.ROOT / "serverless.yml").read_text())
        (tmp_path / "docs" / "costs.md").write_text(
            (figures.ROOT / "docs" / "costs.md").read_text()
        )
        monkeypatch.setattr(figures, "ROOT", tmp_path)
        every = {step.operation for token in (True, False) for step in life(paid_by_token=token)}
        measured = dict.fromkeys(every, MEASURED)
        figures.keep("operations", (), {"ours": measured, "typical": measured})
        return tmp_path

    def test_missing_cpu_is_named_and_leaves_the_page_as_it_was(self, root: Path) -> None:
        before = (root / "docs" / "costs.md").read_text()
        money.main()
        assert "typical create-order" in figures.kept("money")["cpu_is_missing_of"]
        assert "CPU was not measured of: ours create-order" in (root / "money.md").read_text()
        assert (root / "docs" / "costs.md").read_text() == before

    def test_the_page_on_costs_quotes_the_table(self, root: Path) -> None:
        cpu = {step.function: {"warm_cpu_ms": 3.0} for step in life()}
        figures.keep("functions", (), {"ours": cpu, "typical": cpu})

        money.main()
        money.main()

        kept = figures.kept("money")
        assert kept["cpu_is_missing_of"] == []
        assert kept["ours"]["total"] == pytest.approx(sum(kept["ours"]["items"].values()))
        page = (root / "docs" / "costs.md").read_text()
        assert page.count(f"**{kept['ours']['total']:.2f}**") >= 1
        assert page.count("| **Together** |") == 1
        assert page.count("# Costs") == 1
