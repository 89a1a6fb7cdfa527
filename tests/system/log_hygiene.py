"""Reads all logs of a run, and finds in them what no log may contain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orders.http.routes import ROUTES
from system.deployment import at_once, stream_record
from system.rights import triggers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from system.deployment import Deployment, Json

AT_ONCE: Final = 2
NO_ORDER: Final = "01978c5e-7a1b-7c3e-9f00-000000000000"


def leaks(lines: Iterable[str], secrets: Mapping[str, str]) -> dict[str, str]:
    """By where each secret that was found had been sent: the first line that has it."""
    lines = list(lines)
    text = "\n".join(lines)
    return {
        where: next(line for line in lines if secret in line)
        for secret, where in secrets.items()
        if secret in text
    }


def read_logs(deployment: Deployment) -> list[str]:
    """All lines, also those that the emulator holds back until the same process is used again."""
    at_once(lambda _: use_every_function(deployment), AT_ONCE)
    return deployment.everything_logged()


def use_every_function(deployment: Deployment) -> None:
    """Each is invoked, and changes nothing."""
    for route in ROUTES:
        deployment.staff.http.request(route.method, route.path)
    deployment.staff.http.get("/nowhere")
    removal = stream_record(NO_ORDER) | {"eventName": "REMOVE"}
    for function in background_functions(deployment):
        deployment.invoke(function, event_for(deployment, function, [removal], ["{}"]))


def background_functions(deployment: Deployment) -> set[str]:
    """Those that no request starts."""
    return set(deployment.functions) - {route.function for route in ROUTES} - {"not-found"}


def event_for(
    deployment: Deployment,
    function: str,
    records: list[Json],
    bodies: list[str],
    time: str = "2000-01-02T00:30:00Z",
) -> Json:
    """What starts the function: records of the stream, messages of a queue, or a schedule."""
    source = triggers(deployment).get(function, {"EventSourceArn": ""})["EventSourceArn"]
    if ":dynamodb:" in source:
        return {"Records": records}
    if ":sqs:" in source:
        return {"Records": [message(body) for body in bodies]}
    return {"time": time}


def message(body: str) -> Json:
    """What Lambda hands over of the queue, but for what the functions don't read."""
    return {
        "messageId": "1",
        "receiptHandle": "1",
        "body": body,
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
