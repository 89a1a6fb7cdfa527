"""A function in a process of its own: what is counted of it, and that a failure is none of it."""

from __future__ import annotations

import shutil
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from benchmarks.executions import Code, count_instructions, execute
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Function = Callable[[str], Code]

WORKS = """
    def handler(event, context):
        for _ in range(event["times"]):
            pass
        return {}
"""
FEW, MANY = {"times": 10}, {"times": 100_000}


@pytest.fixture
def function(tmp_path: Path) -> Function:
    """Makes a function of the text of its module."""

    def make(text: str) -> Code:
        (tmp_path / "function.py").write_text(dedent(text))
        return Code("function", (tmp_path,), {"SETTING": "as it was set"})

    return make


class TestExecution:
    def test_each_event_is_answered_and_timed(self, function: Function) -> None:
        code = function("def handler(event, context): return {'doubled': event['n'] * 2}")

        ran = execute(code, [{"n": 1}, {"n": 2}, {"n": 3}])

        assert ran.responses == [{"doubled": 2}, {"doubled": 4}, {"doubled": 6}]
        assert len(ran.request_ns) == 3
        assert min(ran.init_ns, ran.peak_kb, *ran.request_ns) > 0

    def test_a_function_may_be_started_only(self, function: Function) -> None:
        ran = execute(function("import json"), [])

        assert (ran.responses, ran.request_ns, ran.log) == ([], [], "")
        assert {"function", "json"} <= set(ran.modules)

    def test_its_modules_are_those_that_it_imports(
        self, function: Function, tmp_path: Path
    ) -> None:
        (tmp_path / "early.py").touch()
        (tmp_path / "late.py").touch()
        code = function("""
            import os, sys, early
            def handler(event, context):
                import early, late
                return {}
        """)

        ran = execute(code, [{}, {}])

        assert ran.modules == ["early", "function"]
        assert ran.late_modules == ["late"]

    def test_a_starts_work_is_not_a_requests(self, function: Function) -> None:
        code = function("""
            for _ in range(3_000_000):
                pass
            def handler(event, context):
                return {}
        """)

        ran = execute(code, [{}])

        assert ran.init_ns > ran.request_ns[0]

    def test_all_that_it_writes_is_its_log(self, function: Function) -> None:
        code = function("""
            import os, sys
            print("starting")
            def handler(event, context):
                print(event["line"])
                os.write(1, b"past Python\\n")
                return {}
        """)

        ran = execute(code, [{"line": "ä"}, {"line": "b"}])

        assert ran.log == "starting\nä\npast Python\nb\npast Python\n"

    def test_it_finds_its_settings_and_lambdas(
        self, function: Function, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OF_THIS_MACHINE", "unseen")
        code = function("""
            import os
            def handler(event, context):
                return {name: os.environ.get(name) for name in event["names"]}
        """)
        names = ["SETTING", "AWS_LAMBDA_FUNCTION_VERSION", "OF_THIS_MACHINE"]

        (response,) = execute(code, [{"names": names}]).responses

        assert response == dict(zip(names, ["as it was set", "$LATEST", None], strict=True))

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("raise ValueError('no such order')", "ValueError: no such order"),
            ("return {'statusCode': 500}", "{'statusCode': 500}"),
            ("return {'statusCode': 400}", "{'statusCode': 400}"),
            ("return {'batchItemFailures': [{'itemIdentifier': '1'}]}", "batchItemFailures"),
        ],
        ids=["raises", "500", "400", "failed-record"],
    )
    def test_a_request_that_fails_is_an_error(
        self, function: Function, body: str, said: str
    ) -> None:
        fails = f"if event['fails']:\n        {body}\n    return {{'batchItemFailures': []}}"
        code = function(f"def handler(event, context):\n    {fails}")
        execute(code, [{"fails": False}])

        with pytest.raises(AssertionError, match=r"^function: ") as error:
            execute(code, [{"fails": False}, {"fails": True}])

        assert said in str(error.value)

    def test_a_start_that_fails_is_an_error(self, function: Function) -> None:
        with pytest.raises(AssertionError, match="No module named 'nowhere'"):
            execute(function("import nowhere"), [])


class TestInstructions:
    @pytest.fixture(autouse=True)
    def _valgrind(self) -> None:
        if shutil.which("valgrind") is None:
            missing("valgrind is not installed, which counts instructions.")

    def test_each_event_has_a_figure_and_more_work_a_larger_one(self, function: Function) -> None:
        counted = count_instructions(function(WORKS), [FEW, FEW, MANY, FEW])

        _, few, many, again = counted.requests
        assert many > few + 100_000
        assert many > again + 100_000
        assert abs(again - few) < few / 2

    def test_a_start_that_does_more_takes_more(self, function: Function) -> None:
        small = count_instructions(function(WORKS), [FEW])
        large = count_instructions(
            function(f"for _ in range(100_000): pass\n{dedent(WORKS)}"), [FEW]
        )

        assert large.init > small.init + 100_000
        assert small.interpreter > small.init
        assert abs(large.interpreter - small.interpreter) < small.interpreter / 100

    def test_a_request_that_fails_is_an_error(self, function: Function) -> None:
        with pytest.raises(AssertionError, match="KeyError"):
            count_instructions(function(WORKS), [{}])
