"""All recorded facts about one layer, op, variable or scope, for the detail pane of `browse`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from resnet_inspect.analysis.costs.macs import Macs
from resnet_inspect.analysis.receptive.receptive_field import ReceptiveField, ReceptiveFields
from resnet_inspect.analysis.sizes.geometry import Window, window
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.analysis.sizes.shapes import variables_by_op
from resnet_inspect.graph import Graph, Layer, Op, Source, TensorRef, TensorSpec, Variable
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.graph.nodes import Attr

# The type of a neighbour that is a variable.
VARIABLE = "variable"
# Larger groups have no sums, because `browse` must react to a key at once.
MOST = 5_000
# A group with more outputs shows only the first ones.
MOST_OUTPUTS = 60


class Neighbour(msgspec.Struct, frozen=True):
    """The other end of an edge, and the tensor that the edge carries.

    `name` is a layer, or an op outside of layers, or a variable. `tensor` and `spec` are None for a
    control edge, which only sets the order.
    """

    name: str
    type: str
    tensor: TensorRef | None = None
    spec: TensorSpec | None = None


class Output(msgspec.Struct, frozen=True):
    """An output tensor, and the meanings of its axes. Unknown meanings are empty texts."""

    ref: TensorRef
    spec: TensorSpec
    axes: tuple[str, ...]


class VariableUse(msgspec.Struct, frozen=True):
    """A variable, and the layers or ops outside of layers that use it."""

    variable: Variable
    users: tuple[str, ...]


class Detail(msgspec.Struct, frozen=True):
    """Facts about one layer or op.

    Attributes:
        owner: the layer of an op, or an empty text.
        variables: variables of the layer, or variables that the op computes with, reads or changes.
        params: elements of the variables. For an op only of those it computes with, as in the
            shape table.
        trainable_params: elements of the trainable variables among them.
        macs: multiply-accumulates per example, None if unknown.
        receptive_fields: positions of the inputs that a position of the first output reads.
        ops: the ops of the layer.
        source: lines of the user's code, innermost first.
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
    variables: tuple[VariableUse, ...]
    window: Window | None
    trainable_params: int
    params: int
    macs: int | None
    receptive_fields: tuple[ReceptiveField, ...]
    device: str
    attrs: dict[str, Attr]
    ops: tuple[str, ...]
    source: tuple[Source, ...]


