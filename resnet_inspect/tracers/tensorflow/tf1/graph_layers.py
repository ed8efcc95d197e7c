"""Finds the layers of a TensorFlow 1 graph from its name scopes.

A *layer* is a unit directly inside a scope that the user opened, or outside all scopes: the ops of
one call such as `tf.layers.conv2d(..., name="conv1")`, which opens its own scope, or a single op. A
user's scope with its own variables is also one layer. A second call with the same variables is a
separate layer, `conv1_1`. The user's scopes around a layer are its `path`. A named `Identity` gives
its name to the unnamed op before it: `final_reduce_mean` is the mean op before this Identity.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from resnet_inspect.graph import Phase
from resnet_inspect.tracers.tensorflow.capture.construction import LayerCall, Tensor
from resnet_inspect.tracers.tensorflow.capture.graph_capture import COMPUTES
from resnet_inspect.tracers.tensorflow.taps.points import is_number

# Ops that compute shapes or forward a tensor, which are not layers by themselves.
NOT_LAYERS = frozenset(
    ("Cast", "Const", "Identity", "NoOp", "Pack", "ReadVariableOp", "Shape", "StopGradient")
) | frozenset(("Placeholder", "PlaceholderWithDefault", "StridedSlice", "Assert", "Size", "Rank"))


@dataclass
class _Unit:
    """The ops of one layer with their numbers, in order of creation. `scope` is its full name."""

    scope: str
    ops: list[tuple[int, Any]] = field(default_factory=list)


def scope_layers(
    ops: list[Any],
    phases: list[Phase],
    scopes: Iterable[str],
    reads: Mapping[str, tuple[str, ...]],
    fed: set[str],
) -> list[LayerCall]:
    """Return the layer calls among `ops`, in the order of their last ops.

    Args:
        ops: All ops of the graph.
        phases: The phase of each op.
        scopes: The scopes that the user's files opened.
        reads: The variables that each op reads, by the op's name.
        fed: The names of the ops that depend on the inputs.
    """
    opened = {scope for scope in scopes if scope}
    forward = [(at, op) for at, op in enumerate(ops) if phases[at] is Phase.FORWARD]
    units = _units(forward, opened, reads)
    units = [unit for unit in units if any(_computes(op, fed) for _, op in unit.ops)]
    units = _with_names(units, forward)
    units.sort(key=lambda unit: unit.ops[-1][0])
    inside = {op.name: at for at, op in forward}
    return list(_calls(units, inside, reads, fed))


def _units(
    forward: list[tuple[int, Any]], opened: set[str], reads: Mapping[str, tuple[str, ...]]
) -> list[_Unit]:
    """Group ops by layer. A scope with the variables of several layers is split further."""
    containers = set(opened)
    while True:
        units: dict[str, _Unit] = {}
        for at, op in forward:
            scope = _below(op.name, containers)
            units.setdefault(scope, _Unit(scope)).ops.append((at, op))
        mixed = {unit.scope for unit in units.values() if len(_variable_scopes(unit, reads)) > 1}
        if mixed <= containers:
            return _joined(units, opened, reads)
        containers |= mixed


def _below(name: str, containers: set[str]) -> str:
    """Return the scope of the unit that an op belongs to: one level below its container."""
    parts = name.split("/")
    depth = max(
        (count for count in range(1, len(parts)) if "/".join(parts[:count]) in containers),
        default=0,
    )
    return "/".join(parts[: depth + 1])


def _joined(
    units: dict[str, _Unit], opened: set[str], reads: Mapping[str, tuple[str, ...]]
) -> list[_Unit]:
    """Join the units of each user's scope in which all variables belong to the scope itself."""
    for scope in sorted(opened, key=len, reverse=True):
        below = [unit for unit in units.values() if unit.scope.startswith(f"{scope}/")]
        if any("/" in unit.scope[len(scope) + 1 :] for unit in below):
            continue
        owners = set().union(*(_variable_scopes(unit, reads) for unit in below)) if below else set()
        names = {_last(scope), _plain(_last(scope))}
        if owners and all(_last(owner) in names for owner in owners):
            whole = _Unit(scope, sorted((op for unit in below for op in unit.ops), key=_position))
            units = {name: unit for name, unit in units.items() if unit not in below}
            units[scope] = whole
    return list(units.values())


