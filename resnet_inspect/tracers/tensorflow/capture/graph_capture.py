"""From a TensorFlow graph to the framework-free one, keeping nothing that is alive.

Only ops are translated that a user would call theirs: what the program itself adds to look at
tensors is left out by name. Attributes and control inputs come from one GraphDef for the whole
graph, which is many times cheaper than asking each op.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

from resnet_inspect.graph import Graph, Layer, Note, Op, Phase, TensorRef, TensorSpec, Variable
from resnet_inspect.tracers.tensorflow.capture.attributes import called_functions, plain_attributes
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, LayerCall, handles
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder

# Ops that a layer is about, where it is not called after one.
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
    """Nothing made here is garbage, and searching TensorFlow's heap for some doubles the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_no_garbage_collection()
def capture(
    made: Construction,
    end: int,
    inputs: dict[str, Any],
    *,
    hidden: frozenset[str] = frozenset(),
    notes: tuple[Note, ...] = (),
    axes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    replicas: Mapping[str, Construction] = MappingProxyType({}),
) -> Graph:
    """Translate the first `end` ops of a graph, less those named in `hidden`.

    `replicas` know the phases of ops that have such a part, `replica_1`, in their names.
    `inputs` maps names to the tensors fed from outside; `axes` what their axes mean;
    `notes` stand before the graph's own. Works on a graph whose building failed.
    """
    numbered = [
        (position, op)
        for position, op in enumerate(made.graph.get_operations()[:end])
        if op.name not in hidden
    ]
    phases = {
        op.name: _maker(op.name, made, replicas).phase_at(position) for position, op in numbered
    }
    definition = made.graph.as_graph_def(add_shapes=True)
    ops = _translate([op for _, op in numbered], definition.node, phases.__getitem__)
    functions = _nested_functions(ops, definition)
    handles = _handles(made)
    layers = [layer for call in made.calls if (layer := _layer(call, made, phases)) is not None]
    return Graph(
        ops=ops,
        variables=_variables(made, ops, handles),
        layers=tuple(layers),
        inputs={name: _reference(tensor) for name, tensor in inputs.items()},
        axes=dict(axes),
        functions=functions,
        notes=(*notes, *_notes(functions)),
    )


def _maker(name: str, made: Construction, replicas: Mapping[str, Construction]) -> Construction:
    parts = name.split("/") if replicas else ()
    return next((replicas[part] for part in parts if part in replicas), made)


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
            inputs=tuple(_reference(tensor) for tensor in op.inputs),
            control_inputs=_control_inputs(definitions[op.name], names),
            outputs=tuple(_specification(tensor) for tensor in op.outputs),
            attrs=plain_attributes(definitions[op.name]),
            source=find(op.traceback or ()),
        )
        for op in ops
    )


def _control_inputs(node: Any, names: set[str]) -> tuple[str, ...]:
    """In the order of their names: TensorFlow's own varies between traces."""
    before = (name[1:] for name in node.input if name.startswith("^"))
    return tuple(sorted(name for name in before if name in names))


def _reference(tensor: Any) -> TensorRef:
    return TensorRef(tensor.op.name, tensor.value_index)


def _specification(tensor: Any) -> TensorSpec:
    known = tensor.shape.rank is not None
    shape = tuple(tensor.shape.as_list()) if known else None
    return TensorSpec(shape, tensor.dtype.base_dtype.name)


def _handles(made: Construction) -> dict[str, str]:
    """The name of the variable behind each placeholder through which the graph holds one."""
    names = {id(held): name for name, one in made.variables.items() for held in handles(one)}
    return {
        inside.op.name: names[id(outside)]
        for outside, inside in made.graph.captures
        if id(outside) in names
    }


def _variables(
    made: Construction, ops: tuple[Op, ...], handles: dict[str, str]
) -> tuple[Variable, ...]:
    held: dict[str, list[str]] = {}
    for handle, name in handles.items():
        held.setdefault(name, []).append(handle)
    readers: dict[str, list[str]] = {}
    for op in ops:
        for name in dict.fromkeys(handles[ref.op] for ref in op.inputs if ref.op in handles):
            readers.setdefault(name, []).append(op.name)
    return tuple(
        Variable(
            name=name,
            spec=TensorSpec(tuple(variable.shape.as_list()), variable.dtype.base_dtype.name),
            trainable=bool(variable.trainable) and name not in made.frozen,
            handles=tuple(held.get(name, ())),
            readers=tuple(readers.get(name, ())),
            source=made.made_at.get(name, ()),
            counted=name not in made.states,
        )
        for name, variable in made.variables.items()
    )


def _layer(call: LayerCall, made: Construction, phases: dict[str, Phase]) -> Layer | None:
    """The layer as it is told of; None if none of its ops lead to the network's output."""
    every = made.graph.get_operations()
    made_here = [every[at] for at in range(call.start, call.end) if call.holds(at)]
    ops = [op for op in made_here if phases.get(op.name) == Phase.FORWARD]
    if not ops:
        return None
    return Layer(
        name=call.name,
        type=call.type,
        path=call.path,
        main=_main(call, ops),
        ops=tuple(op.name for op in ops),
        inputs=tuple(_reference(tensor) for tensor in call.inputs),
        output=_reference(call.output),
        variables=tuple(call.variables),
        settings=call.settings,
    )


def _main(call: LayerCall, ops: list[Any]) -> str:
    """The op that stands for a layer: the one it is called after, else the first that computes,
    else the one that makes its output, else its last.
    """
    for types in ({call.type}, COMPUTES):
        for op in ops:
            if op.type in types:
                return str(op.name)
    made_here = call.output.op.name
    return str(made_here if any(op.name == made_here for op in ops) else ops[-1].name)


def _nested_functions(ops: tuple[Op, ...], definition: Any) -> dict[str, Graph]:
    """The functions that `ops` call, and those that these call, each as a graph of its own."""
    library = {function.signature.name: function for function in definition.library.function}
    waiting = called_functions(ops, library)
    found: dict[str, Graph] = {}
    while waiting:
        name = waiting.pop()
        if name not in found:
            graph = function_def_to_graph(library[name])
            nodes = graph.as_graph_def(add_shapes=True).node
            inner = _translate(graph.get_operations(), nodes, lambda _: Phase.OTHER)
            inputs = {tensor.op.name: _reference(tensor) for tensor in graph.inputs}
            found[name] = Graph(ops=inner, inputs=inputs)
            waiting |= called_functions(inner, library)
    return dict(sorted(found.items()))


def _notes(functions: dict[str, Graph]) -> list[Note]:
    return [
        Note(name, "a nested function: its ops are listed, but its tensors are not summarized")
        for name in functions
    ]
