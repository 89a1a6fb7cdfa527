"""What to do when transactions meet: wait a random while, and try again."""

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
    """Repeat an attempt that was contended once, with full jitter.

    `started` is when that one began, by the monotonic clock: it may have taken seconds itself,
    because the client tries a fault of the server three times. At least one more is made.

    Source of the rule: AWS Architecture Blog, "Exponential Backoff and Jitter".

    Raises:
        TryAgain: it still is contended `MAX_SECONDS` after it began.
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
