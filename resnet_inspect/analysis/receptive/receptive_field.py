"""Receptive fields: which positions of the network's inputs a position of a layer reads.

Only the positions of convolutions, pooling, resizing and the like count. The statistics of a batch
normalization and random changes of images (`RandomFlip`) are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from resnet_inspect.analysis.costs.constants import Constants
from resnet_inspect.analysis.receptive.reach import InputAxis, Located, Reaches, Unlocated
from resnet_inspect.analysis.receptive.reader import Reader
from resnet_inspect.analysis.receptive.windows import KERNELS
from resnet_inspect.graph import Graph, Op, Phase, TensorRef

RESIZES = ("ResizeNearestNeighbor", "ResizeBilinear")


class ReceptiveField(msgspec.Struct, frozen=True):
    """The positions of an input that a position of a tensor reads, along each axis of `axes`.

    Attributes:
        input: the name of the input.
        axes: axes of the input, such as height and width: (1, 2).
        whole: whether a position reads the whole input along these axes.
        size: positions from the first to the last one, also those beyond the input. Empty if
            `whole` or unknown.
        stride: distance between the fields of neighbouring positions.
        offset: where the field of position 0 begins. It is negative in the padding.
        unknown: the type of the op through which fields are not followed, empty without one.
    """

    input: str
    axes: tuple[int, ...]
    whole: bool = False
    size: tuple[int, ...] = ()
    stride: tuple[float, ...] = ()
    offset: tuple[int, ...] = ()
    unknown: str = ""


class ReceptiveFields:
    """The receptive fields of the tensors of a graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def prepare(self) -> None:
        """Follow the fields now, so that the first one is fast."""
        _ = self._spatial

    def of(self, ref: TensorRef) -> tuple[ReceptiveField, ...]:
        """Return the field of a tensor in each input with spatial axes that it reads."""
        reaches, shape = self.reaches(ref), self._graph.spec(ref).shape or ()
        return tuple(
            field
            for name, tensor in self._graph.inputs.items()
            if (field := self._field(name, tensor, reaches, shape))
        )

    def reaches(self, ref: TensorRef) -> Reaches:
        """Return how a tensor reads each axis of the inputs."""
        return self._reader.reaches.get(ref, {}) if self._reader else {}

    def _field(
        self, name: str, tensor: TensorRef, reaches: Reaches, shape: Sequence[int | None]
    ) -> ReceptiveField | None:
        axes = tuple(axis for source, axis in self._spatial if source == tensor)
        read = [reaches.get(InputAxis(tensor, axis)) for axis in axes]
        located = [reach.spread() for reach in read if isinstance(reach, Located)]
        if not axes or None in read or any(shape[each.axis] != each.size for each in located):
            return None  # positions were merged with others
        unknown = next((reach.op for reach in read if isinstance(reach, Unlocated)), "")
        if unknown:
            return ReceptiveField(name, axes, unknown=unknown)
        if len(located) < len(axes):
            return ReceptiveField(name, axes, whole=True)
        fields = [reach.field for reach in located]
        return ReceptiveField(
            input=name,
            axes=axes,
            size=tuple(field.size for field in fields),
            stride=tuple(float(field.stride) for field in fields),
            offset=tuple(field.offset for field in fields),
        )

    @cached_property
    def _reader(self) -> Reader | None:
        """Reads the forward pass; None without an op that has a window."""
        graph = self._graph
        if not _has_windows(graph):
            return None
        given: dict[TensorRef, Reaches] = {}
        for ref in graph.inputs.values():
            shape = graph.spec(ref).shape or ()
            given[ref] = {
                InputAxis(ref, axis): Located(axis, shape[axis]) for axis in range(1, len(shape))
            }
        return Reader(graph, graph.functions, given, Constants(graph))

    @cached_property
    def _spatial(self) -> tuple[InputAxis, ...]:
        """The axes of the inputs along which some op moves a window."""
        reader = self._reader
        return tuple(sorted(reader.moved - reader.channels)) if reader else ()


def _has_windows(graph: Graph) -> bool:
    return any(op.type in (*KERNELS, *RESIZES) for op in _forward(graph))


def _forward(graph: Graph) -> Iterator[Op]:
    for op in graph.ops:
        if op.phase is Phase.FORWARD:
            yield op
    for function in graph.functions.values():
        yield from function.ops
