"""The answer page and the report draw the same blocks, in one order."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect import api
from resnet_inspect.analysis.page.blocks import BlockKind, blocks
from resnet_inspect.analysis.page.report import Steps, gather
from resnet_inspect.render.pages.answer_page import answer_page
from resnet_inspect.render.report.sections import ELSEWHERE, sections
from resnet_inspect.render.screen import Screen
from resnet_inspect.store.run import Run

Open = Callable[[str], Run]


@pytest.mark.parametrize("name", ["v2", "mean_axes", "diverged", "own_model"])
def test_titles_and_cells_of_both_are_the_same(name: str, recording: Open) -> None:
    run = recording(name)
    overview = api.summarize(run)
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    answer_page(Screen(file, width=400), run.info, overview, Path("a.db"))
    file.seek(0)
    page = file.read()
    report = gather(run.graph, run.lineage, overview, Steps(tuple(run.steps())))
    drawn = list(sections(run.info, report, "a.db"))[1:]  # the first are facts
    kinds = [block.kind for block in blocks(overview)]
    assert len(drawn) == len([kind for kind in kinds if kind not in ELSEWHERE])
    at = 0
    for section in drawn:
        if section["name"] == "findings" and not overview.findings:
            continue  # the answer page has a single line instead
        at = page.index(f"\n{section['title']}", at)
        for block in section["blocks"]:
            for row in block.get("rows", ()):
                for cell in row:
                    text = cell.get("layer", "") if isinstance(cell, dict) else cell
                    assert text in page[at:]


def test_each_block_has_its_own_anchor_and_failures_come_first(recording: Open) -> None:
    run = recording("mean_axes")
    kinds = [block.kind for block in blocks(api.summarize(run))]
    assert kinds[:3] == [BlockKind.FAILURE, BlockKind.WHY, BlockKind.FINDINGS]
    assert len(set(kinds)) == len(kinds)
    assert BlockKind.LEARNING not in kinds
