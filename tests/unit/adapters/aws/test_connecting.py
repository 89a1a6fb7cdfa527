"""What the environment says about where calls go and who makes them; none is made here."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session
import pytest

from orders.adapters.aws import client
from orders.adapters.aws.credentials import Credentials, find_credentials
from orders.environment import InvalidSetting


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """That of a function."""
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("", "_DYNAMODB", "_SQS"):
        monkeypatch.delenv(f"AWS_ENDPOINT_URL{name}", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return monkeypatch


@pytest.mark.parametrize(
    ("service", "variables", "url", "region"),
    [
        (
            "dynamodb",
            {"AWS_REGION": "eu-west-1"},
            "https://dynamodb.eu-west-1.amazonaws.com/",
            "eu-west-1",
        ),
        (
            "sqs",
            {"AWS_DEFAULT_REGION": "us-gov-west-1", "AWS_REGION": ""},
            "https://sqs.us-gov-west-1.amazonaws.com/",
            "us-gov-west-1",
        ),
        (
            "sqs",
            {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"},
            "https://sqs.eu-west-1.amazonaws.com/",
            "eu-west-1",
        ),
        (
            "dynamodb",
            {"AWS_REGION": "cn-northwest-1"},
            "https://dynamodb.cn-northwest-1.amazonaws.com.cn/",
            "cn-northwest-1",
        ),
        (
            "sqs",
            {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            "http://127.0.0.1:1/",
            "eu-west-1",
        ),
        (
            "sqs",
            {
                "AWS_REGION": "eu-west-1",
                "AWS_ENDPOINT_URL": "http://127.0.0.1:1/",
                "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:2/",
                "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:3",
            },
            "http://127.0.0.1:2/",
            "eu-west-1",
        ),
    ],
)
def test_the_environment_says_where_a_service_is(
    environment: pytest.MonkeyPatch,
    service: str,
    variables: dict[str, str],
    url: str,
    region: str,
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    endpoint = client.connect(service, attempt_seconds=1)._endpoint
    assert (endpoint._url, endpoint._signed_as) == (url, f"aws:amz:{region}:{service}")


def test_without_a_region_there_is_no_client() -> None:
    with pytest.raises(InvalidSetting, match="AWS_REGION"):
        client.connect("dynamodb", attempt_seconds=1)


@pytest.mark.parametrize("token", [None, "", "a token"])
def test_credentials_of_the_environment_are_taken_as_they_are(
    environment: pytest.MonkeyPatch, token: str | None
) -> None:
    if token is not None:
        environment.setenv("AWS_SESSION_TOKEN", token)
    assert find_credentials()() == Credentials("AKID", "secret", token or "")


@pytest.mark.parametrize("secret", [None, ""])
def test_a_key_without_its_secret_is_an_invalid_setting(
    environment: pytest.MonkeyPatch, secret: str | None
) -> None:
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    if secret is not None:
        environment.setenv("AWS_SECRET_ACCESS_KEY", secret)
    with pytest.raises(InvalidSetting, match="AWS_SECRET_ACCESS_KEY"):
        find_credentials()


def test_what_is_answered_with_nothing_has_no_output_in_awss_model() -> None:
    models = [botocore.session.get_session().get_service_model(one) for one in client._TARGETS]
    silent = {
        name
        for model in models
        for name in model.operation_names
        if model.operation_model(name).output_shape is None
    }
    sources = Path(client.__file__).parents[1].rglob("*.py")
    called = {word for path in sources for word in re.findall(r'"(\w+)"', path.read_text())}
    assert called & silent == client._ANSWERED_WITH_NOTHING
