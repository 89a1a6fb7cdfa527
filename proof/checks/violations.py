"""What can be found wrong with a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Each is one broken promise."""

    ORDER_LOST = "order-lost"
    ORDER_DOUBLED = "order-doubled"
    ORDER_PHANTOM = "order-phantom"
    ORDER_OF_REFUSED_REQUEST = "order-of-refused-request"
    ORDER_NOT_AS_ASKED = "order-not-as-asked"

    TWO_ORDERS_FOR_A_KEY = "two-orders-for-a-key"
    KEY_WITHOUT_RECORD = "key-without-record"
    RECORD_WITHOUT_ORDER = "record-without-order"
    RECORD_DIFFERS = "record-differs"
    RECORD_EXPIRES_WRONGLY = "record-expires-wrongly"
    TWO_FIRST_RESPONSES = "two-first-responses"
    NO_FIRST_RESPONSE = "no-first-response"
    REPLAY_DIFFERS = "replay-differs"
    REUSED_KEY_ACCEPTED = "reused-key-accepted"
    KEY_FORGOTTEN = "key-forgotten"

    DETAIL_WITHOUT_CUSTOMER_ROW = "detail-without-customer-row"
    CUSTOMER_ROW_WITHOUT_DETAIL = "customer-row-without-detail"
    ROWS_DISAGREE = "rows-disagree"
    INDEX_WRONG = "index-wrong"
    STREAM_DISAGREES = "stream-disagrees"
    ROW_EXPIRES = "row-expires"
    TOKEN_KEPT = "token-kept"  # noqa: S105 - the name of a fault

    VERSION_SKIPPED = "version-skipped"
    VERSION_REPEATED = "version-repeated"
    ILLEGAL_TRANSITION = "illegal-transition"
    ORDER_ALTERED = "order-altered"
    ORDER_REMOVED = "order-removed"

    EVENT_ROW_MISSING = "event-row-missing"
    EVENT_ROW_PHANTOM = "event-row-phantom"
    EVENT_ROW_DIFFERS = "event-row-differs"
    EVENT_ROW_REWRITTEN = "event-row-rewritten"
    EVENT_ROW_APART = "event-row-apart"

    TIMELINE_WRONG = "timeline-wrong"
    TIMELINE_BROKEN = "timeline-broken"

    UPDATE_LOST = "update-lost"
    CHANGE_PHANTOM = "change-phantom"
    CHANGE_DOUBLED = "change-doubled"
    CHANGE_OF_REFUSED_REQUEST = "change-of-refused-request"
    CHANGE_NOT_AS_ASKED = "change-not-as-asked"
    CHANGE_FORBIDDEN = "change-forbidden"
    IF_MATCH_IGNORED = "if-match-ignored"
    REFUSED_WRONGLY = "refused-wrongly"

    EVENT_MISSING = "event-missing"
    EVENT_PHANTOM = "event-phantom"
    EVENT_DIFFERS = "event-differs"
    EVENT_CHANGED = "event-changed"

    REPLAY_SKIPS = "replay-skips"

    FEED_PHANTOM = "feed-phantom"
    FEED_DIFFERS = "feed-differs"
    FEED_TOO_EARLY = "feed-too-early"
    FEED_MISFIT = "feed-misfit"
    FEED_REPEATS = "feed-repeats"
    FEED_UNSORTED = "feed-unsorted"
    FEED_SKIPS = "feed-skips"

    CHARGED_TWICE = "charged-twice"
    RESERVED_TWICE = "reserved-twice"
    PAID_WITHOUT_CHARGE = "paid-without-charge"
    PAID_WITHOUT_RESERVATION = "paid-without-reservation"
    LIVE_CHARGE = "live-charge"
    LIVE_RESERVATION = "live-reservation"
    PAYMENT_PHANTOM = "payment-phantom"
    CHARGE_DIFFERS = "charge-differs"
    RESERVATION_DIFFERS = "reservation-differs"
    SETTLED_WRONGLY = "settled-wrongly"
    UNSETTLED = "unsettled"

    STALE_READ = "stale-read"
    FUTURE_READ = "future-read"
    STALE_LAST_READ = "stale-last-read"
    READ_OF_NOTHING = "read-of-nothing"
    BODY_NOT_COMMITTED = "body-not-committed"
    BODIES_DIFFER = "bodies-differ"
    ETAG_WRONG = "etag-wrong"
    LOCATION_WRONG = "location-wrong"
    FOREIGN_ORDER_SHOWN = "foreign-order-shown"
    STAFF_MEMBER_SHOWN = "staff-member-shown"

    WALK_REPEATS = "walk-repeats"
    WALK_UNSORTED = "walk-unsorted"
    WALK_SKIPS = "walk-skips"
    WALK_MISFIT = "walk-misfit"
    PAGE_SIZE_WRONG = "page-size-wrong"

    MONEY_MISSING = "money-missing"
    MONEY_SURPLUS = "money-surplus"
    REPORT_DIFFERS = "report-differs"
    REPORT_MISSING = "report-missing"
    REPORT_VANISHED = "report-vanished"

    DEAD_LETTER = "dead-letter"
    INTERNAL_ERROR = "internal-error"
    RESPONSE_UNEXPECTED = "response-unexpected"
    FAILED_WITHOUT_FAULT = "failed-without-fault"


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise, and what shows it.

    `calls` are ids: they alone, with what was found afterwards, show the fault, and without any
    one of them it is not shown. None are needed where table, events or stream show it.
    """

    kind: Kind
    detail: str
    order_id: str | None = None
    calls: tuple[int, ...] = ()
