"""Customer ids, as the issuer of the tokens assigns them."""

from __future__ import annotations

import re
from typing import Final, NewType

CustomerId = NewType("CustomerId", str)

CUSTOMER_ID_PATTERN: Final = r"^[A-Za-z0-9._\-|:@+]{1,128}$"
"""No `#`, which separates the parts of the table's keys."""

_PATTERN: Final = re.compile(CUSTOMER_ID_PATTERN[1:-1])


def parse_customer_id(text: str) -> CustomerId | None:
    """The id, or None if the text does not match the pattern."""
    return CustomerId(text) if _PATTERN.fullmatch(text) else None
