"""Retries contended transactions after random pauses."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from orders.adapters.dynamodb.errors import Contended
from orders.application.errors import TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

MAX_SECONDS: Final = 3.0
_FIRST_WAIT_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 0.8


def retry(attempt: Callable[[], Result], started: float) -> Result:
    """Retry an attempt that met contention, with full jitter.

    `started` is when the first attempt began, by the monotonic clock: it may have taken seconds,
    because the client retries server errors itself. At least one more attempt is made.

    Source of the rule: AWS Architecture Blog, "Exponential Backoff and Jitter".

    Raises:
        TryAgain: it is still contended `MAX_SECONDS` after the start.
    """
    time.sleep(random.uniform(0, _FIRST_WAIT_SECONDS))  # noqa: S311 - jitter, not a secret
    attempts = Retrying(
        retry=retry_if_exception_type(Contended),
        wait=wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
        stop=stop_after_delay(MAX_SECONDS - (time.monotonic() - started)),
    )
    try:
        return attempts(attempt)
    except RetryError as error:
        raise TryAgain from error
