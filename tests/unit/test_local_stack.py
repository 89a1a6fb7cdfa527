"""What `make up` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_stack import print_addresses

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_last_line_is_a_link_that_opens_the_desk_as_staff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"API_URL": "http://127.0.0.1:4566/api", "STAFF_TOKEN": "a.b.c"}
    print_addresses(environment, tmp_path)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Open the desk as staff:",
        "http://127.0.0.1:4566/api/desk#token=a.b.c",
    ]
