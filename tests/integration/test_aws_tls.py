"""Whose certificates are believed, against authorities made for the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from certificates import DAY, NOW, authority, server_context
from orders.adapters.aws import client
from orders.adapters.aws.client import ATTEMPTS, Unreachable
from scripted_server import ScriptedServer, aws

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from certificates import Authority

FINE: Final = aws({"Fine": True})
NOT_VERIFIED: Final = "curl 60"
"""CURLE_PEER_FAILED_VERIFICATION: https://curl.se/libcurl/c/libcurl-errors.html."""


@pytest.fixture
def known(tmp_path: Path) -> Authority:
    return authority(tmp_path, "known")


@pytest.fixture
def unknown(tmp_path: Path) -> Authority:
    return authority(tmp_path, "unknown")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """No proxy, no authority but Amazon's, and no pause."""
    with monkeypatch.context() as changes:
        for name in ("ALL_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            changes.delenv(name, raising=False)
            changes.delenv(name.lower(), raising=False)
        changes.delenv("AWS_CA_BUNDLE", raising=False)
        changes.setattr(client, "pause", lambda _: None)
        yield changes


def called(server: ScriptedServer, environment: pytest.MonkeyPatch, calls: int = 1) -> None:
    environment.setenv("AWS_ENDPOINT_URL", server.address)
    caller = client.connect("dynamodb", attempt_seconds=60)
    for _ in range(calls):
        assert caller.call("GetItem", {}) == {"Fine": True}


def refused(server: ScriptedServer, environment: pytest.MonkeyPatch) -> None:
    """Nothing of the request was sent, on any attempt."""
    with pytest.raises(Unreachable, match=NOT_VERIFIED):
        called(server, environment)
    assert server.connections >= ATTEMPTS
    assert server.requests == []


WRONG: dict[str, Callable[[Authority, Authority, Path], ssl.SSLContext]] = {
    "unknown authority": lambda _, unknown, path: server_context(unknown, path),
    "self-signed": lambda _, __, path: server_context(None, path),
    "wrong name": lambda known, _, path: server_context(known, path, "localhost.example.com"),
    "expired": lambda known, _, path: server_context(known, path, ends=NOW - DAY / 24),
    "not valid yet": lambda known, _, path: server_context(known, path, begins=NOW + DAY / 24),
}


@pytest.fixture(params=WRONG.values(), ids=[*WRONG])
def impostor(
    request: pytest.FixtureRequest, known: Authority, unknown: Authority, tmp_path: Path
) -> Iterator[ScriptedServer]:
    with ScriptedServer(FINE, tls=request.param(known, unknown, tmp_path)) as server:
        yield server


class TestWithAnAuthorityOfOnesOwn:
    """In AWS_CA_BUNDLE, as AWS's SDKs have it."""

    def test_its_certificates_are_accepted_over_one_connection(
        self, environment: pytest.MonkeyPatch, known: Authority, tmp_path: Path
    ) -> None:
        environment.setenv("AWS_CA_BUNDLE", str(known.path))
        with ScriptedServer(FINE, tls=server_context(known, tmp_path)) as server:
            called(server, environment, calls=2)
            assert server.connections == 1

    def test_anything_else_is_refused(
        self,
        environment: pytest.MonkeyPatch,
        known: Authority,
        unknown: Authority,
        impostor: ScriptedServer,
    ) -> None:
        """Even if the system trusts the other authority too."""
        environment.setenv("AWS_CA_BUNDLE", str(known.path))
        environment.setenv("SSL_CERT_FILE", str(unknown.path))
        refused(impostor, environment)

    def test_a_server_without_tls_gets_nothing(
        self, environment: pytest.MonkeyPatch, known: Authority
    ) -> None:
        environment.setenv("AWS_CA_BUNDLE", str(known.path))
        with ScriptedServer(FINE) as server:
            environment.setenv("AWS_ENDPOINT_URL", server.address.replace("http:", "https:"))
            with pytest.raises(Unreachable):
                client.connect("dynamodb", attempt_seconds=0.5).call("GetItem", {})
            assert server.connections_by_now(ATTEMPTS) >= ATTEMPTS
            assert not any("POST" in request.head for request in server.requests)

    def test_a_file_that_is_not_there_is_no_reason_to_trust_others(
        self, environment: pytest.MonkeyPatch, known: Authority, tmp_path: Path
    ) -> None:
        environment.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
        environment.setenv("SSL_CERT_FILE", str(known.path))
        with (
            ScriptedServer(FINE, tls=server_context(known, tmp_path)) as server,
            pytest.raises(Unreachable, match="curl 77"),
        ):
            called(server, environment)


class TestWithAmazonsAuthorities:
    """The default. Where they don't do, the system's are used, as after a change of Amazon's."""

    def test_an_authority_of_the_systems_is_accepted_and_that_is_logged_once(
        self,
        environment: pytest.MonkeyPatch,
        known: Authority,
        tmp_path: Path,
        output: Callable[[], str],
    ) -> None:
        environment.setenv("SSL_CERT_FILE", str(known.path))
        with ScriptedServer(FINE, tls=server_context(known, tmp_path)) as server:
            called(server, environment, calls=3)
            assert len(server.requests) == 3
            # The one that was refused, and the one that is used.
            assert server.connections == 2
        (line,) = output().splitlines()
        assert '"WARNING"' in line
        assert "not signed by Amazon" in line
        assert str(known.path) in line

    def test_anything_else_is_refused_even_so(
        self, environment: pytest.MonkeyPatch, known: Authority, impostor: ScriptedServer
    ) -> None:
        environment.setenv("SSL_CERT_FILE", str(known.path))
        refused(impostor, environment)

    def test_where_the_system_names_no_file_pycurls_is_used(
        self, environment: pytest.MonkeyPatch, known: Authority, tmp_path: Path
    ) -> None:
        """As on Debian, where OpenSSL's file does not exist."""
        environment.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
        with ScriptedServer(FINE, tls=server_context(known, tmp_path)) as server:
            refused(server, environment)
