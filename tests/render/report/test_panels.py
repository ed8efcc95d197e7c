"""Panels of ops, variables and boxes in a real browser, and the page of a run without layers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from tests.analysis.deep_graphs import deep
from tests.recordings import FOLDER
from tests.render.browser import Open, Opened
from tests.store.test_run_files import info

BOXES = "#picture .node.opens"


@pytest.fixture(scope="module")
def deep_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of n=5, whose equal blocks are collapsed."""
    file = tmp_path_factory.mktemp("runs") / "deep.db"
    with Run.open(FOLDER / "v2.db") as run:
        graph = deep(run.graph, 5)
    writer = RunWriter.create(file, info())
    writer.graph(graph, 0.1)
    writer.finish(Status.COMPLETE)
    return file


def picture(opened: Opened) -> Opened:
    """The page, if there is a diagram in it."""
    if not opened.page.query_selector("#picture svg"):
        pytest.skip("there is no Graphviz here")
    return opened


def test_axes_of_a_layer_s_variables(open_page: Open) -> None:
    page = open_page("v2", "#layer=res20_branch1").page
    page.click("#panel-variables summary >> text=res20_branch1/kernel 1×1×32×64 float32, trained")
    page.click("#panel-variables details[open] summary >> text=axis 3 64 = filters × 2^stage")
    page.wait_for_selector("#panel-variables details[open] >> text=16 → 17")
    assert "64 = filters × 2^stage" in page.inner_text("#panel-variables")
    page.click("#panel-variables details[open] >> text=open its panel")
    page.wait_for_function("document.querySelector('#panel h2').textContent.endsWith('kernel')")
    assert page.url.endswith("#variable=res20_branch1%2Fkernel")
    assert "variable of layer res20_branch1" in page.inner_text("#panel")
    assert page.locator("#panel-axes details").count() == 4


def test_a_row_of_the_op_table_opens_the_op_s_panel(open_page: Open) -> None:
    page = open_page("v2", width=1600).page
    page.check("input[name=depth][value=op]", force=True)
    page.fill("#filter", "dense1/MatMul 8×64")
    page.click("#shapes tbody a >> text=/^dense1.MatMul$/")
    page.wait_for_selector("#panel:not([hidden]) h2 >> text=dense1/MatMul")
    assert page.url.endswith("#op=dense1%2FMatMul")
    panel = page.inner_text("#panel")
    for part in ("op of layer dense1", "8×64, 64×10 → 8×10", "dense1/MatMul/ReadVariableOp:0"):
        assert part in panel
    page.click("#panel-axes summary >> nth=1")
    page.wait_for_selector("#panel-axes table.way")
    way = page.inner_text("#panel-axes")
    assert "10 = classes" in way
    assert "dense1/kernel axis 1" in way
    page.click("#panel-axes a >> text=dense1/kernel axis 1")
    page.wait_for_selector("#panel h2 >> text=dense1/kernel")
    page.go_back()
    page.wait_for_selector("#panel h2 >> text=dense1/MatMul")


def test_ops_of_several_outputs_and_of_a_layer(open_page: Open) -> None:
    page = open_page("v2", "#layer=bn00_branch2a").page
    page.click("#panel-ops summary")
    page.click("#panel-ops a >> text=FusedBatchNormV3 >> nth=0")
    page.wait_for_selector("#panel h2 >> text=FusedBatchNormV3")
    assert page.locator("#panel-axes > details").count() == 6
    assert page.locator("#panel-axes > details >> nth=0").inner_text().startswith("output 0")
    missing = open_page("v2", "#op=no/such")
    assert missing.text("#panel h2") == "There is no op no/such"


def test_anchors_of_the_diagram_are_links_too(open_page: Open) -> None:
    page = open_page("v2", "#op-dense1~2f~MatMul").page
    assert page.inner_text("#panel h2 >> nth=0") == "dense1/MatMul"
    page = open_page("v2", "#layer-res20_branch1").page
    assert page.inner_text("#panel h2 >> nth=0") == "res20_branch1"


