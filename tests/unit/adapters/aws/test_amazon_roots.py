"""The authorities that are shipped are Amazon's own, and not about to end."""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from pathlib import Path
from typing import Any, Final

import botocore

from orders.adapters.aws.connection import AMAZON_ROOTS

FINGERPRINTS: Final = {
    "Amazon Root CA 1": "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "Amazon Root CA 2": "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
    "Amazon Root CA 3": "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
    "Amazon Root CA 4": "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
    "Starfield Services Root Certificate Authority - G2": (
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5"
    ),
}
"""SHA-256, as https://www.amazontrust.com/repository/ publishes them."""

TEXT: Final = Path(AMAZON_ROOTS).read_text()
TWO_YEARS: Final = 2 * 365 * 24 * 3600


def shipped() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(AMAZON_ROOTS)
    return context


def name_of(certificate: dict[str, Any]) -> str:
    (name,) = (value for ((key, value),) in certificate["subject"] if key == "commonName")
    return str(name)


def test_they_are_the_five_that_amazon_publishes() -> None:
    found = {hashlib.sha256(one).hexdigest() for one in shipped().get_ca_certs(binary_form=True)}
    assert found == {*FINGERPRINTS.values()}
    assert TEXT.count("BEGIN CERTIFICATE") == len(FINGERPRINTS)


def test_the_file_says_who_they_are_and_when_they_end() -> None:
    said = re.findall("^Subject: CN=([^,]+),.+\nExpires: (.+)$", TEXT, re.MULTILINE)
    true = [(name_of(one), str(one["notAfter"])) for one in shipped().get_ca_certs()]
    assert sorted(said) == sorted(true)
    assert {name for name, _ in said} == FINGERPRINTS.keys()
    first = min(ssl.cert_time_to_seconds(end) for _, end in said)
    assert f"expires on {time.strftime('%Y-%m-%d', time.gmtime(first))};" in TEXT


def test_none_ends_within_two_years() -> None:
    """If this fails, take those that the file's source lists by now."""
    for one in shipped().get_ca_certs():
        assert ssl.cert_time_to_seconds(str(one["notAfter"])) > time.time() + TWO_YEARS, name_of(
            one
        )


def test_an_independent_list_has_them_too() -> None:
    """botocore's, which is Mozilla's."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    theirs.load_verify_locations(Path(botocore.__file__).with_name("cacert.pem"))
    known = theirs.get_ca_certs(binary_form=True)
    assert {*shipped().get_ca_certs(binary_form=True)} <= {*known}
