"""An interpreter, and a response that never changes."""

from typing import Any

RESPONSE = {
    "statusCode": 200,
    "headers": {"Content-Type": "application/json"},
    "body": '{"status":"ok"}',
    "isBase64Encoded": False,
}


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    return RESPONSE
