"""Credentials outside of Lambda, which botocore finds and renews: what calls are signed with."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider

from orders.adapters.aws import client
from orders.environment import InvalidSetting
from scripted_server import ScriptedServer, aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripted_server import Connection, Sent

SOON = timedelta(minutes=1)
"""Credentials that end so soon are renewed before each use, even the first."""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(aws({})) as started:
        yield started


@pytest.fixture
def home(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """A person's environment whose own files are those of the test."""
    with monkeypatch.context() as changes:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            changes.delenv(name)
        changes.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        changes.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        changes.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.address)
        yield changes


def signers(server: ScriptedServer, calls: int = 1) -> list[tuple[str, str | None]]:
    """The key id and session token of each of some calls by one client."""
    caller = client.connect("dynamodb", attempt_seconds=60)
    for _ in range(calls):
        caller.call("GetItem", {})
    return [
        (_key_id(sent), sent.headers.get("x-amz-security-token"))
        for sent in server.requests[-calls:]
    ]


def _key_id(sent: Sent) -> str:
    found = re.search("Credential=([^/]+)/", sent.headers["authorization"])
    assert found
    return found[1]


def in_time(delay: timedelta) -> str:
    return (datetime.now(UTC) + delay).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_profile_is_found_in_either_file(
    server: ScriptedServer, home: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = "aws_access_key_id = {}\naws_secret_access_key = secret\n"
    (tmp_path / "config").write_text(f"[profile shop]\n{keys.format('SHOP')}")
    (tmp_path / "credentials").write_text(
        f"[default]\n{keys.format('DEFAULT')}[test]\n{keys.format('TEST')}aws_session_token = t\n"
    )
    assert signers(server) == [("DEFAULT", None)]
    home.setenv("AWS_PROFILE", "shop")
    assert signers(server) == [("SHOP", None)]
    home.setenv("AWS_PROFILE", "test")
    assert signers(server) == [("TEST", "t")]


@pytest.mark.usefixtures("home")
def test_without_any_credentials_there_is_no_client() -> None:
    with pytest.raises(InvalidSetting, match="no AWS credentials"):
        client.connect("dynamodb", attempt_seconds=1)


@pytest.mark.parametrize(
    ("lifetime", "used"),
    [(SOON, ["KEY2", "KEY3", "KEY4"]), (timedelta(hours=1), ["KEY1", "KEY1", "KEY1"])],
)
def test_a_process_gives_new_credentials_before_the_old_ones_end(
    server: ScriptedServer,
    home: pytest.MonkeyPatch,
    tmp_path: Path,
    lifetime: timedelta,
    used: list[str],
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import json, pathlib\n"
        f"runs = pathlib.Path({str(tmp_path / 'runs')!r})\n"
        "number = int(runs.read_text()) + 1 if runs.exists() else 1\n"
        "runs.write_text(str(number))\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'KEY{number}', 'SecretAccessKey': 's',\n"
        f"    'SessionToken': f'token{{number}}', 'Expiration': {in_time(lifetime)!r}}}))\n"
    )
    (tmp_path / "config").write_text(
        f'[profile shop]\ncredential_process = "{sys.executable}" "{program}"\n'
    )
    home.setenv("AWS_PROFILE", "shop")
    found = signers(server, calls=3)
    assert [key for key, _ in found] == used
    assert [token for _, token in found] == [f"token{key[3:]}" for key in used]


def test_a_containers_role_gives_new_credentials_before_the_old_ones_end(
    server: ScriptedServer, home: pytest.MonkeyPatch
) -> None:
    numbers = count(1)

    def role(connection: Connection, sent: Sent) -> bool:
        number = next(numbers)
        content = {"AccessKeyId": f"KEY{number}", "SecretAccessKey": "s", "Token": f"token{number}"}
        return aws(content | {"Expiration": in_time(SOON)})(connection, sent)

    with ScriptedServer(role) as container:
        home.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{container.address}role")
        home.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of the container")
        found = signers(server, calls=2)
        assert container.requests[0].headers["authorization"] == "of the container"
    assert found == [("KEY2", "token2"), ("KEY3", "token3")]


def test_sso_turns_a_cached_login_into_credentials(
    server: ScriptedServer, home: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As `aws sso login` leaves it; the portal is a stand-in."""
    login = {"accessToken": "of the login", "expiresAt": in_time(timedelta(hours=8))}
    login |= {"startUrl": "https://shop.awsapps.com/start", "region": "eu-west-1"}
    name = hashlib.sha1(b"shop", usedforsecurity=False).hexdigest()
    (tmp_path / f"{name}.json").write_text(json.dumps(login))
    for provider in (SSOProvider, SSOTokenProvider):
        home.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path))
    (tmp_path / "config").write_text(
        "[profile shop]\nsso_session = shop\nsso_account_id = 123456789012\nsso_role_name = Dev\n"
        "[sso-session shop]\nsso_start_url = https://shop.awsapps.com/start\n"
        "sso_region = eu-west-1\n"
    )
    home.setenv("AWS_PROFILE", "shop")
    numbers = count(1)

    def portal(connection: Connection, sent: Sent) -> bool:
        number = next(numbers)
        expires = int((datetime.now(UTC) + SOON).timestamp() * 1000)
        content = {"accessKeyId": f"KEY{number}", "secretAccessKey": "s", "expiration": expires}
        return aws({"roleCredentials": content | {"sessionToken": "t"}})(connection, sent)

    with ScriptedServer(portal) as sso:
        home.setenv("AWS_ENDPOINT_URL_SSO", sso.address)
        found = signers(server, calls=2)
        assert sso.requests[0].headers["x-amz-sso_bearer_token"] == "of the login"
        assert "role_name=Dev" in sso.requests[0].head
    assert found == [("KEY1", "t"), ("KEY2", "t")]
