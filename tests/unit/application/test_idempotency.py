from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakes import NOON
from orders.application.errors import IdempotencyKeyReused
from orders.application.idempotency import IdempotencyKey, StoredResponse

KEY = IdempotencyKey("cus_42#key", "request 1")
RESPONSE = StoredResponse("the first response")


def test_an_unused_key_has_nothing_to_replay() -> None:
    assert KEY.replay(None, NOON) is None


def test_a_key_used_for_another_request_is_refused() -> None:
    record = IdempotencyKey(KEY.record_id, "request 2").remember(RESPONSE, NOON)
    with pytest.raises(IdempotencyKeyReused):
        KEY.replay(record, NOON)


def test_an_expired_record_of_another_request_counts_as_absent() -> None:
    record = IdempotencyKey(KEY.record_id, "request 2").remember(RESPONSE, NOON)
    assert KEY.replay(record, NOON + timedelta(days=2)) is None


@given(st.integers(0, 999), st.integers(0, 3_000))
@example(0, 1_000)
def test_a_record_is_kept_24_hours_and_to_the_end_of_that_second(since: int, later: int) -> None:
    used = NOON.replace(microsecond=since * 1000)
    now = used + timedelta(hours=24, milliseconds=later - 1000)
    record = KEY.remember(RESPONSE, used)
    outcome = KEY.replay(record, now)
    if later < 1000:
        assert outcome is not None
        assert (outcome.response, outcome.replayed) == (RESPONSE, True)
    if later >= 2000:
        assert outcome is None
    seconds_of_the_table = int(now.timestamp())
    assert (outcome is None) == (record.expires_at <= seconds_of_the_table), "as the table sees it"