class ScopeDetail(msgspec.Struct, frozen=True):
    """A group of layers or ops: sums over its parts, and tensors that enter and leave it.

    `types` counts layers or ops by type. `whole` is False for a group with more than MOST members:
    then only the names and counts are set.
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
    """Returns details of one graph. Indexes are built once, on first use."""

    def __init__(self, graph: Graph, lineage: Lineage) -> None:
        self.graph = graph
        self.meanings = Meanings(graph, lineage)
        self._macs, self._fields = Macs(graph), ReceptiveFields(graph)

    def prepare(self) -> None:
        """Build the indexes now, so that the first detail is fast."""
        _ = self._ordered_after, self._names_of, self._counted_for, self._made_by
        self._macs.lower_bound(self.graph.ops)
        self._fields.prepare()

    def layer(self, name: str) -> Detail:
        """Return the details of a layer. Raises KeyError for an unknown name."""
        layer = self.graph.layer_by_name[name]
        main = self.graph.op_by_name[layer.main]
        inside = set(layer.ops)
        variables = [self.graph.variable_by_name[variable] for variable in layer.variables]
        before = (
            earlier
            for op in layer.ops
            for earlier in self.graph.op_by_name[op].control_inputs
            if earlier not in inside
        )
        after = (later for op in layer.ops for later in self._ordered_after.get(op, ()))
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
            control_consumers=self._controls(later for later in after if later not in inside),
            variables=tuple(map(self.variable_use, variables)),
            window=window(self.graph, main),
            trainable_params=_elements(filter(_is_trainable, variables)),
            params=_elements(variables),
            macs=self._macs.sum(self.graph.op_by_name[op] for op in layer.ops),
            receptive_fields=self._fields.of(layer.output),
            device=main.device,
            attrs=main.attrs,
            ops=layer.ops,
            source=main.source,
        )

    def op(self, name: str) -> Detail:
        """Return the details of an op. Raises KeyError for an unknown name."""
        op = self.graph.op_by_name[name]
        owner = self.graph.layer_of_op.get(name)
        counted = self._counted_for.get(name, [])
        read = (self.graph.variable_by_name[variable] for variable in self._names_of.get(name, ()))
        variables = dict.fromkeys((*counted, *read))
        outputs = [TensorRef(name, index) for index in range(len(op.outputs))]
        users = dict.fromkeys(end for ref in outputs for end in self._users(ref, set(), ops=True))
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
            variables=tuple(map(self.variable_use, variables)),
            window=window(self.graph, op),
            trainable_params=_elements(filter(_is_trainable, counted)),
            params=_elements(counted),
            macs=self._macs.of(op),
            receptive_fields=self._fields.of(TensorRef(name)) if op.outputs else (),
            device=op.device,
            attrs=op.attrs,
            ops=(),
            source=op.source,
        )

    def scope(self, name: str, parts: Iterable[Op | Layer]) -> ScopeDetail:
        """Return the details of a group of layers or ops."""
        every = list(parts)
        layers = [part for part in every if isinstance(part, Layer)]
        counts = Counter(part.type for part in every)
        types = dict(counts.most_common())
        if len(every) > MOST:
            return ScopeDetail(name, len(layers), len(every), types, False, (), (), 0, 0, None)
        ops = [self.graph.op_by_name[name] for layer in layers for name in layer.ops]
        ops += [part for part in every if isinstance(part, Op)]
        if layers:  # gradients and slots read all tensors, so only edges between layers count
            made = {layer.output for layer in layers}
            taken = {ref for layer in layers for ref in layer.inputs}
            used = {ref for layer in self.graph.layers for ref in layer.inputs} - taken
            leaving = [
                layer.output for layer in layers if layer.output in used or layer is layers[-1]
            ]
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
        variables = [variable for op in ops for variable in self._counted_for.get(op.name, ())]
        return ScopeDetail(
            name=name,
            layers=len(layers),
            ops=len(ops),
            types=types,
            whole=True,
            inputs=tuple(self._end(ref, ops=not layers) for ref in entering),
            outputs=tuple(self._output(ref) for ref in leaving[:MOST_OUTPUTS]),
            trainable_params=_elements(filter(_is_trainable, variables)),
            params=_elements(variables),
            macs=self._macs.sum((*ops, *self._between(layers))),
        )

    def _between(self, layers: Iterable[Layer]) -> Iterator[Op]:
        """Yield the ops between the layers of groups whose layers are all among `layers`."""
        names = {layer.name for layer in layers}
        for group in self.graph.groups:
            if names.issuperset(self._layers_of[group.path]):
                yield from (self.graph.op_by_name[name] for name in group.ops)

    @cached_property
    def _layers_of(self) -> dict[tuple[str, ...], set[str]]:
        """The names of the layers in each group."""
        names: dict[tuple[str, ...], set[str]] = {}
        for layer in self.graph.layers:
            for length in range(1, len(layer.path) + 1):
                names.setdefault(layer.path[:length], set()).add(layer.name)
        return names

    def variable_use(self, variable: Variable) -> VariableUse:
        """Return a variable with the layers and ops that use it."""
        users = []
        for reader in (*variable.handles, *variable.readers):
            layer = self.graph.layer_of_op.get(reader)
            if layer is not None:
                users.append(layer.name)
            elif reader in variable.readers:
                users.append(reader)
        return VariableUse(variable, tuple(dict.fromkeys(users)))

    @cached_property
    def _ordered_after(self) -> dict[str, list[str]]:
        """The ops that run after each op because of a control edge."""
        after: dict[str, list[str]] = {}
        for op in self.graph.ops:
            for before in op.control_inputs:
                after.setdefault(before, []).append(op.name)
        return after

    @cached_property
    def _names_of(self) -> dict[str, list[str]]:
        """The variables that each op reads or changes."""
        names: dict[str, list[str]] = {}
        for variable in self.graph.variables:
            for reader in dict.fromkeys((*variable.handles, *variable.readers)):
                names.setdefault(reader, []).append(variable.name)
        return names

    @cached_property
    def _counted_for(self) -> dict[str, list[Variable]]:
        return variables_by_op(self.graph)

    @cached_property
    def _by_handle(self) -> dict[str, Variable]:
        """The variable of each handle op."""
        return {handle: owner for owner in self.graph.variables for handle in owner.handles}

    @cached_property
    def _made_by(self) -> dict[TensorRef, Layer]:
        return {layer.output: layer for layer in self.graph.layers}

    def _end(self, ref: TensorRef, *, ops: bool = False) -> Neighbour:
        """Return the layer, op or variable that a tensor comes from."""
        variable = self._by_handle.get(ref.op)
        if variable is not None:
            return Neighbour(variable.name, VARIABLE, ref, variable.spec)
        layer = None if ops else self._made_by.get(ref)
        op = self.graph.op_by_name[ref.op]
        name, kind = (layer.name, layer.type) if layer else (op.name, op.type)
        return Neighbour(name, kind, ref, self.graph.spec(ref))

    def _users(
        self, ref: TensorRef, inside: set[str], *, ops: bool = False
    ) -> tuple[Neighbour, ...]:
        """Return the users of a tensor outside of `inside`: each layer once, or `ops`."""
        users: dict[str, Neighbour] = {}
        spec = self.graph.spec(ref)
        for user in self.graph.consumers.get(ref, ()):
            if user in inside:
                continue
            layer = None if ops else self.graph.layer_of_op.get(user)
            name = layer.name if layer else user
            kind = layer.type if layer else self.graph.op_by_name[user].type
            users.setdefault(name, Neighbour(name, kind, ref, spec))
        return tuple(users.values())

    def _controls(self, names: Iterable[str]) -> tuple[Neighbour, ...]:
        by_name = self.graph.op_by_name
        every = dict.fromkeys(name for name in names if name in by_name)
        return tuple(Neighbour(name, by_name[name].type) for name in every)

    def _output(self, ref: TensorRef) -> Output:
        return Output(ref, self.graph.spec(ref), self.meanings.axes(ref))


def _is_trainable(variable: Variable) -> bool:
    return variable.trainable


def _elements(variables: Iterable[Variable]) -> int:
    return sum(variable.spec.elements or 0 for variable in variables)
