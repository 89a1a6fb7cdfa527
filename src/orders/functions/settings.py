"""The functions' settings, from the environment."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from orders.environment import one_of, optional
from orders.http.claims import Claims


class Settings:
    """Each is read when first used, so that a function needs only its own."""

    @cached_property
    def claims(self) -> Claims:
        return Claims(
            customer_id=optional("CUSTOMER_ID_CLAIM", "sub"),
            staff=optional("STAFF_CLAIM", "cognito:groups"),
            staff_value=optional("STAFF_VALUE", "staff"),
        )

    @cached_property
    def public_address(self) -> str:
        """Empty if the request's own domain is the address."""
        return optional("PUBLIC_BASE_URL", "")

    @cached_property
    def payments(self) -> str:
        """What settles payments on this stage: `mock`, or `none`."""
        return one_of("PAYMENTS", ("mock", "none"))

    @cached_property
    def feed_delay(self) -> timedelta:
        """The age at which the feed shows an event."""
        return timedelta(seconds=int(optional("FEED_DELAY_SECONDS", "60")))

    @cached_property
    def has_desk(self) -> bool:
        """Whether the stage has the route GET /desk."""
        return one_of("DESK", ("true", "false"), "true") == "true"
