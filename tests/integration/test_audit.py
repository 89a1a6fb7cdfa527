"""`make audit` against stand-ins for the services that know vulnerabilities."""

from __future__ import annotations

import json
import os
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]


class Services(ThreadingHTTPServer):
    """OSV's and npm's; `vulnerable` names the packages that they know something about."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.vulnerable: set[str] = set()


class _Requests(BaseHTTPRequestHandler):
    server: Services

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = self.of_python(json.loads(body)) if self.path == "/osv" else self.of_node()
        content = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        """Npm asks for other versions of what depends on it: there are none."""
        self.send_error(404)

    def of_python(self, query: dict[str, Any]) -> dict[str, Any]:
        package = query["package"]
        if package["name"] not in self.server.vulnerable:
            return {}
        versions = [{"introduced": "0"}, {"fixed": "999"}]
        affected = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": versions}]}
        return {"vulns": [{"id": "PYSEC-1", "affected": [affected]}]}

    def of_node(self) -> dict[str, Any]:
        advisory = {
            "id": 1,
            "title": "A made-up fault",
            "severity": "high",
            "vulnerable_versions": "<999",
            "url": "https://example.com/1",
            "cwe": [],
            "cvss": {"score": 8, "vectorString": None},
        }
        return {name: [advisory] for name in self.server.vulnerable if name == "esbuild"}

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Services() as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def audit(services: Services, tmp_path: Path) -> tuple[bool, str]:
    environment = os.environ | {
        "NO_PROXY": "*",
        "PIP_AUDIT_OSV_URL": f"{services.address}/osv",
        "PIP_AUDIT_VULNERABILITY_SERVICE": "osv",
        "npm_config_cache": str(tmp_path),
        "npm_config_registry": services.address,
    }
    done = subprocess.run(
        ["make", "audit"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("vulnerable", "said"),
    [("", "found 0 vulnerabilities"), ("msgspec", "PYSEC-1"), ("esbuild", "A made-up fault")],
)
def test_the_audit_fails_on_a_known_vulnerability_of_any_pinned_package(
    services: Services, tmp_path: Path, vulnerable: str, said: str
) -> None:
    services.vulnerable = {vulnerable}
    passes, output = audit(services, tmp_path)
    assert said in output
    assert passes is not bool(vulnerable), output
    for requirements in (ROOT / "requirements").glob("*.txt"):
        assert f"--- requirements/{requirements.name}" in output
