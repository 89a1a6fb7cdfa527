"""Certificate authorities and servers' certificates, made for a test."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

NOW: Final = datetime.now(UTC)
DAY: Final = timedelta(days=1)


class Authority(NamedTuple):
    """`path` holds its certificate."""

    path: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name


def authority(directory: Path, name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    path = directory / f"{name}.pem"
    made = _certificate(subject, Authority(path, key, subject), key, is_authority=True)
    path.write_bytes(made)
    return Authority(path, key, subject)


def server_context(
    issuer: Authority | None,
    directory: Path,
    name: str = "localhost",
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
) -> ssl.SSLContext:
    """A server's, with a certificate for that name; self-signed without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    path = directory / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + _certificate(
            subject, issuer or Authority(path, key, subject), key, begins=begins, ends=ends
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _certificate(  # noqa: PLR0913 - it has these parts
    subject: x509.Name,
    issuer: Authority,
    key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool = False,
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
) -> bytes:
    (common,) = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    builder = (
        x509.CertificateBuilder(issuer.name, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(str(common.value))]), critical=False
        )
    )
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
