"""The examples of the documentation run as shown, and print what the pages quote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, excerpt, pages, translations, with_blocks
from tests.docs.runner import Folder

pytestmark = pytest.mark.slow

RECORDS = re.compile(r"^resnet-inspect (trace|run) |^resnet-inspect trace$", re.MULTILINE)


def _marks(page: Path) -> list[pytest.MarkDecorator]:
    executed = [block for block in blocks(page.read_text(encoding="utf-8")) if block.runs]
    records = any(
        block.language == "python" or RECORDS.search(f"{block.text}\n{block.value}")
        for block in executed
    )
    return [pytest.mark.tensorflow] if records else []


PAGES = [pytest.param(page, id=str(page.relative_to(ROOT)), marks=_marks(page)) for page in pages()]


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    executed = {printed.block: printed for printed in Folder(tmp_path).execute(text)}
    last = None
    for block in blocks(text):
        if block in executed:
            last = executed[block]
            expected = int(block.value) if block.mark == "exit" else 0
            assert last.code == expected, f"{block.text}\n{last.out}\n{last.err}"
        elif block.mark == "output" and "full" not in block.value:
            assert last is not None
            printed = last.err if "stderr" in block.value else last.out
            assert _words(block.text) == _words(excerpt(printed, block.value)), block.text


@pytest.mark.parametrize(
    ("page", "original"),
    [pytest.param(*pair, id=str(pair[0].relative_to(ROOT))) for pair in translations().items()],
)
def test_translated_pages_have_the_blocks_of_the_original(page: Path, original: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert with_blocks(text, original.read_text(encoding="utf-8")) == text


def test_every_block_says_its_language() -> None:
    for page in pages():
        fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert all(fences[::2]), page
        assert not any(fences[1::2]), page


def test_files_of_the_tutorial_are_those_of_its_pages() -> None:
    for page in pages():
        for block in blocks(page.read_text(encoding="utf-8")):
            file = ROOT / "docs" / "tutorial" / block.value
            if block.mark == "file" and page.parent.name == "tutorial" and file.is_file():
                assert file.read_text(encoding="utf-8") == block.text


def _words(text: str) -> str:
    """A text without numbers, bars of histograms and the widths of columns."""
    text = re.sub(r"built in .*", "", text)  # in ms or in s
    text = re.sub(r"[▁▂▃▄▅▆▇█‹›]+", "▁", text)
    return " ".join(re.sub(r"[−-]?\d[\d.,]*(e[−+-]?\d+)?", "#", text).split())
