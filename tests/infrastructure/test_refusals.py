"""What is refused before it is deployed.

A stage with a stand-in token issuer never gets to AWS, no other stage gets that issuer, and none
gets settings by which no token could name its customer or mark staff.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infrastructure.stages import PARAMS, resolved
from infrastructure.templates import ISSUER, edited, osls, packaged, service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OFFLINE_ISSUER = "https://issuer.invalid"
NOBODY_LISTENS = "http://127.0.0.1:9"
EMULATED_ISSUER = "http://127.0.0.1:4566/ap-southeast-1_stand-in"
ISSUED = {"param:jwtIssuer": "https://issuer.example.com", "param:jwtAudience": "orders"}
DESK = {"sls:stage": "prod", "param:deskClientId": "the-desk", **ISSUED}
UNREACHABLE = [
    *(OFFLINE_ISSUER, EMULATED_ISSUER, "http://issuer.example.com", "file:///etc/passwd"),
    *("https://localhost", "https://LOCALHOST:8443/", "https://issuer", "issuer.example.com"),
    *(f"https://issuer.{end}" for end in ("localhost", "localhost.", "local", "internal", "test")),
    *(f"https://{ip}" for ip in ("127.0.0.1", "127.1", "0x7f000001", "2130706433", "10.0.0.1")),
    *("https://[::1]", "https://user:password@issuer.example.com"),
    "https://issuer.example.com@127.0.0.1",
    # What browsers or policies read otherwise than it looks.
    *("https://issuer.example.com;sandbox", "https://*.example.com", "https:issuer.example.com"),
    *("https://issuer.example.com\\x", "https://ISSUER.example.com", "https://müller.example.com"),
    *("https://issuer.example.com/?a=b", "https://issuer.example.com?", "https://a.example.com#b"),
    *(" https://issuer.example.com", "https://issuer.example.com ", "https://a..example.com"),
]
REACHABLE = [
    "https://cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_AbCdEf123",
    "https://tenant.eu.auth0.com/",
    "https://login.example.com:8443/realms/shop",
]
LOOKALIKES = ["Local", "LOCAL", " local", "local ", "local/../prod", "", "1local", "a" * 17]
CLAIMS = ("customerIdClaim", "staffClaim")
NO_TEXTS = ["", " ", " sub", "sub ", "sub\n", "\u00a0sub", 1, True, ["sub"], {"sub": "sub"}]
NO_POINTERS = ["/", "//", "/a/", "/a//b", "//a", "/a~", "/a~2b", "/a~/b", "/~", "/a/b~x"]
FORMS_OF_CLAIMS = [
    *("sub", "cognito:groups", "https://shop.example.com/roles", "a~2b", "a.b", "a b"),
    *("/roles", "/realm_access/roles", "/a~1b/m~0n", "/roles/0", "/a b/ c"),
]
SCOPES = ("scope", "scp", "/scope", "/scp")
NO_SCOPES = ["store staff", "store\u00a0staff", 'a"b', "a\\b", "café"]
TWO_PRODUCTIONS = {"self:custom.productionStages": ["prod", "shop"], **ISSUED}

# Several settings of a stage, and why each of them is refused; None where it is accepted.
CASES: dict[str, tuple[Sequence[Mapping[str, object]], str | None]] = {
    "an issuer that only this machine can reach": (
        [
            {"sls:stage": stage, source: issuer, "param:jwtAudience": "orders"}
            for stage in ("prod", "dev")
            for issuer in UNREACHABLE
            for source in ("param:jwtIssuer", "env:JWT_ISSUER")
        ],
        'Parameter "jwtIssuer"',
    ),
    "an issuer on a public host": (
        [{"sls:stage": "prod", **ISSUED, "param:jwtIssuer": issuer} for issuer in REACHABLE],
        None,
    ),
    "an audience that is missing, or there twice, or no text": (
        [
            {"sls:stage": "prod", **ISSUED, "param:jwtAudience": "", source: one}
            for one in (",", ",a", "a,", "a, ,b", " ", "\n", "a,b, a", 7, True, ["a"], {"a": "b"})
            for source in ("param:jwtAudience", "env:JWT_AUDIENCE")
            if isinstance(one, str) or source.startswith("param:")
        ],
        'Parameter "jwtAudience" is a text with one audience, or several',
    ),
    "an audience that the gateway doesn't take": (
        [
            {"sls:stage": "prod", **ISSUED, "param:jwtAudience": one}
            for one in ("a\nb", "orders,\0", "a" * 513, ",".join(map(str, range(51))))
        ],
        'Parameter "jwtAudience"',
    ),
    "as many audiences as the gateway takes": (
        [
            {"sls:stage": "prod", **ISSUED, "param:jwtAudience": one}
            for one in (",".join(map(str, range(50))), " web ,\tapp ", "api://orders", "a" * 512)
        ],
        None,
    ),
    "an address that is not the API's": (
        [{"sls:stage": "prod", **ISSUED, "param:publicBaseUrl": one} for one in UNREACHABLE],
        'Parameter "publicBaseUrl"',
    ),
    "origins as browsers send them": (
        [
            {"sls:stage": stage, **ISSUED, "param:corsOrigins": one}
            for stage in ("prod", "dev")
            for one in (
                *("", "https://shop.example.com", "https://a.example.com:8443 , https://b.example"),
                *(
                    "https://xn--mller-kva.example.com",
                    "https://localhost:3000",
                    "https://10.0.0.1",
                ),
            )
        ],
        None,
    ),
    "no origin": (
        [
            {"sls:stage": stage, **ISSUED, "param:corsOrigins": one}
            for stage in ("prod", "dev", "local", "offline")
            for one in (
                *("shop.example.com", "//shop.example.com", "localhost:3000", "*", "null"),
                *("https://*.example.com", "*.example.com", "https://*", "https://", "file:///a"),
                *("ftp://shop.example.com", "https://a b.example.com", "https://[::1]:3000"),
                *("https://a.example.com https://b.example.com", "https://a.example.com;b"),
                *("https://shop.example.com:port", "capacitor://localhost"),
                *("https://shop..example.com", "https://.."),
            )
        ],
        'Parameter "corsOrigins" names each origin, such as https://shop.example.com',
    ),
    "an origin otherwise than browsers send it": (
        [
            {"sls:stage": stage, **ISSUED, "param:corsOrigins": f"https://a.example.com, {one}"}
            for stage in ("prod", "dev")
            for one in (
                *("https://shop.example.com/", "https://shop.example.com/desk"),
                *("https://Shop.example.com", "HTTPS://shop.example.com"),
                *("https://shop.example.com:443", "https:shop.example.com"),
                *("https://shop.example.com?", "https://shop.example.com#a"),
                *("https://user@shop.example.com", "https://shop.\nexample.com"),
            )
        ],
        "browsers send https://shop.example.com, so write that, not ",
    ),
    "origins that are missing, or there twice, or no text": (
        [
            {"sls:stage": stage, **ISSUED, "param:corsOrigins": one}
            for stage in ("prod", "dev", "local")
            for one in (
                *(" ", ",", "https://a.example,", ",https://a.example", "https://a.example, "),
                *("https://a.example,,https://b.example", "https://a.example,https://a.example"),
                *(["https://a.example"], True, False, 0, 443, {"https": "a.example"}),
            )
        ],
        'Parameter "corsOrigins" is a text with one origin, or several',
    ),
    "http where customers are, where anybody can read along": (
        [
            {"sls:stage": "prod", **ISSUED, "param:corsOrigins": one}
            for one in ("http://shop.example.com", "http://localhost:3000")
        ],
        'Parameter "corsOrigins" names each origin, such as https://shop.example.com, not "http:',
    ),
    "http where no customers are": (
        [
            {"sls:stage": stage, **ISSUED, "param:corsOrigins": "http://localhost:5173"}
            for stage in ("dev", "local", "offline")
        ],
        None,
    ),
    "a parameter that there is not, for this stage or another": (
        [{"params": PARAMS | {stage: {"jwtIsuer": "?"}}} for stage in ("local", "prod")],
        ': no parameter is called "jwtIsuer". There are: jwtIssuer, jwtAudience,',
    ),
    "a parameter passed that there is not": (
        [{"passed": [one]} for one in ("logLevel =INFO", " logLevel=INFO", "LOGLEVEL=INFO", "a=b")],
        "--param: no parameter is called ",
    ),
    "a parameter passed in a way that the framework drops a part of": (
        [
            {"passed": [one]}
            for one in ("logLevel", "=INFO", "logLevel=", "logLevel=INFO\n", "a=\nb")
        ],
        'Write --param="name=value", with a value in one line, not "',
    ),
    "parameters as they may be": (
        [
            {"params": PARAMS | {"prod": None, "dev": {"logLevel": "ERROR"}}},
            {"passed": ["logLevel=INFO", "staffValue=a=b", "logLevel=ERROR"]},
        ],
        None,
    ),
    "a text that doesn't fit into an environment or a line of it": (
        [
            {**DESK, f"param:{name}": value}
            for name in ("customerIdClaim", "staffClaim", "staffValue", "deskClientId", "deskScope")
            for value in ("a" * 513, "ü" * 257, "a\tb", "a\nb", "a\0b", "a\x7fb")
        ],
        "must be a text of up to 512 bytes, without line breaks",
    ),
    "an address that doesn't fit into an environment": (
        [
            {**DESK, f"param:{name}": "https://issuer.example.com/" + "a" * 486}
            for name in ("jwtIssuer", "publicBaseUrl", "deskSignInOrigin")
        ],
        "must be a text of up to 512 bytes, without line breaks",
    ),
    "an address that is no text": (
        [
            {**DESK, f"param:{name}": value}
            for name in ("jwtIssuer", "publicBaseUrl", "deskSignInOrigin")
            for value in (443, True, ["https://issuer.example.com"], {"https": "issuer"})
        ],
        "must be an https URL on a public host name",
    ),
    "production stages that are no list": (
        [{"self:custom.productionStages": one} for one in ("prod", "", {"prod": True}, True)],
        '"productionStages" is a list such as [prod]',
    ),
    "a mock that settles payments in production": (
        [TWO_PRODUCTIONS | {"sls:stage": s, "param:payments": "mock"} for s in ("prod", "shop")],
        "it would ship what nobody paid for",
    ),
    "payments as the stage may have them": (
        [
            TWO_PRODUCTIONS | {"sls:stage": stage, "param:payments": value}
            for stage, value in (
                *(("prod", ""), ("prod", "none"), ("dev", "mock")),
                *(("dev", "none"), ("local", "mock")),
            )
        ],
        None,
    ),
    "payments by something else": (
        [
            {"sls:stage": stage, "param:payments": value, **ISSUED}
            for stage in ("prod", "dev", "local")
            for value in ("Mock", "MOCK", "mock ", "true", False, "stripe", "mock,none")
        ],
        'Parameter "payments" is mock or none, not "',
    ),
    "a level that no line has": (
        [
            {"param:logLevel": value}
            for value in ("DEBUG", "TRACE", "info", "INFO ", " INFO", "", False, 20, ["INFO"])
        ],
        'Parameter "logLevel" is INFO, WARNING or ERROR, not "',
    ),
    "a policy that can be a boundary": (
        [
            {"param:permissionsBoundary": one}
            for one in ("", "a", "Bound_+=,.@-1", "arn:aws:iam::123456789012:policy/path/to/bound")
        ],
        None,
    ),
    "what no policy of the account can be named": (
        [
            {"param:permissionsBoundary": one}
            for one in (
                *(" ", "a b", "bound ", "a/b", "a" * 129, True, "${AWS::AccountId}", "ü"),
                *("arn:aws:iam::123456789012:role/bound", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
                *("arn:aws:iam::123456789012:policy/", "arn:aws:sns:eu-west-1:123456789012:bound"),
            )
        ],
        'Parameter "permissionsBoundary" is the name or the ARN of a managed policy',
    ),
    "a topic or none": ([{"param:eventsTopic": one} for one in (True, "true", "false")], None),
    "neither a topic nor none": (
        [{"param:eventsTopic": value} for value in ("", "True", "yes", 1, 0, "true ", [True])],
        'Parameter "eventsTopic" is true or false, not "',
    ),
    "a desk or none": ([{"param:desk": one} for one in (True, False, "true", "false")], None),
    "neither a desk nor none": (
        [{"param:desk": value} for value in ("", "True", "yes", 1, 0, "true ", [True])],
        'Parameter "desk" is true or false, not "',
    ),
    "a client of the desk as issuers name them": (
        [
            DESK | {"param:deskClientId": one}
            for one in ("the-desk", "6f1c2c3e-0000-4000-8000-7a1b3c9f0000", "1a.apps.example.com")
        ],
        None,
    ),
    "a client of the desk that no issuer has": (
        [DESK | {"param:deskClientId": one} for one in NO_TEXTS if one != ""],
        'Parameter "deskClientId" must be a text',
    ),
    "a scope that signs in": (
        [
            DESK | {"param:deskScope": one}
            for one in ("openid", "openid offline_access", "api://orders/desk openid")
        ],
        None,
    ),
    "a scope that is no text": (
        [DESK | {"param:deskScope": one} for one in ("", " ", "openid ", "\topenid", True)],
        'Parameter "deskScope" must be a text',
    ),
    "a scope that signs nobody in": (
        [
            DESK | {"param:deskScope": one}
            for one in ("email", "OpenID", "openid  email", "openid,email", 'a"b')
        ],
        'Parameter "deskScope" is "openid", alone or among other scopes',
    ),
    "where the desk signs in": (
        [DESK | {"param:deskSignInOrigin": one} for one in ("", *REACHABLE)],
        None,
    ),
    "where no browser signs in": (
        [DESK | {"param:deskSignInOrigin": one} for one in (*UNREACHABLE, " ", True)],
        'Parameter "deskSignInOrigin"',
    ),
    "how to sign in without a client": (
        [
            {"param:deskScope": "openid email"},
            {"param:deskSignInOrigin": "https://login.example.com"},
        ],
        'have no effect without "deskClientId"',
    ),
    "how to sign in without a desk": (
        [
            {"param:desk": False, f"param:{name}": value}
            for name, value in (
                ("deskClientId", "the-desk"),
                ("deskScope", "openid a"),
                ("deskSignInOrigin", "https://login.example.com"),
            )
        ],
        'have no effect where "desk" is false',
    ),
    "a stage of this machine among the production stages, whichever is deployed": (
        [
            {"sls:stage": deployed, "self:custom.productionStages": stages}
            for stage in ("local", "offline")
            for stages in (["prod", stage], [stage], ["local", "offline"])
            for deployed in (stage, "prod")
        ],
        "has a stand-in issuer: no production stage.",
    ),
    "a stage's name that looks like the local one": (
        [{"sls:stage": stage} for stage in LOOKALIKES],
        ': use up to 16 of a-z, 0-9 and "-", a letter first.',
    ),
    "a stage's name that names its table like one that was restored": (
        [{"sls:stage": one} for one in ("restored", "restored-2", "dev-restored", "a-restored2")],
        ": tables that are restored have names like its own.",
    ),
    "a stage's name that begins like one of this machine": (
        [{"sls:stage": "local2"}, {"sls:stage": "offline-prod"}],
        "needs the OIDC issuer",
    ),
    "a claim that no token can have": (
        [{f"param:{claim}": value} for claim in CLAIMS for value in NO_TEXTS],
        'Claim" must be a text',
    ),
    "a claim that is no JSON Pointer": (
        [{f"param:{claim}": value} for claim in CLAIMS for value in NO_POINTERS],
        "is not a JSON Pointer",
    ),
    "a claim in any form that issuers have": (
        [{f"param:{claim}": value} for claim in CLAIMS for value in FORMS_OF_CLAIMS],
        None,
    ),
    "a value of staff that no claim can have": (
        [{"param:staffValue": value} for value in NO_TEXTS],
        'Parameter "staffValue" must be a text',
    ),
    "a value of staff that is several scopes or none": (
        [
            {"param:staffClaim": claim, "param:staffValue": value}
            for claim in SCOPES
            for value in NO_SCOPES
        ],
        'Parameter "staffValue" is no single scope',
    ),
    "a value of staff that is a scope, or has a blank in another claim": (
        [
            *(
                {"param:staffClaim": one, "param:staffValue": "https://shop/staff"}
                for one in SCOPES
            ),
            *(
                {"param:staffClaim": claim, "param:staffValue": "store staff"}
                for claim in ("cognito:groups", "scopes", "/auth/scope", "scope/scp")
            ),
        ],
        None,
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_stage_is_refused_or_accepted_with(what: str) -> None:
    given, refusal = CASES[what]
    for variables, outcome in zip(given, resolved(*given), strict=True):
        said = outcome["refusal"]
        if refusal is None:
            assert said is None, variables
        else:
            assert said is not None, variables
            assert refusal in said, variables


STAND_IN = "must be an https URL on a public host name"
UNPAID = "it would ship what nobody paid for"
NO_ISSUER = "needs the OIDC issuer whose tokens the API accepts: pass --param="
TYPING_ERROR = 'no parameter is called "jwtIsuer"'
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
            ("logLevel: INFO\n", f"logLevel: INFO\n  prod:\n    jwtIssuer: {OFFLINE_ISSUER}\n"),
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
        ("local", ("eventsTopic: false", "eventsTopic: 'on'"), (), {}, '"eventsTopic"'),
        ("local", None, ("eventsTopic=yes",), {}, '"eventsTopic"'),
        ("prod", None, ("jwtIsuer=https://issuer.example.com",), ISSUER, TYPING_ERROR),
        (
            "prod",
            ("logLevel: INFO\n", "logLevel: INFO\n  dev:\n    jwtIsuer: https://a.example.com\n"),
            (),
            ISSUER,
            TYPING_ERROR,
        ),
        ("prod", None, ("corsOrigins=https://shop.example.com/",), ISSUER, "browsers send https:"),
        (
            "local",
            ("corsOrigins: ''", "corsOrigins: [https://shop.example.com]"),
            (),
            {},
            '"corsOrigins" is a text',
        ),
        ("prod", None, (), ISSUER | {"JWT_AUDIENCE": "orders,"}, '"jwtAudience" is a text'),
        (
            "prod",
            ("logLevel: INFO\n", "logLevel: INFO\n  prod:\n    payments: mock\n"),
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
