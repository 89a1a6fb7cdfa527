"""The functions' settings, from the environment."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from orders.environment import one_of, optional
from orders.http.claims import Claims


class DeskSettings(NamedTuple):
    """How staff sign in at the desk: by OpenID Connect if there is an issuer, else with a token.

    `sign_in_origin` is where the issuer's token endpoint is, if not at the issuer's own origin.
    `takes_token_in_link` lets a link sign in whoever opens it: for this machine only.
    """

    issuer: str
    client_id: str
    scope: str
    audience: str
    sign_in_origin: str
    takes_token_in_link: bool


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

    @cached_property
    def desk(self) -> DeskSettings:
        return DeskSettings(
            issuer=optional("DESK_ISSUER", ""),
            client_id=optional("DESK_CLIENT_ID", ""),
            scope=optional("DESK_SCOPE", "openid"),
            audience=optional("DESK_AUDIENCE", ""),
            sign_in_origin=optional("DESK_SIGN_IN_ORIGIN", ""),
            takes_token_in_link=one_of("DESK_TOKEN_IN_LINK", ("true", "false"), "false") == "true",
        )
