"""A request for each route, made of the examples in the API's own document."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from api import Api
from api_document import OPERATIONS
from examples import event_of, placed_order
from fakes import NOON
from gateway import query_string, request
from orders.domain.daily_report import DailyReport
from orders.http.routes import ROUTES
from orders.openapi.examples import DAY, ORDER_ID

if TYPE_CHECKING:
    from gateway import Event

KEYS: Final = tuple(route.key for route in ROUTES)
EXAMPLE_ORDER_ID: Final = ORDER_ID
"""The order that the requests are about, where they are about one."""


def sample_target(key: str, **values: str) -> str:
    """Path and query with all that is required: the given value, or else the example."""
    required = [each for each in parameters(key) if each.get("required")]
    samples = {each["name"]: str(values.get(each["name"], each["example"])) for each in required}
    path = key.partition(" ")[2].format_map({k: quote(v, safe="") for k, v in samples.items()})
    query = {each["name"]: samples[each["name"]] for each in required if each["in"] == "query"}
    return path + (query_string(**query) if query else "")


def sample_body(key: str) -> object:
    """The first example of a body; None where the route takes none."""
    content = OPERATIONS[key].get("requestBody", {"content": {}})["content"]
    for media_type in content.values():
        for example in media_type["examples"].values():
            return example["value"]
    return None


def sample_request(key: str, **how: Any) -> Event:  # noqa: ANN401 - arguments of request()
    return request(key.partition(" ")[0], sample_target(key), sample_body(key), **how)


def api_with_samples(*, takes_tokens: bool = True) -> Api:
    """With what the requests are about: an order of cus_42's, and a report."""
    api = Api(takes_tokens=takes_tokens)
    order = replace(placed_order(), order_id=EXAMPLE_ORDER_ID)
    api.orders.orders[order.order_id] = order
    api.orders.events[order.order_id, order.version] = event_of(order)
    api.reports.put(
        DailyReport(
            day=DAY, generated_at=NOON, orders={}, revenue={}, cancellation_reasons={}, left_out=0
        )
    )
    return api


def parameters(key: str) -> list[dict[str, Any]]:
    """As the document describes them."""
    return [*OPERATIONS[key].get("parameters", ())]
