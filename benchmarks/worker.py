"""A Lambda execution environment in small: `worker.py MODULE EVENTS ANSWERS`.

Imports the handler of MODULE, hands it the events of the file EVENTS, one after the other, and
writes to the file ANSWERS what it answered and what that took, as JSON.
EVENTS is in Python's marshal format, because nothing is imported here that is not in the
interpreter itself: what a function imports must be seen as its own.

`getsid` is called where one stretch ends and the next begins: a profiler can count between.
"""

import marshal
import os
import sys
import time


class Context:
    """What the handlers use of Lambda's context object."""

    function_name = "bench"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-southeast-1:123456789012:function:bench"
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Time enough."""
        return 28_000


def main(module: str, events_file: str, responses_file: str) -> None:
    """Run, and say what it took: nanoseconds of CPU, kilobytes of memory, modules."""
    with open(events_file, "rb") as file:  # noqa: PTH123 - pathlib is an import
        events = marshal.load(file)  # noqa: S302 - our own file
    before = set(sys.modules)
    os.getsid(0)
    started = time.process_time_ns()
    __import__(module)
    init = time.process_time_ns() - started
    os.getsid(0)
    modules = sorted(set(sys.modules) - before)
    responses, taken = [], []
    for event in events:
        started = time.process_time_ns()
        response = sys.modules[module].handler(event, Context)
        taken.append(time.process_time_ns() - started)
        os.getsid(0)
        responses.append(response)
    with open("/proc/self/status") as status:  # noqa: PTH123 - likewise
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    report = {
        "init_ns": init,
        "request_ns": taken,
        "peak_kb": peak,
        "modules": modules,
        "late_modules": sorted(set(sys.modules) - before - set(modules)),
        "responses": responses,
    }
    import json  # noqa: PLC0415 - all is measured now

    with open(responses_file, "w") as file:  # noqa: PTH123 - likewise
        json.dump(report, file)
    sys.stdout.flush()
    os._exit(0)  # an execution environment is frozen, never shut down


if __name__ == "__main__":
    main(*sys.argv[1:])
