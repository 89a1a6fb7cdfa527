"""Which calls go through the proxies that the environment names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from certificates import authority, server_context
from orders.adapters.aws import client
from orders.adapters.aws.client import Unreachable
from scripted_server import ScriptedServer, aws, http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FINE = aws({"Fine": True})
HOST = "dynamodb.eu-west-1.amazonaws.com"
NAMES = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """AWS in a region, no proxy, no pause."""
    with monkeypatch.context() as changes:
        for name in (*NAMES, "NO_PROXY", "no_proxy", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL"):
            changes.delenv(name, raising=False)
        changes.setenv("AWS_REGION", "eu-west-1")
        changes.setenv("AWS_SESSION_TOKEN", "a-token")
        changes.setattr(client, "pause", lambda _: None)
        yield changes


@pytest.fixture
def proxy(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """It answers in the name of AWS, with a certificate that is good for it."""
    trusted = authority(tmp_path, "trusted")
    environment.setenv("AWS_CA_BUNDLE", str(trusted.path))
    with ScriptedServer(FINE, tls=server_context(trusted, tmp_path, HOST), is_proxy=True) as made:
        yield made


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_calls_of_aws_go_through_a_tunnel_of_the_proxy(
    proxy: ScriptedServer, environment: pytest.MonkeyPatch, name: str
) -> None:
    """What is in the tunnel is none of the proxy's business, not even the headers."""
    environment.setenv(name, proxy.address)
    caller = client.connect("dynamodb", attempt_seconds=60)
    for _ in range(2):
        assert caller.call("GetItem", {}) == {"Fine": True}

    tunnel, *calls = proxy.requests
    assert tunnel.head.startswith(f"CONNECT {HOST}:443 HTTP/1.1")
    assert tunnel.headers.keys() == {"host", "user-agent", "proxy-connection"}
    assert [call.head.partition("\r")[0] for call in calls] == ["POST / HTTP/1.1"] * 2
    assert proxy.connections == 1


def test_a_proxy_that_refuses_makes_aws_unreachable(environment: pytest.MonkeyPatch) -> None:
    with ScriptedServer(http(b"<html>No</html>", 403)) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.address)
        with pytest.raises(Unreachable, match="CONNECT"):
            client.connect("dynamodb", attempt_seconds=60).call("GetItem", {})
        assert {request.head.split()[0] for request in proxy.requests} == {"CONNECT"}


@pytest.mark.parametrize("exception", ["localhost", "example.com,.localhost", "*"])
def test_no_proxy_names_what_is_called_directly(
    proxy: ScriptedServer, environment: pytest.MonkeyPatch, tmp_path: Path, exception: str
) -> None:
    trusted = authority(tmp_path, "trusted")
    with ScriptedServer(FINE, tls=server_context(trusted, tmp_path)) as server:
        environment.setenv("AWS_ENDPOINT_URL", server.address)
        environment.setenv("HTTPS_PROXY", proxy.address)
        environment.setenv("NO_PROXY", exception)
        assert client.connect("dynamodb", attempt_seconds=60).call("GetItem", {}) == {"Fine": True}
        assert len(server.requests) == 1
    assert proxy.connections == 0


def test_an_endpoint_without_tls_is_called_directly(
    proxy: ScriptedServer, environment: pytest.MonkeyPatch
) -> None:
    """It is an emulator on this machine or beside it, whatever the environment names."""
    for name in NAMES:
        environment.setenv(name, proxy.address)
    with ScriptedServer(FINE) as server:
        environment.setenv("AWS_ENDPOINT_URL", server.address)
        assert client.connect("dynamodb", attempt_seconds=60).call("GetItem", {}) == {"Fine": True}
        assert len(server.requests) == 1
    assert proxy.connections == 0
