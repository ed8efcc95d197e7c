"""Addresses of the report in a browser: deep links, going back, names that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.recordings import TRAINED
from tests.render.browser import Open
from tests.render.report.test_panels import picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOCUS = "document.activeElement.closest('[data-layer]')?.dataset.layer ?? ''"


@pytest.mark.parametrize(
    ("hash_", "address"),
    [("#conv1", "layer"), ("#dense1/MatMul", "op"), ("#dense1%2Fkernel", "variable")],
)
def test_a_bare_name_opens_a_layer_an_op_or_a_variable(
    open_page: Open, hash_: str, address: str
) -> None:
    page = open_page("v2", hash_).page
    assert page.get_attribute("#panel", "aria-label") == address
    assert page.inner_text("#panel h2 >> nth=0") == hash_[1:].replace("%2F", "/")


@pytest.mark.parametrize("width", [400, 1000, 1600])
@pytest.mark.parametrize("hash_", ["#conv_1", "#layer=conv_1", "#op=dense1/Matmul"])
def test_a_missing_name_shows_the_page_and_similar_names(
    open_page: Open, hash_: str, width: int
) -> None:
    page = open_page("v2", hash_, width).page
    assert page.is_visible("#overview")
    assert page.inner_text("#panel h2").startswith("There is no ")
    near = page.locator("#panel a").all_inner_texts()
    assert near[0] == ("dense1/MatMul" if "op=" in hash_ else "conv1")
    assert 1 < len(near) <= 5
    lower = page.evaluate(
        "document.querySelector('#panel').getBoundingClientRect().bottom <= "
        "document.querySelector('#main').getBoundingClientRect().top + 1"
    )
    assert lower
    page.click("#panel a >> nth=0")
    page.wait_for_function(
        "n => document.querySelector('#panel h2').textContent === n", arg=near[0]
    )


def test_sections_are_no_names(open_page: Open) -> None:
    page = open_page("v2", "#shapes").page
    assert not page.is_visible("#panel")
    assert page.evaluate("scrollY") > 0
    page = open_page("v2", "#layer=conv1").page
    page.click("#sections a >> text=Settings")
    page.wait_for_selector("#panel", state="hidden")
    top = "document.querySelector('#settings').getBoundingClientRect().top"
    assert 0 <= page.evaluate(top) < 900


def follow_a_box(page: Page, name: str) -> tuple[int, int]:
    """Open a box of the diagram by keyboard; returns the scroll positions of page and diagram."""
    page.focus(f'#picture [data-layer="{name}"] a')
    page.evaluate("scrollTo(0, document.querySelector('#picture').offsetTop - 90)")
    here = "[scrollY, document.querySelector('#picture').scrollTop].map(Math.round)"
    before = page.evaluate(here)
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel:not([hidden])")
    return before[0], before[1]


@pytest.mark.parametrize("width", [400, 1000, 1600])
def test_closing_a_panel_leads_back_to_the_box_that_opened_it(open_page: Open, width: int) -> None:
    page = picture(open_page("v2", width=width)).page
    before = follow_a_box(page, "res20_branch1")
    assert before[0] > 100
    page.click("#panel .moves a >> nth=1")
    page.wait_for_function("document.querySelector('#panel h2').textContent !== 'res20_branch1'")
    page.keyboard.press("Escape")
    page.wait_for_selector("#panel", state="hidden")
    after = page.evaluate("[scrollY, document.querySelector('#picture').scrollTop]")
    assert after == pytest.approx(before, abs=3)
    assert page.evaluate(FOCUS) == "res20_branch1"


def test_closing_a_panel_leads_back_to_a_row_of_a_table(open_page: Open) -> None:
    page = open_page("v2").page
    page.focus("#shapes a >> text=res20_branch1")
    before = page.evaluate("scrollY")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel:not([hidden])")
    page.go_back()
    page.wait_for_selector("#panel", state="hidden")
    page.wait_for_function("before => Math.abs(scrollY - before) < 3", arg=before)
    assert page.evaluate("document.activeElement.textContent") == "res20_branch1"


def test_closing_a_panel_that_an_address_opened_sets_the_focus(open_page: Open) -> None:
    for width in (400, 1000):
        page = open_page("v2", "#layer=conv1", width).page
        page.keyboard.press("Escape")
        assert page.evaluate(f"document.activeElement.id || ({FOCUS})") in ("main", "conv1")


def test_the_picture_has_no_dead_links(open_page: Open) -> None:
    for run in ("v2", "mean_axes", "own_model"):
        page = picture(open_page(run, width=1600)).page
        dead = page.eval_on_selector_all(
            "#picture a[*|href]",
            "all => all.filter((one) => !one.closest('.opens') && "
            "one.getAttribute('xlink:href') !== '#failure').length",
        )
        assert dead == 0
        page.click("#picture #input-images text >> nth=0")
        page.wait_for_selector("#panel:not([hidden]) h2 >> text=images")
        assert "read by" in page.inner_text("#panel")
    page = open_page("mean_axes", width=1000).page
    page.click("#picture [id^=refused-] text >> nth=0")
    page.wait_for_function("location.hash === '#failure'")


@pytest.mark.parametrize("run", ["v2", "mean_axes", "own_model", *TRAINED])
def test_no_two_elements_have_one_id(open_page: Open, run: str) -> None:
    ids = open_page(run).page.eval_on_selector_all("[id]", "all => all.map(({ id }) => id)")
    assert sorted(ids) == sorted(set(ids))


def test_the_answer_comes_before_the_picture(open_page: Open) -> None:
    for run, first in (
        ("v2", ["overview", "findings"]),
        ("mean_axes", ["overview", "failure", "why", "findings"]),
    ):
        order = open_page(run).page.eval_on_selector_all(
            "main > section", "all => all.map((one) => one.id)"
        )
        assert order[: order.index("diagram")] == first


def test_tab_reaches_the_list_while_it_is_searched(open_page: Open) -> None:
    page = open_page("v2").page
    page.fill("#search", "dense")
    stop = "[...document.querySelectorAll('#tree [tabindex=\"0\"]')]"
    shown = f"{stop}.map((one) => one.getClientRects().length > 0 && one.dataset.layer)"
    assert page.evaluate(shown) == ["dense1"]
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "dense1"


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("conv2d 1x1", 2), ("conv2d 1×1", 2), ("32X32", 12), ("32×32", 12), ("9248", 1),
        ("9,248", 1), ("9,2", 4), ("->", 31),
    ],
)  # fmt: skip
def test_filters_accept_what_a_keyboard_can_type(open_page: Open, words: str, rows: int) -> None:
    page = open_page("v2").page
    page.fill("#filter", words)
    assert page.locator("#shapes tbody tr").count() == rows
