"""The built documentation: it builds without warnings, and no page loads from another host."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from docs.generator import write

ROOT = Path(__file__).parents[1]
PAGES = ("reference/rules.html", "how_it_works/verdicts.html", "glossary.html")
# Addresses that a page loads by itself, other than links to follow.
LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}


class Loads(HTMLParser):
    """The addresses that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a tag."""
        self.addresses += [value or "" for name, value in attrs if name == LOADED.get(tag)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from a copy of the documentation."""
    pytest.importorskip("mkdocs", reason="make docs installs MkDocs")
    folder = tmp_path_factory.mktemp("documentation")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "mkdocs.yml", folder)
    write(folder / "docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    built = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert built.returncode == 0, built.stderr  # a warning is an error
    return folder / "site"


def test_no_page_names_another_host_for_what_it_loads(site: Path) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert len(texts) > 30
    for path, text in texts.items():
        page = Loads()
        page.feed(text)
        assert page.addresses
        for address in page.addresses:
            assert not re.match(r"(https?:)?//", address), (path, address)


def test_no_style_loads_from_another_host(site: Path) -> None:
    for path in site.rglob("*.css"):
        for address in re.findall(r"url\(([^)]*)\)|@import ([^;]*)", path.read_text("utf-8")):
            assert "//" not in "".join(address) or "data:" in "".join(address), (path, address)


class Quiet(SimpleHTTPRequestHandler):
    """A handler that logs nothing."""

    def log_message(self, *_args: object) -> None:
        """Log nothing."""


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """The address of a server of the site on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_a_browser_asks_no_other_host_for_pages_and_search(address: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    requested: list[str] = []
    with sync_api.sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = opened.new_page()
        tab.on("request", lambda request: requested.append(request.url))
        for page in PAGES:
            tab.goto(f"{address}/{page}", wait_until="networkidle")
        tab.click(".md-search__input")
        tab.keyboard.type("relative update", delay=20)
        tab.wait_for_selector(".md-search-result__item")
        opened.close()
    assert any(url.endswith("search_index.json") for url in requested)
    assert all(url.startswith(address) for url in requested), requested
