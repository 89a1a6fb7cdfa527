"""What a caller of AWS gets, and what went over the wire, where something fails in between."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import botocore.session
import pytest
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from orders.adapters.aws import client
from orders.adapters.aws.client import ATTEMPTS, Client, Refused, Unreachable
from orders.adapters.aws.connection import Endpoint
from orders.adapters.aws.credentials import Credentials
from scripted_server import ScriptedServer, aws, broken, drip, hang_up, http, refusal, silence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripted_server import Answer, Connection, Sent

PATIENT, HASTY = 60.0, 0.5
FINE = aws({"Fine": True})
HTML = b"<html><body>Something in between</body></html>"
NO_RESPONSES: dict[str, Answer] = broken(b'{"Fine": true}') | {
    "200 with a list": http(b"[]"),
    "200 with null": http(b"null"),
    "200 with invalid UTF-8": http(b'{"Item": "\xff"}'),
    "200 with an invalid key": http(b'{"\xff": 1}'),
    "200 with a deep nest": http(b'{"L":' * 100_000 + b"1" + b"}" * 100_000),
    "400 without a type": aws({"message": "Forbidden"}, 400),
    "500 without a type": aws({"message": "Internal Server Error"}, 500),
    "400 with a type that is no text": aws({"__type": 7}, 400),
}
SERVER_ERRORS = {
    "500": refusal("InternalServerError", 500),
    "503": refusal("ServiceUnavailable", 503),
    **{code: refusal(code) for code in sorted(client._PASSING)},
}
PASSING = NO_RESPONSES | SERVER_ERRORS


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(FINE) as started:
        yield started


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The attempts after which there would have been one."""
    made: list[int] = []
    monkeypatch.setattr(client, "pause", made.append)
    return made


def client_of(server: ScriptedServer, attempt_seconds: float = PATIENT) -> Client:
    endpoint = Endpoint(server.address, "eu-west-1", "dynamodb", attempt_seconds)
    return Client(endpoint, "dynamodb", lambda: Credentials("AKID", "secret", "token"))


def call(caller: Client) -> dict[str, object]:
    return caller.call("GetItem", {"TableName": "t"})


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_fault_that_strikes_twice_costs_two_repetitions_of_the_same_bytes(
    server: ScriptedServer, pauses: list[int], fault: Answer
) -> None:
    server.script(fault, fault, FINE)

    assert call(client_of(server)) == {"Fine": True}

    assert pauses == [1, 2]
    assert len(server.requests) == 3
    assert {request.body for request in server.requests} == {b'{"TableName":"t"}'}
    assert {request.head.split("\r\n")[0] for request in server.requests} == {"POST / HTTP/1.1"}


@pytest.mark.parametrize("fault", NO_RESPONSES.values(), ids=NO_RESPONSES.keys())
def test_no_response_of_the_services_is_unreachable_after_all_attempts(
    server: ScriptedServer, pauses: list[int], fault: Answer
) -> None:
    server.script(fault)

    with pytest.raises(Unreachable):
        call(client_of(server))

    assert len(server.requests) == ATTEMPTS
    assert len(pauses) == ATTEMPTS - 1


def test_a_change_of_visibility_is_answered_with_nothing(server: ScriptedServer) -> None:
    """As AWS documents it, with a Content-Length of 0."""
    server.script(http(b""))
    assert client_of(server).call("ChangeMessageVisibility", {}) == {}
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", SERVER_ERRORS.values(), ids=SERVER_ERRORS.keys())
def test_what_may_pass_is_refused_after_all_attempts(server: ScriptedServer, fault: Answer) -> None:
    server.script(fault)

    with pytest.raises(Refused) as raised:
        call(client_of(server))

    assert raised.value.may_pass
    assert raised.value.is_server_error == (raised.value.code not in client._PASSING)
    assert len(server.requests) == ATTEMPTS


@pytest.mark.parametrize(
    "type_of",
    ["{}", "com.amazonaws.dynamodb.v20120810#{}", "com.amazon.coral.service#{}"],
)
def test_what_can_not_pass_is_refused_at_once(server: ScriptedServer, type_of: str) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "x"}}}]
    content = {"__type": type_of.format("TransactionCanceledException")}
    server.script(aws(content | {"CancellationReasons": reasons}, 400))

    with pytest.raises(Refused, match="TransactionCanceledException") as raised:
        call(client_of(server))

    assert raised.value.reasons == reasons
    assert not raised.value.may_pass
    assert len(server.requests) == 1


