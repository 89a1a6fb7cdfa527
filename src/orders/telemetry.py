"""Logs, metrics and traces: Powertools, set up once for every function.

A log line carries ids and outcomes, never what a request or a row contains.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
from aws_lambda_powertools.logging import Logger

from orders import environment
from orders.application.errors import LoggableError
from orders.domain.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aws_lambda_powertools.tracing import Tracer

    from orders.domain.order_id import OrderId

    Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_encoder: Final = msgspec.json.Encoder(enc_hook=str)


def _line(entry: object) -> str:
    return _encoder.encode(entry).decode()


def _as_it_is(message: Any) -> str:  # noqa: ANN401 - Powertools' type
    """Our messages are plain text; Powertools would try to parse each as JSON."""
    return str(message)


VERSION: Final = environment.optional("VERSION", "unknown")
"""The deployed commit."""

logger: Final = Logger(
    location=None, json_serializer=_line, json_deserializer=_as_it_is, version=VERSION
)

_tracer: Tracer | None = None
if environment.optional("TRACER_ENABLED", "false") == "true":
    # Importing it costs more than importing everything else.
    from aws_lambda_powertools.tracing import Tracer

    _tracer = Tracer()

_NAMESPACE: Final = environment.optional("POWERTOOLS_METRICS_NAMESPACE", "Orders")
_SERVICE: Final = environment.optional("POWERTOOLS_SERVICE_NAME", "orders")


class _Invocation:
    """The state of the running invocation; a process serves one at a time."""

    is_cold = True
    has_order = False
    counts: ClassVar[dict[str, int]] = {}


def count(metric: str, value: int = 1) -> None:
    """Add to one of this invocation's metrics."""
    _Invocation.counts[metric] = _Invocation.counts.get(metric, 0) + value


def bind_order(order_id: OrderId) -> None:
    """Name the order in this invocation's further log lines and in its trace."""
    _Invocation.has_order = True
    logger.append_keys(order_id=order_id, order_number=order_number(order_id))
    if _tracer:
        _tracer.put_annotation("order_id", order_id)


def unbind_order() -> None:
    """Between the records of a batch: further log lines are not about the last order."""
    _Invocation.has_order = False
    logger.remove_keys(["order_id", "order_number"])


def log_exception(message: str, error: BaseException) -> None:
    """Log an unexpected exception and its causes, with the frames they passed through.

    Leaves out the source lines, and all messages but a LoggableError's: they can quote values.
    """
    chain: list[dict[str, object]] = []
    link: BaseException | None = error
    while link is not None:
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
    """Label the log lines, publish the metrics; yields a stopwatch, in milliseconds."""
    started = time.perf_counter()
    if _Invocation.has_order:
        unbind_order()
    logger.append_keys(request_id=request_id, cold_start=_Invocation.is_cold)
    _Invocation.is_cold = False
    try:
        yield lambda: round((time.perf_counter() - started) * 1000, 1)
    finally:
        if _Invocation.counts:
            _publish(_Invocation.counts)
            _Invocation.counts.clear()


def _publish(counts: Mapping[str, int]) -> None:
    """Write the metrics to the log, in CloudWatch's embedded metric format.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

    Written by hand, because Powertools' Metrics take as long as the rest of a request's telemetry.
    """
    directive = {
        "Namespace": _NAMESPACE,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
    }
    metadata = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    line = {"_aws": metadata, "service": _SERVICE, "version": VERSION, **counts}
    sys.stdout.write(_line(line) + "\n")


def background(handle: Handler) -> Handler:
    """The Lambda handler of an asynchronous function: Lambda retries whatever raises."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        with invocation(context.aws_request_id):
            return handle(event, context)

    return traced(handler)


def traced(handler: Handler) -> Handler:
    """Trace the handler with Powertools' Tracer, if the stage enables it."""
    if _tracer is None:
        return handler
    return _tracer.capture_lambda_handler(handler, capture_response=False)