def test_a_box_that_stands_for_several_layers_lists_them(open_page: Open, deep_run: Path) -> None:
    page = picture(open_page(deep_run, width=1600)).page
    page.click('#picture [data-layer="res00_branch2a"] text >> nth=0')
    page.wait_for_selector("#panel:not([hidden]) h2 >> text=res00_branch2a ×5")
    rows = page.locator("#panel table >> nth=0 >> tbody tr td:first-child").all_inner_texts()
    assert rows == [
        "res00_branch2a",
        *(f"conv_block_stage0_copy{copy}_res00_branch2a" for copy in range(4)),
    ]
    page.click("#panel-blocks summary >> nth=2")
    page.wait_for_selector("#panel-blocks details[open] td")
    inside = page.locator("#panel-blocks details[open] td:first-child").all_inner_texts()
    assert "conv_block_stage0_copy1_bn00_branch2a" in inside
    assert "conv_block_stage0_copy1_add00" in inside
    page.click("#panel a >> text=copy2_res00_branch2a >> nth=0")
    page.wait_for_selector("#panel h2 >> text=conv_block_stage0_copy2_res00_branch2a")
    assert page.query_selector("#picture .current") is not None
    page.click("#panel a >> text=list them")
    page.wait_for_selector("#panel h2 >> text=res00_branch2a ×5")


def test_the_picture_names_no_flags(open_page: Open, deep_run: Path) -> None:
    for run in (deep_run, "own_model", "v2"):
        page = picture(open_page(run)).page
        assert not re.search(r"(^|\s)--\w", page.text_content("#picture") or "")
    opened = picture(open_page(deep_run))
    note = "(×N); click one to list all its layers"
    assert note in (opened.page.text_content("#picture") or "")


def test_a_run_without_layers(open_page: Open) -> None:
    opened = open_page("own_model", width=1600)
    page = opened.page
    order = page.eval_on_selector_all("main > section", "all => all.map((one) => one.id)")
    assert order == [
            "overview", "findings", "diagram", "shapes", "settings", "versions", "not-observed",
        ]  # fmt: skip

    assert page.locator("#contents > summary").inner_text() == "Ops and sections"
    assert "batch_size" not in opened.text("#settings")
    assert "images=8,16,16,3" in opened.text("#settings")
    page.fill("#search", "relu")
    assert page.inner_text("#hits") == "1 of 14 ops"
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel:not([hidden]) h2 >> text=stem/Relu")
    panel = opened.text("#panel")
    for part in ("small_model.py", "stem/Conv2D:0", "Distributions over the steps", "axis 3"):
        assert part in panel
    assert not page.is_visible("#step")
    assert "Statistics of the only step as a table" in panel
    page.goto(page.url.partition("#")[0] + "#op=head/split")
    page.wait_for_selector("#panel h2 >> text=head/split")
    labels = page.locator("input[name=view] + span").all_inner_texts()
    assert labels == ["activation of head/split:0", "activation of head/split:1"]
    page.goto(page.url.partition("#")[0] + "#op=stem/Conv2D/ReadVariableOp")
    page.wait_for_selector("#panel-variables summary >> text=kernel 3×3×3×8 float32, trained")


def test_the_diagram_of_a_run_without_layers_opens_ops(open_page: Open) -> None:
    page = picture(open_page("own_model", width=1600)).page
    every = page.locator(BOXES)
    assert every.count() == 9
    page.click('#picture [id="op-head~2f~concat"] text >> nth=0')
    page.wait_for_selector("#panel:not([hidden]) h2 >> text=head/concat")
    page.click("#panel-axes summary >> nth=3")
    page.wait_for_selector("#panel-axes table.way")
    assert "derived from" in page.inner_text("#panel-axes")
    assert page.locator("#picture .current").get_attribute("id") == "op-head~2f~concat"
    page.click("#input-images text >> nth=0")
    page.wait_for_selector("#panel h2 >> text=images")


@pytest.mark.parametrize("hash_", ["#op=head/MatMul", "#variable=kernel"])
def test_panels_fit_narrow_windows(open_page: Open, hash_: str) -> None:
    page = open_page("own_model", hash_, 400).page
    page.evaluate("document.querySelectorAll('#panel details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
