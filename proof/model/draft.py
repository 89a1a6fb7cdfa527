"""A request before it is sent, and whoever sends it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway import query_string, request
from proof.model.order import Caller

if TYPE_CHECKING:
    from gateway import Event

JANE: Final = Caller("cus_42", is_staff=False)
JOE: Final = Caller("jo|e@x", is_staff=False)
ANN: Final = Caller("ann", is_staff=True)
BOB: Final = Caller("bob", is_staff=True)

CLAIMS: Final[dict[str, Event]] = {
    JANE.id: {"sub": JANE.id, "token_use": "access", "cognito:groups": ["former staff", "ops"]},
    JOE.id: {"sub": JOE.id},
    ANN.id: {"sub": ANN.id, "token_use": "access", "cognito:groups": ["ops", "staff"]},
    BOB.id: {"sub": BOB.id, "token_use": "access", "cognito:groups": "staff"},
}


@dataclass
class Draft:
    """A request before it is sent. `text` replaces what `content` would be written as."""

    method: str
    path: str
    caller: Caller | None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: Any = None
    spelling: str = "plain"
    text: str | bytes | None = None
    padding: int = 0
    claims: Event | None = field(init=False)

    def __post_init__(self) -> None:
        self.claims = CLAIMS[self.caller.id] if self.caller else None

    def event(self) -> Event:
        """As API Gateway hands it over."""
        body: str | bytes | None = self.text
        if body is None and self.content is not None:
            body = spell(self.content, self.spelling)
        if self.padding and body is not None:
            body = (body.encode() if isinstance(body, str) else body) + b" " * self.padding
        target = self.path + (query_string(**self.query) if self.query else "")
        sent = request(self.method, target, body, claims=self.claims, headers=self.headers)
        if sent["headers"].get("content-type") == "":
            del sent["headers"]["content-type"]
        return sent


def spell(content: object, spelling: str) -> str:
    """One of many ways to write the same JSON."""
    if spelling == "spaced":
        return json.dumps(content, indent=2, ensure_ascii=False)
    if spelling == "escaped":
        return json.dumps(content)
    if isinstance(content, dict) and spelling == "backwards":
        return json.dumps(dict(reversed(content.items())), ensure_ascii=False)
    if isinstance(content, dict) and content and spelling == "doubled":
        first = json.dumps({next(iter(content)): ["of two the last counts"]})
        return first[:-1] + ", " + json.dumps(content, ensure_ascii=False)[1:]
    return json.dumps(content, ensure_ascii=False)
