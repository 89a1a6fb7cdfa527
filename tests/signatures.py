"""A request's signature as botocore makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoresCredentials

if TYPE_CHECKING:
    from orders.adapters.aws.credentials import Credentials
    from scripted_server import Sent

# What libcurl sends without being told to, and what no signature can cover.
NOT_SIGNED: Final = {"authorization", "content-length", "user-agent"}


def botocores(sent: Sent, endpoint: tuple[str, str, str], credentials: Credentials) -> str:
    """The Authorization header that botocore would have given to this request at its time."""
    url, region, service = endpoint
    headers = {name: sent.headers[name] for name in sent.headers.keys() - NOT_SIGNED}
    request = AWSRequest("POST", url, headers, sent.body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = auth.SigV4Auth(BotocoresCredentials(*credentials), service, region)
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    signed = signer.signed_headers(signer.headers_to_sign(request))
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
        f"SignedHeaders={signed}, Signature={signer.signature(to_sign, request)}"
    )
