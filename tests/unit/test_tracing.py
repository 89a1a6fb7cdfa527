"""Powertools' Tracer, switched by the stage; what it sends is read where the daemon would be."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parents[2] / "src"
ORDER_ID = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
INVOKE = f"""
from types import SimpleNamespace
from orders.telemetry import bind_order, background

def handle(event, context):
    bind_order({ORDER_ID!r})
    return {{"body": "a response that is nobody else's business"}}

background(handle)({{}}, SimpleNamespace(aws_request_id="request", function_name="function"))

import sys
print("aws_xray_sdk" in sys.modules)
"""


def run(tracer_enabled: str, daemon: str) -> str:
    """Invoke a function in a process of its own, as Lambda would; return what it printed last."""
    environment = os.environ | {
        "TRACER_ENABLED": tracer_enabled,
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_XRAY_DAEMON_ADDRESS": daemon,
        "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;"
        "Parent=53995c3f42cd8ad8;Sampled=1",
        "PYTHONPATH": str(SOURCES),
    }
    command = [sys.executable, "-c", INVOKE]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return printed.stdout.splitlines()[-1]


def test_a_traced_invocation_names_its_order_and_not_its_response() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(30)
        assert run("true", f"127.0.0.1:{daemon.getsockname()[1]}") == "True"
        segment: dict[str, Any] = json.loads(daemon.recv(65_536).decode().partition("\n")[2])
    assert segment["annotations"]["order_id"] == ORDER_ID
    assert "nobody else's business" not in json.dumps(segment)


def test_the_tracing_library_is_not_loaded_where_tracing_is_off() -> None:
    assert run("false", "127.0.0.1:2000") == "False"
