"""Fixtures: pages of runs, created once and opened in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from resnet_inspect import api
from resnet_inspect.store.run import Run
from tests.recordings import FOLDER
from tests.render import browser as tools

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.hookimpl(tryfirst=True)  # before slow tests are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that open a browser as slow."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for all tests of this folder."""
    yield from tools.started()


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of pages that were created already."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def open_page(browser: Browser, folder: Path) -> Iterator[tools.Open]:
    """A function that creates the page of one or two runs, once, and opens it.

    After the test, checks that no page requested another file or wrote to its console.
    """
    contexts = []
    pages: list[tools.Opened] = []

    def open_one(
        run: str | Path,
        hash_: str = "",
        width: int = 1000,
        other: str | Path | None = None,
        **options: str,
    ) -> tools.Opened:
        every = [run] if other is None else [run, other]
        sources = [FOLDER / f"{item}.db" if isinstance(item, str) else item for item in every]
        file = folder / f"{'+'.join(source.stem for source in sources)}.html"
        if not file.exists():
            with ExitStack() as stack:
                runs = [stack.enter_context(Run.open(source)) for source in sources]
                file.write_text(api.report(*runs), encoding="utf-8")
        page, context = tools.opened(browser, file, hash_, width, **options)
        contexts.append(context)
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        assert [url for url in page.requests if not url.startswith("file:")] == []
        assert len(page.requests) == 1
        assert page.messages == []
    for context in contexts:
        context.close()
