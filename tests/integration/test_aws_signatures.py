"""Requests as they are sent, checked with AWS's published vectors and with botocore's signer."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orders.adapters.aws.client import Client
from orders.adapters.aws.connection import Endpoint
from orders.adapters.aws.credentials import Credentials
from scripted_server import ScriptedServer, aws
from signatures import botocores

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITES: Final = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "")
SUITES_TOKEN: Final = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSP"
    "fIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7"
    "WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm"
    "8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
FORM: Final = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(aws({})) as started:
        yield started


@pytest.mark.parametrize(
    ("headers", "body", "token", "signed", "signature"),
    [
        pytest.param(
            ["Content-Type:"],
            b"",
            "",
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            ["Content-Type:", "My-Header1: value1"],
            b"",
            "",
            "host;my-header1;x-amz-date",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            id="post-header-key-sort",
        ),
        pytest.param(
            ["Content-Type:", "My-Header1: VALUE1"],
            b"",
            "",
            "host;my-header1;x-amz-date",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            id="post-header-value-case",
        ),
        pytest.param(
            [FORM],
            b"Param1=value1",
            "",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
        pytest.param(
            ["Content-Type:"],
            b"",
            SUITES_TOKEN,
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            id="post-sts-header-before",
        ),
    ],
)
def test_signatures_are_those_of_awss_test_suite(  # noqa: PLR0913, PLR0917 - a vector has these parts
    server: ScriptedServer, headers: list[str], body: bytes, token: str, signed: str, signature: str
) -> None:
    """The cases of AWS's Signature Version 4 test suite that send a POST to the path `/`.

    libcurl takes the time from a given `X-Amz-Date`, and the host from a given `Host`.
    """
    given_ones = ["Host: example.amazonaws.com", "X-Amz-Date: 20150830T123600Z"]
    server.script(aws({}))

    Endpoint(server.address, "us-east-1", "service", 60).post(
        [*given_ones, *headers], body, SUITES._replace(session_token=token)
    )

    (sent,) = server.requests
    assert sent.headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={signed}, Signature={signature}"
    )


printable = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
visible = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(
    service=st.sampled_from(["dynamodb", "sqs"]),
    operation=st.text(string.ascii_letters, min_size=1, max_size=40),
    parameters=st.dictionaries(texts, texts, max_size=5),
    region=st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=30),
    credentials=st.builds(
        Credentials,
        st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=128),
        st.text(printable, min_size=1, max_size=60),
        st.text(visible, max_size=2000),
    ),
)
@example("sqs", "SendMessage", {"": "é\U0001f937\x00"}, "cn-north-1", Credentials("A", ":/+ ", ""))
@example("dynamodb", "Query", {}, "us-gov-west-1", Credentials("A", " a%3A:b ", ";,=:"))
def test_every_request_is_signed_as_botocore_would_sign_it(  # noqa: PLR0913, PLR0917 - as above
    server: ScriptedServer,
    service: str,
    operation: str,
    parameters: dict[str, str],
    region: str,
    credentials: Credentials,
) -> None:
    """With every header that it sends, but for those that no signature covers."""
    server.script(aws({}))
    endpoint = Endpoint(server.address, region, service, 60)

    Client(endpoint, service, lambda: credentials).call(operation, parameters)

    (sent,) = server.requests
    named = "DynamoDB_20120810" if service == "dynamodb" else "AmazonSQS"
    assert sent.headers["x-amz-target"] == f"{named}.{operation}"
    assert sent.headers["content-type"] == "application/x-amz-json-1.0"
    assert sent.headers.get("x-amz-security-token", "") == credentials.session_token
    assert sent.headers["authorization"] == botocores(
        sent, (server.address, region, service), credentials
    )
