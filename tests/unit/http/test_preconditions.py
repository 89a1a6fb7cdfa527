"""If-Match and If-None-Match."""

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


def test_an_etag_is_strong() -> None:
    assert etag(7) == '"7"'


def test_without_a_precondition_there_is_nothing_to_check() -> None:
    assert write_condition(sent()) is None
    assert read('"1"') == 200


NAMES_1 = [
    *('"1"', '"2", "1"', '"2","1"', '"2" ,\t"1"', '  "1"  ', '"1",', ',"1"', ' , "1" , '),
    *('"2",,"1"', '"2" , \t, "1",,', '"a,b", "1"'),
]
NAMES_OTHERS = ['"2"', '"01"', '""', '"x,1"', '"\xff"', '"2",', '"1,", ",1"']
NO_TAGS = [
    *("1", "", '"1', '1"', '"1";', '"1" "2"', '*, "1"', "*,*", "*,", 'w/"1"', ",", " , ,", "W/*"),
    *('"1"' + " " * 100_000 + "x", "," * 100_000 + "x", '"1",' * 30_000 + "x"),
]


class TestIfMatch:
    @pytest.mark.parametrize("header", [*NAMES_1, "*"])
    def test_the_version_is_required(self, header: str) -> None:
        assert may_change(1, if_match=header)
        assert read('"1"', if_match=header) == 200

    @pytest.mark.parametrize("header", [*NAMES_OTHERS, 'W/"1"', 'W/"1", "2"'])
    def test_the_comparison_is_strong(self, header: str) -> None:
        assert not may_change(1, if_match=header)
        assert read('"1"', if_match=header) == 412

    def test_a_weak_etag_matches_only_any(self) -> None:
        assert read('W/"1"', if_match="*") == 200
        for header in ('"1"', 'W/"1"'):
            assert read('W/"1"', if_match=header) == 412


class TestIfNoneMatch:
    @pytest.mark.parametrize("header", [*NAMES_1, 'W/"1"', '"2", W/"1"', "*"])
    def test_the_comparison_is_weak(self, header: str) -> None:
        assert not may_change(1, if_none_match=header)
        assert read('"1"', if_none_match=header) == 304
        assert read('W/"1"', if_none_match=header) == 304

    @pytest.mark.parametrize("header", NAMES_OTHERS)
    def test_other_versions_do_not_match(self, header: str) -> None:
        assert may_change(1, if_none_match=header)
        assert read('"1"', if_none_match=header) == 200


def test_if_match_is_evaluated_before_if_none_match() -> None:
    """RFC 9110, section 13.2.2."""
    assert read('"1"', if_match='"2"', if_none_match='"1"') == 412
    assert read('"1"', if_match='"1"', if_none_match='"1"') == 304
    assert not may_change(1, if_match='"1"', if_none_match='"1"')
    assert not may_change(1, if_match='"2"', if_none_match='"2"')
    assert may_change(1, if_match='"1"', if_none_match='"2"')


@pytest.mark.parametrize("header", NO_TAGS)
def test_only_a_read_ignores_a_header_that_is_no_list_of_tags(header: str) -> None:
    """An If-None-Match of a read, which then gets the whole order. Long ones are told at once."""
    started = time.process_time()
    for name in ("if_match", "if_none_match"):
        with pytest.raises(MalformedRequest):
            write_condition(sent(**{name: header}))
    with pytest.raises(MalformedRequest, match="If-Match"):
        read_condition(sent(if_match=header))
    assert read('"1"', if_none_match=header) == 200
    assert time.process_time() - started < 4


@given(st.text() | st.text('"1W/*, \t'))
def test_any_header_is_read_or_refused(header: str) -> None:
    for name in ("if_match", "if_none_match"):
        try:
            assert may_change(1, **{name: header}) in {True, False}
        except MalformedRequest:
            continue
