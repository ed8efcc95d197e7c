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
    seen = api.summarize(run)
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    answer_page(Screen(file, width=400), run.info, seen, Path("a.db"))
    file.seek(0)
    page = file.read()
    report = gather(run.graph, run.lineage, seen, Steps(tuple(run.steps())))
    drawn = list(sections(run.info, report, "a.db"))[1:]  # the first are facts
    kinds = [one.kind for one in blocks(seen, failed=run.info.failure is not None)]
    assert len(drawn) == len([one for one in kinds if one not in ELSEWHERE])
    at = 0
    for one in drawn:
        if one["name"] == "findings" and not seen.findings:
            continue  # which the answer page says in one line
        at = page.index(f"\n{one['title']}", at)
        for block in one["blocks"]:
            for row in block.get("rows", ()):
                for cell in row:
                    text = cell.get("layer", "") if isinstance(cell, dict) else cell
                    assert text in page[at:]


def test_each_block_has_its_own_anchor_and_failures_come_first(recording: Open) -> None:
    run = recording("mean_axes")
    kinds = [one.kind for one in blocks(api.summarize(run), failed=True)]
    assert kinds[:3] == [BlockKind.FAILURE, BlockKind.WHY, BlockKind.FINDINGS]
    assert len(set(kinds)) == len(kinds)
    assert BlockKind.LEARNING not in kinds
