"""A Lambda execution environment in small: `worker.py FD`, started by `process.py`.

Reads messages from the standard input, each a module and a list of events, imports the module,
passes the events to its handler, and writes one line of JSON about it to the file descriptor FD.
Messages are in Python's marshal format, because nothing is imported here that the interpreter has
not loaded anyway: what a function imports must count as its own.

`getsid` marks where one stretch ends and the next begins: a profiler can count between the marks.
"""

import marshal
import os
import sys
import time


class Context:
    """What the handlers use of Lambda's context object."""

    function_name = "orders-prod-function"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-southeast-1:123456789012:function:orders-prod"
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Enough for everything."""
        return 300_000


def main(results: int) -> None:
    """Handle messages until there are no more."""
    while True:
        try:
            module, events = marshal.load(sys.stdin.buffer)  # noqa: S302 - from process.py
        except EOFError:
            os._exit(0)  # an execution environment is frozen, never shut down
        report = handle(module, events)
        import json  # noqa: PLC0415 - everything is measured now

        os.write(results, json.dumps(report).encode() + b"\n")


def handle(module: str, events: list[object]) -> dict[str, object]:
    """CPU in nanoseconds, of all threads in user and kernel mode; peak memory in kilobytes."""
    before = len(sys.modules)
    os.getsid(0)
    started = time.process_time_ns()
    __import__(module)
    init = time.process_time_ns() - started
    os.getsid(0)
    modules = len(sys.modules) - before
    responses, taken = [], []
    for event in events:
        started = time.process_time_ns()
        response = sys.modules[module].handler(event, Context)
        taken.append(time.process_time_ns() - started)
        os.getsid(0)
        responses.append(response)
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib is an import
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return {
        "init_ns": init,
        "request_ns": taken,
        "peak_kb": peak,
        "modules": modules,
        "responses": responses,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
