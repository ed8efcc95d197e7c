"""Finds the links between the axes of the tensors of a graph and of its nested functions.

The dependences of an op are found once for each type, attributes and shapes. Unknown sizes are
assumed: a number for each unknown size of an input, and what follows from it for other tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from resnet_inspect.graph import AxisRef, Graph, Op, TensorRef, inlined
from resnet_inspect.graph.lineage import (
    Coupling,
    FromAxis,
    FromLiteral,
    FromVariable,
    Lineage,
    Link,
    Origin,
    Relation,
    axis_key,
)
from resnet_inspect.graph.tensors import Shape
from resnet_inspect.tracers.tensorflow.sizes.call_links import (
    CallLinks,
    Passed,
    counting_ops,
    with_fixed_arguments,
)
from resnet_inspect.tracers.tensorflow.sizes.definitions import UnknownOpError
from resnet_inspect.tracers.tensorflow.sizes.dependences import (
    CoupledSpots,
    Dependence,
    OpDependences,
    Spot,
)
from resnet_inspect.tracers.tensorflow.sizes.elementwise import elementwise
from resnet_inspect.tracers.tensorflow.sizes.op_types import FIXED
from resnet_inspect.tracers.tensorflow.sizes.reshapes import axis_groups, completed, target_of
from resnet_inspect.tracers.tensorflow.sizes.shape_probe import Leaf, Probe, Scratch, filled
from resnet_inspect.tracers.tensorflow.sizes.trials import find_dependences

# Ops that bring tensors into the graph.
INPUTS = ("Placeholder", "PlaceholderWithDefault", "IteratorGetNext")
VARIABLE_READERS = ("ReadVariableOp", "ResourceGather")
TRANSPOSED = ("Conv2DBackpropInput", "Conv3DBackpropInputV2")
MOST_PASSED = 50  # ops between two Reshapes that are searched
UNKNOWN_VARIABLE = "the variable that it reads was not recorded"
UNKNOWN_SIZE = "the size depends on values, which are known only when the graph runs"
ALL_REJECTED = "TensorFlow rejects each tried change of the sizes of its inputs"
REJECTED = "TensorFlow's shape function of {type} contradicts the recorded shapes"


def trace_lineage(graph: Graph) -> Lineage:
    """Return the lineage of all ops in `graph` and in its nested functions."""
    tracer = _Tracer(graph)
    for op in tracer.ops:
        tracer.trace(op)
    return Lineage(tracer.links, tracer.ties, tuple(tracer.couplings), untraced=tracer.untraced)


class _Piece(NamedTuple):
    """An axis that a Reshape made of one axis: the axis `at` of `parts` axes made of `whole`."""

    whole: FromAxis
    at: int
    parts: int


Found = TypeVar("Found")


class _Tracer:
    """Collects the links of all ops, inputs before the ops that read them."""

    def __init__(self, graph: Graph) -> None:
        network = inlined(graph)
        self.ops = network.graph.ops
        self.links: dict[str, tuple[Link, ...]] = {}
        self.ties: dict[str, tuple[tuple[Origin, ...], ...]] = {}
        self.couplings: list[Coupling] = []
        self.untraced: dict[str, str] = {}
        variables = network.graph.variables
        self._variables = {handle: v.name for v in variables for handle in v.handles}
        self._shapes = {variable.name: variable.spec.shape for variable in variables}
        self._by_name = with_fixed_arguments(network)
        self._calls = CallLinks(network, self._by_name)
        self._assumed: dict[TensorRef, Shape] = {}
        self._lengths: dict[str, tuple[Link, ...]] = {}  # of lists, by name of the counting op
        self._merged: dict[str, tuple[FromAxis, ...]] = {}  # axes before a Reshape, by axis after
        self._pieces: dict[str, _Piece] = {}  # of an axis before a Reshape, by axis after
        self._known: dict[Any, OpDependences | str] = {}
        self._scratch = Scratch()

    def trace(self, op: Op) -> None:
        """Add the links of an op, or the reason why it has none."""
        for counting in counting_ops(op):
            self._by_name[counting.name] = counting
            self._try(counting)
            self._lengths[counting.name] = self.links.pop(axis_key(TensorRef(counting.name), 0), ())
        if op.type in FIXED or not any(spec.shape for spec in op.outputs):
            return
        passed = self._calls.of(op)
        if isinstance(passed, str):
            self.untraced[op.name] = passed
        elif passed is not None:
            self._pass_on(op, passed)
        elif op.inputs and op.inputs[0].op in self._variables:
            self._read(op, self._variables[op.inputs[0].op])
        elif op.type in VARIABLE_READERS:
            self.untraced[op.name] = UNKNOWN_VARIABLE
        elif op.type == "Reshape":
            self._reshape(op)
        elif op.type == "SplitV":
            self._split(op)
        elif op.type in TRANSPOSED:
            self._transposed(op)
        elif op.inputs and op.type not in INPUTS:
            self._try(op)
        else:
            return

    def _try(self, op: Op) -> None:
        """Add the dependences that changes of the input sizes show."""
        probe, result = self._tried(op)
        if isinstance(result, str):
            self.untraced[op.name] = result
            return
        for index, (spec, shape) in enumerate(zip(op.outputs, result.shapes, strict=True)):
            self._assume(TensorRef(op.name, index), spec.shape, shape)
        origin = _Origins(probe.leaves)
        self.links.update(_as_links(op.name, origin, result.dependences))
        if result.ties:
            self.ties[op.name] = tuple(
                tuple(origin(spot) for spot in spots) for spots in result.ties
            )
        self.couplings += _as_couplings(op.name, origin, probe.leaves, result.couplings)
        self._note_missing(op, complete=result.complete)

    def _tried(self, op: Op) -> tuple[Probe, OpDependences | str]:
        """Return a probe of an op, and its dependences or the reason why they were not found."""
        probe = Probe(op, self._by_name, self._assumed, self._scratch)
        signature = probe.signature()
        if signature not in self._known:
            self._known[signature] = _dependences(probe, op)
        return probe, self._known[signature]

    def _reshape(self, op: Op) -> None:
        """Add the dependences of a Reshape, also on sizes that it does not accept when changed.

        If the input and the target were made from the same sizes, or all target sizes are given,
        the Reshape rejects a change of either. The target alone does not, and the order of the
        elements shows which axes of the input an axis consists of.
        """
        self._try(op)
        shape, data = op.outputs[0].shape, self._sizes(op.inputs[0])
        probe, target = self._tried(target_of(op))
        if shape is None or data is None or isinstance(target, str) or not target.shapes[0]:
            return
        sizes = completed(target.shapes[0], data)
        given = _as_links(op.name, _Origins(probe.leaves), target.dependences)
        parts = self._parts(op, data, sizes)
        for axis in range(len(shape)):
            key, origins = axis_key(TensorRef(op.name), axis), parts.get(axis, ())
            known = self.links.get(key, ())
            same = tuple(link for link in known if link.relation is Relation.SAME)
            relation = Relation.SAME
            made = given.get(key, ())
            if len(origins) > 1:  # tried changes may show only some of the parts
                self._merged[key] = origins
                known, relation = same, Relation.DERIVED
                made = tuple(link for link in made if link.relation is Relation.SAME)
            elif key in self._pieces and not _from_axes(same):
                origins, relation = (self._pieces[key].whole,), Relation.DERIVED
            elif origins and not _from_axes(same):
                known = same
            elif known:
                continue
            links = *(known or made), *(Link(o, relation) for o in origins)
            if links:
                self.links[key] = links
                self.untraced.pop(key, None)
        if all(axis_key(TensorRef(op.name), axis) in self.links for axis in range(len(shape))):
            self.untraced.pop(op.name, None)
        self._assumed.setdefault(TensorRef(op.name), sizes)

    def _parts(
        self, op: Op, data: tuple[int, ...], sizes: tuple[int, ...]
    ) -> dict[int, tuple[FromAxis, ...]]:
        """Return the axes that each axis of a Reshape consists of, from the order of elements.

        An axis that an earlier Reshape merged, and that is split into the same sizes again, gives
        the axes before the merge. Axes that an earlier Reshape split, and that are merged again,
        give the axis before the split.
        """
        parts: dict[int, tuple[FromAxis, ...]] = {}
        for before, after in axis_groups(data, sizes):
            places = tuple(FromAxis(AxisRef(op.inputs[0], axis)) for axis in before)
            if len(after) == 1:
                parts[after[0]] = self._before_split(places) or places
            elif len(before) == 1:
                earlier = self._earlier(places[0], self._merged) or ()
                merged = [place for place in earlier if self._size(place) != 1]
                if [self._size(place) for place in merged] == [sizes[axis] for axis in after]:
                    parts |= {axis: (place,) for axis, place in zip(after, merged, strict=True)}
                    continue
                for at, axis in enumerate(after):
                    key = axis_key(TensorRef(op.name), axis)
                    self._pieces[key] = _Piece(places[0], at, len(after))
        return parts

    def _before_split(self, places: Sequence[FromAxis]) -> tuple[FromAxis, ...]:
        """Return the axis that an earlier Reshape split into exactly these axes."""
        pieces = [self._earlier(place, self._pieces) for place in places]
        first = pieces[0]
        if first is None or first.parts != len(places):
            return ()
        wanted = [_Piece(first.whole, at, first.parts) for at in range(first.parts)]
        return (first.whole,) if pieces == wanted else ()

    def _earlier(self, place: FromAxis, known: Mapping[str, Found]) -> Found | None:
        """Return what is known of the first of equal axes from an axis to its origin."""
        for _ in range(MOST_PASSED):
            key = axis_key(place.ref.tensor, place.ref.axis)
            if key in known:
                return known[key]
            links = (link for link in self.links.get(key, ()) if link.relation is Relation.SAME)
            origin = next((o.origin for o in links if isinstance(o.origin, FromAxis)), None)
            if origin is None:
                break
            place = origin
        return None

    def _size(self, place: FromAxis) -> int | None:
        sizes = self._sizes(place.ref.tensor)
        return None if sizes is None else sizes[place.ref.axis]

    def _transposed(self, op: Op) -> None:
        """Add what the output of a transposed convolution must fit, as its size is an argument.

        Keras computes this argument from the sizes of the input.
        """
        self._try(op)
        shape, (kernel, data) = op.outputs[0].shape, op.inputs[1:3]
        if shape is None:
            return
        channels = 1 if str(op.attrs.get("data_format", "N")).startswith("NC") else len(shape) - 1
        for axis in range(len(shape)):
            key, own = axis_key(TensorRef(op.name), axis), FromAxis(AxisRef(data, axis))
            window = FromAxis(AxisRef(kernel, axis - (1 if channels > 1 else 2)))
            links = [Link(own, Relation.SAME if axis == 0 else Relation.DERIVED)]
            if axis == channels:
                links = [Link(FromAxis(AxisRef(kernel, len(shape) - 2)), Relation.SAME)]
            elif axis and op.attrs.get("padding") == "VALID":
                links.append(Link(window, Relation.DERIVED))
            known = self.links.get(key, ())
            if not _from_axes(known):
                self.links[key] = (*known, *links)
                self.untraced.pop(key, None)

    def _split(self, op: Op) -> None:
        """Add the dependences of a SplitV, whose sizes can only be changed with their sum."""
        self._try(op)
        written, axis = (self._by_name[ref.op].attrs.get("value") for ref in op.inputs[1:])
        rank = len(op.outputs[0].shape or ())
        if not isinstance(written, list) or not isinstance(axis, int) or not rank:
            return
        for index, size in enumerate(written):
            key = axis_key(TensorRef(op.name, index), axis % rank)
            if size != -1:
                self.links[key] = (Link(FromLiteral(op.inputs[1].op, index), Relation.SAME),)
                self.untraced.pop(key, None)

    def _note_missing(self, op: Op, *, complete: bool) -> None:
        """Note the axes that have no links, although they may depend on other sizes."""
        for index, spec in enumerate(op.outputs):
            for axis, size in enumerate(spec.shape or ()):
                key = axis_key(TensorRef(op.name, index), axis)
                if key not in self.links and (size is None or not complete):
                    self.untraced[key] = UNKNOWN_SIZE if size is None else ALL_REJECTED

    def _pass_on(self, op: Op, passed: list[Passed]) -> None:
        """Link the axes of an output to those of the tensors that have the same axes."""
        for axes in passed:
            output = TensorRef(op.name, axes.output)
            shape = op.outputs[axes.output].shape
            sizes = {ref: known for ref in axes.tensors if (known := self._sizes(ref)) is not None}
            if shape is None or not sizes:
                continue
            assumed = list(self._assumed.get(output) or shape)
            for axis in range(axes.start, len(shape)):
                key, place = axis_key(output, axis), axis - axes.start + axes.first
                counted = self._lengths.get(axes.tensors[0].op)
                if counted:
                    self.links.setdefault(key, counted)
                    continue
                same = [ref for ref, known in sizes.items() if place < len(known)]
                if key not in self.links and same:
                    first, *others = (FromAxis(AxisRef(ref, place)) for ref in same)
                    self.links[key] = (Link(first, Relation.SAME, tuple(others)),)
                    if assumed[axis] is None:
                        assumed[axis] = sizes[same[0]][place]
            self._assume(output, shape, tuple(assumed))

    def _sizes(self, ref: TensorRef) -> tuple[int, ...] | None:
        """Return the shape of a tensor with assumed numbers for unknown sizes."""
        shape = self._by_name[ref.op].outputs[ref.index].shape
        return filled(self._assumed.get(ref, shape))

    def _assume(self, ref: TensorRef, shape: Shape, assumed: Shape) -> None:
        if shape is None or None in shape:
            self._assumed[ref] = assumed

    def _read(self, op: Op, name: str) -> None:
        """Link what an op reads of a variable: all of it, or rows that an input selects."""
        shape = op.outputs[0].shape or ()
        indices = self._sizes(op.inputs[1]) if op.type == "ResourceGather" else None
        rows = None if indices is None else len(indices)
        for axis in range(len(shape)):
            origin: Origin = FromVariable(name, axis if rows is None else axis - rows + 1)
            if rows is not None and axis < rows:
                origin = FromAxis(AxisRef(op.inputs[1], axis))
            self.links[axis_key(TensorRef(op.name), axis)] = (Link(origin, Relation.SAME),)
        if indices is not None:
            own = self._shapes[name] or ()
            self._assume(TensorRef(op.name), shape, (*indices, *own[1:]))


def _from_axes(links: Sequence[Link]) -> bool:
    return any(isinstance(link.origin, FromAxis) for link in links)


def _dependences(probe: Probe, op: Op) -> OpDependences | str:
    """Return the dependences of an op, or the reason why they could not be found."""
    try:
        result = elementwise(probe) or find_dependences(probe, [spec.shape for spec in op.outputs])
    except UnknownOpError as error:
        return str(error)
    if result is None:
        return REJECTED.format(type=op.type)
    return result


class _Origins:
    """Converts a spot of an op into the origin that it refers to."""

    def __init__(self, leaves: list[Leaf]) -> None:
        self._leaves = leaves

    def __call__(self, spot: Spot) -> Origin:
        leaf = self._leaves[spot[0]]
        if leaf.literal is not None:
            return FromLiteral(leaf.name, spot[1])
        return FromAxis(AxisRef(TensorRef(leaf.name, leaf.index), spot[1]))


def _as_couplings(
    op: str, origin: _Origins, leaves: list[Leaf], couplings: tuple[CoupledSpots, ...]
) -> Iterator[Coupling]:
    for literal, spot, effects in couplings:
        number, partner = origin(literal), origin(spot)
        if isinstance(number, FromLiteral) and isinstance(partner, FromAxis):
            yield Coupling(op, number, partner, leaves[spot[0]].sizes[spot[1]], effects)


def _as_links(
    op: str, origin: _Origins, dependences: tuple[Dependence, ...]
) -> dict[str, tuple[Link, ...]]:
    links: dict[str, list[Link]] = {}
    for dependence in dependences:
        tied = tuple(origin(spot) for spot in dependence.tied)
        link = Link(origin(dependence.spot), dependence.relation, tied)
        key = axis_key(TensorRef(op, dependence.place[0]), dependence.place[1])
        if link not in links.setdefault(key, []):
            links[key].append(link)
    return {key: tuple(axis_links) for key, axis_links in links.items()}
