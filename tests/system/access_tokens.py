"""Tokens that no gateway may take: of others, of another time, and forged.

The user pool's private key is in the emulator's state; with it a token can be wrong in one thing
alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

from local_stack import CUSTOMER, PASSWORD
from system.deployment import claims_of
from system.own_issuer import OWN_JWK, OWN_KEY, OWN_KID

if TYPE_CHECKING:
    from system.deployment import Deployment, Json
    from system.own_issuer import OwnIssuer

HOUR: Final = 3600
SIGN_IN: Final = ["ALLOW_USER_PASSWORD_AUTH"]


def re_signed(deployment: Deployment, **changes: object) -> str:
    """The customer's own token with other claims (None: without), under the pool's signature."""
    token = deployment.customer.token
    kid = jwt.get_unverified_header(token)["kid"]
    claims = claims_of(token) | changes
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, _pool_key(deployment), "RS256", {"kid": kid})


def wrong_tokens(deployment: Deployment, issuer: OwnIssuer) -> dict[str, str]:
    """Tokens that every gateway must refuse, by what is wrong with them."""
    now = int(time.time())
    return {
        "expired": re_signed(deployment, iat=now - 2 * HOUR, exp=now - HOUR),
        "not valid before an hour": re_signed(deployment, nbf=now + HOUR),
        "issued in an hour": re_signed(deployment, iat=now + HOUR),
        "wrong issuer": re_signed(deployment, iss=issuer.url),
        "wrong audience": re_signed(deployment, aud="another"),
        "wrong client_id": re_signed(deployment, client_id="another"),
        "of another app client": _of_another_client(deployment),
        "of another user pool": _of_another_pool(deployment),
        "garbage": "garbage-that-is-as-long-as-a-token",
        "garbage in three parts": "a.b.c",
        **_altered(deployment),
        **_unsigned(deployment),
        **_signed_with_the_public_key(deployment),
        **_signed_with_an_own_key(deployment, issuer),
    }


def _altered(deployment: Deployment) -> dict[str, str]:
    """Under the signature of the customer's own token."""
    claims, staff = (claims_of(one.token) for one in (deployment.customer, deployment.staff))
    header, _, signature = deployment.customer.token.split(".")
    return {
        name: f"{header}.{_part(altered)}.{signature}"
        for name, altered in {
            "made another's": staff,
            "made staff's": claims | {"cognito:groups": ["staff"]},
            "prolonged": claims | {"exp": claims["exp"] + HOUR},
        }.items()
    }


def _unsigned(deployment: Deployment) -> dict[str, str]:
    header, claims, signature = deployment.customer.token.split(".")
    kid = jwt.get_unverified_header(deployment.customer.token)["kid"]
    none, none_in_capitals = (_part({"alg": alg, "kid": kid}) for alg in ("none", "NONE"))
    return {
        "alg none": f"{none}.{claims}.",
        "alg NONE": f"{none_in_capitals}.{claims}.",
        "alg none without kid": f"{_part({'alg': 'none'})}.{claims}.",
        "alg none, signed": f"{none}.{claims}.{signature}",
        "without a signature": f"{header}.{claims}.",
        "in two parts": f"{header}.{claims}",
    }


def _signed_with_the_public_key(deployment: Deployment) -> dict[str, str]:
    """Key confusion: valid if the verifier takes the issuer's key for the secret of HS256.

    By hand: pyjwt refuses to.
    """
    kid = jwt.get_unverified_header(deployment.customer.token)["kid"]
    signed = f"{_part({'alg': 'HS256', 'kid': kid})}.{_part(claims_of(deployment.customer.token))}"
    key = _pool_key(deployment).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk: Json = RSAAlgorithm.to_jwk(key, as_dict=True)
    secrets = {
        "PEM": pem,
        "PEM, stripped": pem.strip(),
        "PKCS #1": key.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "DER": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "JWK": json.dumps(jwk).encode(),
        "modulus": jwk["n"].encode(),
    }
    return {
        f"HS256 with the public key ({form})": (
            f"{signed}.{_base64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
        )
        for form, secret in secrets.items()
    }


def _signed_with_an_own_key(deployment: Deployment, issuer: OwnIssuer) -> dict[str, str]:
    claims = claims_of(deployment.customer.token)
    kid = jwt.get_unverified_header(deployment.customer.token)["kid"]
    jku = f"{issuer.url}/jwks.json"

    def own(header: Json, **changes: object) -> str:
        return jwt.encode(claims | changes, OWN_KEY, "RS256", header)

    return {
        "own key, the right kid": own({"kid": kid}),
        "own key, no kid": own({}),
        "own key, own kid": own({"kid": OWN_KID}),
        "own key, jwk": own({"kid": OWN_KID, "jwk": OWN_JWK}),
        "own key, jwk, the right kid": own({"kid": kid, "jwk": OWN_JWK | {"kid": kid}}),
        "own key, jku": own({"kid": OWN_KID, "jku": jku}),
        "own key, jku, the right kid": own({"kid": kid, "jku": jku}),
        "own key, own issuer": own({"kid": OWN_KID}, iss=issuer.url),
    }


def _pool_key(deployment: Deployment) -> RSAPrivateKey:
    """The key with which the emulated user pool signs access tokens."""
    keys = deployment.stack.directory / "state" / "cognito-pool-keys"
    path = keys / f"{deployment.outputs['LocalUserPoolId']}-access.pem"
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _of_another_client(deployment: Deployment) -> str:
    """The same user's, who has signed in to another app."""
    client = deployment.aws("cognito-idp").create_user_pool_client(
        UserPoolId=deployment.outputs["LocalUserPoolId"],
        ClientName="another",
        ExplicitAuthFlows=SIGN_IN,
    )["UserPoolClient"]["ClientId"]
    return deployment.tokens(CUSTOMER, client)["AccessToken"]


def _of_another_pool(deployment: Deployment) -> str:
    """That of a user with the same name, and staff there."""
    users = deployment.aws("cognito-idp")
    pool = users.create_user_pool(PoolName="another")["UserPool"]["Id"]
    client = users.create_user_pool_client(
        UserPoolId=pool, ClientName="another", ExplicitAuthFlows=SIGN_IN
    )["UserPoolClient"]["ClientId"]
    users.admin_create_user(UserPoolId=pool, Username=CUSTOMER, MessageAction="SUPPRESS")
    users.admin_set_user_password(
        UserPoolId=pool, Username=CUSTOMER, Password=PASSWORD, Permanent=True
    )
    users.create_group(UserPoolId=pool, GroupName="staff")
    users.admin_add_user_to_group(UserPoolId=pool, Username=CUSTOMER, GroupName="staff")
    return deployment.tokens(CUSTOMER, client)["AccessToken"]


def _part(content: Json) -> str:
    return _base64(json.dumps(content).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
