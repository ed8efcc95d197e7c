"""What a graph that was traced again with one thing changed says about sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resnet_inspect.graph.lineage import Variation

Shapes = dict[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class Traced:
    """Shapes of the forward function's tensors and variables, what each op takes, who refused."""

    shapes: Shapes
    inputs: dict[str, tuple[str, ...]]
    conflicts: tuple[str, ...]
    ended: bool


def compared(setting: str, before: int, after: int, base: Traced, there: Traced) -> Variation:
    """What differs in the re-trace `there`, with a setting changed, from the unchanged one."""
    moved = {n: s for n, s in there.shapes.items() if n in base.shapes and base.shapes[n] != s}
    return Variation(
        setting=setting,
        before=before,
        after=after,
        shapes=moved,
        missing=tuple(sorted(set(base.shapes) - set(there.shapes))),
        added=len(there.inputs.keys() - base.inputs.keys()),
        rewired=_rewired(base, there),
        conflicts=there.conflicts,
        ended=there.ended,
    )


def seen(
    graph: Any,
    variables: Mapping[str, tuple[int | None, ...]],
    conflicts: tuple[str, ...],
    *,
    ended: bool,
) -> Traced:
    """What there is in a graph that was traced, with the shapes of its `variables`."""
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
    return Traced(shapes, inputs, conflicts, ended)


def _rewired(base: Traced, there: Traced) -> frozenset[str]:
    common = base.inputs.keys() & there.inputs.keys()
    return frozenset(name for name in common if base.inputs[name] != there.inputs[name])
