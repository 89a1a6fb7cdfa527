"""What `make up` and `make down` say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import local_stack
from emulator import Emulator, StackError
from local_stack import LocalStack, down, print_addresses
from offline import free_port

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_line_is_a_link_that_opens_the_desk_as_staff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"API_URL": "http://127.0.0.1:4566/api", "STAFF_TOKEN": "a.b.c"}
    print_addresses(environment, tmp_path)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Open the desk as staff:",
        "http://127.0.0.1:4566/api/desk#token=a.b.c",
    ]


def test_data_that_could_not_be_kept_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, logged = Emulator(tmp_path, 0), "ERROR Persistence: failed to save sqs: no space\n"

    def stop(stack: Emulator) -> bool:
        with stack.log.open("a") as log:
            log.write(logged)
        return True

    monkeypatch.setattr(Emulator, "stop", stop)
    with pytest.raises(StackError, match="new since its start: it failed to save sqs: no space"):
        down(stack)
    logged = "INFO Persistence: saved sqs\n"
    down(stack)
    assert "finds the orders again" in capsys.readouterr().out


def test_where_the_api_does_not_work_it_says_how_to_begin_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_stack, "START_SECONDS", 0)
    stack = LocalStack(tmp_path, free_port())
    for works in (stack._wait_for_api, lambda: stack._place_test_order("token")):
        with pytest.raises(StackError, match="`make clean` and `make up` begin anew"):
            works()
