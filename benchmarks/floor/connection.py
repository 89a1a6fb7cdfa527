"""One connection to DynamoDB, kept alive; a lost one is an error, it is not opened again."""

import os
import socket
from urllib.parse import urlsplit

from benchmarks.floor import sigv4

_REGION = os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]
_ENDPOINT = os.environ.get("AWS_ENDPOINT_URL") or f"https://dynamodb.{_REGION}.amazonaws.com"
_SECONDS = 2.3
_OK = b"HTTP/1.1 200 "


class CallFailed(Exception):
    """DynamoDB refused the call, or the connection broke."""


class Connection:
    """Opened by the first call."""

    def __init__(self) -> None:
        parts = urlsplit(_ENDPOINT)
        self._is_secure = parts.scheme == "https"
        self._name = parts.hostname or ""
        self._port = parts.port or (443 if self._is_secure else 80)
        self._host = parts.netloc
        self._socket: socket.socket | None = None

    def call(self, operation: str, body: bytes) -> bytes:
        """The answer's body. Raises CallFailed."""
        if self._socket is None:
            self._socket = self._open()
        signed = sigv4.headers(self._host, f"DynamoDB_20120810.{operation}", body)
        head = f"POST / HTTP/1.1\n{signed}\n".replace("\n", "\r\n")
        self._socket.sendall(head.encode() + body)
        return self._response(self._socket)

    @staticmethod
    def _response(connection: socket.socket) -> bytes:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += _some(connection)
        head = received[:end].lower()
        _, found, rest = head.partition(b"\r\ncontent-length:")
        if not found:
            raise CallFailed("a response without a length")
        length = end + 4 + int(rest.partition(b"\r\n")[0])
        while len(received) < length:
            received += _some(connection)
        content = received[end + 4 :]
        if not received.startswith(_OK):
            raise CallFailed(content.decode())
        return content

    def _open(self) -> socket.socket:
        connection = socket.create_connection((self._name, self._port), _SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._is_secure:
            return connection
        import ssl  # noqa: PLC0415 - only where it is needed: it costs more than all the rest

        context = ssl.create_default_context()
        return context.wrap_socket(connection, server_hostname=self._name)


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise CallFailed("the connection was closed")
    return received
