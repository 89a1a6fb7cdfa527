"""A server that does to each request, byte by byte, what a test says, and keeps what was sent."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

_RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)


class Sent(NamedTuple):
    """One request, and the number of the connection that it came on."""

    connection: int
    head: str
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """By their names in lower case."""
        parts = (line.partition(": ") for line in self.head.split("\r\n")[1:])
        return {name.lower(): value for name, _, value in parts}


class Connection(NamedTuple):
    """What an answer is given: where to write it, and when the server ends."""

    stream: socket.socket
    ended: Event


Answer: TypeAlias = Callable[[Connection, Sent], bool]
"""What happens to a request; whether the connection goes on after it."""


def http(
    content: bytes, status: int = 200, *headers: str, length: int | None = None, ends: bool = False
) -> Answer:
    """A response; `length` is what it says of itself, `ends` closes the connection after it."""

    def answer(connection: Connection, _: Sent) -> bool:
        size = len(content) if length is None else length
        lines = (f"HTTP/1.1 {status} Reason", f"Content-Length: {size}", *headers, "", "")
        connection.stream.sendall("\r\n".join(lines).encode() + content)
        return not ends

    return answer


def aws(content: object, status: int = 200) -> Answer:
    """A response of DynamoDB's or SQS's."""
    return http(json.dumps(content).encode(), status, "Content-Type: application/x-amz-json-1.0")


def refusal(code: str, status: int = 400) -> Answer:
    return aws({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "No."}, status)


def raw(content: bytes) -> Answer:
    """These bytes, and the end of the connection."""

    def answer(connection: Connection, _: Sent) -> bool:
        connection.stream.sendall(content)
        return False

    return answer


def _accept_tunnel(connection: Connection, _: Sent) -> bool:
    connection.stream.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
    return True


def silence(connection: Connection, _: Sent) -> bool:
    connection.ended.wait()
    return False


def drip(connection: Connection, _: Sent) -> bool:
    """A byte every 20 ms, of a response that takes minutes so."""
    connection.stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not connection.ended.wait(0.02):
        connection.stream.sendall(b" ")
    return False


def hang_up(_: Connection, __: Sent) -> bool:
    return False


def reset(connection: Connection, _: Sent) -> bool:
    _reset_by_closing(connection.stream)
    return False


_HTML: Final = b"<html><body>Something in between</body></html>"


def broken(content: bytes) -> dict[str, Answer]:
    """What is no response of a service's, in any protocol; `content` would be one's."""
    half, of_half = content[: len(content) // 2], len(content) // 2
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return {
        "reset": reset,
        "hang-up": hang_up,
        "half a status line": raw(b"HTTP/1"),
        "half the headers": raw(b"HTTP/1.1 200 OK\r\nContent-"),
        "half the content": http(half, length=len(content), ends=True),
        "whole content of half the length": http(content, length=2 * len(content), ends=True),
        "half a chunk": raw(chunked + b"fffff\r\n" + content),
        "a chunk without the last": raw(chunked + b"%x\r\n%s\r\n" % (len(content), content)),
        "HTTP/0.9": raw(content),
        "more than the length": http(content, length=of_half),
        "200 with HTML": http(_HTML),
        "200 with nothing": http(b""),
        "200 with half the content": http(half),
        "200 with the content twice": http(content * 2),
        "a proxy's refusal": http(_HTML, 403),
        "a redirect": http(b"", 307, "Location: /elsewhere"),
        "a redirect to a service's own content": http(content, 308, "Location: /elsewhere"),
        "502 with HTML": http(_HTML, 502),
        "503 with nothing": http(b"", 503),
    }


class ScriptedServer:
    """As a context manager it listens on a free port of 127.0.0.1 until the end."""

    def __init__(
        self,
        *answers: Answer,
        tls: ssl.SSLContext | None = None,
        is_proxy: bool = False,
        resets: int = 0,
    ) -> None:
        """Each request gets the next of the answers, and all further ones the last.

        A proxy is at the other end of each tunnel itself, where it speaks TLS. `resets` are
        connections, the first ones, that are reset before anything is read.
        """
        self._lock = Lock()
        self._ended = Event()
        self.script(*answers)
        self._tls = tls
        self._is_proxy = is_proxy
        self._resets = resets
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        port = self._listener.getsockname()[1]
        # By name, because certificates have names.
        self.address = f"{'https' if tls and not is_proxy else 'http'}://localhost:{port}/"
        self._connections = 0

    def script(self, *answers: Answer) -> None:
        """Begin anew with these, and forget the requests so far."""
        *first, last = answers or (silence,)
        self._answers = chain(first, repeat(last))
        self._requests: list[Sent] = []

    @property
    def requests(self) -> list[Sent]:
        with self._lock:
            return list(self._requests)

    @property
    def connections(self) -> int:
        """How many were opened, whether a request came on them or not."""
        with self._lock:
            return self._connections

    def connections_by_now(self, expected: int) -> int:
        """Waits for as many: when the client is done, the server perhaps is not."""
        deadline = time.monotonic() + 30
        while self.connections < expected and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.connections

    def __enter__(self) -> Self:
        """Start."""
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close everything."""
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:  # the end
                return
            with self._lock:
                self._connections += 1
                number = self._connections
            Thread(target=self._serve, args=(stream, number), daemon=True).start()

    def _serve(self, stream: socket.socket, number: int) -> None:
        if number <= self._resets:
            _reset_by_closing(stream)
            stream.close()
            return
        with suppress(OSError):  # the client has gone, or refuses the certificate
            if self._tls and not self._is_proxy:
                stream = self._tls.wrap_socket(stream, server_side=True)
            self._converse(stream, number)
        stream.close()

    def _converse(self, stream: socket.socket, number: int) -> None:
        for request in _requests(stream, number):
            with self._lock:
                self._requests.append(request)
                tunnels = self._is_proxy and request.head.startswith("CONNECT ")
                answer = _accept_tunnel if tunnels else next(self._answers)
            if not answer(Connection(stream, self._ended), request):
                return
            if tunnels:
                assert self._tls
                with self._tls.wrap_socket(stream, server_side=True) as inner:
                    self._converse(inner, number)
                return


def _requests(stream: socket.socket, connection: int) -> Iterator[Sent]:
    with stream.makefile("rb") as lines:
        while head := b"".join(_head(lines)).decode("latin-1"):
            request = Sent(connection, head.rstrip(), b"")
            length = int(request.headers.get("content-length", 0))
            yield request._replace(body=lines.read(length))


def _head(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield line
        if line == b"\r\n":
            return


def _reset_by_closing(stream: socket.socket) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
