"""Settings, scalars and findings of two runs side by side."""

from __future__ import annotations

import math

import msgspec

from resnet_inspect.analysis.diff.findings import compare_findings
from resnet_inspect.analysis.diff.runs import ComparedRun, compare
from resnet_inspect.analysis.diff.scalars import compare_scalars, compare_values
from resnet_inspect.graph import Place, PlaceKind
from tests.analysis.chains import chain


class FakeFinding(msgspec.Struct, frozen=True):
    """A finding with the fields that a comparison reads, and one more."""

    rule: str
    place: Place
    step: int = 0


def layer(name: str) -> Place:
    """The place of a layer."""
    return Place(PlaceKind.LAYER, name)


def test_values_by_name() -> None:
    rows = compare_values({"n": 1, "ver": 1, "gone": "x"}, {"n": 1, "ver": 2, "new": 0})
    assert [(row.name, row.a, row.b) for row in rows] == [
        ("ver", 1, 2), ("gone", "x", None), ("new", None, 0),
    ]  # fmt: skip


def test_scalars_at_the_steps_of_both() -> None:
    a = {"loss": {0: 3.0, 1: 2.0, 2: 1.0}, "same": {0: 1.0}, "mine": {0: 0.0}}
    b = {"loss": {1: 2.5, 2: 0.0, 3: 9.0}, "same": {0: 1.0}, "yours": {0: 0.0}}
    diff = compare_scalars(a, b)
    assert (diff.only_a, diff.only_b) == (("mine",), ("yours",))
    (row,) = diff.rows
    assert (row.name, row.steps, row.a, row.b) == ("loss", (1, 2), (2.0, 1.0), (2.5, 0.0))
    assert (row.largest, row.step) == (-1.0, 2)
    assert compare_scalars(b, a) == diff.mirrored()


def test_scalars_that_are_not_finite() -> None:
    a = {"loss": {0: math.nan, 1: 1.0, 2: math.inf}}
    assert compare_scalars(a, {"loss": {0: float("nan"), 1: 1.0, 2: math.inf}}).empty
    (row,) = compare_scalars(a, {"loss": {0: 2.0, 1: 1.0, 2: 1.0}}).rows
    assert (row.largest, row.step) == (None, 0)
    (row,) = compare_scalars(a, {"loss": {0: math.nan, 1: 4.0, 2: -math.inf}}).rows
    assert (row.largest, row.step) == (3.0, 1)
    (row,) = compare_scalars({"loss": {0: math.nan}}, {"loss": {0: math.inf}}).rows
    assert (row.largest, row.step) == (None, None)


def test_findings_of_one_run_only() -> None:
    layers = {"old": "new", "one": "one"}
    a = (
        FakeFinding("dead", layer("old"), 3),
        FakeFinding("dead", layer("one")),
        FakeFinding("loss", Place()),
        FakeFinding("dead", layer("lost")),
    )
    b = (
        FakeFinding("dead", layer("new"), 7),
        FakeFinding("dead", layer("other")),
        FakeFinding("loss", Place()),
        FakeFinding("loss", Place()),
    )
    diff = compare_findings(a, b, layers)
    assert diff.only_a == (FakeFinding("dead", layer("one")), FakeFinding("dead", layer("lost")))
    assert diff.only_b == (FakeFinding("dead", layer("other")), FakeFinding("loss", Place()))
    back = compare_findings(b, a, {"new": "old", "one": "one"})
    assert back == diff.mirrored()


def test_findings_are_compared_only_if_both_runs_were_checked() -> None:
    graph = chain("one:Dense")
    unchecked, checked = (
        ComparedRun("a", graph),
        ComparedRun("b", graph, findings=(FakeFinding("dead", layer("one")),)),
    )
    assert compare(unchecked, checked).findings is None
    assert compare(unchecked, checked).empty
    diff = compare(unchecked._replace(findings=()), checked)
    assert diff.findings is not None
    assert diff.findings.only_b == (FakeFinding("dead", layer("one")),)
    assert not diff.empty
