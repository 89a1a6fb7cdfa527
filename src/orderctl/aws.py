"""AWS over boto3, as the functions' adapters call it, and its errors in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NotConnected

from orderctl.app import Problem
from orders.adapters.aws.client import Client, Refused, Unreachable
from orders.application.errors import MalformedRow, TryAgain

if TYPE_CHECKING:
    from collections.abc import Mapping

_DENIED: Final = re.compile("AccessDenied|UnauthorizedOperation|AuthorizationError")
_INVALID_CREDENTIALS: Final = re.compile(
    "ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature"
)
_NO_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)

EXPLAINED: Final = (BotoCoreError, ClientError, MalformedRow, Problem, Refused, TryAgain)
"""What `explain` explains."""


class BotoClient(Client):
    """`Client` with the operator's credentials. boto3 signs, connects and retries."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - boto3 makes its clients at run time
        self._client = client

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Unreachable, Refused; botocore's own error is the cause."""
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        try:
            response: dict[str, Any] = getattr(self._client, method)(**parameters)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            reasons: Any = error.response.get("CancellationReasons") or []
            raise Refused(error.response["Error"]["Code"], status, reasons) from error
        except (NotConnected, HTTPClientError) as error:
            raise Unreachable(type(error).__name__) from error
        return response


def explain(error: BaseException) -> str:
    """The innermost cause in one line that says what to do."""
    if isinstance(error, Problem):
        return str(error)
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, ClientError):
        return _explain_response(error)
    if isinstance(error, _NO_CREDENTIALS):
        return f"No AWS credentials: {error}. Sign in, or set AWS_PROFILE."
    if isinstance(error, BotoCoreError):
        return f"AWS is out of reach: {error} Check the network, the region and --stage."
    if isinstance(error, MalformedRow):
        return f"{error}. See docs/runbook.md#orders-unreadable."
    return f"AWS did not respond in time ({type(error).__name__}): run it again."


def _explain_response(error: ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if _DENIED.search(code):
        return (
            f"You lack a right, for {error.operation_name}: {message} "
            "See docs/orderctl.md#rights for what each command needs, and infra/deployer.yml for "
            "deployments."
        )
    if _INVALID_CREDENTIALS.search(code):
        return f"AWS does not accept your credentials ({code}): sign in again."
    return f"AWS refused {error.operation_name}: {code}: {message}"
