from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import request
from orders.http.preconditions import etag, read_condition, write_condition
from orders.http.problems import MalformedRequest, PreconditionFailed
from orders.http.request import Request


def sent(**headers: str) -> Request:
    return Request(request("GET", "/orders/1", headers=headers))


def may_change(version: int, **headers: str) -> bool:
    condition = write_condition(sent(**headers))
    return condition is None or condition(version)


def read(tag: str, **headers: str) -> int:
    """The status of a read of what has this tag."""
    try:
        return 304 if read_condition(sent(**headers))(tag) else 200
    except PreconditionFailed:
        return 412


def test_a_tag_is_strong() -> None:
    assert etag(7) == '"7"'


def test_without_a_condition_there_is_nothing_to_ask() -> None:
    assert write_condition(sent()) is None
    assert read('"1"') == 200


NAMES_1 = [
    '"1"',
    '"2", "1"',
    '"2","1"',
    '"2" ,\t"1"',
    '  "1"  ',
    '"1",',
    ',"1"',
    ' , "1" , ',
    '"2",,"1"',
    '"2" , \t, "1",,',
    '"a,b", "1"',
]
NAMES_OTHERS = ['"2"', '"01"', '""', '"x,1"', '"\xff"', '"2",', '"1,", ",1"']


@pytest.mark.parametrize("header", [*NAMES_1, "*"])
def test_if_match_that_names_the_version_lets_it_pass(header: str) -> None:
    assert may_change(1, if_match=header)
    assert read('"1"', if_match=header) == 200


@pytest.mark.parametrize("header", [*NAMES_OTHERS, 'W/"1"', 'W/"1", "2"'])
def test_if_match_compares_strongly(header: str) -> None:
    assert not may_change(1, if_match=header)
    assert read('"1"', if_match=header) == 412


@pytest.mark.parametrize("header", ['"1"', 'W/"1"'])
def test_a_weak_tag_matches_no_if_match(header: str) -> None:
    assert read('W/"1"', if_match=header) == 412


def test_any_if_match_lets_a_weak_tag_pass() -> None:
    assert read('W/"1"', if_match="*") == 200


@pytest.mark.parametrize("header", [*NAMES_1, 'W/"1"', '"2", W/"1"', "*"])
def test_if_none_match_compares_weakly(header: str) -> None:
    assert not may_change(1, if_none_match=header)
    assert read('"1"', if_none_match=header) == 304
    assert read('W/"1"', if_none_match=header) == 304


@pytest.mark.parametrize("header", NAMES_OTHERS)
def test_if_none_match_that_names_others_lets_it_pass(header: str) -> None:
    assert may_change(1, if_none_match=header)
    assert read('"1"', if_none_match=header) == 200


def test_if_match_goes_before_if_none_match() -> None:
    """RFC 9110, section 13.2.2."""
    assert read('"1"', if_match='"2"', if_none_match='"1"') == 412
    assert read('"1"', if_match='"1"', if_none_match='"1"') == 304
    assert not may_change(1, if_match='"1"', if_none_match='"1"')
    assert not may_change(1, if_match='"2"', if_none_match='"2"')
    assert may_change(1, if_match='"1"', if_none_match='"2"')


NO_TAGS = [
    "1",
    "",
    '"1',
    '1"',
    '"1";',
    '"1" "2"',
    '*, "1"',
    "*,*",
    "*,",
    'w/"1"',
    ",",
    " , ,",
    "W/*",
]


@pytest.mark.parametrize("header", NO_TAGS)
def test_what_is_no_list_of_tags_makes_no_change(header: str) -> None:
    for name in ("if_match", "if_none_match"):
        with pytest.raises(MalformedRequest):
            write_condition(sent(**{name: header}))


@pytest.mark.parametrize("header", NO_TAGS)
def test_a_read_refuses_only_an_if_match_that_is_none(header: str) -> None:
    with pytest.raises(MalformedRequest):
        read_condition(sent(if_match=header))
    assert read('"1"', if_none_match=header) == 200


@given(st.text() | st.text('"1W/*, \t'))
def test_any_header_is_read_or_refused(header: str) -> None:
    for name in ("if_match", "if_none_match"):
        try:
            assert may_change(1, **{name: header}) in {True, False}
        except MalformedRequest:
            continue


@pytest.mark.parametrize(
    "header", ['"1"' + " " * 100_000 + "x", "," * 100_000 + "x", '"1",' * 30_000 + "x"]
)
def test_a_long_header_is_refused_at_once(header: str) -> None:
    started = time.process_time()
    with pytest.raises(MalformedRequest):
        write_condition(sent(if_match=header))
    assert time.process_time() - started < 1
