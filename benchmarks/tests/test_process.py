"""A function in a process of its own: what is counted of it, and that a failure is no figure."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from benchmarks.process import Code, Process, count_instructions, execute

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Function = Callable[..., Code]

HANDLER = "function.handler"
WORKS = """
    import os, sys, early
    print("starting")
    for _ in range(int(os.environ["AT_START"])):
        pass
    def handler(event, context):
        for _ in range(event.get("times", 0)):
            pass
        os.write(1, event.get("log", "").encode())
        return {"doubled": event.get("number", 0) * 2}
"""
FEW, MANY = {"times": 10}, {"times": 100_000}


@pytest.fixture
def function(tmp_path: Path) -> Function:
    """Makes a function of its module's text."""
    (tmp_path / "early.py").touch()

    def make(text: str, at_start: int = 0) -> Code:
        (tmp_path / "function.py").write_text(dedent(text))
        return Code({"AT_START": str(at_start)}, (tmp_path,))

    return make


def test_every_event_is_handled_timed_and_logged(function: Function) -> None:
    ran = execute(function(WORKS), HANDLER, [{"number": 1, "log": "ä"}, {"number": 2}])

    assert ran.responses == [{"doubled": 2}, {"doubled": 4}]
    assert min(ran.init_ns, *ran.request_ns) > 0
    assert 0 < ran.bare_kb < ran.idle_kb <= ran.peak_kb
    assert len(ran.request_ns) == 2
    assert ran.modules == 2, "the function, and what it imports"
    assert ran.log == "starting\nä"


def test_a_process_stays_for_further_events(function: Function) -> None:
    with Process(function(WORKS), HANDLER) as process:
        logs = [process.handle([{"log": log}]).log for log in ("a", "b")]

    assert logs == ["starting\na", "b"]


def test_the_environment_is_lambdas_and_not_this_machines(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THIS_MACHINE", "unseen")
    code = function("import os\ndef handler(event, context): return dict(os.environ)")

    (seen,) = execute(code, HANDLER, [{}]).responses

    assert seen["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert "OF_THIS_MACHINE" not in seen


def test_without_an_event_it_is_started(function: Function) -> None:
    ran = execute(function(WORKS), HANDLER, [])

    assert ran.init_ns > 0
    assert (ran.request_ns, ran.log) == ([], "starting\n")
    with pytest.raises(AssertionError, match="does not start"):
        execute(function("raise ValueError('does not start')"), HANDLER, [])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no such order')", "ValueError: no such order"),
        ("return {'statusCode': 400}", "'statusCode': 400"),
        ("return {'batchItemFailures': [{'itemIdentifier': '1'}]}", "batchItemFailures"),
        ("import nowhere", "No module named 'nowhere'"),
        ("import os; os.write(2, b'out of memory'); os._exit(1)", "out of memory"),
    ],
)
def test_a_failing_function_is_an_error(function: Function, body: str, message: str) -> None:
    code = function(f"def handler(event, context):\n    {body}")

    with pytest.raises(AssertionError, match=message):
        execute(code, HANDLER, [{}])


def test_more_work_is_counted_as_more_instructions(function: Function) -> None:
    small = count_instructions(function(WORKS), HANDLER, [FEW, FEW, MANY, FEW])
    large = count_instructions(function(WORKS, at_start=100_000), HANDLER, [FEW])

    _, few, many, again = small.requests
    assert many > max(few, again) + 100_000
    # The client polls in a thread, which may end in one request or in another.
    assert abs(again - few) < 50_000
    assert large.init > small.init + 100_000
