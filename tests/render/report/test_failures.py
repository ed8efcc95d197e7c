"""The explanation of a crash in the report of one run and of two runs, in a browser."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from resnet_inspect.paths import printable
from resnet_inspect.render.pages.explanation_page import explanation_page
from resnet_inspect.store.run import Run
from resnet_inspect.stored import failure_of
from tests.crashes import EXAMPLES, write_run
from tests.recordings import FOLDER
from tests.render import hostile
from tests.render.browser import Open


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_section_has_the_lines_of_the_terminal(open_page: Open, scheme: str) -> None:
    page = open_page("units", color_scheme=scheme).page
    with Run.open(FOLDER / "units.db") as run:
        facts = failure_of(run)
    assert facts is not None
    verdict, lines = explanation_page(facts)
    assert page.inner_text("#failure h2") == "Failed while tracing the step of fit"
    assert page.inner_text("#failure .verdict") == verdict
    assert page.locator("#failure dt").all_inner_texts() == [line.label for line in lines]
    shown = [str(text) for text in page.locator("#failure dd").all_text_contents()]
    assert shown == [line.lead + line.text for line in lines]
    code = page.locator("#failure dd.code")
    assert code.count() == sum(line.code for line in lines)
    fonts = code.evaluate_all("all => all.map((one) => getComputedStyle(one).fontFamily)")
    assert all("monospace" in font for font in fonts)
    assert page.locator("#why").count() == 0


def test_it_is_before_the_findings_and_has_a_link(open_page: Open) -> None:
    page = open_page("units").page
    names = page.locator("main section").evaluate_all("all => all.map((section) => section.id)")
    assert names[:3] == ["overview", "failure", "findings"]
    assert "Failure" in page.inner_text("#sections")


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_window(open_page: Open, width: int) -> None:
    page = open_page("units", width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_of_two_runs_shows_it_for_each(open_page: Open) -> None:
    page = open_page("v2", other="units").page
    assert page.inner_text("#b-failed h2") == "B failed while tracing the step of fit"
    assert "axis 1 of output of Dense 'output' (5, 4)" in page.inner_text("#b-failed")
    assert page.locator("#a-failed").count() == 0


def test_hostile_texts_stay_text(open_page: Open, tmp_path: Path) -> None:
    failure = EXAMPLES["unknown"].failure
    assert failure.crash is not None
    name = hostile.NAMES[0]
    crash = msgspec.structs.replace(failure.crash, kind=name, message=name, cause=name)
    changed = msgspec.structs.replace(failure, kind=name, message=name, during=name, crash=crash)
    opened = open_page(write_run(tmp_path / "hostile_crash.db", changed))
    assert printable(name) in opened.page.inner_text("#failure")
    assert opened.page.evaluate("window.owned") is None
