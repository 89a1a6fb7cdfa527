"""Takes an order through its life on the running local AWS: placed, paid, shipped."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from emulator import ROOT, StackError, wait_until
from local_stack import LocalStack, sample_order

EVENT_SECONDS = 30
PUBLISHER = "orders-local-publish-order-events"


def main() -> None:
    """Run the demo; each request and its response are printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=ROOT / ".local")
    directory = parser.parse_args().directory
    settings = read_env(directory / "env")
    port = httpx.URL(settings["API_URL"]).port or 80
    try:
        demo(settings, LocalStack(directory, port))
    except httpx.TransportError as error:
        raise SystemExit(
            f"{settings['API_URL']} does not respond: start it with `make up`."
        ) from error
    except httpx.HTTPStatusError as error:
        raise SystemExit(f"\n{error}\n{error.response.text}\nFor fresh tokens: make up") from error
    except StackError as error:
        raise SystemExit(f"\n{error}") from error


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
        sys.stdout.write(f"  {event['type']:<14} id {event['event_id']}\n")

    heading("The order's timeline")
    send(staff, "GET", f"{path}/timeline")


def client(api_url: str, token: str) -> httpx.Client:
    """Return a client that sends the token."""
    return httpx.Client(
        base_url=api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
    )


def send(caller: httpx.Client, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Send a request, print it and its response, and return the response's JSON."""
    sys.stdout.write(f"\n{method} {path}\n")
    if body is not None:
        sys.stdout.write(f"  {json.dumps(body)}\n")
    response = caller.request(method, path, json=body).raise_for_status()
    sys.stdout.write(f"{response.status_code} {response.reason_phrase}\n")
    for name in ("ETag", "Location"):
        if name in response.headers:
            sys.stdout.write(f"  {name}: {response.headers[name]}\n")
    response = response.json()
    for line in response["items"] if "nextCursor" in response else [response]:
        sys.stdout.write(f"  {json.dumps(line)}\n")
    return response


def published(stack: LocalStack, order_id: str, since_ms: int, count: int) -> list[dict[str, str]]:
    """Return the order's events in the publisher's log, once there are so many."""
    logs, functions = stack.client("logs"), stack.client("lambda")
    log_group = f"/aws/lambda/{PUBLISHER}"
    events: dict[str, dict[str, str]] = {}

    def all_there() -> bool:
        # A line that was late comes with the function's next invocation.
        functions.invoke(FunctionName=PUBLISHER, Payload=json.dumps({"Records": []}))
        found = logs.filter_log_events(logGroupName=log_group, startTime=since_ms)
        for line in found["events"]:
            if order_id in line["message"] and line["message"].startswith("{"):
                event = json.loads(line["message"])
                events[event["event_id"]] = event
        return len(events) >= count

    wait_until(all_there, EVENT_SECONDS, f"Only {len(events)} of {count} events were published.")
    return [events[event_id] for event_id in sorted(events)]


def read_env(path: Path) -> dict[str, str]:
    """Return what `make up` wrote for shells."""
    if not path.exists():
        raise SystemExit("The local AWS has not been started: start it with `make up`.")
    words = shlex.split(path.read_text())
    return dict(word.split("=", 1) for word in words if word != "export")


def heading(text: str) -> None:
    """Print a heading."""
    sys.stdout.write(f"\n--- {text}\n")


if __name__ == "__main__":
    main()
