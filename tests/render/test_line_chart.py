"""Line charts: the position of every value, in a terminal and as SVG."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.render.plots.line_chart import GUTTER, ROWS, ends, line_chart, pair_chart
from resnet_inspect.render.plots.line_chart_svg import line_charts_svg

numbers = st.floats(-1e300, 1e300)
SVG = "{http://www.w3.org/2000/svg}"


def dots(lines: list[str], height: int) -> set[tuple[int, int]]:
    """The positions (x, y) of all dots; (0, 0) is lower left."""
    bits = {1: (0, 3), 2: (0, 2), 4: (0, 1), 64: (0, 0), 8: (1, 3), 16: (1, 2), 32: (1, 1),
            128: (1, 0)}  # fmt: skip
    positions = set()
    for row, line in enumerate(lines[:height]):
        for column, sign in enumerate(line[GUTTER:]):
            for bit, (x, y) in bits.items():
                if sign != " " and (ord(sign) - 0x2800) & bit:
                    positions.add((2 * column + x, ROWS * (height - 1 - row) + y))
    return positions


@given(
    st.dictionaries(st.integers(0, 1000), numbers, min_size=1, max_size=40),
    st.integers(20, 120),
    st.integers(2, 12),
)
def test_each_value_has_its_dot(values: dict[int, float], width: int, height: int) -> None:
    lines = [line.plain for line in line_chart(values, width, height)]
    assert all(len(line) <= width for line in lines)
    seen = dots(lines, height)
    first, last = min(values), max(values)
    low, high = min(values.values()), max(values.values())
    wide, tall = 2 * (width - GUTTER) - 1, ROWS * height - 1
    for step, value in values.items():
        x = round(wide * (step - first) / max(1, last - first))
        share = 0.5 if high == low else (value / 2 - low / 2) / (high / 2 - low / 2)
        assert any(abs(y - tall * share) <= 0.5 + 1e-6 for at, y in seen if at == x)
    columns = {x for x, _ in seen}
    assert columns == set(range(max(columns) + 1))  # neighbours are joined


courses = st.dictionaries(st.integers(0, 50), st.floats(-1e6, 1e6), min_size=1, max_size=20)


@given(courses, courses, st.integers(24, 100), st.integers(2, 8))
def test_two_courses_have_the_dots_of_each_on_the_axes_of_both(
    a: dict[int, float], b: dict[int, float], width: int, height: int
) -> None:
    lines = [line.plain for line in pair_chart({"A": a, "B": b}, width, height)]
    assert all(len(line) <= width for line in lines)
    ends_of = "".join(line[GUTTER:] for line in lines[:height])
    assert [ends_of.count(name) for name in "AB"] == [1, 1]
    seen = dots([line.replace("A", " ").replace("B", " ") for line in lines], height)
    steps, values = [*a, *b], [*a.values(), *b.values()]
    first, last, low, high = min(steps), max(steps), min(values), max(values)
    wide, tall = 2 * (width - GUTTER - 2) - 1, ROWS * height - 1
    for course in (a, b):
        for step, value in course.items():
            x = round(wide * (step - first) / max(1, last - first))
            share = 0.5 if high == low else (value / 2 - low / 2) / (high / 2 - low / 2)
            assert any(abs(y - tall * share) <= 0.5 + 1e-6 for at, y in seen if at == x)


def test_a_course_without_values_does_not_change_the_other() -> None:
    values = {0: 1.0, 1: 3.0, 2: 2.0}
    alone = [line.plain.rstrip() for line in line_chart(values, 40, 4)]
    drawn = [line.plain.replace("A", "").rstrip() for line in pair_chart(
        {"A": values, "B": {}}, 42, 4)]  # fmt: skip
    assert drawn == alone
    broken = pair_chart({"A": values, "B": {1: math.nan}}, 42, 4)[-1].plain
    assert broken == "B not finite at step 1"
    assert [line.plain for line in pair_chart({"A": {}, "B": {}}, 42, 4)] == ["no step"]


def test_values_that_are_not_finite_interrupt_the_line_and_are_listed() -> None:
    values = {0: 1.0, 1: math.nan, 2: 2.0, 3: math.inf}
    lines = [line.plain for line in line_chart(values, 40, 4)]
    columns = {x for x, _ in dots(lines, 4)}
    assert len(columns) == 2
    assert lines[-1] == "not finite at step 1, 3"
    assert [line.plain for line in line_chart({0: math.nan}, 40, 4)] == ["no finite number"]
    assert [line.plain for line in line_chart({}, 40, 4)] == ["no step"]


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [(1.0, 2.0, ("1.00", "2.00")), (0.36911, 0.36922, ("0.3691", "0.3692")),
     (0.1, 0.1, ("0.100", "0.100"))],
)  # fmt: skip
def test_labels_of_both_ends_differ(low: float, high: float, labels: tuple[str, str]) -> None:
    assert ends(low, high) == labels


def test_the_document_has_a_line_for_each_run_of_finite_values() -> None:
    charts = [("loss <b>", {0: 1.0, 1: 2.0, 2: math.nan, 3: 4.0, 4: 3.0, 5: math.nan, 6: 1.0}),
              ("empty", {0: math.nan})]  # fmt: skip
    root = ElementTree.fromstring(line_charts_svg("Scalars", charts))
    curves = [path for path in root.iter(f"{SVG}path") if path.get("class") == "curve"]
    assert len(curves) == 2
    assert len(list(root.iter(f"{SVG}circle"))) == 1
    points = [tuple(map(float, part.split())) for part in curves[0].attrib["d"][1:].split("L")]
    assert points[0][0] < points[1][0]
    assert points[0][1] > points[1][1]
    texts = "".join(root.itertext())
    assert "loss <b>" in texts
    assert "no finite number" in texts
