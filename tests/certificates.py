"""Certificate authorities and servers' certificates, made for a test."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import trustme

if TYPE_CHECKING:
    from pathlib import Path

NOW: Final = datetime.now(UTC)
DAY: Final = timedelta(days=1)


class Authority(NamedTuple):
    """`path` holds its certificate."""

    path: Path
    own: trustme.CA


def authority(directory: Path, name: str) -> Authority:
    own, path = trustme.CA(), directory / f"{name}.pem"
    own.cert_pem.write_to_path(str(path))
    return Authority(path, own)


def server_context(
    issuer: Authority | None,
    directory: Path,
    name: str = "localhost",
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
) -> ssl.SSLContext:
    """A server's, with a certificate for that name; without an issuer, an authority's own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if issuer is None:
        own, path = trustme.CA(), directory / "server.pem"
        path.write_bytes(own.private_key_pem.bytes() + own.cert_pem.bytes())
        context.load_cert_chain(path)
    else:
        issuer.own.issue_cert(name, not_before=begins, not_after=ends).configure_cert(context)
    return context
