"""The layers of a TensorFlow 1 graph, read from its name scopes.

A *layer* is what stands directly in a scope that the user opened, or in none: the ops of one call
such as `tf.layers.conv2d(..., name="conv1")`, whose scope the call itself opened, or a single op. A
scope of the user's own that holds variables of its own is one layer, too. A second call on the
same variables is a layer with a name of its own, `conv1_1`. Scopes that the user opened around
layers are their `path`. An `Identity` with a name that hands on a tensor whose op has none names
it: `final_reduce_mean` is the mean before it.
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

# Ops that move sizes or hand something on: no layer by themselves.
BESIDE = frozenset(
    ("Cast", "Const", "Identity", "NoOp", "Pack", "ReadVariableOp", "Shape", "StopGradient")
) | frozenset(("Placeholder", "PlaceholderWithDefault", "StridedSlice", "Assert", "Size", "Rank"))


@dataclass
class _Unit:
    """Ops that are one layer, in the order they were made; `scope` is their whole name."""

    scope: str
    ops: list[tuple[int, Any]] = field(default_factory=list)


def scope_layers(
    ops: list[Any],
    phases: list[Phase],
    scopes: Iterable[str],
    reads: Mapping[str, tuple[str, ...]],
    fed: set[str],
) -> list[LayerCall]:
    """The layer calls among `ops`, in the order of their last ops.

    `scopes` are those that the user opened, `reads` the variables that each op takes, by the op's
    name, `fed` the ops that the inputs reach.
    """
    opened = {scope for scope in scopes if scope}
    forward = [(at, op) for at, op in enumerate(ops) if phases[at] is Phase.FORWARD]
    units = _units(forward, opened, reads)
    units = [one for one in units if any(_computes(op, fed) for _, op in one.ops)]
    units = _with_names(units, forward)
    units.sort(key=lambda one: one.ops[-1][0])
    inside = {op.name: at for at, op in forward}
    return list(_calls(units, inside, reads, fed))


def _units(
    forward: list[tuple[int, Any]], opened: set[str], reads: Mapping[str, tuple[str, ...]]
) -> list[_Unit]:
    """Ops by layer; what holds the variables of several layers (a Keras model) is taken apart."""
    containers = set(opened)
    while True:
        found: dict[str, _Unit] = {}
        for at, op in forward:
            scope = _below(op.name, containers)
            found.setdefault(scope, _Unit(scope)).ops.append((at, op))
        mixed = {unit.scope for unit in found.values() if len(_holders(unit, reads)) > 1}
        if mixed <= containers:
            return _joined(found, opened, reads)
        containers |= mixed


def _below(name: str, containers: set[str]) -> str:
    """The part of an op's name that says which unit it is in: one step below a container."""
    parts = name.split("/")
    depth = max(
        (count for count in range(1, len(parts)) if "/".join(parts[:count]) in containers),
        default=0,
    )
    return "/".join(parts[: depth + 1])


def _joined(
    found: dict[str, _Unit], opened: set[str], reads: Mapping[str, tuple[str, ...]]
) -> list[_Unit]:
    """With one unit for a scope of the user's in which all variables are the scope's own."""
    for scope in sorted(opened, key=len, reverse=True):
        below = [unit for unit in found.values() if unit.scope.startswith(f"{scope}/")]
        if any("/" in unit.scope[len(scope) + 1 :] for unit in below):
            continue
        held = set().union(*(_holders(unit, reads) for unit in below)) if below else set()
        names = {_last(scope), _plain(_last(scope))}
        if held and all(_last(one) in names for one in held):
            whole = _Unit(scope, sorted((op for unit in below for op in unit.ops), key=_position))
            found = {name: one for name, one in found.items() if one not in below}
            found[scope] = whole
    return list(found.values())


def _position(numbered: tuple[int, Any]) -> int:
    return numbered[0]


def _scopes_of(variables: Iterable[str]) -> set[str]:
    return {name.rpartition("/")[0] for name in variables} - {""}


def _holders(unit: _Unit, reads: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The scopes of the variables that a unit reads, those that hold others left out."""
    held = {scope for _, op in unit.ops for scope in _scopes_of(reads.get(op.name, ()))}
    return {one for one in held if not any(other.startswith(f"{one}/") for other in held)}


def _plain(scope: str) -> str:
    """A scope without the number of its repetition."""
    return re.sub(r"_\d+$", "", scope)


def _computes(op: Any, fed: set[str]) -> bool:
    return op.name in fed and op.type not in BESIDE


def _with_names(units: list[_Unit], forward: list[tuple[int, Any]]) -> list[_Unit]:
    """Units whose op was given no name take that of the Identity that hands their output on."""
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
    """The tensors that a unit takes from others, each once."""
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
    """What a unit hands on: the last tensor that another op of the forward pass takes, else the
    last it made; one that has its first output in front of the others.
    """
    made = [op for _, op in unit.ops if op.name in fed and op.outputs]
    for op in reversed(made):
        for tensor in op.outputs:
            if any(one.name in inside and one.name not in members for one in tensor.consumers()):
                return tensor
    last = [
        op
        for op in made
        if not any(one.name in members for tensor in op.outputs for one in tensor.consumers())
    ]
    return (last or made)[-1].outputs[0] if made else None


def _type(unit: _Unit, output: Tensor) -> str:
    """The type of the op that computes, else of the one that makes the output."""
    computing = (op.type for _, op in unit.ops if op.type in COMPUTES)
    behind = output.op
    while behind.type == "Identity" and any(behind.inputs[0].op is op for _, op in unit.ops):
        behind = behind.inputs[0].op
    return str(next(computing, behind.type))
