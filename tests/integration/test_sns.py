"""Events on their way to the topic: the form that is sent, and what each response means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from examples import event_of, placed_order
from fakes import NOON
from orders.adapters.aws import client
from orders.adapters.aws.client import ATTEMPTS, Refused, Unreachable
from orders.adapters.aws.connection import Endpoint
from orders.adapters.aws.credentials import Credentials
from orders.adapters.sns import QueueAndTopic, SnsClient, SnsEventPublisher
from orders.adapters.sqs import event_body
from orders.application.ports import Unsent
from scripted_server import ScriptedServer, broken, drip, http, silence
from signatures import botocores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders.domain.events import OrderEvent
    from scripted_server import Answer

TOPIC: Final = "arn:aws:sns:eu-west-1:000000000000:order-events"
CREDENTIALS: Final = Credentials("AKID", "secret", "token")
MODEL: Final = botocore.session.get_session().get_service_model("sns")
OPERATION: Final = MODEL.operation_model("PublishBatch")
ERRORS: Final[set[str]] = {
    error.metadata.get("error", {}).get("code", error.name) for error in OPERATION.error_shapes
}
NAMESPACE: Final = "http://sns.amazonaws.com/doc/2010-03-31/"


def response(*failed: str) -> bytes:
    """What SNS says of a batch of which it did not take these: `3 InternalError`."""
    members = "".join(
        f"<member><Id>{index}</Id><Code>{code}</Code><SenderFault>true</SenderFault></member>"
        for index, code in map(str.split, failed)
    )
    return (
        f'<PublishBatchResponse xmlns="{NAMESPACE}"><PublishBatchResult><Successful/>'
        f"<Failed>{members}</Failed></PublishBatchResult></PublishBatchResponse>"
    ).encode()


def refusal(code: str, status: int = 400) -> Answer:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>No.</Message></Error>"
    return http(f'<ErrorResponse xmlns="{NAMESPACE}">{error}</ErrorResponse>'.encode(), status)


FINE = http(response())
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]><x>&z;</x>' % b"".join(
    b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(ord("b"), ord("{"))
)
NO_RESPONSES: dict[str, Answer] = broken(response()) | {
    "200 with JSON": http(b"{}"),
    "200 with another response": http(b"<PublishResponse><PublishResult/></PublishResponse>"),
    "200 with an error": http(b"<ErrorResponse><Error><Code>x</Code></Error></ErrorResponse>"),
    "200 with invalid UTF-8": http(b"<PublishBatchResponse>\xff</PublishBatchResponse>"),
    "200 with a deep nest": http(b"<a>" * 100_000 + b"</a>" * 100_000),
    "200 with a billion laughs": http(BOMB),
    "400 without an error": http(b"<ErrorResponse/>", 400),
    "400 with an empty code": http(b"<ErrorResponse><Error><Code/></Error></ErrorResponse>", 400),
    "500 with what came for 200": http(response(), 500),
}
PASSING = NO_RESPONSES | {
    "500": refusal("InternalError", 500),
    "503": refusal("ServiceUnavailable", 503),
    "throttling": refusal("Throttling"),
    "throttling of the key": refusal("KMSThrottling"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(FINE) as started:
        yield started


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The attempts after which there would have been one."""
    made: list[int] = []
    monkeypatch.setattr(client, "pause", made.append)
    return made


def publisher_to(server: ScriptedServer, attempt_seconds: float = 60) -> SnsEventPublisher:
    endpoint = Endpoint(server.address, "eu-west-1", "sns", attempt_seconds)
    return SnsEventPublisher(SnsClient(endpoint, lambda: CREDENTIALS), TOPIC)


