"""Whatever goes wrong is one line that says what to do, and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import (
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOTokenLoadError,
)

from orderctl import stage as stages
from orderctl.__main__ import run
from orderctl.app import NothingToDo, Problem
from orderctl.aws import BotoClient
from orderctl.commands import show, triggers
from orders.adapters.aws.client import Refused, Unreachable
from orders.adapters.dynamodb.table import Table
from orders.application.errors import MalformedRow

if TYPE_CHECKING:
    from pathlib import Path

COMMAND: Final = ["pause", "settle-payments", "--stage", "prod"]


def response(code: str, message: str = "", **more: object) -> ClientError:
    content: Any = {"Error": {"Code": code, "Message": message}} | more
    return ClientError(content | {"ResponseMetadata": {"HTTPStatusCode": 400}}, "Query")


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (Problem("It is broken: mend it."), 1, "It is broken: mend it."),
        (NothingToDo("It is done."), 3, "It is done."),
        (NoCredentialsError(), 1, "No AWS credentials: Unable to locate credentials. Sign in"),
        (ProfileNotFound(profile="x"), 1, "No AWS credentials: The config profile (x)"),
        (
            CredentialRetrievalError(provider="sso", error_msg="expired"),
            1,
            "No AWS credentials: Error when retrieving credentials from sso",
        ),
        (SSOTokenLoadError(error_msg="none"), 1, "No AWS credentials: Error loading SSO Token"),
        (ConfigParseError(path="x"), 1, "No AWS credentials: Unable to parse config file: x"),
        (EndpointConnectionError(endpoint_url="https://x"), 1, "AWS is out of reach: "),
        (response("AccessDeniedException", "no"), 1, "You lack a right, for Query: no See"),
        (response("ExpiredTokenException"), 1, "AWS does not accept your credentials"),
        (response("Unforeseen", "odd"), 1, "AWS refused Query: Unforeseen: odd"),
        (MalformedRow("order X can't be read"), 1, "order X can't be read. See docs/runbook.md"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_fault_is_one_line_and_an_exit_code(
    error: Exception,
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_name: str | None) -> None:
        raise error

    monkeypatch.setattr(triggers, "find_stage", fail)

    assert run(COMMAND) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(says)
    assert printed.err.count("\n") == 1


class Refusing:
    """boto3's client, of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_item(self, **_parameters: object) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (response("AccessDeniedException", "no"), "You lack a right, for Query: no"),
        (response("ThrottlingException", "slow"), "AWS refused Query: ThrottlingException: slow"),
        (ReadTimeoutError(endpoint_url="https://x"), "AWS is out of reach: Read timeout"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_the_platforms_own_adapters_meet_is_explained_by_its_first_cause(
    error: Exception,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table(BotoClient(Refusing(error)), "orders_app")
    monkeypatch.setattr(triggers, "find_stage", lambda _name: table.get({"pk": "a", "sk": "b"}))

    assert run(COMMAND) == 1
    assert capsys.readouterr().err.startswith(says)


def test_the_adapters_learn_why_a_transaction_was_canceled() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]
    error = response("TransactionCanceledException", CancellationReasons=reasons)

    with pytest.raises(Refused) as refused:
        BotoClient(Refusing(error)).call("GetItem", {})

    assert refused.value.reasons == reasons
    with pytest.raises(Unreachable):
        BotoClient(Refusing(ReadTimeoutError(endpoint_url="x"))).call("GetItem", {})


def test_a_local_stack_that_does_not_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stages, "LOCAL_DIRECTORY", tmp_path)

    assert run(["pause", "settle-payments"]) == 1
    assert "start it with `make up`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "neither an order id nor an order number"),
        ("5VH7-9TDM-FW7P-3", "has a typing error"),
    ],
)
def test_what_names_no_order_is_wrong_usage(
    text: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(show, "find_stage", lambda _: None)

    assert run(["show", text]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["forget", "a#b"],
        ["list", "--customer", "a#b"],
        ["restore", "--from", "t", "--customer", "a#b"],
    ],
)
def test_what_is_no_customers_id_is_told_as_everywhere(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    assert run(arguments) == 2
    assert "A customer's id matches ^[A-Za-z0-9" in capsys.readouterr().err
