"""The pages that the API serves, as scripts/build_pages.js built them."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

import orders
from orders.http.preconditions import read_condition
from orders.http.response import Response

if TYPE_CHECKING:
    from orders.http.request import Request

CACHE: Final = {"Cache-Control": "public, max-age=300"}

_FOLDER: Final = Path(orders.__file__).with_name("pages")


class Page(msgspec.Struct, rename="camel", frozen=True):
    """`gzip` is the compressed HTML in base64, as Lambda returns it.

    `content_security_policy` admits the page's own scripts and styles, by their hashes.
    """

    content_security_policy: str
    etag: str
    gzip: str

    @property
    def html(self) -> str:
        return gzip.decompress(base64.b64decode(self.gzip)).decode()


def built_page(name: str) -> Page:
    """Raises FileNotFoundError where the page was not built."""
    return msgspec.json.decode((_FOLDER / f"{name}.json").read_bytes(), type=Page)


def page_response(request: Request, page: Page) -> Response:
    """Raises MalformedRequest, PreconditionFailed."""
    headers = {
        "ETag": f"W/{page.etag}",  # weak: compressed or not, it is the same page
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": page.content_security_policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Encoding",
    } | CACHE
    if _takes_gzip(request):
        response = Response(200, page.gzip, headers | {"Content-Encoding": "gzip"}, is_base64=True)
    else:
        response = Response(200, page.html, headers)
    return unless_known(request, response)


def unless_known(request: Request, response: Response) -> Response:
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
