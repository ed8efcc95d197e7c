"""Two runs side by side: order of layers, their marks, and corresponding tensors."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect.analysis.diff.comparison import Comparison, Mark, merged, side_by_side
from resnet_inspect.analysis.diff.distributions import RecordedSummaries
from resnet_inspect.analysis.diff.runs import ComparedRun
from resnet_inspect.graph import Place, PlaceKind
from resnet_inspect.stats import Tap
from resnet_inspect.store.run import Run
from resnet_inspect.stored import compared_run
from tests.analysis.chains import chain
from tests.recordings import RECORDINGS


def compared(a: Run, b: Run) -> Comparison:
    sides = [compared_run(run, RecordedSummaries(run.recorded_steps())) for run in (a, b)]
    return side_by_side(sides[0], sides[1], a.taps(), b.taps())


def names(comparison: Comparison) -> list[tuple[str | None, str | None]]:
    sides = ((pair.a, pair.b) for pair in comparison.pairs)
    return [(a.name if a else None, b.name if b else None) for a, b in sides]


def test_items_of_b_alone_follow_their_predecessors_in_b() -> None:
    pairs = list(merged("abcd", "xbyzdw", {"b": "b", "d": "d"}))
    assert pairs == [
        (None, "x"), ("a", None), ("b", "b"), (None, "y"), (None, "z"), ("c", None),
        ("d", "d"), (None, "w"),
    ]  # fmt: skip


def test_marks_of_layers() -> None:
    a = ComparedRun("a", chain("one:Dense", "two:Relu", "three:Dense"))
    b = ComparedRun("b", chain("one:Dense", "other:Relu", "three:Dense", "four:Relu"))
    comparison = side_by_side(a, b, (), ())
    assert names(comparison) == [
        ("one", "one"),
        ("two", "other"),
        ("three", "three"),
        (None, "four"),
    ]
    marks = [pair.mark for pair in comparison.pairs]
    assert marks == [Mark.SAME, Mark.RENAMED, Mark.SAME, Mark.ONLY_B]
    back = [pair.mark for pair in side_by_side(b, a, (), ()).pairs]
    assert back == [Mark.SAME, Mark.RENAMED, Mark.SAME, Mark.ONLY_A]


def test_version_1_against_2(recording: Callable[[str], Run]) -> None:
    comparison = compared(recording("v1"), recording("v2"))
    by_mark = {mark: [pair for pair in comparison.pairs if pair.mark is mark] for mark in Mark}
    alone = [pair.a and pair.a.name for pair in by_mark[Mark.ONLY_A]]
    assert alone == ["bn_conv1", "relu_conv1", "relu00", "relu10", "relu20"]
    # From the tutorial's code: only the first normalizations of stages 1 and 2 and their ReLUs have
    # other sizes, because version 2 has them before the strided convolution.
    changed = {pair.a.name for pair in by_mark[Mark.CHANGED] if pair.a}
    assert changed == {"bn10_branch2a", "relu10_branch2a", "bn20_branch2a", "relu20_branch2a"}
    assert all(pair.change and pair.change.rewired for pair in by_mark[Mark.REWIRED])


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_a_run_is_the_same_as_itself(name: str, recording: Callable[[str], Run]) -> None:
    run = recording(name)
    comparison = compared(run, run)
    assert comparison.diff.empty
    assert {pair.mark for pair in comparison.pairs} <= {Mark.SAME}
    assert comparison.tensors == tuple((tap, tap) for tap in run.taps())
    assert all(a == b for _, a, b in (*comparison.settings, *comparison.facts))
    assert comparison.shared == compared_run(run, RecordedSummaries()).findings


@pytest.mark.parametrize("other", sorted(set(RECORDINGS) - {"v2"}))
def test_nothing_is_left_out_or_duplicated(other: str, recording: Callable[[str], Run]) -> None:
    a, b = recording("v2"), recording(other)
    comparison = compared(a, b)
    by_layer = bool(a.graph.layers and b.graph.layers)
    for side, run in enumerate((a, b)):
        nodes = run.graph.layers if by_layer else run.graph.ops
        listed = [name for pair in names(comparison) if (name := pair[side]) is not None]
        assert sorted(listed) == sorted(node.name for node in nodes)
        taps = [pair[side] for pair in comparison.tensors if pair[side] is not None]
        assert len(taps) == len(set(taps)) == len(run.taps())
    assert len(comparison.diff.graph.changed) == sum(
        pair.change is not None for pair in comparison.pairs
    )
    order = [name for name, _ in names(comparison) if name is not None]
    assert order == [node.name for node in (a.graph.layers if by_layer else a.graph.ops)]


def test_tensors_outside_of_layers_correspond_by_name() -> None:
    graph = chain("one:Dense")
    loss, only_a = Tap("", "activation", "loss:0"), Tap("", "activation", "only_a:0")
    a, b = ComparedRun("a", graph), ComparedRun("b", graph)
    comparison = side_by_side(a, b, (loss, only_a), (loss,))
    assert comparison.tensors == ((loss, loss), (only_a, None))


def test_shared_findings_are_findings_of_both_runs(
    recording: Callable[[str], Run],
) -> None:
    run = recording("mean_axes")
    side = compared_run(run, RecordedSummaries())
    assert side.findings
    worst = side.findings[0]
    other = msgspec.structs.replace(side.findings[1], place=Place(PlaceKind.OTHER, "elsewhere"))  # type: ignore[type-var]
    comparison = side_by_side(side, side._replace(findings=(worst, other)), (), ())
    assert comparison.shared == (worst,)
    assert comparison.diff.findings is not None
    assert comparison.diff.findings.only_b == (other,)
