"""For each setting, all axes whose size it changes. `why` shows the reverse."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.graph.lineage import Lineage, Variation


class MovedAxis(msgspec.Struct, frozen=True):
    """An axis of a tensor or variable whose size a setting changes."""

    name: str
    layer: str
    axis: int
    before: int | None
    after: int | None


class SettingMoves(msgspec.Struct, frozen=True):
    """All axes whose size one setting changes, and other results of its re-trace."""

    setting: str
    before: int
    after: int
    axes: tuple[MovedAxis, ...]
    missing: int
    added: int
    conflicts: tuple[str, ...]
    ended: bool


def settings_moves(
    graph: Graph, lineage: Lineage, name: str = "", axes: tuple[int, ...] = ()
) -> tuple[SettingMoves, ...]:
    """Return, for each re-traced setting, the axes of the forward pass whose size it changes.

    `name` restricts the result to the given `axes` of a tensor, such as `Reshape:0`, or variable.
    """
    return tuple(
        SettingMoves(
            setting=variation.setting,
            before=variation.before,
            after=variation.after,
            axes=tuple(
                moved
                for moved in _moved_axes(graph, lineage, variation)
                if not name or (moved.name == name and moved.axis in axes)
            ),
            missing=len(variation.missing),
            added=variation.added,
            conflicts=variation.conflicts,
            ended=variation.ended,
        )
        for variation in lineage.variations
    )


def _moved_axes(graph: Graph, lineage: Lineage, variation: Variation) -> Iterator[MovedAxis]:
    """Yield the axes that changed, without those that `why` reports as unknown."""
    doubtful = bool(variation.conflicts or variation.rewired)
    for name, shape in variation.shapes.items():
        op, _, index = name.rpartition(":")
        layer = graph.layer_of_op.get(op)
        if name in graph.variable_by_name:
            target = Target(name, graph.variable_by_name[name].spec.shape or (), "", 0, True)
        elif op in graph.op_by_name:
            target = Target.of(graph, TensorRef(op, int(index)))
        else:
            continue
        if len(target.shape) != len(shape):
            continue
        for axis, (old, new) in enumerate(zip(target.shape, shape, strict=True)):
            if old != new and not (
                doubtful and _is_unknown(graph, lineage, variation, target, axis)
            ):
                yield MovedAxis(name, layer.name if layer else "", axis, old, new)


def _is_unknown(
    graph: Graph, lineage: Lineage, variation: Variation, target: Target, axis: int
) -> bool:
    rows = why(graph, lineage, target, axis).proof
    return next(row.moved for row in rows if row.setting == variation.setting) is None
