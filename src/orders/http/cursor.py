"""Cursors: positions in a list, each tied to its list.

A cursor holds no secret and grants nothing: path and caller alone decide which partition is read.
The digest detects a damaged cursor and one from another list.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Final

from orders.domain.order_id import parse_order_id
from orders.http.problems import InvalidCursor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.domain.order_id import OrderId

_DIGEST_BYTES: Final = 12
_MAX_CURSOR: Final = 200
MAX_VERSION: Final = 9_999_999_998


def encode_cursor(listing: Sequence[str], position: str) -> str:
    """`listing` is everything that identifies the list: route, partition, direction and filters."""
    content = _digest(listing, position) + position.encode()
    return base64.urlsafe_b64encode(content).decode().replace("=", "")


def decode_cursor(listing: Sequence[str], cursor: str) -> str:
    """The position. Raises InvalidCursor."""
    if not cursor.isascii() or len(cursor) > _MAX_CURSOR:
        raise InvalidCursor
    try:
        content = base64.urlsafe_b64decode(cursor + "==")
        position = content[_DIGEST_BYTES:].decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidCursor from error
    if encode_cursor(listing, position) != cursor:
        raise InvalidCursor
    return position


def order_position(listing: Sequence[str], cursor: str) -> OrderId:
    """Raises InvalidCursor."""
    order_id = parse_order_id(decode_cursor(listing, cursor))
    if order_id is None:
        raise InvalidCursor
    return order_id


def version_position(listing: Sequence[str], cursor: str) -> int:
    """Raises InvalidCursor."""
    position = decode_cursor(listing, cursor)
    if not (position.isascii() and position.isdecimal()) or int(position) > MAX_VERSION:
        raise InvalidCursor
    return int(position)


def _digest(listing: Sequence[str], position: str) -> bytes:
    content = "\n".join((*listing, position))
    return hashlib.sha256(content.encode()).digest()[:_DIGEST_BYTES]
