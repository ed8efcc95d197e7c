"""The page of two runs in a real browser, against `diff` and the recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from resnet_inspect import api
from resnet_inspect.graph import Graph, Op, Phase, TensorSpec
from resnet_inspect.render import spelling
from resnet_inspect.stats import StepRecord, Tap, TensorSummary
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from tests.recordings import outputs
from tests.render import hostile
from tests.render.browser import Open
from tests.store.test_run_files import info

if TYPE_CHECKING:
    from playwright.sync_api import Page

CELLS = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"


def cells(page: Page, selector: str) -> list[list[str]]:
    """The texts of a table's rows."""
    rows: list[list[str]] = page.eval_on_selector_all(f"{selector} tbody tr", CELLS)
    return rows


def test_the_summary_lists_the_differences(open_page: Open) -> None:
    opened = open_page("v1", other="v2")
    assert opened.text("h1").splitlines() == [
        "A: resnet8-v1: complete, v1.db",
        "B: resnet8-v2: complete, v2.db",
    ]
    assert opened.page.title().startswith("resnet8-v1 (v1.db) against resnet8-v2 (v2.db) – ")
    summary = opened.text("#summary")
    for part in ("ver 1 in A, 2 in B", "26 in both, 4 of them changed", "88 of 88 tensors differ"):
        assert part in summary
    assert cells(opened.page, "#settings > .wide") == [["≠ ver", "1", "2"]]


def test_a_run_against_itself_has_no_difference(
    open_page: Open, recording: Callable[[str], Run]
) -> None:
    opened = open_page("v2", other="v2")
    assert "No difference: settings, layers, sizes" in opened.text("#summary")
    count = len({*recording("v2").info.settings.values(), "loss"})  # with the recorded loss
    assert f"All {count} are equal in both runs." in opened.text("#settings")
    assert "All 100 tensors are equal (3 steps in common)." in opened.text("#distributions")
    marks = {row[0] for row in cells(opened.page, "#layers")}
    assert marks == {"= same"}
    assert opened.page.locator("#tree .sign").count() == 0


def test_layers_are_compared_as_by_diff(open_page: Open, recording: Callable[[str], Run]) -> None:
    page = open_page("v1", other="v2").page
    rows = {row[1]: row for row in cells(page, "#layers")}
    a, b = recording("v1"), recording("v2")
    diff = api.diff(a, b, every_step=True)
    assert {name for name, row in rows.items() if row[0] == "A only"} == {
        layer.name for layer in diff.graph.only_a
    }
    assert {name for name, row in rows.items() if row[0] == "B only"} == {
        layer.name for layer in diff.graph.only_b
    }
    assert len(rows) == diff.graph.aligned + len(diff.graph.only_a) + len(diff.graph.only_b)
    changes = {change.a: change for change in diff.graph.changed}
    for name, row in rows.items():
        mark = "same" if name not in changes else "rewired" if changes[name].rewired else "changed"
        assert mark in row[0] or "only" in row[0]
    params = {row.name: row.params for row in api.shapes(a).rows}
    shapes = {row.name: spelling.shape(row.shape) for row in api.shapes(b).rows}
    changed = rows["bn10_branch2a"]
    assert changed[3:7] == [
        "8×16×16×32",
        shapes["bn10_branch2a"],
        str(params["bn10_branch2a"]),
        "64",
    ]
    assert rows["conv1"][3:7] == ["8×32×32×16", "=", "448", "="]
    distances = {
        row.layer_a: row.distance for row in diff.distributions.rows if row.kind == "activation"
    }
    assert {name: row[7] for name, row in rows.items() if row[7]} == {
        name: spelling.number(apart, 2) for name, apart in distances.items() if name in rows
    }


def test_layers_can_be_chosen_filtered_and_sorted(open_page: Open) -> None:
    page = open_page("v1", other="v2").page
    page.locator("#layers .choice label", has_text="≠ changed 4").click()
    assert {row[0] for row in cells(page, "#layers")} == {"≠ changed"}
    page.locator("#layers .choice label", has_text="all").click()
    page.click("#layers th button >> nth=7")
    page.click("#layers th button >> nth=7")
    assert page.get_attribute("#layers th >> nth=7", "aria-sort") == "descending"
    apart = [float(row[7].replace("−", "-")) for row in cells(page, "#layers") if row[7]]
    assert apart == sorted(apart, reverse=True)
    page.fill("#filter", "only relu")
    assert {row[1][:4] for row in cells(page, "#layers")} == {"relu"}
    assert page.inner_text("#layers [role=status]") == "8 of 36 rows"


