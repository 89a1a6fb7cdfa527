"""GET /openapi.json and GET /docs."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING

import pytest

from api import PAGE_HTML, Api
from gateway import request
from orders.functions import api_docs
from orders.functions.settings import Settings
from orders.http import pages
from orders.http.endpoint import endpoint
from written import log_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from api import Response


def get(path: str, public_address: str = "", **headers: str) -> Response:
    return Api(public_address).get(path, None, **headers)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_head_gets_the_headers_of_get_and_no_body(path: str, accepted: str) -> None:
    head = Api().head(path, None, accept_encoding=accepted)
    assert (head.status, head.text) == (200, "")
    assert head.headers == get(path, accept_encoding=accepted).headers


def test_if_match_compares_strongly() -> None:
    etag = get("/openapi.json").headers["ETag"]
    assert get("/openapi.json", if_match=etag).status == 200
    assert get("/openapi.json", if_match='"other"').status == 412
    assert get("/docs", if_match='W/"abc"').status == 412
    assert get("/docs", if_match="*").status == 200
    assert get("/docs", if_match="abc").status == 400


@pytest.mark.parametrize(
    ("path", "others"),
    [("/openapi.json", ['"other"']), ("/docs", ['"x"']), ("/docs", ['"abcd", W/"ab"'])],
)
def test_a_client_that_has_it_is_not_sent_it_again(path: str, others: list[str]) -> None:
    first = get(path, accept_encoding="gzip").headers
    for known in (first["ETag"], first["ETag"].removeprefix("W/"), f'"x", {first["ETag"]}'):
        response = get(path, if_none_match=known, accept_encoding="gzip")
        assert (response.status, response.text) == (304, "")
        assert response.headers["ETag"] == first["ETag"]
        assert response.headers.get("Vary") == first.get("Vary")
    for unknown in others:
        assert get(path, if_none_match=unknown).status == 200


class TestDocument:
    def test_the_document_names_the_address_that_was_called_or_else_is_configured(self) -> None:
        first = get("/openapi.json")
        assert first.json["servers"] == [{"url": "https://api.example.com"}]
        other = get("/openapi.json", "https://shop.example/", if_none_match=first.headers["ETag"])
        assert other.json == first.json | {"servers": [{"url": "https://shop.example"}]}
        assert other.headers["Content-Type"] == "application/json"


class TestPage:
    @pytest.mark.parametrize(
        "accepted", ["gzip", "br, gzip", "deflate, GZIP;q=0.5", "gzip;q=1.0, *;q=0"]
    )
    def test_the_page_is_compressed_for_a_client_that_accepts_gzip(self, accepted: str) -> None:
        response = get("/docs", accept_encoding=accepted)
        assert response.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(base64.b64decode(response.text)).decode() == PAGE_HTML

    @pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0", "gzip; q=0.000"])
    def test_the_page_is_plain_for_any_other_client(self, accepted: str) -> None:
        response = get("/docs", accept_encoding=accepted)
        assert "Content-Encoding" not in response.headers
        assert response.text == PAGE_HTML

    def test_the_headers_say_what_the_page_may_load_and_that_it_varies(self) -> None:
        headers = get("/docs").headers
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert headers["Content-Security-Policy"] == "default-src 'none'"
        assert headers["Vary"] == "Accept-Encoding"

    def test_the_log_of_a_page_that_was_not_built_names_the_missing_file(
        self, monkeypatch: pytest.MonkeyPatch, output: Callable[[], str]
    ) -> None:
        monkeypatch.setattr(pages, "_FOLDER", pages._FOLDER.with_name("not_built"))
        api_docs.docs_page.cache_clear()
        response = endpoint(api_docs.route(Settings()))(request("GET", "/docs"), None)
        assert response["statusCode"] == 500
        assert "not_built" not in response["body"]
        (failure,) = log_lines(output())[0]["error"]
        assert failure["exception"] == "FileNotFoundError"
        assert any(frame.endswith(" built_page") for frame in failure["frames"])
