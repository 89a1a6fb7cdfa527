"""What `make smoke` makes of its environment, before it sends anything."""

from __future__ import annotations

import socket
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from gateway import token
from smoke.session import Session
from smoke.target import LEFT_SECONDS, Target, WrongUsage, read_target

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW: Final = 1_796_000_000
LATER: Final = {"exp": NOW + 3600}
SOUND: Final = {
    "API_URL": "https://api.example.com",
    "CUSTOMER_TOKEN": token({"sub": "cus_42"} | LATER),
    "STAFF_TOKEN": token({"sub": "ann", "cognito:groups": ["staff"]} | LATER),
}


def refusal(**changes: str | None) -> str:
    environment = {k: v for k, v in (SOUND | changes).items() if v is not None}
    with pytest.raises(WrongUsage) as refused:
        read_target(environment, NOW)
    text = str(refused.value)
    for given in (changes.get("CUSTOMER_TOKEN"), changes.get("STAFF_TOKEN")):
        assert not given or given not in text, "a token is printed"
    return text


@pytest.mark.parametrize(
    ("given", "used", "place"),
    [
        ("https://api.example.com/", "https://api.example.com", "api.example.com"),
        (" https://api.example.com/v1// ", "https://api.example.com/v1", "api.example.com"),
        (
            "https://a1b2.execute-api.eu-central-1.amazonaws.com",
            "https://a1b2.execute-api.eu-central-1.amazonaws.com",
            "eu-central-1",
        ),
        ("http://127.0.0.1:4566/_aws/x", "http://127.0.0.1:4566/_aws/x", "this machine"),
        ("http://localhost:3000", "http://localhost:3000", "this machine"),
        ("http://[::1]:3000", "http://[::1]:3000", "this machine"),
        ("HTTPS://API.Example.com:443/V1", "https://api.example.com/V1", "api.example.com"),
    ],
)
def test_an_address_is_used_in_its_normal_form(given: str, used: str, place: str) -> None:
    target = read_target(SOUND | {"API_URL": given}, NOW)
    assert (target.api, target.place) == (used, place)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "API_URL is not set. Type: make smoke API_URL=https://api.example.com"),
        ("  ", "API_URL is not set"),
        (
            "api.example.com/v1",
            "API_URL needs its scheme. Type: API_URL=https://api.example.com/v1",
        ),
        ("127.0.0.1:4566", "API_URL needs its scheme. Type: API_URL=http://127.0.0.1:4566"),
        ("[::1", "API_URL is no address"),
        ("http://api.example.com/v1", "clear text to api.example.com. Type: API_URL=https://api"),
        ("http://127.0.0.1.example.com", "clear text"),
        ("http://10.0.0.1", "clear text"),
        ("ftp://api.example.com", "API_URL is an https address, not ftp"),
        ("https://", "API_URL is no address"),
        ("https://api.example.com:port", "API_URL is no address"),
        ("https://[api", "API_URL is no address"),
        ("https://api..example.com", "API_URL is no address"),
        ("https://api example.com", "API_URL is no address"),
        ("https://☃.example.com", "API_URL is no address"),
        ("https://api.example.com/\x7f", "API_URL is no address"),
        ("https://ann:secret@api.example.com/v1", "Type: API_URL=https://api.example.com/v1"),
        ("https://api.example.com/desk#token=secret", "Type: API_URL=https://api.example.com/desk"),
    ],
)
def test_an_address_that_is_none_is_refused_with_what_to_type(given: str | None, says: str) -> None:
    text = refusal(API_URL=given)
    assert says in text
    assert "secret" not in text


@pytest.mark.parametrize("name", ["CUSTOMER_TOKEN", "STAFF_TOKEN"])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "is not set. make smoke needs an access token of a test customer"),
        (f"Bearer {SOUND['STAFF_TOKEN']}", "is the token alone, without the word Bearer"),
        ("opaque-token-of-auth0-without-an-audience", "is no JWT"),
        ("a.b.c", "is no JWT"),
        (token(["a", "list"]), "is no JWT"),
        (token({"exp": NOW - 50_000}), "expired 13 h ago. Get fresh tokens from the issuer; on"),
        (token({"exp": NOW + LEFT_SECONDS - 1}), "expires in 119 s, before a run would surely"),
        (token({"token_use": "id"} | LATER), "is an id token: the API takes access tokens"),
    ],
)
def test_a_token_that_cannot_work_is_refused(name: str, given: str | None, says: str) -> None:
    assert f"{name} {says}" in refusal(**{name: given})


def test_two_tokens_are_two_people() -> None:
    assert "the same token" in refusal(STAFF_TOKEN=SOUND["CUSTOMER_TOKEN"])


def test_whatever_claim_may_be_the_customers_id_is_a_candidate() -> None:
    claims: dict[str, Any] = {
        "iss": "https://issuer.example.com/",
        "https://shop.example.com/id": "cus_7",
        "app": {"customer": "cus_42", "roles": ["a"]},
        "sub": "auth0|123",
    }
    target = Target("https://api.example.com", token(claims), "")
    assert target.customer_ids == [
        ("sub", "auth0|123"),
        ("https://shop.example.com/id", "cus_7"),
        ("/app/customer", "cus_42"),
    ]


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What a proxy that the environment names is asked for. It closes each connection."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(4096).splitlines()[0])

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield asked
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_remote_api_is_asked_through_the_proxy_of_the_environment(proxy: list[bytes]) -> None:
    with (
        Session(Target("https://api.example.com", "", "")) as session,
        pytest.raises(httpx.TransportError),
    ):
        session.send("GET", "/health")
    assert proxy == [b"CONNECT api.example.com:443 HTTP/1.1"]


def test_nothing_on_this_machine_goes_through_a_proxy(proxy: list[bytes]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for host in ("127.0.0.1", "localhost", "[::1]"):
        with (
            Session(Target(f"http://{host}:{port}", "", "")) as session,
            pytest.raises(httpx.ConnectError),
        ):
            session.send("GET", "/health")
    assert proxy == []
