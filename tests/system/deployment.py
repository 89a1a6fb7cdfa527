"""The deployed platform, as its callers and its operators meet it."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx
import jwt

from examples import new_order
from local_stack import PASSWORD, STACK, LocalStack, orderctl_environment
from orders.domain.actor import CUSTOMER
from orders.domain.order_id import OrderId
from proof.oracle import ITEM, ORDER, required
from proof.proxy import Proxy
from proof.stack import Platform
from stream_records import created
from system.recorded_calls import OPERATOR, RecordedCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

Json = dict[str, Any]
Result = TypeVar("Result")

TABLE: Final = "orders_app"
SECONDS: Final = 90
"""The deadline of everything that a test waits for; far more than it takes."""

MOST_LOG_EVENTS: Final = 10_000
"""In a response of FilterLogEvents."""

MARK: Final = f"mark-{secrets.token_hex(8)}"
"""In every request and every order. No log may contain it: see `Deployment.secrets`."""

SHORTEST_SECRET: Final = 20
"""A shorter text could be in a log by chance."""


def eventually(
    read: Callable[[], Result], holds: Callable[[Result], bool], seconds: float = SECONDS
) -> Result:
    """The first result of `read` that `holds`. Raises AssertionError with the last one."""
    deadline = time.monotonic() + seconds
    while not holds(response := read()):
        assert time.monotonic() < deadline, f"still not after {seconds} s: {response!r}"
        time.sleep(0.1)
    return response


def at_once(call: Callable[[int], Result], times: int) -> list[Result]:
    """The results of concurrent calls, in the order of the calls."""
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(call, range(times)))


def check_response(response: httpx.Response) -> None:
    """Every response names its request; every error is a problem, or the gateway's own."""
    response.read()
    request_id = response.headers.get("x-request-id")
    if response.request.method == "HEAD":
        assert not response.content
        assert request_id or response.status_code == 401, response.headers
    elif response.status_code < 400:
        assert request_id, response.headers
    elif request_id is None:
        assert response.status_code in {401, 429} or response.status_code >= 500, response
        assert set(response.json()) == {"message"}, response.text
    else:
        problem = response.json()
        assert response.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "instance"} <= set(problem), problem
        assert problem["status"] == response.status_code
        assert problem["instance"] == request_id


def problem_type(response: httpx.Response) -> str:
    """The last part of the problem's `type`."""
    return str(response.json()["type"]).rpartition("#")[2]


def stream_record(order_id: str, **changes: Json) -> Json:
    """The stream record of a new order's event."""
    order, _ = new_order().placed(OrderId(order_id), by=CUSTOMER)
    record = created(order)
    record["dynamodb"]["NewImage"] |= changes
    return record


