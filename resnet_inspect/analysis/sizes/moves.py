"""For each setting, every axis that it moves: the re-traces read the other way round."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.graph.lineage import Lineage, Variation


class MovedAxis(msgspec.Struct, frozen=True):
    """An axis of a tensor or variable that a setting moves."""

    name: str
    layer: str
    axis: int
    before: int | None
    after: int | None


class SettingMoves(msgspec.Struct, frozen=True):
    """Every axis that one setting moves, and what else its re-trace showed."""

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
    """For each setting that was varied, the axes of the forward pass that it moves; with `name`
    only these `axes` of that tensor (such as `Reshape:0`) or variable.
    """
    return tuple(
        SettingMoves(
            setting=one.setting,
            before=one.before,
            after=one.after,
            axes=tuple(
                moved
                for moved in _moved_axes(graph, lineage, one)
                if not name or (moved.name == name and moved.axis in axes)
            ),
            missing=len(one.missing),
            added=one.added,
            conflicts=one.conflicts,
            ended=one.ended,
        )
        for one in lineage.variations
    )


def _moved_axes(graph: Graph, lineage: Lineage, variation: Variation) -> Iterator[MovedAxis]:
    """The axes that moved; not those of which `why` says that it cannot be told."""
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
                doubtful and _is_untold(graph, lineage, variation, target, axis)
            ):
                yield MovedAxis(name, layer.name if layer else "", axis, old, new)


def _is_untold(
    graph: Graph, lineage: Lineage, variation: Variation, target: Target, axis: int
) -> bool:
    rows = why(graph, lineage, target, axis).proof
    return next(row.moved for row in rows if row.setting == variation.setting) is None
