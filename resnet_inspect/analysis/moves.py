"""For each setting, every axis that it moves: the re-traces read the other way round."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

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


def settings_moves(graph: Graph, lineage: Lineage) -> tuple[SettingMoves, ...]:
    """For each setting that was varied, the axes of the forward pass that it moves."""
    return tuple(
        SettingMoves(
            setting=one.setting,
            before=one.before,
            after=one.after,
            axes=tuple(_moved_axes(graph, one)),
            missing=len(one.missing),
            added=one.added,
            conflicts=one.conflicts,
        )
        for one in lineage.variations
    )


def _moved_axes(graph: Graph, variation: Variation) -> Iterator[MovedAxis]:
    for name, shape in variation.shapes.items():
        op, _, index = name.rpartition(":")
        layer = graph.layer_of_op.get(op)
        if name in graph.variable_by_name:
            before = graph.variable_by_name[name].spec.shape
        elif op in graph.op_by_name:
            before = graph.spec(TensorRef(op, int(index))).shape
        else:
            continue
        if before is not None and len(before) == len(shape):
            for axis, (old, new) in enumerate(zip(before, shape, strict=True)):
                if old != new:
                    yield MovedAxis(name, layer.name if layer else "", axis, old, new)
