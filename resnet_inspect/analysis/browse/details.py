"""All that is known of one layer, op, variable or scope: what the detail of a browser shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

import msgspec

from resnet_inspect.analysis.sizes.geometry import Window, macs, window
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.analysis.sizes.shapes import variables_by_op
from resnet_inspect.graph import Graph, Layer, Op, Source, TensorRef, TensorSpec, Variable
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.graph.nodes import Attr

# The type of a neighbour that is no op.
VARIABLE = "variable"
# Of larger groups no sums are made: a key must be answered at once.
MOST = 5_000
# Of a group that hands on more tensors, only so many are told.
MOST_OUTPUTS = 60


class Neighbour(msgspec.Struct, frozen=True):
    """One end of an edge: the layer (else the op, or the variable) there, and the tensor that goes
    along it.

    `tensor` and `spec` are None for a control edge, which only orders.
    """

    name: str
    type: str
    tensor: TensorRef | None = None
    spec: TensorSpec | None = None


class Output(msgspec.Struct, frozen=True):
    """A tensor that is made, with what its axes mean (empty texts where nothing is known)."""

    ref: TensorRef
    spec: TensorSpec
    axes: tuple[str, ...]


class Held(msgspec.Struct, frozen=True):
    """A variable, and the layers (or ops outside of any) that use it."""

    variable: Variable
    users: tuple[str, ...]


class Detail(msgspec.Struct, frozen=True):
    """One layer or op. `variables` are those of the layer, or those that the op computes with,
    reads or changes; `params` and `trainable_params` count the elements of the first only, as the
    shape table does. `macs` are per example, None if unknown.

    `ops` are those of the layer; `owner` is the layer of an op, or empty. `source` is innermost
    line first.
    """

    name: str
    type: str
    phase: str
    owner: str
    path: tuple[str, ...]
    inputs: tuple[Neighbour, ...]
    outputs: tuple[Output, ...]
    consumers: tuple[Neighbour, ...]
    control_inputs: tuple[Neighbour, ...]
    control_consumers: tuple[Neighbour, ...]
    variables: tuple[Held, ...]
    window: Window | None
    trainable_params: int
    params: int
    macs: int | None
    device: str
    attrs: dict[str, Attr]
    ops: tuple[str, ...]
    source: tuple[Source, ...]


class ScopeDetail(msgspec.Struct, frozen=True):
    """A group of layers or ops: sums over its parts, and the tensors that enter and leave it.

    `types` counts what kinds of layers or ops are inside. `whole` is False for a group of more
    than MOST ops, of which no more than that is told.
    """

    name: str
    layers: int
    ops: int
    types: dict[str, int]
    whole: bool
    inputs: tuple[Neighbour, ...]
    outputs: tuple[Output, ...]
    trainable_params: int
    params: int
    macs: int | None


class Details:
    """Answers for one graph; what several answers need is worked out once."""

    def __init__(self, graph: Graph, lineage: Lineage) -> None:
        self.graph = graph
        self.meanings = Meanings(graph, lineage)

    def prepare(self) -> None:
        """Work out now what the first answer needs."""
        _ = self._ordered_after, self._names_of, self._counted_for, self._made_by

    def layer(self, name: str) -> Detail:
        """A layer of the graph; KeyError for another name."""
        layer = self.graph.layer_by_name[name]
        main = self.graph.op_by_name[layer.main]
        inside = set(layer.ops)
        held = [self.graph.variable_by_name[one] for one in layer.variables]
        before = (
            one
            for op in layer.ops
            for one in self.graph.op_by_name[op].control_inputs
            if one not in inside
        )
        after = (one for op in layer.ops for one in self._ordered_after.get(op, ()))
        return Detail(
            name=name,
            type=layer.type,
            phase=main.phase.value,
            owner="",
            path=layer.path,
            inputs=tuple(self._end(ref) for ref in layer.inputs),
            outputs=(self._output(layer.output),),
            consumers=self._users(layer.output, inside),
            control_inputs=self._controls(before),
            control_consumers=self._controls(one for one in after if one not in inside),
            variables=tuple(self.held(one) for one in held),
            window=window(self.graph, main),
            trainable_params=_elements(one for one in held if one.trainable),
            params=_elements(held),
            macs=_sum(macs(self.graph, self.graph.op_by_name[op]) for op in layer.ops),
            device=main.device,
            attrs=main.attrs,
            ops=layer.ops,
            source=main.source,
        )

    def op(self, name: str) -> Detail:
        """An op of the graph; KeyError for another name."""
        op = self.graph.op_by_name[name]
        owner = self.graph.layer_of_op.get(name)
        counted = self._counted_for.get(name, [])
        read = (self.graph.variable_by_name[one] for one in self._names_of.get(name, ()))
        held = list(dict.fromkeys((*counted, *read)))
        outputs = [TensorRef(name, index) for index in range(len(op.outputs))]
        users = dict.fromkeys(one for ref in outputs for one in self._users(ref, set(), ops=True))
        return Detail(
            name=name,
            type=op.type,
            phase=op.phase.value,
            owner=owner.name if owner else "",
            path=owner.path if owner else (),
            inputs=tuple(self._end(ref, ops=True) for ref in op.inputs),
            outputs=tuple(self._output(ref) for ref in outputs),
            consumers=tuple(users),
            control_inputs=self._controls(op.control_inputs),
            control_consumers=self._controls(self._ordered_after.get(name, ())),
            variables=tuple(self.held(one) for one in held),
            window=window(self.graph, op),
            trainable_params=_elements(one for one in counted if one.trainable),
            params=_elements(counted),
            macs=macs(self.graph, op),
            device=op.device,
            attrs=op.attrs,
            ops=(),
            source=op.source,
        )

    def scope(self, name: str, parts: Iterable[Op | Layer]) -> ScopeDetail:
        """A group of layers or of ops."""
        every = list(parts)
        layers = [one for one in every if isinstance(one, Layer)]
        counts = Counter(one.type for one in every)
        types = dict(counts.most_common())
        if len(every) > MOST:
            return ScopeDetail(name, len(layers), len(every), types, False, (), (), 0, 0, None)
        ops = [self.graph.op_by_name[name] for layer in layers for name in layer.ops]
        ops += [one for one in every if isinstance(one, Op)]
        if layers:  # gradients and slots read everything; what layers hand on is what counts
            made = {layer.output for layer in layers}
            taken = {ref for layer in layers for ref in layer.inputs}
            used = {ref for layer in self.graph.layers for ref in layer.inputs} - taken
            leaving = [one.output for one in layers if one.output in used or one is layers[-1]]
            entering = dict.fromkeys(
                ref for layer in layers for ref in layer.inputs if ref not in made
            )
        else:
            inside = {op.name for op in ops}
            entering = dict.fromkeys(ref for op in ops for ref in op.inputs if ref.op not in inside)
            leaving = [
                ref
                for op in ops
                for ref in (TensorRef(op.name, index) for index in range(len(op.outputs)))
                if any(user not in inside for user in self.graph.consumers.get(ref, ()))
            ]
        variables = [one for op in ops for one in self._counted_for.get(op.name, ())]
        return ScopeDetail(
            name=name,
            layers=len(layers),
            ops=len(ops),
            types=types,
            whole=True,
            inputs=tuple(self._end(ref, ops=not layers) for ref in entering),
            outputs=tuple(self._output(ref) for ref in leaving[:MOST_OUTPUTS]),
            trainable_params=_elements(one for one in variables if one.trainable),
            params=_elements(variables),
            macs=_sum(macs(self.graph, op) for op in ops),
        )

    def held(self, variable: Variable) -> Held:
        """A variable with those that use it."""
        users = []
        for reader in (*variable.handles, *variable.readers):
            layer = self.graph.layer_of_op.get(reader)
            if layer is not None:
                users.append(layer.name)
            elif reader in variable.readers:
                users.append(reader)
        return Held(variable, tuple(dict.fromkeys(users)))

    @cached_property
    def _ordered_after(self) -> dict[str, list[str]]:
        """The ops that wait for each op."""
        found: dict[str, list[str]] = {}
        for op in self.graph.ops:
            for before in op.control_inputs:
                found.setdefault(before, []).append(op.name)
        return found

    @cached_property
    def _names_of(self) -> dict[str, list[str]]:
        """The variables that each op reads or changes."""
        found: dict[str, list[str]] = {}
        for variable in self.graph.variables:
            for reader in dict.fromkeys((*variable.handles, *variable.readers)):
                found.setdefault(reader, []).append(variable.name)
        return found

    @cached_property
    def _counted_for(self) -> dict[str, list[Variable]]:
        return variables_by_op(self.graph)

    @cached_property
    def _held_at(self) -> dict[str, Variable]:
        """The variable behind each op through which the graph holds one."""
        return {handle: one for one in self.graph.variables for handle in one.handles}

    @cached_property
    def _made_by(self) -> dict[TensorRef, Layer]:
        return {layer.output: layer for layer in self.graph.layers}

    def _end(self, ref: TensorRef, *, ops: bool = False) -> Neighbour:
        """Where a tensor comes from."""
        held = self._held_at.get(ref.op)
        if held is not None:
            return Neighbour(held.name, VARIABLE, ref, held.spec)
        layer = None if ops else self._made_by.get(ref)
        op = self.graph.op_by_name[ref.op]
        name, kind = (layer.name, layer.type) if layer else (op.name, op.type)
        return Neighbour(name, kind, ref, self.graph.spec(ref))

    def _users(
        self, ref: TensorRef, inside: set[str], *, ops: bool = False
    ) -> tuple[Neighbour, ...]:
        """Who takes a tensor: layers as such, once, where `ops` are not asked for."""
        found: dict[str, Neighbour] = {}
        spec = self.graph.spec(ref)
        for user in self.graph.consumers.get(ref, ()):
            if user in inside:
                continue
            layer = None if ops else self.graph.layer_of_op.get(user)
            name = layer.name if layer else user
            kind = layer.type if layer else self.graph.op_by_name[user].type
            found.setdefault(name, Neighbour(name, kind, ref, spec))
        return tuple(found.values())

    def _controls(self, names: Iterable[str]) -> tuple[Neighbour, ...]:
        by_name = self.graph.op_by_name
        every = dict.fromkeys(name for name in names if name in by_name)
        return tuple(Neighbour(name, by_name[name].type) for name in every)

    def _output(self, ref: TensorRef) -> Output:
        return Output(ref, self.graph.spec(ref), self.meanings.axes(ref))


def _elements(variables: Iterable[Variable]) -> int:
    return sum(variable.spec.elements or 0 for variable in variables)


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total
