"""Lambda's runtime client with marks, started as `worker.py HANDLER FD`.

Writes to the file descriptor FD, first a line about the start: its CPU, the modules that it
imported, and the peak of memory before it, of the interpreter alone and with the client, in
kilobytes. Then a line for each request with its CPU. CPU is in nanoseconds, of all threads, in user
and kernel mode. `getsid` marks where a stretch begins and ends: a profiler can count between the
marks.

What the client takes by itself counts for nobody: its imports, and to fetch an event, to parse it
and to send the response. It is not patched: its marshaller may be exchanged, and tells where the
handler begins and ends.
"""

# ruff: noqa: E402 - the interpreter alone is measured before anything else is imported
import os
import sys
import time


def peak_kb() -> int:
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib is an import
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


BARE_KB = peak_kb()

from typing import Any

from awslambdaric import bootstrap, lambda_literals  # noqa: F401 - `run` would import it
from awslambdaric.lambda_config import LambdaConfigProvider
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller


class Stretch:
    """What runs between two marks."""

    def __init__(self, results: int) -> None:
        self._results = results

    def begin(self) -> None:
        os.getsid(0)
        self._began = time.process_time_ns()

    def end(self) -> None:
        self._taken = time.process_time_ns() - self._began
        os.getsid(0)

    def report(self, *more: int) -> None:
        line = " ".join(map(str, (self._taken, *more)))
        os.write(self._results, f"{line}\n".encode())


class Marshaller(LambdaMarshaller):  # type: ignore[misc]  # it ships no types
    def __init__(self, stretch: Stretch) -> None:
        super().__init__()
        self._stretch = stretch

    def unmarshal_request(self, request: bytes, content_type: str) -> Any:  # noqa: ANN401 - JSON
        event = super().unmarshal_request(request, content_type)
        self._stretch.begin()
        return event

    def marshal_response(self, response: object) -> Any:  # noqa: ANN401 - the client's own
        self._stretch.end()
        self._stretch.report()
        return super().marshal_response(response)


class Client(LambdaRuntimeClient):  # type: ignore[misc]  # it ships no types
    """Its first call ends the start."""

    def __init__(self, config: LambdaConfigProvider, stretch: Stretch) -> None:
        super().__init__(config.api_address, config.use_thread_polling)
        self.marshaller = Marshaller(stretch)
        self._stretch = stretch
        self._is_started = False
        self._loaded, self._idle_kb = len(sys.modules), peak_kb()

    def wait_next_invocation(self) -> Any:  # noqa: ANN401 - the client's own
        if not self._is_started:
            self._stretch.end()
            self._stretch.report(len(sys.modules) - self._loaded, BARE_KB, self._idle_kb)
            self._is_started = True
        return super().wait_next_invocation()


if __name__ == "__main__":
    config, stretch = LambdaConfigProvider(sys.argv), Stretch(int(sys.argv[2]))
    client = Client(config, stretch)
    stretch.begin()
    bootstrap.run(config.handler, client)
