"""Logs and metrics, set up once for every function.

Each line of the log is a JSON object with ids and outcomes, never with what a request or a row
contains.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from orders import environment
from orders.application.errors import LoggableError
from orders.domain.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TextIO

    from orders.domain.order_id import OrderId

    Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

VERSION: Final = environment.optional("VERSION", "unknown")
"""The deployed commit."""

_NAMESPACE: Final = environment.optional("METRICS_NAMESPACE", "Orders")
_SERVICE: Final = "orders"
_LEVELS: Final = ("INFO", "WARNING", "ERROR")
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode


def _write(entry: Mapping[str, object], stream: TextIO | None = None) -> None:
    # In one call: Lambda makes a log event of each write.
    (stream or sys.stdout).write(_encode(entry).decode() + "\n")


class Logger:
    """Writes lines of a level and those above, each with the fields that are bound at that time."""

    stream: TextIO | None = None
    """Set by programs whose standard output is not a log."""

    def __init__(self, level: str) -> None:
        self._written: Final = frozenset(_LEVELS[_LEVELS.index(level) :])
        self._bound: dict[str, object] = {}

    def bind(self, **fields: object) -> None:
        self._bound |= fields

    def unbind(self, *names: str) -> None:
        for name in names:
            self._bound.pop(name, None)

    def info(self, message: str, **fields: object) -> None:
        self._log("INFO", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        self._log("WARNING", message, fields)

    def error(self, message: str, **fields: object) -> None:
        self._log("ERROR", message, fields)

    def writes(self, level: str) -> bool:
        return level in self._written

    def _log(self, level: str, message: str, fields: dict[str, object]) -> None:
        if level in self._written:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            head = {"level": level, "message": message, "timestamp": now, "service": _SERVICE}
            _write(head | {"version": VERSION} | self._bound | fields, self.stream)


logger: Final = Logger(environment.one_of("LOG_LEVEL", _LEVELS, "INFO"))


class _Invocation:
    """The state of the running invocation; a process serves one at a time."""

    is_cold = True
    counts: ClassVar[dict[str, int]] = {}


def count(metric: str, value: int = 1) -> None:
    """Add to one of this invocation's metrics."""
    _Invocation.counts[metric] = _Invocation.counts.get(metric, 0) + value


def bind_order(order_id: OrderId) -> None:
    """Name the order in this invocation's further log lines."""
    logger.bind(order_id=order_id, order_number=order_number(order_id))


def unbind_order() -> None:
    """Between the records of a batch: further log lines are not about the last order."""
    logger.unbind("order_id", "order_number")


def cause_of(error: BaseException) -> str:
    """The error's name, with its message only if that quotes no value."""
    message = str(error) if isinstance(error, LoggableError) else ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def log_exception(message: str, error: BaseException) -> None:
    """Log an unexpected exception and its causes, with the frames they passed through.

    Leaves out the source lines, and all messages but a LoggableError's: they can quote values.
    """
    chain: list[dict[str, object]] = []
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:  # `raise error from error` makes a circle
        seen.add(id(link))
        shown: dict[str, object] = {"exception": type(link).__name__, "frames": _frames(link)}
        if isinstance(link, LoggableError):
            shown["detail"] = str(link)
        chain.append(shown)
        link = link.__cause__
    logger.error(message, error=chain)


def _frames(error: BaseException) -> list[str]:
    """As `file:line function`, the innermost last."""
    frames, place = [], error.__traceback__
    while place is not None:
        code = place.tb_frame.f_code
        frames.append(f"{code.co_filename}:{place.tb_lineno} {code.co_name}")
        place = place.tb_next
    return frames


@contextmanager
def invocation(request_id: str) -> Iterator[Callable[[], float]]:
    """Label the log lines, write the metrics; yields a stopwatch, in milliseconds."""
    started = time.perf_counter()
    unbind_order()
    logger.bind(request_id=request_id, cold_start=_Invocation.is_cold, xray_trace_id=_trace_id())
    _Invocation.is_cold = False
    try:
        yield lambda: round((time.perf_counter() - started) * 1000, 1)
    finally:
        if metrics := _take_metrics():
            _write({"service": _SERVICE, "version": VERSION, **metrics})


def _trace_id() -> str | None:
    """Of Lambda's own tracing, which sets the variable anew for every invocation."""
    root, _, _ = environment.optional("_X_AMZN_TRACE_ID", "").partition(";")
    return root.removeprefix("Root=") or None


def log_end(message: str, **fields: object) -> None:
    """Log a request's last line, with its metrics."""
    if logger.writes("INFO"):
        logger.info(message, **fields, **_take_metrics())


def _take_metrics() -> dict[str, object]:
    """The metrics that no line carries yet, in CloudWatch's embedded metric format; may be empty.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    counts, _Invocation.counts = _Invocation.counts, {}
    if not counts:
        return {}
    directive = {
        "Namespace": _NAMESPACE,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
    }
    metadata = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    return {"_aws": metadata, **counts}


def background(handle: Handler) -> Handler:
    """The Lambda handler of an asynchronous function: Lambda retries whatever raises."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        with invocation(context.aws_request_id):
            return handle(event, context)

    return handler
