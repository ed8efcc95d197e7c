"""Compares the shapes of a re-trace, with one setting changed, to those of the original trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resnet_inspect.graph.lineage import Variation

Shapes = dict[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class TracedShapes:
    """The result of one trace of the forward function.

    `shapes` are those of tensors and variables, `inputs` the input tensors of each op, `conflicts`
    the ops or layers that rejected their inputs. `ended` is whether the trace stopped at an error.
    """

    shapes: Shapes
    inputs: dict[str, tuple[str, ...]]
    conflicts: tuple[str, ...]
    ended: bool


def compared(
    setting: str, before: int, after: int, base: TracedShapes, changed: TracedShapes
) -> Variation:
    """Return the differences between `base` and a re-trace with `setting` changed."""
    moved = {n: s for n, s in changed.shapes.items() if n in base.shapes and base.shapes[n] != s}
    return Variation(
        setting=setting,
        before=before,
        after=after,
        shapes=moved,
        missing=tuple(sorted(set(base.shapes) - set(changed.shapes))),
        added=len(changed.inputs.keys() - base.inputs.keys()),
        rewired=_rewired(base, changed),
        conflicts=changed.conflicts,
        ended=changed.ended,
    )


def seen(
    graph: Any,
    variables: Mapping[str, tuple[int | None, ...]],
    conflicts: tuple[str, ...],
    *,
    ended: bool,
) -> TracedShapes:
    """Return the shapes and inputs of a traced TensorFlow graph, with those of its `variables`."""
    ops = graph.get_operations()
    shapes: Shapes = dict(variables)
    for op in ops:
        for tensor in op.outputs:
            if tensor.shape.rank:
                shapes[f"{op.name}:{tensor.value_index}"] = tuple(tensor.shape.as_list())
    inputs = {
        op.name: tuple(tensor.name for tensor in op.inputs)
        for op in ops
        if op.type != "Placeholder"
    }
    return TracedShapes(shapes, inputs, conflicts, ended)


def _rewired(base: TracedShapes, changed: TracedShapes) -> frozenset[str]:
    common = base.inputs.keys() & changed.inputs.keys()
    return frozenset(name for name in common if base.inputs[name] != changed.inputs[name])
