"""SVG plots: valid, escaped, reproducible, and within their frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from resnet_inspect.render.plots.heat_map_svg import heat_map_svg
from resnet_inspect.render.plots.panels import Panel
from resnet_inspect.render.plots.ridges_svg import ridges_svg
from resnet_inspect.render.plots.scale import Kind
from resnet_inspect.render.svg import FONT, text_width
from resnet_inspect.store.run import Run
from tests.render.distributions import HOSTILE, ODD, moving, recorded

Open = Callable[[str], Run]
Golden = Callable[[str, str], None]
Draw = Callable[[str, list[Panel]], str]
NAMESPACE = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "desc", "style", "rect", "path", "text", "g"}
ATTRIBUTES = {
    "class", "role", "width", "height", "viewBox", "font-family", "font-size", "d", "x", "y",
    "text-anchor", "fill", "pointer-events", "shape-rendering", "transform",
}  # fmt: skip
both = pytest.mark.parametrize("draw", [ridges_svg, heat_map_svg])


def parsed(text: str) -> ElementTree.Element:
    """The parsed document; only known elements and attributes are allowed."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        assert element.tag.removeprefix(NAMESPACE) in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
    assert "url(" not in text
    assert not re.search(r"nan|inf[^i ]", "".join(e.get("d", "") for e in root.iter()))
    return root


@both
def test_real_numbers(recording: Open, golden: Golden, draw: Draw) -> None:
    run = recording("v2")
    panels = [
        Panel("bn00_branch2a", recorded(run, "bn00_branch2a"), "symlog"),
        Panel("relu00_branch2a", recorded(run, "relu00_branch2a")),
    ]
    text = draw("Before and after ReLU", panels)
    golden(f"plots/{draw.__name__.removesuffix('_svg')}.svg", text)
    root = parsed(text)
    assert root.get("role") == "img"
    assert root.get("font-family") == FONT
    assert [child.tag for child in root][:2] == [f"{NAMESPACE}title", f"{NAMESPACE}desc"]
    assert "prefers-color-scheme:dark" in text
    assert draw("Before and after ReLU", panels) == text


@both
@pytest.mark.parametrize("scale", ["linear", "symlog"])
@pytest.mark.parametrize("name", ODD)
def test_odd_rows(draw: Draw, name: str, scale: Kind) -> None:
    root = parsed(draw(name, [Panel(name, ODD[name], scale)] * 5))
    width, height = (float(part) for part in root.get("viewBox", "").split()[2:])
    for element in root.iter():
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        assert 0 <= x <= width
        assert 0 <= y <= height
        assert float(element.get("width", 1)) > 0
        assert float(element.get("height", 1)) > 0


@both
def test_texts_stay_within_the_frame(draw: Draw) -> None:
    for columns in (1, 2, 3, 9):
        panels = [Panel("W" * 300, ODD["hostile"]), Panel("mixed", ODD["mixed"])] * 2
        root = parsed(draw("W" * 300, panels, columns=columns))  # type: ignore[call-arg]
        for element in root.iter(f"{NAMESPACE}text"):
            shown = "".join(element.itertext()) if not len(element) else element[0].tail or ""
            x, long = float(element.get("x", 0)), text_width(shown)
            share = {"end": 1.0, "middle": 0.5}.get(element.get("text-anchor", ""), 0.0)
            assert x - share * long >= 0
            assert x + (1 - share) * long <= 900


@both
def test_hostile_names_are_text(draw: Draw) -> None:
    for name in HOSTILE:
        text = draw(name, [Panel(name, ODD["hostile"])])
        root = parsed(text)
        title = root.find(f"{NAMESPACE}title")
        assert title is not None
        assert (title.text or "").startswith(name[:1].replace("\u202e", "\\u202e"))
        assert "<script" not in text
        assert "</script" not in text
        assert "<img" not in text
        assert all(sign.isprintable() or sign == "\n" for sign in text)


@both
def test_many_steps_are_merged_into_labelled_groups(draw: Draw) -> None:
    rows = moving(101)
    text = draw("many", [Panel("x", rows)])
    root = parsed(text)
    titles = [title.text for title in root.iter(f"{NAMESPACE}title")]
    assert {"step 0…1", "step 0…2"} & set(titles)
    assert len(titles) < 101
    assert float(root.get("height", "0")) < 500


def test_numbers_outside_are_counted() -> None:
    text = ridges_svg("x", [Panel("x", moving(25))])
    assert re.search(r"outside −[\d.]+…[\d.]+: [\d,]+ below ‹, [\d,]+ above ›", text)


def test_later_ridges_are_in_front() -> None:
    root = parsed(ridges_svg("x", [Panel("x", moving(5))]))
    order = [element[0].text for element in root.iter(f"{NAMESPACE}path") if len(element)]
    assert order == [f"step {i}" for i in range(5)]


@both
def test_a_document_without_panels(draw: Draw) -> None:
    assert "no step was recorded" in draw("nothing", [])
