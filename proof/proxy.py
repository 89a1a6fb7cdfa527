"""A proxy between callers and one server: does to each request what it is told.

Each caller gets an address of its own, so that it is known who asks. Bodies and headers pass
unchanged, the `Host` too, so that signatures stay good.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from threading import Thread
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeAlias, TypeVar

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ssl import SSLContext

Result = TypeVar("Result")

_RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)
_NOT_PASSED_ON: Final = frozenset(
    {"connection", "content-length", "keep-alive", "transfer-encoding", "date", "server"}
)
_UPSTREAM_SECONDS: Final = 120


class Request(NamedTuple):
    """What a caller sent. `ports` are the connection's: the caller's end, and the proxy's."""

    caller: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    ports: tuple[int, int]

    @property
    def operation(self) -> str:
        """AWS's name of the action, as `PutItem`; the method where there is none."""
        return self.headers.get("X-Amz-Target", self.method).rpartition(".")[2]


class Response(NamedTuple):
    """What the server responded, or the response in its place."""

    status: int
    headers: Mapping[str, str]
    body: bytes


PassOn: TypeAlias = Callable[[Request], Awaitable[Response]]
Treatment: TypeAlias = Callable[[Request, PassOn], Awaitable[Response | None]]
"""What happens to a request: passed on or not; None resets the connection."""


async def untouched(request: Request, pass_on: PassOn) -> Response:
    """The treatment that does nothing."""
    return await pass_on(request)


class Proxy:
    """Listens on free ports of 127.0.0.1, as a context manager until the end of its block."""

    def __init__(
        self, upstream: str, treat: Treatment = untouched, tls: SSLContext | None = None
    ) -> None:
        """Everything goes to `upstream`, an address as http://127.0.0.1:4566.

        With `tls`, callers speak TLS.
        """
        self.upstream = upstream
        self.treat = treat
        self._tls = tls
        self.under_way = 0
        """Requests that came and are not through, whether their callers still wait or not."""
        self._callers: dict[int, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.ServerRunner
        self._session: ClientSession

    def address(self, caller: str) -> str:
        """Where this caller finds the server."""
        return self._run(self._listen(caller))

    def __enter__(self) -> Self:
        """Start; `address` opens the ports."""
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        """Close all ports; requests that are under way are dropped."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Awaitable[Result]) -> Result:
        async def awaited() -> Result:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    async def _start(self) -> None:
        self._session = ClientSession(
            auto_decompress=False,
            # The emulator closes a connection that was idle for 5 s: a request must not meet that.
            connector=TCPConnector(limit=0, keepalive_timeout=3),
            timeout=ClientTimeout(total=_UPSTREAM_SECONDS),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=0.1
        )
        await self._runner.setup()

    async def _listen(self, caller: str) -> str:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        port = int(listener.getsockname()[1])
        self._callers[port] = caller
        await web.SockSite(self._runner, listener, ssl_context=self._tls).start()
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        pending = asyncio.all_tasks() - {asyncio.current_task()}
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await self._session.close()

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        transport = incoming.transport
        if transport is None:
            raise ConnectionResetError
        port = transport.get_extra_info("sockname")[1]
        request = Request(
            caller=self._callers[port],
            method=incoming.method,
            target=incoming.raw_path,
            headers=incoming.headers,
            body=await incoming.read(),
            ports=(transport.get_extra_info("peername")[1], port),
        )
        self.under_way += 1
        try:
            response = await self.treat(request, self._pass_on)
        except ClientConnectionError:  # the server reset it, so the caller is to see the same
            response = None
        finally:
            self.under_way -= 1
        if response is None:
            _reset(transport)
            return web.Response()  # nobody is left to get it
        return web.Response(
            status=response.status, headers=_passed_on(response.headers), body=response.body
        )

    async def _pass_on(self, request: Request) -> Response:
        async with self._session.request(
            request.method,
            URL(self.upstream + request.target, encoded=True),
            headers=_passed_on(request.headers),
            data=request.body,
            allow_redirects=False,
        ) as response:
            return Response(response.status, dict(response.headers), await response.read())


class OneCaller(ABC):
    """A proxy of whose callers none is told apart: `endpoint` is its address while it is open."""

    def __init__(self, upstream: str) -> None:
        """Everything goes to `upstream`, as `_treat` has it."""
        self._proxy = Proxy(upstream, self._treat)

    def __enter__(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        self._proxy.__enter__()
        self.endpoint = self._proxy.address("the platform")
        return self

    def __exit__(self, *_: object) -> None:
        """Close it; requests that are under way are dropped."""
        self._proxy.__exit__()

    @abstractmethod
    async def _treat(self, request: Request, pass_on: PassOn) -> Response | None:
        """Respond to the request; None resets the connection."""


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _NOT_PASSED_ON}


def _reset(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        transport.abort()
