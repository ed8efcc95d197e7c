"""Dangers of axes, and the facts about them that rules use."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resnet_inspect.analysis.sizes.dangers import DangerKind, dangers, unjudged
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.store.run import Run


def test_kinds_layers_and_axes(recording: Callable[[str], Run]) -> None:
    run = recording("mean_axes")
    result = dangers(run.graph, run.lineage, Meanings(run.graph, run.lineage))
    assert [(danger.kind, danger.layer, danger.axes) for danger in result] == [
        (DangerKind.REDUCED, "final_reduce_mean", ("width", "channel")),
        (DangerKind.MIXED, "Reshape", ()),
    ]
    assert "width/4 and channel" in result[0].text


def test_mixed_batches_are_left_to_rules_where_an_output_is_known(
    recording: Callable[[str], Run],
) -> None:
    run = recording("mean_axes")
    graph = run.graph
    result = dangers(graph, run.lineage, Meanings(graph, run.lineage))
    assert graph.training is not None
    assert graph.training.objectives
    assert unjudged(graph, result) == ()
    without = msgspec.structs.replace(graph, training=None)
    assert [danger.kind for danger in unjudged(without, result)] == [DangerKind.MIXED]
