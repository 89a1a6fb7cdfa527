"""When the publisher sent an order's first event: from its log, which takes AWS credentials."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from orderctl.logs import read_lines
from orderctl.stage import find_stage

PublishedAt: TypeAlias = Callable[[str, str, datetime, Callable[[float], object]], datetime | None]
"""`published_at`, or what stands in for it."""

_SECONDS: Final = 30
_POLL_SECONDS: Final = 2.0


def published_at(
    stage_name: str, order_id: str, since: datetime, pause: Callable[[float], object]
) -> datetime | None:
    """By the publisher's clock; None if its log doesn't tell within half a minute.

    Raises what `orderctl.aws.explain` explains.
    """
    stage = find_stage(stage_name)
    groups = [f"/aws/lambda/{stage.stack}-publish-order-events"]
    waited = 0.0
    while waited < _SECONDS:
        lines = read_lines(stage, groups, order_id, since).lines
        times = [line.at for line in lines if line.fields.get("message") == "event published"]
        if times:
            return min(times)
        pause(_POLL_SECONDS)
        waited += _POLL_SECONDS
    return None