def test_all_throttling_that_the_calls_can_meet_may_pass() -> None:
    """By botocore's models of the services, and its own list of what to retry."""
    passing = {
        *ThrottledRetryableChecker._THROTTLED_ERROR_CODES,  # type: ignore[attr-defined]  # not in its types
        *TransientRetryableChecker._TRANSIENT_ERROR_CODES,  # type: ignore[attr-defined]  # nor this
    }
    session = botocore.session.get_session()
    operations = {
        "dynamodb": ("BatchGetItem", "GetItem", "Query", "TransactGetItems", "TransactWriteItems"),
        "sns": ("PublishBatch",),
        "sqs": ("ChangeMessageVisibility", "SendMessage", "SendMessageBatch"),
    }
    errors = {
        error.metadata.get("error", {}).get("code", error.name)
        for service, names in operations.items()
        for name in names
        for error in session.get_service_model(service).operation_model(name).error_shapes
    }
    assert errors & passing <= client._PASSING
    assert len(errors & passing) > 3


@pytest.mark.parametrize("fault", [silence, drip])
def test_a_response_that_does_not_come_in_time_is_no_response(
    server: ScriptedServer, fault: Answer
) -> None:
    server.script(fault)
    with pytest.raises(Unreachable, match="curl 28"):
        call(client_of(server, HASTY))
    assert server.connections_by_now(ATTEMPTS) == ATTEMPTS


def test_a_connection_that_is_refused_is_no_response() -> None:
    with ScriptedServer() as ended:
        caller = client_of(ended)
    with pytest.raises(Unreachable, match="curl 7"):
        call(caller)


@pytest.mark.parametrize("resets", [1, ATTEMPTS])
def test_a_connection_that_is_reset_before_the_request_is_tried_again(resets: int) -> None:
    with ScriptedServer(FINE, resets=resets) as server:
        if resets < ATTEMPTS:
            assert call(client_of(server)) == {"Fine": True}
        else:
            with pytest.raises(Unreachable):
                call(client_of(server))
        assert server.connections == min(resets + 1, ATTEMPTS)


def test_megabytes_pass_both_ways(server: ScriptedServer) -> None:
    text = "é" * 1_000_000
    server.script(aws({"Item": {"text": {"S": text}}}))
    found = client_of(server).call("PutItem", {"Item": {"text": {"S": text}}})
    assert found == {"Item": {"text": {"S": text}}}
    (request,) = server.requests
    assert json.loads(request.body) == found
    assert "expect" not in request.headers, "it would wait for a second"


class TestAnIdleConnection:
    def test_is_used_again(self, server: ScriptedServer) -> None:
        caller = client_of(server)
        for _ in range(3):
            call(caller)
        assert server.connections == 1

    def test_that_the_server_closed_meanwhile_costs_no_attempt(
        self, server: ScriptedServer, pauses: list[int]
    ) -> None:
        server.script(http(b"{}", ends=True), FINE)
        caller = client_of(server)
        call(caller)
        assert call(caller) == {"Fine": True}
        assert server.connections == 2
        assert pauses == []

    def test_that_ends_when_it_is_used_again_costs_no_attempt(
        self, server: ScriptedServer, pauses: list[int]
    ) -> None:
        """The same bytes are sent once more, by libcurl itself, on a new connection."""
        server.script(FINE, hang_up, FINE)
        caller = client_of(server)
        call(caller)
        assert call(caller) == {"Fine": True}
        assert [request.connection for request in server.requests] == [1, 1, 2]
        _, lost, repeated = server.requests
        assert lost[1:] == repeated[1:]
        assert pauses == []

    def test_that_answers_no_more_costs_one_attempt(self, server: ScriptedServer) -> None:
        """As after a freeze, when what was in between has forgotten the connection."""
        caller = client_of(server, attempt_seconds=2)
        call(caller)
        server.script(silence, FINE)
        assert call(caller) == {"Fine": True}
        lost, repeated, *_ = server.requests
        assert repeated.connection > lost.connection
        assert lost.body == repeated.body

    def test_is_forgotten_with_all_others_when_one_fails(self, server: ScriptedServer) -> None:
        caller = client_of(server)
        both = Barrier(2)

        def at_one_time(connection: Connection, sent: Sent) -> bool:
            both.wait()
            return FINE(connection, sent)

        server.script(at_one_time)
        with ThreadPoolExecutor() as threads:
            list(threads.map(call, [caller, caller]))
        assert server.connections == 2
        server.script(http(HTML, length=1000, ends=True), FINE)

        call(caller)

        assert [request.connection > 2 for request in server.requests] == [False, True]

    @pytest.mark.parametrize("surplus", [b" ", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"])
    def test_with_content_left_over_is_not_used_again(
        self, server: ScriptedServer, surplus: bytes
    ) -> None:
        """What is left of one response would become the next one."""
        server.script(http(b'{"First": true}' + surplus, length=15), FINE)
        caller = client_of(server)
        assert call(caller) == {"First": True}
        assert call(caller) == {"Fine": True}
        assert server.connections == 2
