"""Preconditions: If-Match and If-None-Match (RFC 9110, section 13)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orders.http.problems import MalformedRequest, PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from orders.http.request import Request

_TAG: Final = r'(?:W/)?"[!#-~\x80-\xff]*"'
TAGS: Final = rf"(?:,[ \t,]*)?{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*"
"""A list of at least one entity tag; empty elements are ignored (RFC 9110, section 5.6.1.2)."""

_LIST: Final = re.compile(TAGS)
_EACH: Final = re.compile(_TAG)
_ANY: Final = ("*",)


def etag(version: int) -> str:
    """Strong: the version identifies the body."""
    return f'"{version}"'


def write_condition(request: Request) -> Callable[[int], bool] | None:
    """Tells whether a version may be changed; None if any version may.

    Raises:
        MalformedRequest: a header is neither `*` nor a list of entity tags. Ignoring it would make
        a change that the client wanted to be conditional.
    """
    wanted = _tags(request, "If-Match")
    unwanted = _tags(request, "If-None-Match")
    if wanted is None and unwanted is None:
        return None

    def may_change(version: int) -> bool:
        tag = etag(version)
        return (wanted is None or _is_any(tag, wanted)) and (
            unwanted is None or not _is_any(tag, unwanted, weakly=True)
        )

    return may_change


def read_condition(request: Request) -> Callable[[str], bool]:
    """Tells whether the client already has the response with a tag, so that a 304 is enough.

    The returned function raises PreconditionFailed if If-Match names only other tags.

    Raises:
        MalformedRequest: If-Match is neither `*` nor a list of entity tags. An invalid
        If-None-Match matches nothing.
    """
    wanted = _tags(request, "If-Match")
    try:
        known = _tags(request, "If-None-Match")
    except MalformedRequest:
        known = None

    def has_current(tag: str) -> bool:
        if wanted is not None and not _is_any(tag, wanted):
            raise PreconditionFailed(tag)
        return known is not None and _is_any(tag, known, weakly=True)

    return has_current


def _tags(request: Request, name: str) -> Collection[str] | None:
    header = request.header(name.lower())
    if header is None:
        return None
    if header == "*":
        return _ANY
    if _LIST.fullmatch(header) is None:
        raise MalformedRequest(f'{name} must be * or a list of entity tags such as "1".')
    return _EACH.findall(header)


def _is_any(tag: str, tags: Collection[str], *, weakly: bool = False) -> bool:
    """Whether the tag is among them. The strong comparison never matches a weak tag (8.8.3.2)."""
    if tags is _ANY:
        return True
    if weakly:
        return tag.removeprefix("W/") in {each.removeprefix("W/") for each in tags}
    return not tag.startswith("W/") and tag in tags
