"""SNS: the topic of order events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from orders.adapters.aws.client import Client, Refused, find_endpoint, pause_or_raise
from orders.adapters.aws.connection import NoResponse
from orders.adapters.aws.credentials import find_credentials
from orders.adapters.sqs import attributes, send_in_batches
from orders.application.ports import Unsent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orders.adapters.aws.connection import Endpoint, HttpResponse
    from orders.adapters.aws.credentials import Credentials
    from orders.application.ports import EventPublisher
    from orders.domain.events import OrderEvent

_VERSION: Final = "2010-03-31"
_MEDIA_TYPE: Final = "Content-Type: application/x-www-form-urlencoded; charset=utf-8"
_OK: Final = 200


class SnsEventPublisher(NamedTuple):
    """`EventPublisher` on a topic. Subscribers can filter by the attributes."""

    client: Client
    topic_arn: str

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        return send_in_batches("topic", events, _entry, self._send)

    def _send(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        # Ten events of 4 KiB stay below the 256 KiB of a call.
        return self.client.call(
            "PublishBatch", {"TopicArn": self.topic_arn, "PublishBatchRequestEntries": entries}
        )


class QueueAndTopic(NamedTuple):
    """`EventPublisher` on both: an event is sent when both have taken it.

    The queue comes first, and the topic gets nothing from the first event on that the queue lacks:
    what is sent again for the queue's sake reaches no subscriber twice.
    """

    queue: EventPublisher
    topic: EventPublisher

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        of_queue = self.queue.publish(events)
        end = min(of_queue.unavailable, default=len(events))
        taken = [index for index in range(end) if index not in of_queue.refused]
        of_topic = self.topic.publish([events[index] for index in taken])
        refused = {*of_queue.refused, *(taken[index] for index in of_topic.refused)}
        unavailable = {*range(end, len(events)), *(taken[index] for index in of_topic.unavailable)}
        return Unsent(unavailable - refused, refused)


class SnsClient(Client):
    """`Client` of SNS, which knows the Query protocol alone: a form there, XML back.

    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
    """

    def __init__(self, endpoint: Endpoint, credentials: Callable[[], Credentials]) -> None:
        self._endpoint = endpoint
        self._credentials = credentials

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What of a batch was not taken: `{"Failed": [{"Id": …, "Code": …}]}`.

        Raises:
            Unreachable, Refused.
        """
        form = [("Action", operation), ("Version", _VERSION), *_form("", parameters)]
        body = urlencode(form).encode()
        attempt = 0
        while True:
            try:
                return _content(self._endpoint.post([_MEDIA_TYPE], body, self._credentials()))
            except (NoResponse, Refused) as error:
                attempt += 1
                pause_or_raise(attempt, error)


def connect(attempt_seconds: float) -> SnsClient:
    """A client of this region's SNS; makes no call.

    Raises:
        InvalidSetting: no region or no credentials.
    """
    return SnsClient(find_endpoint("sns", attempt_seconds), find_credentials())


def _entry(event: OrderEvent, body: str) -> dict[str, Any]:
    return {
        "Message": body,
        "MessageAttributes": attributes(type=event.type, orderId=event.order_id),
    }


def _form(name: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any parameter
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for number, member in enumerate(value, start=1):
            yield from _form(f"{name}.member.{number}", member)
    elif name.endswith("MessageAttributes"):  # the only map; all others are structures
        for number, (key, member) in enumerate(value.items(), start=1):
            yield f"{name}.entry.{number}.Name", key
            yield from _form(f"{name}.entry.{number}.Value", member)
    else:
        for key, member in value.items():
            yield from _form(f"{name}.{key}" if name else key, member)


def _content(response: HttpResponse) -> dict[str, Any]:
    """Raises Refused, or NoResponse if the response is not SNS's."""
    try:
        # Expat itself stops what expands too much.
        root = ET.fromstring(response.body)  # noqa: S314 - over TLS, from AWS
    except ET.ParseError:
        root = ET.Element("")
    if response.status == _OK and (result := root.find("{*}PublishBatchResult")) is not None:
        failed = result.iterfind("{*}Failed/{*}member")
        return {
            "Failed": [
                {name: one.findtext(f"{{*}}{name}", "") for name in ("Id", "Code")}
                for one in failed
            ]
        }
    code = root.findtext("{*}Error/{*}Code", "")
    if response.status == _OK or not code:
        raise NoResponse(f"HTTP {response.status} without the service's own content")
    raise Refused(code, response.status, [])
