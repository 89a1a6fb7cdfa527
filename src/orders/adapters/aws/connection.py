"""Signed POST requests to one AWS endpoint. libcurl signs, connects and watches the time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pycurl

from orders.environment import optional
from orders.telemetry import logger

if TYPE_CHECKING:
    from orders.adapters.aws.credentials import Credentials

AMAZON_ROOTS: Final = os.path.join(os.path.dirname(__file__), "amazon_roots.pem")  # noqa: PTH118, PTH120 - pathlib costs an import
"""The certificate authorities of AWS's endpoints. To load all of a system's takes longer than the
rest of the first call."""


class NoResponse(Exception):
    """No response of the service's; the request may have taken effect all the same.

    The message is libcurl's error (https://curl.se/libcurl/c/libcurl-errors.html), or the status of
    what came instead.
    """


class HttpResponse(NamedTuple):
    status: int
    body: bytes


class Endpoint:
    """Threads may share it; each call takes a connection of its own and leaves it open.

    A fork leaves the parent's connections alone. libcurl sends a request again, once, if the idle
    connection that it chose turns out to be dead.
    """

    def __init__(self, url: str, region: str, service: str, attempt_seconds: float) -> None:
        """`attempt_seconds` limits a request from its first lookup to its last byte."""
        self._url = url
        self._signed_as = f"aws:amz:{region}:{service}"
        self._milliseconds = int(attempt_seconds * 1000)
        self._authorities: str | None = optional("AWS_CA_BUNDLE", AMAZON_ROOTS)
        self._idle: list[Any] = []
        os.register_at_fork(after_in_child=self._forget)

    def post(self, headers: list[str], body: bytes, credentials: Credentials) -> HttpResponse:
        """Raises NoResponse."""
        try:
            return self._post(headers, body, credentials)
        except pycurl.error as error:
            code, _ = error.args
            if code == pycurl.E_PEER_FAILED_VERIFICATION and self._authorities == AMAZON_ROOTS:
                self._trust_system()
                return self.post(headers, body, credentials)
            raise NoResponse(_name(code)) from None

    def _post(self, headers: list[str], body: bytes, credentials: Credentials) -> HttpResponse:
        try:
            handle = self._idle.pop()
        except IndexError:
            handle = self._open()
        # Without what libcurl adds by itself; DynamoDB and SQS have no use for either.
        own = [*headers, "Accept:", "Expect:"]
        if credentials.session_token:
            own.append(f"X-Amz-Security-Token: {credentials.session_token}")
        handle.setopt(pycurl.HTTPHEADER, own)
        handle.setopt(pycurl.USERNAME, credentials.access_key_id)
        handle.setopt(pycurl.PASSWORD, credentials.secret_access_key)
        handle.setopt(pycurl.POSTFIELDS, body)
        try:
            content = handle.perform_rb()
        except pycurl.error:
            # After a freeze all idle connections are likely to be as dead as this one.
            self._idle.clear()
            raise
        response = HttpResponse(handle.getinfo(pycurl.RESPONSE_CODE), content)
        self._idle.append(handle)
        return response

    def _open(self) -> Any:  # noqa: ANN401 - pycurl has no types
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, self._url)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.AWS_SIGV4, self._signed_as)
        handle.setopt(pycurl.TIMEOUT_MS, self._milliseconds)
        handle.setopt(pycurl.NOSIGNAL, 1)
        if self._authorities:
            handle.setopt(pycurl.CAINFO, os.fsencode(self._authorities))
        if self._url.startswith("http:"):
            handle.setopt(pycurl.PROXY, "")  # an emulator; HTTPS_PROXY and NO_PROXY are honored
        return handle

    def _trust_system(self) -> None:
        """An endpoint's certificate is not, or no longer, signed by an authority of Amazon's."""
        import ssl  # noqa: PLC0415 - hardly ever needed

        # Without such a file, the one that pycurl finds.
        self._authorities = ssl.get_default_verify_paths().cafile
        logger.warning("not signed by Amazon", url=self._url, trusted=self._authorities)

    def _forget(self) -> None:
        # Closing a handle ends the TLS session for the parent too, so its socket is first replaced.
        nobody = os.open(os.devnull, os.O_RDWR)
        for handle in self._idle:
            socket = handle.getinfo(pycurl.ACTIVESOCKET)
            if socket != pycurl.SOCKET_BAD:
                os.dup2(nobody, socket)
        os.close(nobody)
        self._idle.clear()


def _name(code: int) -> str:
    """Such as `curl 28 E_OPERATION_TIMEDOUT`. libcurl's messages contain times, so all differ."""
    names = (each for each in dir(pycurl) if each.startswith("E_"))
    # Those of libcurl's other interface count from zero again.
    named = [each for each in names if getattr(pycurl, each) == code and "_MULTI_" not in each]
    return " ".join([f"curl {code}", *sorted(named, key=len)[:1]])
