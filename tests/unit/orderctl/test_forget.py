"""`orderctl forget`, as far as it asks nobody."""

from __future__ import annotations

import pytest

from orderctl.__main__ import run


@pytest.mark.parametrize("customer", ["", "a#b", "a b", "x" * 129])
def test_what_cannot_be_a_customers_id_is_wrong_usage(
    customer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["forget", customer]) == 2
    assert capsys.readouterr().out == ""
