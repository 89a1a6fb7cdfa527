"""oidc-provider-mock, set up as shops' issuers are: JWTs for the API, public clients, CORS."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import flask
import jwt
import pytest
from jwt.algorithms import RSAAlgorithm
from oidc_provider_mock import User, _app, init_app
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from system.deployment import Deployment

CLIENT: Final = "the-desk"
STAFF: Final = "sally"
CUSTOMER: Final = "carl"
USERS: Final = {
    STAFF: User(sub=STAFF, claims={"cognito:groups": ["staff"]}),
    CUSTOMER: User(sub=CUSTOMER),
}


@dataclass
class IdentityProvider:
    """A running one, and what it was asked: the form of each request to its own endpoints."""

    lifetime: timedelta
    url: str = ""
    is_down: bool = False
    revokes: Event = field(default_factory=Event)
    """Unless it is set, who revokes a token gets no response."""
    authorizations: list[dict[str, str]] = field(default_factory=list)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    ended: list[dict[str, str]] = field(default_factory=list)
    app: flask.Flask = field(init=False)

    def renewals(self) -> list[dict[str, str]]:
        return [one for one in self.token_requests if one["grant_type"] == "refresh_token"]

    def __post_init__(self) -> None:
        self.revokes.set()
        self.app = app = flask.Flask("oidc_provider_mock")  # where its templates are
        app.secret_key = uuid4().bytes
        app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = self._access_token
        app.before_request(self._record)
        app.after_request(self._as_issuers_do)
        app.add_url_rule("/revoke", view_func=self._revoke, methods=["POST"])
        init_app(
            app,
            access_token_max_age=self.lifetime,
            user_claims=list(USERS.values()),
        )

    def token(self, person: str) -> str:
        """As it gives them to those who sign in."""
        with self.app.test_request_context():
            self.app.preprocess_request()
            return self._access_token(USERS[person])

    def _access_token(self, user: User, **_: object) -> str:
        """A JWT for the API; its own access tokens are random texts."""
        key = flask.g.oidc_provider_mock_storage.jwk
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": user.sub,
            "iat": now,
            "exp": now + int(self.lifetime.total_seconds()),
            "jti": str(uuid4()),
        }
        private = RSAAlgorithm.from_jwk(key.as_dict(is_private=True))
        return jwt.encode(claims | user.claims, private, "RS256", {"kid": key.thumbprint()})  # type: ignore[arg-type]  # of the private half

    def _record(self) -> tuple[str, int] | None:
        request = flask.request
        if self.is_down:
            return "", 503
        if request.path == "/oauth2/authorize" and request.method == "GET":
            self.authorizations.append(request.args.to_dict())
        if request.path == "/oauth2/token":
            self.token_requests.append(request.form.to_dict())
        if request.path == "/oauth2/end_session":
            self.ended.append(request.args.to_dict())
        return None

    def _revoke(self) -> str:
        token = flask.request.form["token"]
        self.revoked.append(token)
        self.revokes.wait()
        flask.g.oidc_provider_mock_storage.remove_refresh_token(token)
        return ""

    def _as_issuers_do(self, response: flask.Response) -> flask.Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        if flask.request.path == "/.well-known/openid-configuration" and response.is_json:
            configuration: dict[str, Any] = response.get_json()
            configuration["revocation_endpoint"] = f"{self.url}/revoke"
            response.set_data(flask.json.dumps(configuration))
        elif response.mimetype == "text/html":
            # The style of its pages would come from elsewhere.
            response.set_data(
                re.sub(r"<link.*?>", "", response.get_data(as_text=True), count=1, flags=re.DOTALL)
            )
        return response


@contextlib.contextmanager
def identity_provider(lifetime: timedelta) -> Iterator[IdentityProvider]:
    """Run one whose tokens live that long."""
    provider = IdentityProvider(lifetime)
    with pytest.MonkeyPatch.context() as changes:
        changes.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        # It knows no clients without a secret.
        for grant in (_app.AuthorizationCodeGrant, _app.RefreshTokenGrant):
            changes.setattr(grant, "TOKEN_ENDPOINT_AUTH_METHODS", ["none"])
        server = make_server("127.0.0.1", 0, provider.app, threaded=True)
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            provider.revokes.set()
            server.shutdown()
            thread.join()
            server.server_close()


@contextlib.contextmanager
def accepted(deployment: Deployment, issuer: str, audience: str = CLIENT) -> Iterator[None]:
    """Let the API accept the tokens of this issuer and no others."""
    # The emulator may close an idle connection just when it is used.
    gateway = deployment.stack.client("apigatewayv2", attempts=3)
    api = deployment.stack.api_url.rpartition("/")[2]
    (authorizer,) = gateway.get_authorizers(ApiId=api)["Items"]

    def put(configuration: object) -> None:
        gateway.update_authorizer(
            ApiId=api, AuthorizerId=authorizer["AuthorizerId"], JwtConfiguration=configuration
        )

    put({"Issuer": issuer, "Audience": [audience]})
    try:
        yield
    finally:
        put(authorizer["JwtConfiguration"])
