"""The rivals of the benchmarks, driven as our own routes are, and what of an answer is compared."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from api import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import ModuleType

    from gateway import Event

    Send = Callable[[Event], Answer]
    Play = Generator[Event, Answer, None]
    """Requests, each made after the answer to the one before."""

HEADERS: Final = ("Cache-Control", "Content-Type", "ETag", "Idempotent-Replayed", "Location")

_ORDER_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Invocation:
    """The context that Lambda hands over."""

    function_name = "orders-api"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-southeast-1:123456789012:function:orders-api"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


def load(module: str, **environment: str) -> ModuleType:
    """A rival, which reads the environment when it is imported; once per process."""
    with pytest.MonkeyPatch.context() as changes:
        for name, value in environment.items():
            changes.setenv(name, value)
        return importlib.import_module(module)


def sender(handler: Callable[[Event, Any], dict[str, Any]]) -> Send:
    def send(event: Event) -> Answer:
        answer = json.loads(json.dumps(handler(event, Invocation())))  # as Lambda passes it on
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    return send


@dataclass
class Names:
    """Ids by their order of appearance: those of two implementations differ."""

    known: dict[str, str]

    def of(self, text: str) -> str:
        return _ORDER_ID.sub(
            lambda found: self.known.setdefault(found[0], f"order {len(self.known) + 1}"), text
        )


def play(case: Play, send: Send) -> list[object]:
    """What must be the same of each answer, whoever gave it."""
    names = Names({})
    compared: list[object] = []
    event = next(case)
    while True:
        answer = send(event)
        compared.append(comparable(answer, names))
        try:
            event = case.send(answer)
        except StopIteration:
            return compared


def comparable(answer: Answer, names: Names) -> object:
    headers = {name: names.of(answer.headers[name]) for name in HEADERS if name in answer.headers}
    if headers["Content-Type"] == "application/problem+json":
        return answer.status, headers, _problem(answer.json)
    return answer.status, headers, _without_chance(answer.json, names)


def _problem(problem: dict[str, Any]) -> dict[str, Any]:
    """All but the texts; of the fields at fault the first one.

    Of what is wrong in the metadata, pydantic names the entry, msgspec the whole.
    """
    kept = {name: value for name, value in problem.items() if name != "detail"}
    if "errors" in kept:
        kept["errors"] = re.sub(r"(?<=^/metadata)/.*", "", kept["errors"][0]["pointer"])
    return kept


def _without_chance(value: Any, names: Names) -> Any:  # noqa: ANN401 - JSON
    match value:
        case dict():
            return {
                key: part and "a cursor" if key == "nextCursor" else _without_chance(part, names)
                for key, part in value.items()
            }
        case list():
            return [_without_chance(part, names) for part in value]
        case str():
            return _INSTANT.sub("an instant", names.of(value))
        case _:
            return value
