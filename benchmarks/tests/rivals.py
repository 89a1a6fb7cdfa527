"""The rivals of the benchmarks, driven as our own functions are, and what is compared.

They answer a release of the contract that ours has left behind: compared is what both promise.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.function_process import Context
from benchmarks.systems import function_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.systems import Running
    from gateway import Event


@dataclass(frozen=True, slots=True)
class Response:
    """What a client gets; header names are looked up as they were written."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the response is
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """The end of the problem's type."""
        return str(self.json["type"].rpartition("#")[2])


if TYPE_CHECKING:
    Send = Callable[[Event], Response]
    Play = Generator[Event, Response, None]
    """Requests, each made after the response to the one before."""

HEADERS: Final = ("Cache-Control", "Content-Type", "ETag", "Idempotent-Replayed", "Location")

SINCE: Final = {"orderNumber"}
"""Members that only ours has."""

_ORDER_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def sender(handler: Callable[[Event, Any], dict[str, Any]]) -> Send:
    """Of a handler in this process."""
    return lambda event: _response(json.loads(json.dumps(handler(event, Context()))))


def sender_to(running: Running) -> Send:
    return lambda event: _response(running.ask(function_of(event), event).response)


def _response(response: dict[str, Any]) -> Response:
    return Response(response["statusCode"], response["headers"], response["body"])


@dataclass
class Names:
    """Ids by their order of appearance: those of two implementations differ."""

    known: dict[str, str]

    def of(self, text: str) -> str:
        return _ORDER_ID.sub(
            lambda found: self.known.setdefault(found[0], f"order {len(self.known) + 1}"), text
        )


def play(case: Play, send: Send) -> list[object]:
    """What must be the same of each response, whoever gave it."""
    names = Names({})
    compared: list[object] = []
    event = next(case)
    while True:
        response = send(event)
        compared.append(comparable(response, names))
        try:
            event = case.send(response)
        except StopIteration:
            return compared


def comparable(response: Response, names: Names) -> object:
    headers = {
        name: names.of(response.headers[name]) for name in HEADERS if name in response.headers
    }
    if headers["Content-Type"] == "application/problem+json":
        return response.status, headers, _problem(response.json)
    return response.status, headers, _without_chance(response.json, names)


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
                if key not in SINCE
            }
        case list():
            return [_without_chance(part, names) for part in value]
        case str():
            return _INSTANT.sub("an instant", names.of(value))
        case _:
            return value