def test_distances_are_equal_to_diff_and_the_largest_is_first(
    open_page: Open, recording: Callable[[str], Run]
) -> None:
    page = open_page("v2", other="bn_axis").page
    rows = api.diff(recording("v2"), recording("bn_axis"), every_step=True).distributions.rows
    for kind in ("activation", "gradient", "weight"):
        page.locator("#distributions .choice label", has_text=f"{kind}s").click()
        shown = cells(page, "#distributions")
        expected = [row for row in rows if row.kind == kind]
        names = [row.tensor_a if kind == "weight" else row.layer_a for row in expected]
        assert [row[0] for row in shown] == names
        assert [row[2:6] for row in shown] == [
            [spelling.number(number, 2) for number in (row.distance, row.first, row.last, row.ks)]
            for row in expected
        ]


def opened_table(page: Page, title: str) -> list[list[str]]:
    """The rows of a folded table of the panel."""
    fold = page.locator("#panel details", has_text=title).first
    fold.locator("summary").first.click()
    fold.locator("tbody tr").first.wait_for()  # rows are added when it is opened
    rows: list[list[str]] = fold.locator("tbody tr").evaluate_all(CELLS)
    return rows


def test_both_distributions_share_a_scale_and_a_step(
    open_page: Open, recording: Callable[[str], Run]
) -> None:
    page = open_page("v1", "#layer=add10", other="v2").page
    runs = recording("v1"), recording("v2")
    summaries = [outputs(run, "add10") for run in runs]
    for step, key in ((2, None), (1, "ArrowLeft")):
        if key:
            page.focus("#step")
            page.keyboard.press(key)
        beside = cells(page, "#panel .together ~ *, #panel figure + .wide")
        for at, row in enumerate(beside):
            summary = summaries[at][step]
            assert row[0] == f"{'AB'[at]}, step {step}"
            values = [float(cell.replace("−", "-")) for cell in row[1:4]]
            assert values == pytest.approx([summary.mean, summary.std, summary.min], rel=5e-4)
        assert len(beside) == 2
    shares = np.array([
        [float(cell.replace("−", "-").replace("<", "").removesuffix(" %")) for cell in row]
        for row in opened_table(page, "Both distributions as a table")
    ])  # fmt: skip
    assert shares.shape == (48, 4)
    assert (shares[1:, 0] == shares[:-1, 1]).all()
    for at in (0, 1):
        summary = summaries[at][1]
        middles = shares[:, :2].mean(axis=1)
        mean = (shares[:, 2 + at] * middles).sum() / 100
        width = shares[0, 1] - shares[0, 0]
        assert mean == pytest.approx(summary.mean, abs=width)


def test_the_distance_over_the_steps_against_numpy(open_page: Open, tmp_path: Path) -> None:
    a, b = written(tmp_path / "a.db", 0.0), written(tmp_path / "b.db", 0.5)
    page = open_page(a, "#layer=one", other=b).page
    rows = opened_table(page, "Distances as a table")
    scale = np.sqrt(np.mean([np.std(numbers(step, s)) ** 2 for step in range(3) for s in (0, 0.5)]))
    for step, row in enumerate(rows):
        true = scipy_stats.wasserstein_distance(numbers(step, 0.0), numbers(step, 0.5)) / scale
        assert row[0] == str(step)
        assert float(row[1]) == pytest.approx(true, abs=0.07)
    label = page.get_attribute("#panel .charts svg[role=img]", "aria-label")
    assert label == (f"distance between A and B: {rows[0][1]} at step 0, {rows[2][1]} at step 2")


