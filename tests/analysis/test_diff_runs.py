"""Settings, scalars and findings of two runs side by side."""

from __future__ import annotations

import math

import msgspec

from resnet_inspect.analysis.diff.findings import compare_findings
from resnet_inspect.analysis.diff.runs import ComparedRun, compare
from resnet_inspect.analysis.diff.scalars import compare_scalars, compare_values
from resnet_inspect.graph import Place, PlaceKind
from tests.analysis.chains import chain


class Found(msgspec.Struct, frozen=True):
    """What a comparison asks of a finding, and one field more."""

    rule: str
    place: Place
    step: int = 0


def layer(name: str) -> Place:
    """The place of a layer."""
    return Place(PlaceKind.LAYER, name)


def test_values_by_name() -> None:
    found = compare_values({"n": 1, "ver": 1, "gone": "x"}, {"n": 1, "ver": 2, "new": 0})
    assert [(one.name, one.a, one.b) for one in found] == [
        ("ver", 1, 2), ("gone", "x", None), ("new", None, 0),
    ]  # fmt: skip


def test_scalars_at_the_steps_of_both() -> None:
    a = {"loss": {0: 3.0, 1: 2.0, 2: 1.0}, "same": {0: 1.0}, "mine": {0: 0.0}}
    b = {"loss": {1: 2.5, 2: 0.0, 3: 9.0}, "same": {0: 1.0}, "yours": {0: 0.0}}
    found = compare_scalars(a, b)
    assert (found.only_a, found.only_b) == (("mine",), ("yours",))
    (row,) = found.rows
    assert (row.name, row.steps, row.a, row.b) == ("loss", (1, 2), (2.0, 1.0), (2.5, 0.0))
    assert (row.largest, row.step) == (-1.0, 2)
    assert compare_scalars(b, a) == found.mirrored()


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
        Found("dead", layer("old"), 3),
        Found("dead", layer("one")),
        Found("loss", Place()),
        Found("dead", layer("lost")),
    )
    b = (
        Found("dead", layer("new"), 7),
        Found("dead", layer("other")),
        Found("loss", Place()),
        Found("loss", Place()),
    )
    found = compare_findings(a, b, layers)
    assert found.only_a == (Found("dead", layer("one")), Found("dead", layer("lost")))
    assert found.only_b == (Found("dead", layer("other")), Found("loss", Place()))
    back = compare_findings(b, a, {"new": "old", "one": "one"})
    assert back == found.mirrored()


def test_findings_are_compared_only_where_both_were_searched() -> None:
    graph = chain("one:Dense")
    plain, searched = (
        ComparedRun("a", graph),
        ComparedRun("b", graph, findings=(Found("dead", layer("one")),)),
    )
    assert compare(plain, searched).findings is None
    assert compare(plain, searched).empty
    told = compare(plain._replace(findings=()), searched)
    assert told.findings is not None
    assert told.findings.only_b == (Found("dead", layer("one")),)
    assert not told.empty