def _position(numbered: tuple[int, Any]) -> int:
    return numbered[0]


def _scopes_of(variables: Iterable[str]) -> set[str]:
    return {name.rpartition("/")[0] for name in variables} - {""}


def _variable_scopes(unit: _Unit, reads: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the innermost scopes of the variables that a unit reads."""
    scopes = {scope for _, op in unit.ops for scope in _scopes_of(reads.get(op.name, ()))}
    return {s for s in scopes if not any(other.startswith(f"{s}/") for other in scopes)}


def _plain(scope: str) -> str:
    """Return a scope without the number that TensorFlow adds to repeated names."""
    return re.sub(r"_\d+$", "", scope)


def _computes(op: Any, fed: set[str]) -> bool:
    return op.name in fed and op.type not in NOT_LAYERS


def _with_names(units: list[_Unit], forward: list[tuple[int, Any]]) -> list[_Unit]:
    """Rename units whose op has a default name after the named Identity that follows it."""
    taken = {op.name for unit in units for _, op in unit.ops}
    by_op = {op.name: unit for unit in units for _, op in unit.ops}
    for at, op in forward:
        if op.type != "Identity" or op.name in taken or _plain(_last(op.name)) == "Identity":
            continue
        unit = by_op.get(op.inputs[0].op.name)
        if unit is not None and _plain(_last(unit.scope)) == op.inputs[0].op.type:
            unit.scope = op.name
            unit.ops.append((at, op))
    return units


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _calls(
    units: list[_Unit],
    inside: Mapping[str, int],
    reads: Mapping[str, tuple[str, ...]],
    fed: set[str],
) -> Iterator[LayerCall]:
    short = Counter(_last(unit.scope) for unit in units)
    for unit in units:
        members = {op.name for _, op in unit.ops}
        output = _output(unit, members, inside, fed)
        if output is None or not is_number(output):
            continue
        parts = unit.scope.split("/")
        variables = [name for _, op in unit.ops for name in reads.get(op.name, ())]
        yield LayerCall(
            name=parts[-1] if short[parts[-1]] == 1 else unit.scope,
            type=_type(unit, output),
            path=tuple(parts[:-1]),
            start=unit.ops[0][0],
            inputs=tuple(_inputs(unit, members, fed)),
            end=unit.ops[-1][0] + 1,
            output=output,
            variables=list(dict.fromkeys(variables)),
            positions=frozenset(at for at, _ in unit.ops),
        )


def _inputs(unit: _Unit, members: set[str], fed: set[str]) -> Iterator[Tensor]:
    """Yield the tensors that a unit reads from other units, without repetitions."""
    seen: set[str] = set()
    for _, op in unit.ops:
        for tensor in op.inputs:
            known = tensor.name in seen or tensor.op.name in members
            if not known and tensor.op.name in fed:
                seen.add(tensor.name)
                yield tensor


def _output(
    unit: _Unit, members: set[str], inside: Mapping[str, int], fed: set[str]
) -> Tensor | None:
    """Return the output of a unit; None if none of its ops depend on the inputs.

    It is the last tensor that another unit of the forward pass reads, else the first output of
    the last op.
    """
    ops = [op for _, op in unit.ops if op.name in fed and op.outputs]
    for op in reversed(ops):
        for tensor in op.outputs:
            readers = {reader.name for reader in tensor.consumers()}
            if any(name in inside and name not in members for name in readers):
                return tensor
    last = [
        op
        for op in ops
        if not any(reader.name in members for t in op.outputs for reader in t.consumers())
    ]
    return (last or ops)[-1].outputs[0] if ops else None


def _type(unit: _Unit, output: Tensor) -> str:
    """Return the type of the main op, else of the op that creates the output."""
    computing = (op.type for _, op in unit.ops if op.type in COMPUTES)
    source = output.op
    while source.type == "Identity" and any(source.inputs[0].op is op for _, op in unit.ops):
        source = source.inputs[0].op
    return str(next(computing, source.type))
