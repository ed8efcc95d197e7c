"""Translates a TensorFlow graph into a framework-free one without live TensorFlow objects.

Ops that this program added to record tensors are left out by name. Attributes and control inputs
are read from one GraphDef of the whole graph, which is much faster than reading them op by op.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

from resnet_inspect.graph import (
    Graph,
    Group,
    Layer,
    Note,
    Op,
    Phase,
    TensorRef,
    TensorSpec,
    Variable,
)
from resnet_inspect.tracers.tensorflow.capture.attributes import called_functions, plain_attributes
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, LayerCall, handles
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder

# Ops that count as the main op of a layer whose type is not an op type.
COMPUTES = frozenset(
    (
        "Conv2D",
        "Conv3D",
        "DepthwiseConv2dNative",
        "Conv2DBackpropInput",
        "Conv3DBackpropInputV2",
        "MatMul",
        "BatchMatMulV2",
        "Einsum",
        "FusedBatchNormV3",
        "MaxPool",
        "MaxPool3D",
        "AvgPool",
        "AvgPool3D",
        "While",
        "StatelessWhile",
    )
)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    # Capturing creates no garbage, and collection in TensorFlow's large heap doubles its time.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_no_garbage_collection()
def capture(
    construction: Construction,
    end: int,
    inputs: dict[str, Any],
    *,
    hidden: frozenset[str] = frozenset(),
    notes: tuple[Note, ...] = (),
    axes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    replicas: Mapping[str, Construction] = MappingProxyType({}),
) -> Graph:
    """Translate a graph, also one whose construction failed.

    Args:
        construction: The record of the graph's construction.
        end: The number of ops to translate, from the first op on.
        inputs: Names of the fed tensors, with the tensors.
        hidden: Names of ops to leave out.
        notes: Notes to place before those of the graph.
        axes: Meanings of the axes of each input.
        replicas: For a name part such as `replica_1`, the record of that replica, which has the
            phases of ops with this part in their names.
    """
    numbered = [
        (position, op)
        for position, op in enumerate(construction.graph.get_operations()[:end])
        if op.name not in hidden
    ]
    phases = {
        op.name: _maker(op.name, construction, replicas).phase_at(position)
        for position, op in numbered
    }
    _extend_forward(
        [op for _, op in numbered], phases, {tensor.op.name for tensor in inputs.values()}
    )
    definition = construction.graph.as_graph_def(add_shapes=True)
    ops = _translate([op for _, op in numbered], definition.node, phases.__getitem__)
    functions = _nested_functions(ops, definition)
    handles = _handles(construction)
    layers = [
        layer
        for call in construction.calls
        if (layer := _layer(call, construction, phases)) is not None
    ]
    return Graph(
        ops=ops,
        variables=_variables(construction, ops, handles),
        layers=tuple(layers),
        groups=_groups(construction, layers, phases),
        inputs={name: _reference(tensor) for name, tensor in inputs.items()},
        axes=dict(axes),
        functions=functions,
        notes=(*notes, *_notes(functions)),
    )


def _extend_forward(ops: list[Any], phases: dict[str, Phase], given: Set[str]) -> None:
    """Assign the ops that layers depend on to the forward pass, up to the inputs `given`.

    An example is a concatenation of the outputs of one model for another.
    """
    for op in reversed(ops):
        if phases[op.name] is not Phase.FORWARD:
            continue
        for tensor in op.inputs:
            before = tensor.op
            entry = before.name in given or before.type == "Placeholder"
            if phases.get(before.name) is Phase.OTHER and not entry:
                phases[before.name] = Phase.FORWARD


def _maker(
    name: str, construction: Construction, replicas: Mapping[str, Construction]
) -> Construction:
    parts = name.split("/") if replicas else ()
    return next((replicas[part] for part in parts if part in replicas), construction)


def _translate(ops: list[Any], nodes: Any, phase_of: Callable[[str], Phase]) -> tuple[Op, ...]:
    names = {op.name for op in ops}
    definitions = {node.name: node for node in nodes if node.name in names}
    find = SourceFinder()
    return tuple(
        Op(
            name=op.name,
            type=op.type,
            phase=phase_of(op.name),
            device=op.device,
            inputs=_references(op.inputs),
            control_inputs=_control_inputs(definitions[op.name], names),
            outputs=tuple(_specification(tensor) for tensor in op.outputs),
            attrs=plain_attributes(definitions[op.name]),
            source=find(op.traceback or ()),
        )
        for op in ops
    )


def _control_inputs(node: Any, names: set[str]) -> tuple[str, ...]:
    # Sorted by name, because TensorFlow's order varies between traces.
    before = (name[1:] for name in node.input if name.startswith("^"))
    return tuple(sorted(name for name in before if name in names))


def _reference(tensor: Any) -> TensorRef:
    return TensorRef(tensor.op.name, tensor.value_index)


def _references(tensors: Iterable[Any]) -> tuple[TensorRef, ...]:
    return tuple(map(_reference, tensors))


def _specification(tensor: Any) -> TensorSpec:
    known = tensor.shape.rank is not None
    shape = tuple(tensor.shape.as_list()) if known else None
    return TensorSpec(shape, tensor.dtype.base_dtype.name)


def _handles(construction: Construction) -> dict[str, str]:
    """Return the name of the variable that each placeholder of the graph captures."""
    names = {
        id(handle): name
        for name, variable in construction.variables.items()
        for handle in handles(variable)
    }
    return {
        inside.op.name: names[id(outside)]
        for outside, inside in construction.graph.captures
        if id(outside) in names
    }


def _variables(
    construction: Construction, ops: tuple[Op, ...], handles: dict[str, str]
) -> tuple[Variable, ...]:
    handles_by_name: dict[str, list[str]] = {}
    for handle, name in handles.items():
        handles_by_name.setdefault(name, []).append(handle)
    readers: dict[str, list[str]] = {}
    for op in ops:
        for name in dict.fromkeys(handles[ref.op] for ref in op.inputs if ref.op in handles):
            readers.setdefault(name, []).append(op.name)
    return tuple(
        Variable(
            name=name,
            spec=TensorSpec(tuple(variable.shape.as_list()), variable.dtype.base_dtype.name),
            trainable=bool(variable.trainable) and name not in construction.frozen,
            handles=tuple(handles_by_name.get(name, ())),
            readers=tuple(readers.get(name, ())),
            source=construction.made_at.get(name, ()),
            counted=name not in construction.states,
        )
        for name, variable in construction.variables.items()
    )


def _layer(call: LayerCall, construction: Construction, phases: dict[str, Phase]) -> Layer | None:
    """Return the layer of a call; None if the call created no op of the forward pass."""
    graph_ops = construction.graph.get_operations()
    created = [graph_ops[at] for at in range(call.start, call.end) if call.holds(at)]
    ops = [op for op in created if phases.get(op.name) == Phase.FORWARD]
    if not ops:
        return None
    return Layer(
        name=call.name,
        type=call.type,
        path=call.path,
        main=_main(call, ops),
        ops=tuple(op.name for op in ops),
        inputs=tuple(dict.fromkeys((*_references(call.inputs), *_captured(ops)))),
        output=_reference(call.output),
        variables=tuple(call.variables),
        settings=call.settings,
    )


def _captured(ops: list[Any]) -> Iterator[TensorRef]:
    """Yield the tensors from outside of the step that ops read, without variables and scalars."""
    for op in ops:
        for tensor in op.inputs:
            data = tensor.dtype.base_dtype.name not in ("resource", "variant")
            if tensor.op.type == "Placeholder" and data and tensor.shape.rank:
                yield _reference(tensor)


def _groups(
    construction: Construction, layers: list[Layer], phases: dict[str, Phase]
) -> tuple[Group, ...]:
    """Return the groups with the ops that they created between their layers."""
    graph_ops = construction.graph.get_operations()
    known = {name for layer in layers for name in layer.ops}
    groups = []
    for call in construction.groups:  # inner groups come first
        created = (graph_ops[at].name for at in range(call.start, call.end))
        own = [name for name in created if phases.get(name) == Phase.FORWARD and name not in known]
        known.update(own)
        groups.append(
            Group(
                path=call.path,
                last=call.last,
                output=_reference(call.output),
                type=call.type,
                inputs=_references(call.inputs),
                ops=tuple(own),
            )
        )
    return tuple(groups)


def _main(call: LayerCall, ops: list[Any]) -> str:
    """Return the main op of a layer.

    It is the first op of the call's type, else the first op of a type in `COMPUTES`, else the op
    that creates the output, else the last op.
    """
    for types in ({call.type}, COMPUTES):
        for op in ops:
            if op.type in types:
                return str(op.name)
    output = call.output.op.name
    return str(output if any(op.name == output for op in ops) else ops[-1].name)


def _nested_functions(ops: tuple[Op, ...], definition: Any) -> dict[str, Graph]:
    """Return a graph for each function that `ops` call, directly or through other functions."""
    library = {function.signature.name: function for function in definition.library.function}
    waiting = called_functions(ops, library)
    graphs: dict[str, Graph] = {}
    while waiting:
        name = waiting.pop()
        if name not in graphs:
            graph = function_def_to_graph(library[name])
            nodes = graph.as_graph_def(add_shapes=True).node
            inner = _translate(graph.get_operations(), nodes, lambda _: Phase.OTHER)
            inputs = {tensor.op.name: _reference(tensor) for tensor in graph.inputs}
            outputs = _references(graph.outputs)
            graphs[name] = Graph(ops=inner, inputs=inputs, outputs=outputs)
            waiting |= called_functions(inner, library)
    return dict(sorted(graphs.items()))


def _notes(functions: dict[str, Graph]) -> list[Note]:
    return [
        Note(name, "ops in nested functions are listed, but their values are not summarized")
        for name in functions
    ]
