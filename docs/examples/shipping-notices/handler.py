"""Tells customers that their order was shipped."""

from __future__ import annotations

import json
from typing import Any


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Report the messages that failed: they come again, the others don't."""
    failed = []
    for message in event["Records"]:
        try:
            send_notice(json.loads(message["body"]))
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            print(json.dumps({"messageId": message["messageId"], "error": type(error).__name__}))
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def send_notice(event: dict[str, Any]) -> None:
    """Your mail service here. An event may come twice: its id is your idempotency key."""
    order = event["data"]
    print(json.dumps({"sent": event["id"], "type": event["type"], "order": order["orderNumber"]}))