def claims_of(token: str) -> Json:
    """The token's claims; its signature is not checked."""
    claims: Json = jwt.decode(token, options={"verify_signature": False})
    return claims


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token."""

    id: str
    token: str
    http: httpx.Client

    def order(self, **changes: object) -> Json:
        """The body of an order of three mugs, 59.97 USD."""
        mugs = required(ITEM) | {"sku": f"MUG.{MARK}", "name": f"Mug {MARK}", "quantity": 3}
        order = {"customerId": self.id, "items": [mugs], "metadata": {MARK: MARK}}
        return required(ORDER) | order | changes

    def place(self, **changes: object) -> Json:
        """Create an order of theirs."""
        return self.post(self.order(**changes)).raise_for_status().json()  # type: ignore[no-any-return]  # JSON

    def path_parameters(self) -> dict[str, str]:
        """A new order of theirs, themselves, and a day without a report."""
        return {
            "orderId": self.place()["orderId"],
            "customerId": self.id,
            "date": "1999-01-01",
        }

    def post(self, body: Json, key: str | None = None) -> httpx.Response:
        return self.http.post("/orders", json=body, headers=_key(key))

    def get(self, order_id: str) -> httpx.Response:
        return self.http.get(f"/orders/{order_id}")

    def patch(
        self,
        order_id: str,
        status: str,
        *,
        reason: str | None = None,
        key: str | None = None,
        if_match: str | None = None,
    ) -> httpx.Response:
        return self.http.patch(
            f"/orders/{order_id}",
            json={"status": status} | ({} if reason is None else {"reason": reason}),
            headers=_key(key) | ({} if if_match is None else {"If-Match": if_match}),
        )

    def timeline(self, order_id: str) -> list[Json]:
        response = self.http.get(f"/orders/{order_id}/timeline")
        return response.raise_for_status().json()["items"]  # type: ignore[no-any-return]  # JSON

    def settled(self, order_id: str) -> Json:
        """Wait until the order has left PENDING."""
        order: Json = eventually(
            lambda: self.get(order_id).raise_for_status().json(),
            lambda order: order["status"] != "PENDING",
        )
        return order


def _key(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}


@dataclass(slots=True)
class HeldQueue:
    """The events queue while nothing consumes it; received messages stay received."""

    client: Any
    url: str
    received: dict[str, Json] = field(default_factory=dict)

    def messages(self, order_id: str) -> list[Json]:
        """The order's messages received so far, sorted by their events' ids."""
        response = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
        )
        self.received |= {message["MessageId"]: message for message in response.get("Messages", ())}
        mine = [m for m in self.received.values() if _subject(m) == order_id]
        return sorted(mine, key=lambda message: str(json.loads(message["Body"])["id"]))

    def delete(self, messages: Sequence[Json]) -> None:
        for message in messages:
            self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            del self.received[message["MessageId"]]

    def give_back(self) -> None:
        for message in self.received.values():
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )


def _subject(message: Json) -> str | None:
    body = json.loads(message["Body"])
    return body.get("subject") if isinstance(body, dict) else None


class RecordedStack(LocalStack):
    """A stack whose functions call AWS through a proxy, which records who calls what."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(directory, port, events_topic="true")
        self.calls = RecordedCalls()
        self.proxy = Proxy(self.endpoint, self.calls)

    def _deploy(self) -> None:
        super()._deploy()
        Platform(self).route_through(self.proxy)  # functions are deployed without it each time


