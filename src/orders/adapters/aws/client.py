"""AWS's JSON protocol: one call of a service, retried where that can help."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orders.adapters.aws.connection import Endpoint, NoResponse
from orders.adapters.aws.credentials import find_credentials
from orders.application.errors import LoggableError
from orders.environment import InvalidSetting, optional

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orders.adapters.aws.connection import HttpResponse
    from orders.adapters.aws.credentials import Credentials

ATTEMPTS: Final = 3
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0

_TARGETS: Final = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}
_MEDIA_TYPE: Final = "Content-Type: application/x-amz-json-1.0"

THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ThrottlingException",
    }
)
_PASSING: Final = THROTTLED | {"KMSThrottling", "Throttling", "TransactionInProgressException"}

_ANSWERED_WITH_NOTHING: Final = frozenset({"ChangeMessageVisibility"})
"""From others, an empty response is not the service's: a lost row must not look like no row."""

_OK: Final = 200
_SERVER_ERROR: Final = 500
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Unreachable(LoggableError):
    """The last attempt got no response of the service's. A write may have happened all the same."""


class Refused(LoggableError):
    """The service's own error response, after the attempts that could help.

    `reasons` are those of a canceled transaction, one for each of its operations:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
    """

    def __init__(self, code: str, status: int, reasons: list[dict[str, Any]]) -> None:
        super().__init__(code)
        self.code = code
        self.reasons = reasons
        self.is_server_error = status >= _SERVER_ERROR

    @property
    def may_pass(self) -> bool:
        """Whether the same call may succeed a little later."""
        return self.is_server_error or self.code in _PASSING


class Client:
    """One service in one region. Threads may share it."""

    def __init__(
        self, endpoint: Endpoint, service: str, credentials: Callable[[], Credentials]
    ) -> None:
        self._endpoint = endpoint
        self._target = f"X-Amz-Target: {_TARGETS[service]}"
        self._credentials = credentials

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The response. Every attempt sends the same bytes, with a new signature.

        Raises:
            Unreachable, Refused.
        """
        body = msgspec.json.encode(parameters)
        headers = [f"{self._target}.{operation}", _MEDIA_TYPE]
        attempt = 0
        while True:
            try:
                response = self._endpoint.post(headers, body, self._credentials())
                if operation in _ANSWERED_WITH_NOTHING and response == (_OK, b""):
                    return {}
                return _content(response)
            except (NoResponse, Refused) as error:
                attempt += 1
                pause_or_raise(attempt, error)


def pause_or_raise(attempt: int, error: NoResponse | Refused) -> None:
    """Wait after this failed attempt, the first being 1, if another one may help.

    Raises:
        Unreachable, Refused: none can, or this was the last.
    """
    if isinstance(error, NoResponse):
        if attempt == ATTEMPTS:
            raise Unreachable(str(error)) from None
    elif attempt == ATTEMPTS or not error.may_pass:
        raise error
    pause(attempt)


def pause(attempt: int) -> None:
    """Wait after this attempt, with full jitter.

    Source of the rule: AWS Architecture Blog, "Exponential Backoff and Jitter".
    """
    import random  # noqa: PLC0415 - most processes never wait

    longest = min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret


def connect(service: str, attempt_seconds: float) -> Client:
    """A client of this region's `dynamodb` or `sqs`; makes no call.

    Raises:
        InvalidSetting: no region or no credentials.
    """
    return Client(find_endpoint(service, attempt_seconds), service, find_credentials())


def find_endpoint(service: str, attempt_seconds: float) -> Endpoint:
    """The service's endpoint in this region; makes no call.

    Reads the environment as AWS's SDKs do: AWS_REGION or AWS_DEFAULT_REGION, AWS_ENDPOINT_URL and
    the one of the service, AWS_CA_BUNDLE, HTTPS_PROXY and NO_PROXY.

    Raises:
        InvalidSetting: no region.
    """
    region = optional("AWS_REGION", optional("AWS_DEFAULT_REGION", ""))
    if not region:
        raise InvalidSetting("the environment variable AWS_REGION is not set")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    given = optional(f"AWS_ENDPOINT_URL_{service.upper()}", optional("AWS_ENDPOINT_URL", ""))
    url = given or f"https://{service}.{region}.{suffix}"
    return Endpoint(f"{url.rstrip('/')}/", region, service, attempt_seconds)


def _content(response: HttpResponse) -> dict[str, Any]:
    """Raises Refused, or NoResponse if the response is not the service's."""
    try:
        content = _decode(response.body)
        if response.status == _OK:
            return content
        # Such as com.amazonaws.dynamodb.v20120810#ThrottlingException.
        code = content["__type"].rpartition("#")[2].partition(":")[0]
        reasons = content.get("CancellationReasons") or []
    except (AttributeError, KeyError, *_UNREADABLE):
        raise NoResponse(f"HTTP {response.status} without the service's own content") from None
    raise Refused(code, response.status, reasons)
