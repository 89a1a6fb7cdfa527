"""What the parameter desk takes out if it is false, and that nothing else differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infrastructure.test_events_topic import changed

if TYPE_CHECKING:
    from infrastructure.templates import Template


def test_it_is_a_function_two_routes_and_what_watches_them_and_nothing_else(
    production: Template, without_desk: Template
) -> None:
    gone = production.resources.keys() - without_desk.resources.keys()
    assert gone == set()
    assert not without_desk.resources.keys() - production.resources.keys()
    both = production.resources.keys() & without_desk.resources.keys()
    print({name for name in both if production.resources[name] != without_desk.resources[name]})
    assert changed(production.document["Outputs"], without_desk.document["Outputs"]) == set()