class Deployment:
    """One stack and its callers. The form of every response is checked."""

    def __init__(self, stack: RecordedStack, environment: dict[str, str]) -> None:
        self.stack = stack
        self.calls = stack.calls
        self.environment = environment
        self.secrets = {MARK: "every request and order"}
        """Texts that no log may contain, and where each is sent. Checked after all tests."""
        self._customers = 0
        self._clients: dict[str, Any] = {}

    @cached_property
    def customer(self) -> Caller:
        return self.caller(self.environment["CUSTOMER_ID"], self.environment["CUSTOMER_TOKEN"])

    @cached_property
    def staff(self) -> Caller:
        token = self.environment["STAFF_TOKEN"]
        return self.caller(claims_of(token)["sub"], token)

    @cached_property
    def nobody(self) -> Caller:
        return self.caller("nobody", None)

    def new_customer(self, group: str | None = None) -> Caller:
        """A new user of the emulated user pool, without orders."""
        self._customers += 1
        user = f"customer-{self._customers}-{time.time_ns()}@example.com"
        if group:
            users = self.aws("cognito-idp")
            with contextlib.suppress(users.exceptions.GroupExistsException):
                users.create_group(UserPoolId=self.outputs["LocalUserPoolId"], GroupName=group)
        return self.caller(*self.stack.sign_in(user, group))

    def tokens(self, user: str, client: str | None = None) -> dict[str, str]:
        """The user pool's tokens for a user: AccessToken, IdToken, RefreshToken."""
        result: dict[str, str] = self.aws("cognito-idp").initiate_auth(
            ClientId=client or self.outputs["LocalUserPoolClientId"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        return result

    def caller(self, caller_id: str, token: str | None) -> Caller:
        """The caller who sends this token."""
        if len(caller_id) >= SHORTEST_SECRET:
            self.secrets[caller_id] = "the caller's id"
        return Caller(
            caller_id,
            token or "",
            httpx.Client(
                base_url=self.stack.api_url,
                headers={"User-Agent": MARK}
                | ({} if token is None else {"Authorization": f"Bearer {token}"}),
                timeout=SECONDS,
                limits=httpx.Limits(max_connections=64),
                trust_env=False,
                event_hooks={"request": [self._keep_token], "response": [check_response]},
            ),
        )

    def _keep_token(self, request: httpx.Request) -> None:
        """Each part of a token is a secret, unless it is too short."""
        for part in re.split(r"[ .]", request.headers.get("Authorization", "")):
            if len(part) >= SHORTEST_SECRET:
                self.secrets[part] = "the token"

    def mark(self, what: str) -> str:
        """A text that no log may contain, valid in a SKU and in a key."""
        marker = f"{what}.{secrets.token_hex(8)}"
        self.secrets[marker] = what
        return marker

    def aws(self, service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        if service not in self._clients:
            self._clients[service] = self.stack.client(service)
        return self._clients[service]

    @cached_property
    def outputs(self) -> dict[str, str]:
        return self.stack.outputs()

    def rows(self, order_id: str) -> dict[str, Json]:
        """All rows of the order's partition, by their sort keys."""
        response = self.aws("dynamodb").query(
            TableName=TABLE,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"ORDER#{order_id}"}},
            ConsistentRead=True,
        )
        return {row["sk"]["S"]: row for row in response["Items"]}

    def details_of(self, customer_id: str) -> list[str]:
        """The ids of all orders of the customer, from the orders themselves."""
        pages = (
            self.aws("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=TABLE,
                FilterExpression="sk = :detail AND customerId = :customer",
                ExpressionAttributeValues={
                    ":detail": {"S": "DETAIL"},
                    ":customer": {"S": customer_id},
                },
                ConsistentRead=True,
            )
        )
        return [row["orderId"]["S"] for page in pages for row in page["Items"]]

    def states(self, order_id: str) -> dict[str, str]:
        """The states of the order's CHARGE and RESERVATION, where they exist."""
        rows = self.rows(order_id)
        return {sk: rows[sk]["state"]["S"] for sk in ("CHARGE", "RESERVATION") if sk in rows}

    def invoke(self, function: str, event: Json) -> Any:  # noqa: ANN401 - JSON
        """The function's result. Raises FunctionFailed."""
        return self._platform.invoke(function, event)

    @cached_property
    def _platform(self) -> Platform:
        return Platform(self.stack)

    @cached_property
    def functions(self) -> list[str]:
        """Their names in serverless.yml."""
        found = self.aws("lambda").list_functions(MaxItems=50)["Functions"]
        return [one["FunctionName"].removeprefix(f"{STACK}-") for one in found]

    def everything_logged(self) -> list[str]:
        """All lines of CloudWatch's log groups, and of the emulator's own log.

        Lambda writes exceptions to the log of the function, the emulator to its own.
        """
        # The emulator fails where a function makes a group while it lists them.
        logs = self.stack.client("logs", attempts=3)
        groups = [
            group["logGroupName"]
            for page in logs.get_paginator("describe_log_groups").paginate()
            for group in page["logGroups"]
        ]
        messages = [message for group in groups for message in self._logged(group)]
        emulator = self.stack.log.read_text(errors="replace")
        return "\n".join([*messages, emulator]).splitlines()

    def log_lines(self, function: str) -> list[Json]:
        """The function's own log lines, without those of Lambda.

        The emulator may add the lines of an invocation at the next one of the same process.
        """
        messages = self._logged(f"/aws/lambda/{STACK}-{function}")
        return [json.loads(message) for message in messages if message.startswith("{")]

    def _logged(self, group: str) -> Iterator[str]:
        """A log group's messages; the emulator returns the first 10,000 and no token for more."""
        start = 0
        while True:
            events = self.aws("logs").filter_log_events(logGroupName=group, startTime=start)[
                "events"
            ]
            if len(events) < MOST_LOG_EVENTS:
                yield from (event["message"] for event in events)
                return
            start = events[-1]["timestamp"]
            yield from (event["message"] for event in events if event["timestamp"] < start)

    def messages_of(self, output: str, wanted: Callable[[str], bool], times: int = 1) -> list[Json]:
        """Wait for this many messages of a dead-letter queue with a wanted body.

        They and all other messages are deleted.
        """
        client, url = self.aws("sqs"), self.outputs[output]
        found: list[Json] = []

        def more() -> list[Json]:
            response = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            for message in response.get("Messages", ()):
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                if wanted(message["Body"]):
                    found.append(message)
            return found

        return eventually(more, lambda messages: len(messages) >= times)

    def orderctl(
        self, *arguments: str, answer: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the operator's command on this stack; `answer` is what a person types."""
        return subprocess.run(
            [sys.executable, "-m", "orderctl", *arguments],
            env=orderctl_environment(self.stack)
            | {"ORDERCTL_LOCAL_ENDPOINT": self._endpoint_of_operators}
            | variables,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )

    @cached_property
    def _endpoint_of_operators(self) -> str:
        return self.stack.proxy.address(OPERATOR)

    @contextlib.contextmanager
    def changed_environment(self, function: str, **variables: str) -> Iterator[None]:
        """Run the function with other settings; its calls aren't recorded meanwhile."""
        functions, name = self.aws("lambda"), f"{STACK}-{function}"
        before = functions.get_function_configuration(FunctionName=name)["Environment"]

        def put(settings: Json) -> None:
            functions.update_function_configuration(
                FunctionName=name, Environment={"Variables": settings}
            )

        put(before["Variables"] | {"AWS_ENDPOINT_URL": self.stack.endpoint} | variables)
        try:
            yield
        finally:
            put(before["Variables"])

    def queue_depth(self, output: str = "OrderEventsQueueUrl") -> int:
        """Messages that wait or are in flight."""
        attributes = self.aws("sqs").get_queue_attributes(
            QueueUrl=self.outputs[output], AttributeNames=["All"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) + int(
            attributes["ApproximateNumberOfMessagesNotVisible"]
        )

    def settle(self) -> None:
        """Wait until everything committed so far is published and consumed.

        The stream is read in order: when the newest order is settled, all are.
        """
        newest = self.customer.place(paymentToken="tok_approve")
        assert self.customer.settled(newest["orderId"])["status"] == "PAID"
        eventually(self.queue_depth, lambda depth: depth == 0)

    def published(self, queue: HeldQueue, order_id: str) -> list[Json]:
        """All messages about the order: those of a newer order come after them."""
        newer = self.customer.place()["orderId"]
        eventually(lambda: queue.messages(newer), lambda messages: len(messages) == 1)
        return queue.messages(order_id)

    @contextlib.contextmanager
    def held_queue(self) -> Iterator[HeldQueue]:
        """Stop the consumer of the events queue."""
        functions = self.aws("lambda")
        (mapping,) = functions.list_event_source_mappings(FunctionName=f"{STACK}-settle-payments")[
            "EventSourceMappings"
        ]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        held = HeldQueue(self.aws("sqs"), self.outputs["OrderEventsQueueUrl"])
        try:
            yield held
        finally:
            held.give_back()
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def warm(self, times: int) -> None:
        """Have this many processes ready to create orders, and as many to update them.

        The emulator runs one process per concurrent call, and starts it when it is needed.
        """
        nowhere = "00000000-0000-7000-8000-000000000000"
        for call, refused in (
            (lambda _: self.staff.post({}).status_code, 422),
            (lambda _: self.staff.patch(nowhere, "PAID").status_code, 404),
        ):
            eventually(
                lambda call=call: set(at_once(call, times)),  # type: ignore[misc]  # bound early
                lambda statuses, refused=refused: statuses == {refused},  # type: ignore[misc]
            )
