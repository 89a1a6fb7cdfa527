"""The report on the orders of one day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReport:
    """Orders created on `day` (UTC), as they stood at `generated_at`.

    `orders` counts per currency and status; `revenue` sums those that earn per currency, in minor
    units; `cancellation_reasons` counts the platform's own, callers' free texts as `other`,
    cancellations without one as `unspecified`. `left_out` counts orders of the day that could not
    be read, or are at a status that only a later release knows.
    """

    day: date
    generated_at: datetime
    orders: Mapping[str, Mapping[str, int]]
    revenue: Mapping[str, int]
    cancellation_reasons: Mapping[str, int]
    left_out: int
