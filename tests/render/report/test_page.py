"""The report in a browser: it opens from disk, loads nothing, and works with mouse and keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from tests.recordings import outputs
from tests.render import hostile
from tests.render.browser import Open
from tests.store.test_run_files import info

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FIELDS = ("mean", "std", "min", "q0.01", "q0.05", "q0.25", "q0.5", "q0.75", "q0.95", "q0.99", "max")


def test_the_answer_page_is_there(open_page: Open) -> None:
    main = open_page("v2").text("main")
    for part in (
        "78,378 trainable of 79,050",
        "filters × 2²",
        "res20",
        "learning_rate",
        "batch_size",
        "2.21.0",
    ):
        assert part in main
    assert "No missing parts are known." not in main  # tensors were sampled


def test_a_click_on_a_layer_in_the_diagram_opens_its_panel(open_page: Open) -> None:
    opened = open_page("v2", width=1600)
    if not opened.page.query_selector("#picture svg"):
        pytest.skip("there is no Graphviz here")
    opened.page.click('#picture [data-layer="res20_branch1"] text >> nth=0')
    assert opened.text("#panel h2 >> nth=0") == "res20_branch1"
    assert opened.page.url.endswith("#layer=res20_branch1")
    assert opened.page.query_selector("#picture .current") is not None


def test_deep_links_and_going_back(open_page: Open) -> None:
    opened = open_page("v2", "#layer=Reshape")
    assert opened.text("#panel h2 >> nth=0") == "Reshape"
    opened.page.keyboard.press("Escape")
    assert not opened.page.is_visible("#panel")
    assert "#" not in opened.page.url
    opened.page.go_back()
    assert opened.text("#panel h2 >> nth=0") == "Reshape"
    missing = open_page("v2", "#layer=no%20such")
    assert missing.text("#panel h2") == "There is no layer no such"
    assert "%E0%A4%A" in open_page("v2", "#layer=%E0%A4%A").text("#panel h2")


def test_a_keyboard_is_enough(open_page: Open) -> None:
    page = open_page("v2").page
    press = page.keyboard.press
    focused = "document.activeElement.dataset.layer ?? document.activeElement.id"
    press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    press("/")
    assert page.evaluate(focused) == "search"
    page.keyboard.type("bn00")
    assert page.inner_text("#hits") == "2 of 31 layers"
    press("ArrowDown")
    assert page.evaluate(focused) == "bn00_branch2a"
    press("ArrowDown")
    assert page.evaluate(focused) == "bn00_branch2b"
    press("Enter")
    assert page.inner_text("#panel h2 >> nth=0") == "bn00_branch2b"
    assert page.evaluate("document.activeElement.textContent") == "bn00_branch2b"
    press("Escape")
    assert page.evaluate(focused) == "bn00_branch2b"
    press("/")
    press("Escape")
    assert page.inner_text("#hits") == ""
    page.focus("#tree [data-layer=bn00_branch2b]")
    for key, expected in (
        ("ArrowLeft", "res00"),
        ("ArrowLeft", "res00"),
        ("Home", "stem"),
        ("End", "dense1"),
    ):
        press(key)
        assert page.evaluate("document.activeElement.ariaLabel").startswith(expected), key


def test_the_slider_moves_the_histogram(open_page: Open) -> None:
    page = open_page("v2", "#layer=conv1").page
    page.focus("#step")
    assert page.inner_text("output") == "step 2 of 2"
    last = page.inner_text("#panel-distributions .pictures:nth-of-type(3) figcaption >> nth=0")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("output") == "step 1 of 2"
    assert page.get_attribute("#step", "aria-valuetext") == "step 1"
    before = page.inner_text("#panel-distributions .pictures:nth-of-type(3) figcaption >> nth=0")
    assert before.startswith("At step 1 mean")
    assert before != last


def test_tables_show_the_recorded_numbers(open_page: Open, recording: Callable[[str], Run]) -> None:
    page = open_page("v2", "#layer=relu00_branch2a").page
    history = outputs(recording("v2"), "relu00_branch2a")
    rows = table(page, "Statistics of all")
    assert [row[0] for row in rows] == ["0", "1", "2"]
    for row, summary in zip(rows, history.values(), strict=True):
        assert row[1:12] == expected(summary)
        assert row[12:17] == [f"{summary.count:,}", f"{summary.zeros:,}", "0", "0", "0"]
    cells = table(page, "Histogram as a table", "#panel")
    shares = [float(row[2].removesuffix(" %").removeprefix("<")) / 100 for row in cells]
    rest = history[2].zero_fraction
    assert sum(shares) == pytest.approx(1 - rest, abs=0.03)


def test_tables_of_synthetic_values_agree_with_numpy(open_page: Open, tmp_path: Path) -> None:
    run = hostile.write(tmp_path / "hostile.db")
    page = open_page(run, f"#layer={'a' * 300}").page
    for step, row in enumerate(table(page, "Statistics of all")):
        data = hostile.values(6, step)
        for at, value in ((1, data.mean()), (2, data.std()), (3, data.min()), (11, data.max())):
            assert row[at] == spelling.number(float(value), 4)


def expected(summary: TensorSummary) -> list[str]:
    """The cells of a step."""
    low, high = summary.min, summary.max
    assert low is not None
    assert high is not None
    quantiles = summary.sketch.quantiles((0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99))
    values = [summary.mean, summary.std, low, *(min(max(q, low), high) for q in quantiles), high]
    return [spelling.number(value, 4) for value in values]


def table(page: object, title: str, inside: str = "#panel") -> list[list[str]]:
    """Open a folded table and read its cells."""
    script = """([inside, title]) => {
      const made = [...document.querySelectorAll(`${inside} details`)].find(
        (fold) => fold.querySelector("summary").textContent.includes(title));
      made.open = true;
      made.dispatchEvent(new Event("toggle"));
      return [...made.querySelectorAll("tbody tr")].map(
        (row) => [...row.cells].map((cell) => cell.textContent));
    }"""
    rows: list[list[str]] = page.evaluate(script, [inside, title])  # type: ignore[attr-defined]
    return rows


def test_before_and_after_normalization(open_page: Open) -> None:
    page = open_page("v2", "#layer=bn00_branch2b", 1600).page
    page.check("input[name=view] >> nth=2", force=True)
    captions = page.locator("#panel-distributions .pictures >> nth=0").inner_text()
    assert "before: res00_branch2a" in captions
    assert "after: bn00_branch2b" in captions
    page.check("input[name=style][value=ridges]", force=True)
    assert "Each ridge is scaled" in page.inner_text("#panel-distributions")


def test_why_chains_of_axes(open_page: Open) -> None:
    page = open_page("v2", "#layer=Reshape").page
    page.click("#panel-axes summary >> nth=1")
    page.wait_for_selector("#panel-axes details >> nth=1 >> table.way")
    axis = page.inner_text("#panel-axes details >> nth=1")
    for part in (
        "filters × 2²",
        "res20_branch1/kernel axis 3",
        "origin",
        "16 → 17",
        "64 → 68",
        "appears a second time as filters × 2² in",
    ):
        assert part in axis


def test_the_shape_table_sorts_and_filters(open_page: Open) -> None:
    page = open_page("v2").page
    names = (
        "[...document.querySelectorAll('#shapes tbody tr')].map((row) => row.cells[0].textContent)"
    )
    everything = page.evaluate(names)
    assert len(everything) == 31
    page.fill("#filter", "conv2d 1×1")
    assert page.evaluate(names) == ["res10_branch1", "res20_branch1"]
    page.fill("#filter", "")
    page.click("#shapes th button >> nth=4")
    assert page.evaluate(names)[-1] != everything[-1]
    page.click("#shapes th button >> nth=4")
    assert page.evaluate(names)[0] == "res20_branch2b"
    assert page.get_attribute("#shapes th >> nth=4", "aria-sort") == "descending"
    page.check("input[name=depth][value=op]", force=True)
    assert "show the other" in page.inner_text("#shapes .shapes > button")
    assert "78,378" not in page.inner_text("#shapes tbody")
    assert "79,050" in page.inner_text("#shapes tfoot")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_and_the_choice_between_them(open_page: Open, scheme: str) -> None:
    page = open_page("v2", color_scheme=scheme).page
    paper = "getComputedStyle(document.body).backgroundColor"
    papers = {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}
    assert page.evaluate(paper) == papers[scheme]
    page.click("#theme")
    assert page.evaluate(paper) == papers["dark" if scheme == "light" else "light"]


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("hash_", ["", "#layer=bn10_branch1"])
def test_nothing_is_wider_than_the_window(open_page: Open, width: int, hash_: str) -> None:
    page = open_page("v2", hash_, width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 400:
        page.click("#contents > summary")
        assert page.is_visible("#tree")


def test_it_can_be_printed(open_page: Open) -> None:
    page = open_page("v2", "#layer=conv1").page
    made = page.pdf()
    assert made.startswith(b"%PDF")
    assert len(re.findall(rb"/Type ?/Page\b", made)) > 1
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    rows = page.locator("#panel-distributions details tbody tr")
    assert rows.count() == 48 + 3


@pytest.mark.parametrize("chosen", [False, True])
def test_print_is_light_in_the_diagram_too(open_page: Open, chosen: bool) -> None:
    page = open_page("v2", color_scheme="light" if chosen else "dark").page
    if not page.query_selector("#picture svg"):
        pytest.skip("there is no Graphviz here")
    if chosen:
        page.click("#theme")
    halo = "getComputedStyle(document.querySelector('#picture .labels text')).stroke"
    box = "getComputedStyle(document.querySelector('#picture .f-conv')).fill"
    assert page.evaluate(halo) == "rgb(13, 17, 23)"
    page.emulate_media(media="print")
    assert page.evaluate(halo) == "rgb(255, 255, 255)"
    assert page.evaluate(box) == "rgb(223, 240, 254)"


def test_numbers_and_headings_stay_whole_in_print(open_page: Open) -> None:
    page = open_page("v2", width=700).page
    page.emulate_media(media="print")
    style = "getComputedStyle(document.querySelector('{}')).{}"
    for cell in ("#shapes tfoot td.right", "#shapes tbody td.right", "#shapes thead th"):
        assert page.evaluate(style.format(cell, "whiteSpace")) == "nowrap", cell
        assert page.evaluate(style.format(cell, "overflowWrap")) == "normal", cell
    assert page.evaluate(style.format("#shapes tfoot", "display")) == "table-row-group"
    assert page.evaluate(style.format("#diagram h2", "position")) == "absolute"
    assert page.evaluate("document.querySelector('#shapes table').offsetWidth") <= 700


def test_hostile_names_are_text_everywhere(open_page: Open, tmp_path: Path) -> None:
    run = hostile.write(tmp_path / "hostile.db")
    for width in (400, 1600):
        opened = open_page(run, width=width)
        page = opened.page
        labels = page.eval_on_selector_all(
            "#tree [data-layer] .name", "all => all.map(n => n.textContent)"
        )
        assert labels == [printable(name) for name in hostile.NAMES]
        for at, name in enumerate(hostile.NAMES):
            page.evaluate("name => { location.hash = `#layer=${encodeURIComponent(name)}`; }", name)
            page.wait_for_function(
                "name => document.querySelector('#panel h2')?.textContent === name",
                arg=printable(name),
            )
            assert table(page, "Statistics of all")[0][0] == "0"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, at
        assert page.evaluate("window.owned") is None
        assert page.query_selector("img, b:has(> i), main script, #panel script") is None
        assert "\u202e" not in page.inner_text("body")
        spoken = "all => all.map(n => (n.ariaLabel ?? '') + (n.title ?? '')).join('')"
        assert "\u202e" not in page.eval_on_selector_all("body *", spoken)


def test_a_failed_run(open_page: Open) -> None:
    opened = open_page("mean_axes")
    main = opened.text("main")
    for part in (
        "Failed while building the network",
        "labels.shape",
        "disagree",
        "sparse_softmax",
        "no step ran",
    ):
        assert part in main
    opened.page.evaluate("location.hash = '#layer=Reshape'")
    opened.page.wait_for_selector("#panel:not([hidden])")
    assert "This run recorded no tensors." in opened.text("#panel")


def test_a_run_that_diverged(open_page: Open) -> None:
    opened = open_page("diverged", "#layer=bn20_branch2a", 1600)
    assert ": conv_block_stage0/bn00_branch2a" in opened.text("#not-finite")
    assert "not finite at 2 of 3 steps" in opened.text("#scalars")
    assert "65,536 not finite" in opened.text("#panel")


def test_an_interrupted_run_and_one_without_anything(open_page: Open, tmp_path: Path) -> None:
    opened = open_page(hostile.write(tmp_path / "hostile.db"))
    assert "was interrupted after step 2" in opened.text("#overview")
    writer = RunWriter.create(tmp_path / "empty.db", info())
    writer.finish(Status.INTERRUPTED)
    empty = open_page(tmp_path / "empty.db")
    assert "before the first step" in empty.text("#overview")
    assert "not recorded: the run ended before the graph was built" in empty.text("#not-observed")


def test_a_browser_that_cannot_unpack_the_data_shows_a_message(
    open_page: Open, browser: Browser, folder: Path
) -> None:
    open_page("v2")
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto((folder / "v2.html").as_uri())
    assert "needs JavaScript and a browser" in page.inner_text("#fallback")
    assert page.is_visible("h1")
    context.close()


def test_a_run_with_nan_is_marked_as_failed(open_page: Open) -> None:
    page = open_page("diverged").page
    assert "with values that are not finite" in page.inner_text("h1")
    assert page.query_selector("h1 .dot.failed") is not None
    assert "not finite" not in open_page("v2").page.inner_text("h1")


def test_in_a_narrow_window_names_and_shapes_can_be_read(open_page: Open) -> None:
    page = open_page("v2", width=400).page
    if page.query_selector("#picture svg"):
        scale = page.evaluate(
            "(() => { const svg = document.querySelector('#picture svg');"
            " return svg.clientWidth / svg.viewBox.baseVal.width; })()"
        )
        assert scale >= 0.69
    heads = page.locator(".shapes thead th:visible").all_inner_texts()
    assert heads[0].lower().startswith("name")
    assert "type" not in [head.lower() for head in heads]
    right = page.evaluate(
        "document.querySelector('.shapes tbody tr td:nth-child(3)').getBoundingClientRect().right"
    )
    assert right <= 400
