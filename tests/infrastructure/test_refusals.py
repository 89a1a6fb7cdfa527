"""What is refused before it is deployed.

A stage with a stand-in token issuer never gets to AWS, no other stage gets that issuer, and none
gets settings by which no token could name its customer or mark staff.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from infrastructure.templates import ISSUER, ROOT, edited, osls, packaged, service
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OFFLINE_ISSUER = "https://issuer.invalid"
NOBODY_LISTENS = "http://127.0.0.1:9"
EMULATED_ISSUER = "http://127.0.0.1:4566/ap-southeast-1_stand-in"
USUAL = {
    "sls:stage": "local",
    "self:custom.productionStages": ["prod"],
    "param:customerIdClaim": "sub",
    "param:staffClaim": "cognito:groups",
    "param:staffValue": "staff",
}
# Resolves what infra/stage.js asks for as the framework would, with no more than is given.
RESOLVE_STAGE = """
const makeStage = require('./infra/stage.js');
const outcome = (given) =>
  makeStage({
    resolveVariable: async (variable) => given[variable.split(',')[0]] ?? '',
  }).then(() => null, (error) => error.message);
const all = JSON.parse(process.argv[1]);
Promise.all(all.map(outcome)).then((outcomes) => console.log(JSON.stringify(outcomes)));
"""


def refusals_of_stage(*given: Mapping[str, object]) -> list[str | None]:
    """What infra/stage.js says against each set of variables; None where it accepts them."""
    node = shutil.which("node")
    if node is None:
        missing("Node.js is not installed.")
    stages = [{**USUAL, **variables} for variables in given]
    result = subprocess.run(
        [node, "-e", RESOLVE_STAGE, json.dumps(stages)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    outcomes: list[str | None] = json.loads(result.stdout)
    return outcomes


@pytest.mark.parametrize("stage", ["prod", "dev"])
def test_an_issuer_that_only_this_machine_can_reach_is_refused(stage: str) -> None:
    issuers = [
        OFFLINE_ISSUER,
        EMULATED_ISSUER,
        "http://issuer.example.com",
        "https://localhost",
        "https://LOCALHOST:8443/",
        "https://issuer.localhost",
        "https://issuer.localhost.",
        "https://issuer.local",
        "https://issuer.internal",
        "https://issuer.test",
        "https://issuer",
        "https://127.0.0.1",
        "https://127.1",
        "https://0x7f000001",
        "https://2130706433",
        "https://[::1]",
        "https://10.0.0.1",
        "https://user:password@issuer.example.com",
        "https://issuer.example.com@127.0.0.1",
        "file:///etc/passwd",
        "issuer.example.com",
    ]
    given = [
        {"sls:stage": stage, source: issuer, "param:jwtAudience": "orders"}
        for issuer in issuers
        for source in ("param:jwtIssuer", "env:JWT_ISSUER")
    ]
    for variables, refusal in zip(given, refusals_of_stage(*given), strict=True):
        assert refusal is not None, variables
        assert 'Parameter "jwtIssuer"' in refusal


def test_an_issuer_on_a_public_host_is_accepted() -> None:
    issuers = [
        "https://cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_AbCdEf123",
        "https://tenant.eu.auth0.com/",
        "https://login.example.com:8443/realms/shop",
    ]
    given = [
        {"sls:stage": "prod", "param:jwtIssuer": issuer, "param:jwtAudience": "orders"}
        for issuer in issuers
    ]
    assert refusals_of_stage(*given) == [None] * len(issuers)


ISSUED = {"param:jwtIssuer": "https://issuer.example.com", "param:jwtAudience": "orders"}


def test_no_production_stage_ships_for_the_tokens_of_a_mock() -> None:
    stages = {"self:custom.productionStages": ["prod", "shop"], **ISSUED}
    mocked = [stages | {"sls:stage": stage, "param:payments": "mock"} for stage in ("prod", "shop")]
    for refusal in refusals_of_stage(*mocked):
        assert "it would ship what nobody paid for" in str(refusal)
    taken = [("prod", ""), ("prod", "none"), ("dev", "mock"), ("dev", "none"), ("local", "mock")]
    given = [stages | {"sls:stage": stage, "param:payments": value} for stage, value in taken]
    assert refusals_of_stage(*given) == [None] * len(taken)


@pytest.mark.parametrize("value", ["Mock", "MOCK", "mock ", "true", False, "stripe", "mock,none"])
@pytest.mark.parametrize("stage", ["prod", "dev", "local"])
def test_what_settles_payments_is_mock_or_none(stage: str, value: object) -> None:
    (refusal,) = refusals_of_stage({"sls:stage": stage, "param:payments": value, **ISSUED})
    shown = json.dumps(value).strip('"')
    assert refusal == f'Parameter "payments" is mock or none, not "{shown}".'


@pytest.mark.parametrize("stage", ["local", "offline"])
def test_no_list_makes_a_stage_of_this_machine_a_production_stage(stage: str) -> None:
    lists = [["prod", stage], [stage], ["local", "offline"]]
    # Whichever stage is deployed: the list itself is wrong.
    given = [
        {"sls:stage": deployed, "self:custom.productionStages": stages}
        for stages in lists
        for deployed in (stage, "prod")
    ]
    for refusal in refusals_of_stage(*given):
        assert refusal is not None
        assert "has a stand-in issuer: no production stage." in refusal


def test_a_stage_that_looks_like_the_local_one_gets_no_stand_in() -> None:
    stages = ["Local", "LOCAL", " local", "local ", "local/../prod", "", "1local", "a" * 17]
    refusals = refusals_of_stage(*({"sls:stage": stage} for stage in stages))
    for stage, refusal in zip(stages, refusals, strict=True):
        assert refusal == f'Stage "{stage}": use up to 16 of a-z, 0-9 and "-", a letter first.'
    needs_issuer = refusals_of_stage({"sls:stage": "local2"}, {"sls:stage": "offline-prod"})
    assert all("needs the OIDC issuer" in str(refusal) for refusal in needs_issuer)


@pytest.mark.parametrize("parameter", ["customerIdClaim", "staffClaim"])
class TestTheNameOfAClaim:
    def test_is_refused_where_no_token_can_have_it(self, parameter: str) -> None:
        texts = ["", " ", " sub", "sub ", "sub\n", "\u00a0sub", 1, True, ["sub"], {"sub": "sub"}]
        pointers = ["/", "//", "/a/", "/a//b", "//a", "/a~", "/a~2b", "/a~/b", "/~", "/a/b~x"]
        given: list[object] = [*texts, *pointers]
        refusals = refusals_of_stage(*({f"param:{parameter}": claim} for claim in given))
        for claim, refusal in zip(given, refusals, strict=True):
            assert refusal is not None, claim
            assert f'Parameter "{parameter}"' in refusal
            assert ("JSON Pointer" in refusal) == (claim in pointers)

    def test_is_accepted_in_every_form_that_issuers_have(self, parameter: str) -> None:
        names = ["sub", "cognito:groups", "https://shop.example.com/roles", "a~2b", "a.b", "a b"]
        pointers = ["/roles", "/realm_access/roles", "/a~1b/m~0n", "/roles/0", "/a b/ c"]
        given = [{f"param:{parameter}": claim} for claim in names + pointers]
        assert refusals_of_stage(*given) == [None] * len(given)


class TestTheValueOfStaff:
    def test_is_refused_where_no_claim_can_have_it(self) -> None:
        values = ["", " ", "\t", " staff", "staff ", "staff\n", "\u3000staff", 1, True, ["staff"]]
        for value, refusal in zip(
            values, refusals_of_stage(*({"param:staffValue": v} for v in values)), strict=True
        ):
            assert refusal is not None, value
            assert refusal.startswith('Parameter "staffValue" must be a text')

    @pytest.mark.parametrize("claim", ["scope", "scp", "/scope", "/scp"])
    def test_is_refused_where_it_is_several_scopes_or_none(self, claim: str) -> None:
        values = ["store staff", "store\tstaff", "store\u00a0staff", 'a"b', "a\\b", "café"]
        for refusal in refusals_of_stage(
            *({"param:staffClaim": claim, "param:staffValue": value} for value in values)
        ):
            assert refusal is not None
            assert refusal.startswith('Parameter "staffValue" is no single scope')
        accepted = {"param:staffClaim": claim, "param:staffValue": "https://shop/orders:staff"}
        assert refusals_of_stage(accepted) == [None]

    @pytest.mark.parametrize("claim", ["cognito:groups", "scopes", "/auth/scope", "scope/scp"])
    def test_may_have_a_blank_elsewhere(self, claim: str) -> None:
        given = {"param:staffClaim": claim, "param:staffValue": "store staff"}
        assert refusals_of_stage(given) == [None]


STAND_IN = "must be an https URL on a public host name"
UNPAID = "it would ship what nobody paid for"
NO_ISSUER = "needs the OIDC issuer whose tokens the API accepts: pass --param="
NO_PRODUCTION = "has a stand-in issuer: no production stage."


@pytest.mark.parametrize(
    ("stage", "change", "parameters", "variables", "refusal"),
    [
        ("prod", None, (), {}, NO_ISSUER),
        ("prod", None, (), {"JWT_ISSUER": ISSUER["JWT_ISSUER"]}, NO_ISSUER),
        ("prod", None, ("jwtIssuer=" + EMULATED_ISSUER,), ISSUER, STAND_IN),
        ("prod", None, (), ISSUER | {"JWT_ISSUER": OFFLINE_ISSUER}, STAND_IN),
        (
            "prod",
            ("\n  dev:\n", f"\n  prod:\n    jwtIssuer: {OFFLINE_ISSUER}\n  dev:\n"),
            (),
            ISSUER,
            STAND_IN,
        ),
        (
            "offline",
            ("productionStages: [prod]", "productionStages: [prod, offline]"),
            (),
            {},
            NO_PRODUCTION,
        ),
        ("local", ("staffValue: staff\n", "staffValue: ''\n"), (), {}, '"staffValue"'),
        ("local", ("staffClaim: cognito:groups\n", "staffClaim: /a~2b\n"), (), {}, '"staffClaim"'),
        ("local", ("customerIdClaim: sub\n", "customerIdClaim: ''\n"), (), {}, '"customerIdClaim"'),
        (
            "prod",
            None,
            ("staffClaim=scope", "staffValue=store staff"),
            ISSUER,
            "is no single scope",
        ),
        ("prod", None, ("payments=mock",), ISSUER, UNPAID),
        (
            "prod",
            ("\n  dev:\n", "\n  prod:\n    payments: mock\n  dev:\n"),
            (),
            ISSUER,
            UNPAID,
        ),
    ],
)
def test_packaging_refuses_it_whether_configured_passed_or_in_the_environment(
    stage: str,
    change: tuple[str, str] | None,
    parameters: tuple[str, ...],
    variables: dict[str, str],
    refusal: str,
) -> None:
    directory = edited(*change) if change else service()
    options = [f"--param={parameter}" for parameter in parameters]
    said = refused(directory, "package", "--stage", stage, *options, **variables)
    assert refusal in " ".join(said.split())


ELSEWHERE = "https://aws.example.com"
TO_AWS = "A stand-in token issuer cannot go to AWS"


@pytest.mark.parametrize(
    ("stage", "package", "endpoints", "said"),
    [
        ("local", "local", {"AWS_ENDPOINT_URL": ""}, TO_AWS),
        ("local", "local", {"AWS_ENDPOINT_URL": ELSEWHERE}, TO_AWS),
        ("offline", "offline", {"AWS_ENDPOINT_URL": ""}, TO_AWS),
        # One service's own address goes before the common one.
        (
            "local",
            "local",
            {"AWS_ENDPOINT_URL": NOBODY_LISTENS, "AWS_ENDPOINT_URL_LAMBDA": ELSEWHERE},
            TO_AWS,
        ),
        ("prod", "local", ISSUER, 'This was packaged for the stage "local"'),
        ("prod", "offline", ISSUER, 'This was packaged for the stage "offline"'),
        ("local", "local", {"AWS_ENDPOINT_URL": NOBODY_LISTENS}, "ECONNREFUSED"),
    ],
)
def test_a_stage_of_this_machine_is_deployed_to_the_emulated_aws_alone(
    stage: str, package: str, endpoints: dict[str, str], said: str
) -> None:
    assert said in refused_deployment(stage, packaged(package), **endpoints)


def refused_deployment(stage: str, package: Path, **variables: str) -> str:
    """What osls said when it failed to deploy what has been packaged; it can't reach AWS here."""
    return refused(
        service(),
        *("deploy", "--stage", stage, "--package", str(package)),
        AWS_ACCESS_KEY_ID="nobody",
        AWS_SECRET_ACCESS_KEY="none",
        AWS_ENDPOINT_URL_CLOUDFORMATION=NOBODY_LISTENS,
        AWS_ENDPOINT_URL_S3=NOBODY_LISTENS,
        AWS_ENDPOINT_URL_STS=NOBODY_LISTENS,
        **variables,
    )


def refused(directory: Path, *arguments: str, **variables: str) -> str:
    """What osls said when it failed."""
    result = osls(directory, *arguments, **variables)
    assert result.returncode != 0, result.stdout
    return result.stdout
