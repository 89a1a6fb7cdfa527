"""Entity tags: If-Match and If-None-Match (RFC 9110, section 13.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orders.http.problems import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request

_TAG: Final = r'(?:W/)?"[!#-~\x80-\xff]*"'
_TAGS: Final = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")


def etag(version: int) -> str:
    """Strong: the version identifies the body."""
    return f'"{version}"'


def expected_version(request: Request) -> Callable[[int], bool] | None:
    """Whether If-Match names a version; None if the header is absent or `*`.

    Raises:
        MalformedRequest: the header is not a list of entity tags.
    """
    header = request.header("if-match")
    if header is None or header == "*":
        return None
    if _TAGS.fullmatch(header) is None:
        detail = 'If-Match takes entity tags, as "1".'
        raise MalformedRequest(detail)
    tags = _tags(header)
    return lambda version: etag(version) in tags  # weak tags never match: RFC 9110, 8.8.3.2


def is_not_modified(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag, weak or not. A header that can't be read names none."""
    header = request.header("if-none-match")
    if header is None:
        return False
    return header == "*" or tag in {known.removeprefix("W/") for known in _tags(header)}


def _tags(header: str) -> list[str]:
    return re.findall(_TAG, header)
