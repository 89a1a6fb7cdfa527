"""Takes an order through its life on the running local AWS: placed, paid, shipped."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until main begins: no traceback of an import

import argparse
import json
import time
from pathlib import Path
from typing import Any

import httpx

from emulator import ROOT, StackError, ending_plainly, say, wait_until
from local_stack import LocalStack, sample_order

EVENT_SECONDS = 30
LATE_SECONDS = 5
PUBLISHER = "orders-local-publish-order-events"


def main() -> None:
    """Run the demo; each request and its response are printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=ROOT / ".local")
    directory = parser.parse_args().directory
    with ending_plainly():
        stack = LocalStack.find(directory)
        if stack is None:
            raise StackError("The local AWS does not run: start it with `make up`.")
        try:
            demo(stack.sign_in_users(), stack)
        except httpx.HTTPStatusError as error:
            raise StackError(f"{error}\n{error.response.text}") from error
        except httpx.TransportError as error:
            raise StackError(
                f"The local AWS stopped responding ({error!r}). See {stack.log}."
            ) from error


def demo(settings: dict[str, str], stack: LocalStack) -> None:
    """Place an order as a customer, pay and ship it as staff, and show its events and timeline."""
    started_ms = int(time.time() * 1000)
    customer = client(settings["API_URL"], settings["CUSTOMER_TOKEN"])
    staff = client(settings["API_URL"], settings["STAFF_TOKEN"])

    heading("A customer orders three mugs")
    order = send(customer, "POST", "/orders", sample_order(settings["CUSTOMER_ID"]))
    path = f"/orders/{order['orderId']}"

    heading("Staff records the payment, then ships")
    send(staff, "PATCH", path, {"status": "PAID"})
    send(staff, "PATCH", path, {"status": "SHIPPED"})

    heading("The customer's latest orders")
    send(customer, "GET", f"/customers/{settings['CUSTOMER_ID']}/orders?limit=3")

    heading("The events that were published (from the publisher's log)")
    for event in published(stack, order["orderId"], started_ms, count=3):
        say(f"  {event['type']:<14} id {event['event_id']}\n")

    heading("The order's timeline")
    send(staff, "GET", f"{path}/timeline")


def client(api_url: str, token: str) -> httpx.Client:
    """Return a client that sends the token."""
    return httpx.Client(
        base_url=api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
    )


def send(caller: httpx.Client, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Send a request, print it and its response, and return the response's JSON."""
    say(f"\n{method} {path}\n")
    if body is not None:
        say(f"  {json.dumps(body)}\n")
    response = caller.request(method, path, json=body).raise_for_status()
    say(f"{response.status_code} {response.reason_phrase}\n")
    for name in ("ETag", "Location"):
        if name in response.headers:
            say(f"  {name}: {response.headers[name]}\n")
    response = response.json()
    for line in response["items"] if "nextCursor" in response else [response]:
        say(f"  {json.dumps(line)}\n")
    return response


def published(stack: LocalStack, order_id: str, since_ms: int, count: int) -> list[dict[str, str]]:
    """Return the order's events in the publisher's log, once there are so many."""
    logs, functions = stack.client("logs"), stack.client("lambda")
    log_group = f"/aws/lambda/{PUBLISHER}"
    events: dict[str, dict[str, str]] = {}

    def all_there() -> bool:
        # A line that was late comes with the function's next invocation. One that logs nothing
        # looks like a crash, so it is made only if need be.
        if time.time() > since_ms / 1000 + LATE_SECONDS:
            functions.invoke(FunctionName=PUBLISHER, Payload=json.dumps({"Records": []}))
        found = logs.filter_log_events(logGroupName=log_group, startTime=since_ms)
        for line in found["events"]:
            if order_id in line["message"] and line["message"].startswith("{"):
                event = json.loads(line["message"])
                events[event["event_id"]] = event
        return len(events) >= count

    wait_until(all_there, EVENT_SECONDS, f"Only {len(events)} of {count} events were published.")
    return [events[event_id] for event_id in sorted(events)]


def heading(text: str) -> None:
    """Print a heading."""
    say(f"\n--- {text}\n")


if __name__ == "__main__":
    main()
