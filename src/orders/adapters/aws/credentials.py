"""The credentials that calls are signed with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orders.environment import InvalidSetting, optional, required

if TYPE_CHECKING:
    from collections.abc import Callable


class Credentials(NamedTuple):
    """`session_token` is empty for long-lived ones."""

    access_key_id: str
    secret_access_key: str
    session_token: str


def find_credentials() -> Callable[[], Credentials]:
    """Find the credentials as AWS's SDKs do; the result returns those of the moment.

    A function's own are in its environment and don't change while it lives. All others (a profile,
    SSO, a container's or a machine's role) are found by botocore, and renewed before they expire.

    Raises:
        InvalidSetting: there are none, or a key without its secret.
    """
    key_id = optional("AWS_ACCESS_KEY_ID", "")
    if not key_id:
        return _found_by_botocore()
    secret, token = required("AWS_SECRET_ACCESS_KEY"), optional("AWS_SESSION_TOKEN", "")
    own = Credentials(key_id, secret, token)
    return lambda: own


def _found_by_botocore() -> Callable[[], Credentials]:
    # Imported here because it costs more than a function's whole start, and no function needs it.
    import botocore.session  # noqa: PLC0415

    found: Any = botocore.session.get_session().get_credentials()
    if found is None:
        raise InvalidSetting("no AWS credentials were found")

    def current() -> Credentials:
        frozen = found.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token or "")

    return current
