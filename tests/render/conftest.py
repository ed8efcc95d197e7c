"""Pages of runs, made once and opened in a browser."""

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


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this folder."""
    yield from tools.started()


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages that were made already."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def open_page(browser: Browser, folder: Path) -> Iterator[tools.Open]:
    """Makes the page of a run, or of two, once and opens it; at the end nothing was asked for, and
    nothing complained.
    """
    contexts = []
    seen: list[tools.Opened] = []

    def open_one(
        run: str | Path,
        hash_: str = "",
        width: int = 1000,
        other: str | Path | None = None,
        **options: str,
    ) -> tools.Opened:
        every = [run] if other is None else [run, other]
        sources = [FOLDER / f"{one}.db" if isinstance(one, str) else one for one in every]
        file = folder / f"{'+'.join(one.stem for one in sources)}.html"
        if not file.exists():
            with ExitStack() as stack:
                runs = [stack.enter_context(Run.open(source)) for source in sources]
                file.write_text(api.report(*runs), encoding="utf-8")
        found, context = tools.opened(browser, file, hash_, width, **options)
        contexts.append(context)
        seen.append(found)
        return found

    yield open_one
    for found in seen:
        assert [url for url in found.requests if not url.startswith("file:")] == []
        assert len(found.requests) == 1
        assert found.messages == []
    for context in contexts:
        context.close()
