"""Logs, metrics and traces: Powertools, set up once for every function.

A log line carries ids and outcomes, never what a request or a row contains.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from orders import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

logger: Final = Logger(location=None)


class _Invocation:
    """What is known of the invocation that runs; a process serves one at a time."""

    is_cold = True
    has_metrics = False


def _make_tracer() -> Any:  # noqa: ANN401 - a Tracer, whose import costs more than the rest
    if environment.optional("TRACER_ENABLED", "false") != "true":
        return None
    from aws_lambda_powertools.tracing import Tracer  # noqa: PLC0415

    return Tracer()


_metrics: Final = Metrics()
_tracer: Final = _make_tracer()


def count(metric: str, value: int = 1) -> None:
    """Add to a metric of this invocation."""
    _Invocation.has_metrics = True
    _metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)


def about_order(order_id: str) -> None:
    """Name the order in this invocation's further log lines and in its trace."""
    logger.append_keys(order_id=order_id)
    if _tracer:
        _tracer.put_annotation("order_id", order_id)


def about_no_order() -> None:
    """Between the records of a batch: what comes next is not about the order before."""
    logger.remove_keys(["order_id"])


@contextmanager
def invocation(request_id: str) -> Iterator[Callable[[], float]]:
    """Label the log lines, publish the metrics; yields a stopwatch, in milliseconds."""
    started = time.perf_counter()
    logger.clear_state()
    logger.append_keys(request_id=request_id, cold_start=_Invocation.is_cold)
    _Invocation.is_cold = False
    try:
        yield lambda: round((time.perf_counter() - started) * 1000, 1)
    finally:
        if _Invocation.has_metrics:
            _Invocation.has_metrics = False
            _metrics.flush_metrics()


def background(handle: Callable[[dict[str, Any], Any], dict[str, Any]]) -> Handler:
    """The Lambda handler of a function that no caller waits for; what it raises, Lambda retries."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        with invocation(context.aws_request_id):
            return handle(event, context)

    return traced(handler)


def traced(handler: Handler) -> Handler:
    """Trace the handler with Powertools' Tracer, where the stage switches it on."""
    if _tracer is None:
        return handler
    return _tracer.capture_lambda_handler(handler, capture_response=False)  # type: ignore[no-any-return]  # Tracer is not imported, so its type is not known
