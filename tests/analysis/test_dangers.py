"""What is done to axes, with the facts that rules take."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resnet_inspect.analysis.sizes.dangers import DangerKind, dangers, unjudged
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.store.run import Run


def test_facts_beside_the_words(recording: Callable[[str], Run]) -> None:
    run = recording("mean_axes")
    found = dangers(run.graph, run.lineage, Meanings(run.graph, run.lineage))
    assert [(one.kind, one.layer, one.axes) for one in found] == [
        (DangerKind.REDUCED, "final_reduce_mean", ("width", "channel")),
        (DangerKind.MIXED, "Reshape", ()),
    ]
    assert "width/4 and channel" in found[0].text


def test_mixed_batches_are_left_to_rules_where_an_output_is_known(
    recording: Callable[[str], Run],
) -> None:
    run = recording("mean_axes")
    graph = run.graph
    found = dangers(graph, run.lineage, Meanings(graph, run.lineage))
    assert graph.training is not None
    assert graph.training.objectives
    assert unjudged(graph, found) == ()
    without = msgspec.structs.replace(graph, training=None)
    assert [one.kind for one in unjudged(without, found)] == [DangerKind.MIXED]
