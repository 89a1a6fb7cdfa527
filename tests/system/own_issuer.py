"""An issuer that the API was not configured for, with a key of its own."""

from __future__ import annotations

import contextlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_KEY: Final = generate_private_key(65537, 2048)
OWN_KID: Final = "own"
OWN_JWK: Final[dict[str, Any]] = RSAAlgorithm.to_jwk(OWN_KEY.public_key(), as_dict=True) | {
    "kid": OWN_KID,
    "alg": "RS256",
    "use": "sig",
}


class OwnIssuer(ThreadingHTTPServer):
    """Publishes the public half of OWN_KEY, as any issuer does, and records the requests for it."""

    def __init__(self) -> None:
        self.asked_for: list[str] = []
        super().__init__(("127.0.0.1", 0), _OwnKeys)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _OwnKeys(BaseHTTPRequestHandler):
    server: OwnIssuer

    def do_GET(self) -> None:
        self.server.asked_for.append(self.path)
        discovery = {"issuer": self.server.url, "jwks_uri": f"{self.server.url}/jwks.json"}
        found = discovery if self.path.endswith("configuration") else {"keys": [OWN_JWK]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def own_issuer() -> Iterator[OwnIssuer]:
    """Run the issuer."""
    with OwnIssuer() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
