"""GET /openapi.json and GET /docs."""

from __future__ import annotations

import base64
import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from orders import openapi
from orders.functions.settings import Settings
from orders.http.endpoint import endpoint
from orders.http.preconditions import read_condition
from orders.http.response import Response
from orders.openapi.document import openapi_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request

_PAGE_FILE: Final = Path(openapi.__file__).with_name("docs_page.json")
_CACHE: Final = {"Cache-Control": "public, max-age=300"}


class DocsPage(msgspec.Struct, rename="camel", frozen=True):
    """What scripts/build_docs_page.js wrote; `gzip` is the compressed page in base64."""

    content_security_policy: str
    etag: str
    gzip: str


@cache
def built_page() -> DocsPage:
    """Raises FileNotFoundError where the page was not built."""
    return msgspec.json.decode(_PAGE_FILE.read_bytes(), type=DocsPage)


def route(
    settings: Settings, read_page: Callable[[], DocsPage] = built_page
) -> Callable[[Request], Response]:
    public_address = settings.public_address

    def handle(request: Request) -> Response:
        if request.route.endswith(" /docs"):
            return _page_response(request, read_page())
        return _document_response(request, request.base_address(public_address))

    return handle


def _document_response(request: Request, address: str) -> Response:
    content = msgspec.json.encode(openapi_document(address))
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {"ETag": etag, "Content-Type": "application/json"} | _CACHE
    return _unless_known(request, Response(200, content.decode(), headers))


def _page_response(request: Request, page: DocsPage) -> Response:
    headers = {
        "ETag": f"W/{page.etag}",  # weak: compressed or not, it is the same page
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": page.content_security_policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Encoding",
    } | _CACHE
    if _takes_gzip(request):
        response = Response(200, page.gzip, headers | {"Content-Encoding": "gzip"}, is_base64=True)
    else:
        text = gzip.decompress(base64.b64decode(page.gzip)).decode()
        response = Response(200, text, headers)
    return _unless_known(request, response)


def _unless_known(request: Request, response: Response) -> Response:
    """304 where the client has it. Raises MalformedRequest, PreconditionFailed."""
    client_has = read_condition(request)
    if not client_has(response.headers["ETag"]):
        return response
    kept = response.headers.keys() & {"ETag", "Cache-Control", "Vary"}
    return Response(304, headers={name: response.headers[name] for name in kept})


def _takes_gzip(request: Request) -> bool:
    """Whether Accept-Encoding names gzip without refusing it (RFC 9110, section 12.5.3)."""
    for coding in (request.header("accept-encoding") or "").lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "").rstrip("0") not in {"q=", "q=0."}
    return False


handler = endpoint(route(Settings()))
