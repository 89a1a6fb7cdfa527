"""GET /openapi.json and GET /docs."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from api import DOCS_HTML, DOCS_PAGE
from orders.functions import api_docs
from orders.functions.settings import Settings
from orders.http.endpoint import endpoint
from orders.openapi.document import openapi_document


def ask(path: str, public_address: str = "", method: str = "GET", **headers: str) -> dict[str, Any]:
    settings = Settings()
    vars(settings).update(public_address=public_address)
    handler = endpoint(api_docs.route(settings, lambda: DOCS_PAGE))
    return handler(
        {
            "routeKey": f"{method} {path}",
            "rawPath": path,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {
                "requestId": "r1",
                "domainName": "abc.execute-api.ap-southeast-1.amazonaws.com",
                "stage": "$default",
                "http": {"method": method},
            },
        },
        None,
    )


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_head_gets_the_headers_of_get_and_no_body(path: str, accepted: str) -> None:
    got = ask(path, accept_encoding=accepted)
    head = ask(path, method="HEAD", accept_encoding=accepted)
    assert (head["statusCode"], head["headers"]) == (200, got["headers"])
    assert (head["body"], head["isBase64Encoded"]) == ("", False)


def test_if_match_compares_strongly() -> None:
    tag = ask("/openapi.json")["headers"]["ETag"]
    assert ask("/openapi.json", if_match=tag)["statusCode"] == 200
    assert ask("/openapi.json", if_match='"other"')["statusCode"] == 412
    assert ask("/docs", if_match='W/"abc"')["statusCode"] == 412
    assert ask("/docs", if_match="*")["statusCode"] == 200
    assert ask("/docs", if_match="abc")["statusCode"] == 400


class TestDocument:
    def test_the_document_names_the_address_that_was_called(self) -> None:
        response = ask("/openapi.json")

        assert response["statusCode"] == 200
        assert response["headers"]["Content-Type"] == "application/json"
        address = "https://abc.execute-api.ap-southeast-1.amazonaws.com"
        assert json.loads(response["body"]) == json.loads(json.dumps(openapi_document(address)))

    def test_the_document_names_the_public_address_where_one_is_set(self) -> None:
        response = ask("/openapi.json", public_address="https://api.example.com/")
        assert json.loads(response["body"])["servers"] == [{"url": "https://api.example.com"}]

    def test_a_client_that_has_it_is_not_sent_it_again(self) -> None:
        first = ask("/openapi.json")

        again = ask("/openapi.json", if_none_match=first["headers"]["ETag"])

        assert (again["statusCode"], again["body"]) == (304, "")
        assert again["headers"]["ETag"] == first["headers"]["ETag"]
        assert ask("/openapi.json", if_none_match='"other"')["statusCode"] == 200

    def test_another_address_has_another_etag(self) -> None:
        first = ask("/openapi.json")["headers"]["ETag"]
        other = ask("/openapi.json", public_address="https://api.example.com", if_none_match=first)
        assert other["statusCode"] == 200


class TestPage:
    @pytest.mark.parametrize(
        "accepted", ["gzip", "br, gzip", "deflate, GZIP;q=0.5", "gzip;q=1.0, *;q=0"]
    )
    def test_the_page_is_compressed_for_a_client_that_accepts_gzip(self, accepted: str) -> None:
        response = ask("/docs", accept_encoding=accepted)

        assert response["isBase64Encoded"] is True
        assert response["headers"]["Content-Encoding"] == "gzip"
        assert gzip.decompress(base64.b64decode(response["body"])).decode() == DOCS_HTML

    @pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0", "gzip; q=0.000"])
    def test_the_page_is_plain_for_any_other_client(self, accepted: str) -> None:
        response = ask("/docs", accept_encoding=accepted)

        assert response["isBase64Encoded"] is False
        assert "Content-Encoding" not in response["headers"]
        assert response["body"] == DOCS_HTML

    def test_the_headers_say_what_the_page_may_load_and_that_it_varies(self) -> None:
        headers = ask("/docs")["headers"]
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert headers["Content-Security-Policy"] == "default-src 'none'"
        assert headers["Vary"] == "Accept-Encoding"

    @pytest.mark.parametrize("tag", ['W/"abc"', '"abc"', '"x", W/"abc"'])
    def test_a_client_that_has_it_is_not_sent_it_again(self, tag: str) -> None:
        response = ask("/docs", if_none_match=tag, accept_encoding="gzip")

        assert (response["statusCode"], response["body"]) == (304, "")
        assert response["isBase64Encoded"] is False
        assert response["headers"]["Vary"] == "Accept-Encoding"

    def test_the_log_of_a_page_that_was_not_built_names_the_missing_file(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        missing = api_docs._PAGE_FILE.with_name("not_built.json")
        monkeypatch.setattr(api_docs, "_PAGE_FILE", missing)
        api_docs.built_page.cache_clear()
        handler = endpoint(api_docs.route(Settings()))

        response = handler({"routeKey": "GET /docs", "requestContext": {"requestId": "r1"}}, None)

        assert response["statusCode"] == 500
        assert "not_built" not in response["body"]
        (failure,) = vars(caplog.records[0])["error"]
        assert failure["exception"] == "FileNotFoundError"
        assert any(frame.endswith(" built_page") for frame in failure["frames"])
