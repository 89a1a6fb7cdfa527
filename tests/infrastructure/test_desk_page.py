"""The staff desk's page, as it is built and served."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from build_artifact import build_pages
from infrastructure.templates import ROOT
from orders.functions.desk import DeskSettings, desk_page, with_settings
from orders.http.pages import built_page
from prerequisites import missing

if TYPE_CHECKING:
    from pathlib import Path

    from orders.http.pages import Page

MOST_BYTES = 60_000
SOURCE = ROOT / "desk" / "src"
ISSUER = "https://staff.example.com/realms/a-shop"


class Elements(HTMLParser):
    """Attributes that make a browser load something, and the texts of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.comments: list[str] = []
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in {"src", "srcset", "href"}]
        self._within = "" if ("type", "application/json") in attrs else tag

    def handle_data(self, data: str) -> None:
        if self._within in self.inline:
            self.inline[self._within].append(data)

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._within = ""

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@pytest.fixture(scope="module")
def page() -> Page:
    """As it is served with a sign-in configured."""
    if shutil.which("node") is None:
        missing("Node.js is not installed, which builds the desk.")
    build_pages()
    desk_page.cache_clear()
    settings = DeskSettings(ISSUER, "desk", "openid offline_access", "", ISSUER, False)  # noqa: FBT003 - its fields in their order
    return with_settings(desk_page(), settings)


@pytest.fixture(scope="module")
def elements(page: Page) -> Elements:
    return Elements(page.html)


def test_it_is_small_on_the_wire(page: Page) -> None:
    size = len(base64.b64decode(page.gzip))
    print(f"{size} bytes")
    assert size <= MOST_BYTES


def test_it_loads_nothing(elements: Elements) -> None:
    assert elements.loaded
    assert not [url for url in elements.loaded if not url.startswith("data:")]
    (style,) = elements.inline["style"]
    assert not re.findall(r"@import|url\((?!['\"]?data:)", style)


def test_every_script_and_style_is_admitted_by_its_hash_and_nothing_else(
    page: Page, elements: Elements
) -> None:
    policy = dict(directive.split(" ", 1) for directive in page.content_security_policy.split("; "))
    for tag, texts in elements.inline.items():
        hashes = [f"'sha256-{_sha256(text)}'" for text in texts]
        assert policy[f"{tag}-src"].split() == hashes
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self' https://staff.example.com"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe-" not in page.content_security_policy


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.mark.parametrize("name", ["desk", "docs"])
def test_a_page_with_another_policy_is_another_page(page: Page, name: str) -> None:
    del page  # is built
    built = built_page(name)
    assert built.etag == f'"{_sha256(built.content_security_policy + built.html)}"'


def test_it_carries_the_licence_of_each_library_that_it_is_made_of(elements: Elements) -> None:
    imported = {
        name
        for file in SOURCE.rglob("*.ts*")
        for name in re.findall(r" from '(\w[\w-]*)", file.read_text())
    }
    assert {"preact", "uplot"} <= imported
    (notice,) = elements.comments
    for name in imported:
        folder = ROOT / "node_modules" / name
        version = json.loads((folder / "package.json").read_text())["version"]
        licence = next(folder.glob("LICEN[CS]E*")).read_text()
        assert f"{name} {version}\n" in notice
        assert licence.strip() in notice


def test_another_build_gives_the_same_bytes(page: Page, tmp_path: Path) -> None:
    del page  # is built
    built = ROOT / "src" / "orders" / "pages" / "desk.json"
    before = built.read_bytes()
    program = ["node", str(ROOT / "scripts" / "build_pages.js")]
    environment = os.environ | {"TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    subprocess.run(program, cwd=tmp_path, env=environment, check=True)
    assert built.read_bytes() == before