def numbers(step: int, shift: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The output of the only op of a written run; the shift grows with the steps."""
    return np.random.default_rng(step).normal(shift * step, 1, 4000)


def written(file: Path, shift: float, first: int = 0) -> Path:
    """A run of one op without layers, with three steps from `first` on."""
    spec = TensorSpec((4000,), "float32")
    writer = RunWriter.create(file, info())
    writer.graph(Graph(ops=(Op("one", "Relu", Phase.FORWARD, outputs=(spec,)),)), 0.1)
    for step in range(first, first + 3):
        tap = Tap("one", "activation", "one:0", output=True)
        summary = TensorSummary.of(numbers(step, shift))
        writer.step(StepRecord(step, 0.1, {"loss": 1.0 + shift * step}, {tap: summary}))
    writer.finish(Status.COMPLETE)
    return file


def test_without_a_common_step_each_run_is_shown_at_its_own(
    open_page: Open, tmp_path: Path
) -> None:
    a, b = written(tmp_path / "early.db", 0.5), written(tmp_path / "late.db", 0.5, first=7)
    opened = open_page(a, "#layer=one", other=b)
    panel = opened.text("#panel-distributions")
    assert "one at step 0 of A and step 7 of B" in panel
    assert "No distance: the runs have no common step" in panel
    assert "no scalar has a common step" in opened.text("#summary")
    assert "0 of the 3 recorded steps of A are in both" in opened.text("#not-observed")


def test_scalars_of_both_share_their_axes(open_page: Open, recording: Callable[[str], Run]) -> None:
    page = open_page("v1", other="v2").page
    loss = page.locator("#scalars figure").first
    courses = [list(recording(name).scalars()["loss"].values()) for name in ("v1", "v2")]
    ends = [" → ".join(spelling.number(value, 4) for value in (c[0], c[-1])) for c in courses]
    assert [line.strip() for line in loss.inner_text().split("\n")][:3] == [
        "loss",
        f"A {ends[0]}",
        f"B {ends[1]}",
    ]
    paths = loss.locator("svg[role=img] .line").evaluate_all("all => all.map(e => e.outerHTML)")
    points = [
        [float(p.split()[1]) for p in path.split('d="M')[1].split('"')[0].split("L")]
        for path in paths
    ]
    low, high = min(map(min, courses)), max(map(max, courses))
    for drawn, values in zip(points, courses, strict=True):
        expected = [88 - 76 * (value - low) / (high - low) for value in values]
        assert drawn == pytest.approx(expected, abs=0.06)
    dashes = "all => all.map(e => getComputedStyle(e).strokeDasharray)"
    styles = loss.locator("svg[role=img] .line").evaluate_all(dashes)
    assert styles[0] == "none"
    assert styles[1] != "none"


def test_findings_are_listed_by_run(open_page: Open) -> None:
    opened = open_page("v2", other="bn_axis")
    findings = opened.text("#findings")
    assert "None only in A." in findings
    assert "1 error only in B" in findings
    assert "batch-norm-axis" in findings
    opened.page.click("#findings .finding a")
    assert opened.text("#panel h2 >> nth=0") == "bn00_branch2a"
    both = open_page("bn_axis", other="bn_axis")
    assert "1 error in both" in both.text("#findings")


def test_a_failed_run_against_a_complete_one(open_page: Open) -> None:
    opened = open_page("v2", "#layer=Reshape", 1600, other="mean_axes")
    assert "B failed while building the network" in opened.text("#b-failed h2")
    assert "labels.shape" in opened.text("#b-failed")
    assert opened.text("h1").splitlines()[1].startswith("B: resnet8-v2: failed")
    assert opened.page.query_selector("h1 .dot.failed") is not None
    assert "B recorded no tensor at any step" in opened.text("#not-observed")
    not_compared = "Not compared: the runs have no recorded step in common."
    assert not_compared in opened.text("#distributions")
    assert "8×64 → 1×64" in opened.text("#tree [data-layer=Reshape]")
    assert "activation, only in A" in opened.text("#panel")
    assert "shape" in opened.text("#panel-changes")


def test_models_without_layers_are_compared_by_ops(open_page: Open) -> None:
    opened = open_page("own", "#layer=first%2FMatMul", 1600, other="own_model")
    assert "0 in both, 13 only in A, 14 only in B" in opened.text("#summary")
    assert opened.text("#layers h2") == "Ops"
    assert "Only A has this op." in opened.text("#panel")
    assert opened.page.locator("#panel svg.steps").count() == 1
    opened.page.fill("#search", "first matmul")
    assert opened.text("#hits") == "3 of 27 ops"
    assert "A only" in opened.text('#tree [data-layer="first/MatMul"]')


def test_both_graphs_are_drawn_with_marks_and_boxes_open_panels(open_page: Open) -> None:
    page = open_page("v1", width=1600, other="v2").page
    if not page.query_selector("#picture svg"):
        pytest.skip("there is no Graphviz here")
    ids = page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))
    shown = page.locator("#picture .side:visible")
    assert shown.count() == 1
    assert "only in A" in shown.inner_text()
    assert "≠ changed: shape, parameters, …" in shown.inner_text()
    page.locator("#diagram .choice label", has_text="B").click()
    assert shown.count() == 1
    assert "only in B" in shown.inner_text()
    assert "only in A" not in shown.inner_text()
    page.click('#picture .side:visible [data-layer="relu_final"] text >> nth=0')
    assert page.inner_text("#panel h2 >> nth=0") == "relu_final"
    assert page.locator("#picture .current:visible").count() == 1


def test_one_diagram_of_equal_graphs_shows_distances(
    open_page: Open, recording: Callable[[str], Run]
) -> None:
    page = open_page("v2", other="no_l2").page
    if not page.query_selector("#picture svg"):
        pytest.skip("there is no Graphviz here")
    assert page.locator("#picture svg").count() == 1
    rows = api.diff(recording("v2"), recording("no_l2"), every_step=True).distributions.rows
    apart = next(row for row in rows if (row.layer_a, row.kind) == ("dense1", "activation"))
    box = page.locator('#picture [data-layer="dense1"]').text_content() or ""
    assert f"distance {spelling.number(apart.distance, 2)}" in box


def test_a_keyboard_is_enough(open_page: Open) -> None:
    page = open_page("v1", other="v2").page
    press = page.keyboard.press
    press("/")
    page.keyboard.type("a only bn")
    assert page.inner_text("#hits") == "1 of 36 layers"
    press("Enter")
    assert page.inner_text("#panel h2 >> nth=0") == "bn_conv1"
    press("Escape")
    assert not page.is_visible("#panel")
    groups = page.locator('#tree [aria-label^="conv_block_stage0"]')
    assert groups.get_attribute("aria-label") == "conv_block_stage0, 7 differ"
    page.focus("#layers .choice input >> nth=0")
    press("ArrowRight")
    assert len({row[0] for row in cells(page, "#layers")}) == 1
    page.focus("#layers th button >> nth=1")
    press("Enter")
    assert page.get_attribute("#layers th >> nth=1", "aria-sort") == "ascending"


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("hash_", ["", "#layer=bn10_branch2a"])
def test_nothing_is_wider_than_the_window(open_page: Open, width: int, hash_: str) -> None:
    page = open_page("v1", hash_, width, other="v2").page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_and_marks_contrast_with_the_background(open_page: Open, scheme: str) -> None:
    page = open_page("v1", "#layer=conv1", 1600, other="v2", color_scheme=scheme).page
    of = "getComputedStyle(document.querySelector('{}')).{}"
    paper = page.evaluate(of.format("body", "backgroundColor"))
    for selector, kind in (("#scalars .line.b", "stroke"), ("#tree .sign", "color"),
                           ("#panel .together .histogram", "fill")):  # fmt: skip
        assert contrast(page.evaluate(of.format(selector, kind)), paper) >= 3


def contrast(first: str, second: str) -> float:
    """The ratio of two colours' luminances, as WCAG defines it."""
    lights = []
    for colour in (first, second):
        parts = np.array([int(part) for part in colour[4:-1].split(",")]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        lights.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_hostile_names_are_text_everywhere(open_page: Open, tmp_path: Path) -> None:
    a, b = hostile.write(tmp_path / "this.db"), hostile.write(tmp_path / "that.db")
    page = open_page(a, other=b).page
    for name in hostile.NAMES:
        page.evaluate("name => { location.hash = `#layer=${encodeURIComponent(name)}`; }", name)
        page.wait_for_selector("#panel .together", state="attached")
    assert page.evaluate("window.owned") is None
    assert page.query_selector("img, b:has(> i), main script, #panel script") is None
    assert "\u202e" not in page.inner_text("body")


def test_runs_without_a_graph_can_be_compared(open_page: Open, tmp_path: Path) -> None:
    files = tmp_path / "none.db", tmp_path / "nothing.db"
    for file in files:
        RunWriter.create(file, info()).finish(Status.INTERRUPTED)
    opened = open_page(files[0], other=files[1])
    assert "Neither run has a graph." in opened.text("#layers")
    assert "not recorded: the run ended before the graph was built" in opened.text("#not-observed")


def test_it_can_be_printed(open_page: Open) -> None:
    page = open_page("v1", "#layer=conv1", other="v2").page
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#scalars details tbody tr").count() == 3