def made(count: int) -> list[OrderEvent]:
    return [event_of(placed_order(NOON + timedelta(seconds=number))) for number in range(count)]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(
    st.lists(
        st.tuples(st.text("ABC_é &=+%", min_size=1, max_size=30), texts), min_size=1, max_size=10
    )
)
def test_the_form_is_the_one_that_botocore_sends_and_signed_alike(
    server: ScriptedServer, described: list[tuple[str, str]]
) -> None:
    server.script(FINE)
    events = [
        replace(event, type=kind, reason=reason)
        for event, (kind, reason) in zip(made(len(described)), described, strict=True)
    ]

    assert publisher_to(server).publish(events) == (set(), set())

    (sent,) = server.requests
    parameters: dict[str, Any] = {
        "TopicArn": TOPIC,
        "PublishBatchRequestEntries": [
            {
                "Id": str(index),
                "Message": event_body(event),
                "MessageAttributes": {
                    "type": {"DataType": "String", "StringValue": event.type},
                    "orderId": {"DataType": "String", "StringValue": event.order_id},
                },
            }
            for index, event in enumerate(events)
        ],
    }
    serialized = create_serializer("query").serialize_to_request(parameters, OPERATION)
    theirs = AWSRequest("POST", server.address, serialized["headers"], serialized["body"]).prepare()
    assert sent.body.decode() == theirs.body
    assert sent.headers["content-type"] == serialized["headers"]["Content-Type"]
    where = (server.address, "eu-west-1", "sns")
    assert sent.headers["authorization"] == botocores(sent, where, CREDENTIALS)


def test_ten_events_go_in_a_call(server: ScriptedServer) -> None:
    server.script(FINE)
    assert publisher_to(server).publish(made(25)) == (set(), set())
    entries = [request.body.count(b".Message=") for request in server.requests]
    assert entries == [10, 10, 5]


def test_what_the_topic_did_not_take_is_unavailable_and_what_it_never_takes_refused(
    server: ScriptedServer,
) -> None:
    server.script(
        http(response("1 InternalError", "3 InvalidParameter", "5 Throttled")),
        refusal("AuthorizationError", 403),
        FINE,
    )

    unsent = publisher_to(server).publish(made(25))

    assert (sorted(unsent.unavailable), sorted(unsent.refused)) == ([1, 5, *range(10, 20)], [3])


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_fault_that_strikes_twice_costs_two_repetitions_of_the_same_bytes(
    server: ScriptedServer, pauses: list[int], fault: Answer
) -> None:
    server.script(fault, fault, FINE)

    assert publisher_to(server).publish(made(1)) == (set(), set())

    assert pauses == [1, 2]
    assert len(server.requests) == ATTEMPTS
    assert len({request.body for request in server.requests}) == 1


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_what_fails_at_every_attempt_leaves_the_events_to_be_sent_again(
    server: ScriptedServer, fault: Answer
) -> None:
    server.script(fault)
    assert publisher_to(server).publish(made(2)) == ({0, 1}, set())
    assert len(server.requests) == ATTEMPTS


@pytest.mark.parametrize("fault", [silence, drip])
def test_a_response_that_does_not_come_in_time_is_no_response(
    server: ScriptedServer, fault: Answer
) -> None:
    server.script(fault)
    with pytest.raises(Unreachable, match="curl 28"):
        publisher_to(server, 0.5).client.call("PublishBatch", {"TopicArn": TOPIC})


@pytest.mark.parametrize(
    "code",
    sorted(ERRORS - {"InternalError", "KMSThrottling"}),
)
def test_no_other_error_of_the_call_is_worth_another_attempt(
    server: ScriptedServer, code: str
) -> None:
    server.script(refusal(code))
    with pytest.raises(Refused, match=code):
        publisher_to(server).client.call("PublishBatch", {"TopicArn": TOPIC})
    assert len(server.requests) == 1


class Target:
    """`EventPublisher` that keeps what it was given."""

    def __init__(self, *, unavailable: Sequence[int] = (), refused: Sequence[int] = ()) -> None:
        self.unsent = Unsent(set(unavailable), set(refused))
        self.given: list[OrderEvent] = []

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        self.given = list(events)
        return self.unsent


def test_an_event_is_sent_when_the_queue_and_the_topic_have_taken_it() -> None:
    events = made(8)
    queue, topic = Target(unavailable=[6], refused=[1, 7]), Target(unavailable=[4], refused=[0, 2])

    unsent = QueueAndTopic(queue, topic).publish(events)

    # The topic's numbers are those of what it was given.
    assert queue.given == events
    assert topic.given == [events[index] for index in (0, 2, 3, 4, 5)]
    assert (sorted(unsent.unavailable), sorted(unsent.refused)) == ([5, 6], [0, 1, 3, 7])
