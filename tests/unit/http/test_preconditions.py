from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import request
from orders.http.preconditions import etag, expected_version, is_not_modified
from orders.http.problems import MalformedRequest
from orders.http.request import Request


def sent(**headers: str) -> Request:
    return Request(request("GET", "/orders/1", headers=headers))


def test_a_tag_is_strong() -> None:
    assert etag(7) == '"7"'


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        ('"1"', True),
        ('"2"', False),
        ('"2", "1"', True),
        ('"2","1"', True),
        ('"2" ,\t"1"', True),
        ('  "1"  ', True),
        ('W/"1"', False),
        ('W/"1", "2"', False),
        ('"01"', False),
        ('""', False),
        ('"x,1"', False),
    ],
)
def test_if_match_compares_strongly(header: str, *, matches: bool) -> None:
    expects = expected_version(sent(if_match=header))
    assert expects is not None
    assert expects(1) == matches


def test_without_if_match_or_with_any_every_version_will_do() -> None:
    assert expected_version(sent()) is None
    assert expected_version(sent(if_match="*")) is None


@pytest.mark.parametrize("header", ["1", "", '"1', '1"', '"1";', '"1" "2"', '*, "1"', 'w/"1"', ","])
def test_if_match_that_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(MalformedRequest):
        expected_version(sent(if_match=header))


@given(st.text())
def test_any_if_match_is_read_or_refused(header: str) -> None:
    try:
        expects = expected_version(sent(if_match=header))
    except MalformedRequest:
        return
    assert expects is None or expects(1) in {True, False}


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        ('"1"', True),
        ('W/"1"', True),
        ("*", True),
        ('"2", W/"1"', True),
        ('"2"', False),
        ("1", False),
        ("", False),
    ],
)
def test_if_none_match_compares_weakly(header: str, *, matches: bool) -> None:
    assert is_not_modified(sent(if_none_match=header), etag(1)) == matches


def test_without_if_none_match_everything_is_modified() -> None:
    assert not is_not_modified(sent(), etag(1))
