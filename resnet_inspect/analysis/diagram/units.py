"""Which ops share a box of a diagram at each level, and what passes between boxes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from resnet_inspect.analysis.diagram.diagram import Box, Level, Way
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef

GRADIENT_OF = re.compile(r"(?:.*?gradients?\w*/)?(.+?)_grad(?:/|$)")
HELD = ("Const", "NoOp")
REST = ("gradient:", Box.GRADIENT, "loss", ())


class Unit(msgspec.Struct, frozen=True):
    """What becomes one box: its kind, its name, the groups it stands in, its ops and layers."""

    key: str
    box: Box
    name: str
    type: str
    path: tuple[str, ...]
    ops: tuple[str, ...]
    layers: tuple[str, ...] = ()


class Passage(msgspec.Struct, frozen=True):
    """What passes from one unit to another: a tensor, or an order (then `ref` is None)."""

    tail: str
    head: str
    way: Way
    ref: TensorRef | None = None
    variable: str = ""


class Parts(msgspec.Struct, frozen=True):
    """All units by key in graph order, the unit of each op, and the passages."""

    units: dict[str, Unit]
    owner: dict[str, str]
    passages: tuple[Passage, ...]


def parts(
    graph: Graph,
    level: Level,
    *,
    variables: bool = False,
    backward: bool = False,
    wanted: frozenset[str] = frozenset(),
    scope: frozenset[str] = frozenset(),
) -> Parts:
    """Take a graph apart at a level; `wanted` names variables and inputs that are drawn anyway,
    `scope` ops that are, whatever their phase.
    """
    owner: dict[str, tuple[str, Box, str, tuple[str, ...]]] = {}
    entries = {ref.op: name for name, ref in graph.inputs.items()}
    handles = {handle: one.name for one in graph.variables for handle in one.handles}
    for op in graph.ops:
        layer = graph.layer_of_op.get(op.name)
        if op.name in entries:
            owner[op.name] = (f"input:{entries[op.name]}", Box.INPUT, entries[op.name], ())
        elif op.name in handles or _hidden(op, layer, level):
            continue
        elif op.phase == Phase.FORWARD or layer or op.name in scope:
            owner[op.name] = _place(op, layer, level)
    if backward:
        _own_gradients(graph, level, owner)
    members: dict[str, list[str]] = {}
    first: dict[str, tuple[str, Box, str, tuple[str, ...]]] = {}
    for name, found in owner.items():
        first.setdefault(found[0], found)
        members.setdefault(found[0], []).append(name)
    units = {key: _unit(graph, found, tuple(members[key])) for key, found in first.items()}
    owners = {name: found[0] for name, found in owner.items()}
    passages = list(dict.fromkeys(_passages(graph, owners, units)))
    for name, read in _readings(graph, owners):
        if variables or name in wanted:
            key = f"variable:{name}"
            path = _common([units[reader].path for reader in read])
            units[key] = Unit(key, Box.VARIABLE, name, "", path, ())
            passages += [Passage(key, reader, Way.VARIABLE, variable=name) for reader in read]
    used = (
        {p.tail for p in passages} | {p.head for p in passages} | {f"input:{one}" for one in wanted}
    )
    if any(one.box != Box.INPUT for one in units.values()):
        units = {key: one for key, one in units.items() if one.box != Box.INPUT or key in used}
    return Parts(units, owners, tuple(passages))


def _hidden(op: Op, layer: Layer | None, level: Level) -> bool:
    """Constants of their own, and what only holds a variable, are drawn as ops at most."""
    if op.outputs and all(spec.dtype == "resource" for spec in op.outputs):
        return True
    return level != Level.OP and layer is None and op.type in HELD


def _place(op: Op, layer: Layer | None, level: Level) -> tuple[str, Box, str, tuple[str, ...]]:
    """Key, kind, name and groups of the unit an op belongs to."""
    path = layer.path if layer is not None else tuple(op.scope.split("/"))[:2] if op.scope else ()
    if level == Level.OP:
        inside = (*layer.path, layer.name) if layer is not None and len(layer.ops) > 1 else path
        return f"op:{op.name}", Box.OP, op.name, inside
    if level == Level.LAYER or not path:
        if layer is not None:
            return f"layer:{layer.name}", Box.LAYER, layer.name, path
        return f"op:{op.name}", Box.OP, op.name, path
    if level == Level.BLOCK:
        return f"block:{'/'.join(path[:2])}", Box.BLOCK, path[:2][-1], path[:2][:-1]
    return f"stage:{path[0]}", Box.STAGE, path[0], ()


def _own_gradients(
    graph: Graph, level: Level, owner: dict[str, tuple[str, Box, str, tuple[str, ...]]]
) -> None:
    """Gradient ops belong to the gradient of the unit whose op they are named after.

    A sum of gradients has no such name: it is the gradient of what all it sums are gradients of, or
    else belongs with what takes it, or with what it sums.
    """
    backward = [op for op in graph.ops if op.phase == Phase.BACKWARD]
    found: dict[str, tuple[str, Box, str, tuple[str, ...]]] = {}
    for op in backward:
        named = GRADIENT_OF.match(op.name)
        source = owner.get(named[1]) if named else None
        if level == Level.OP and op.type not in HELD:
            found[op.name] = (f"op:{op.name}", Box.GRADIENT, op.name, ())
        elif source is not None and level != Level.OP:
            found[op.name] = (f"gradient:{source[0]}", Box.GRADIENT, source[2], ())
        elif named and level != Level.OP:
            top = named[1].partition("/")[0]
            found[op.name] = (f"gradient:scope:{top}", Box.GRADIENT, top, ())
    if level != Level.OP:
        for op in reversed(backward):
            if op.name not in found and op.type == "AddN":
                takers = [one for ref in _outputs(op) for one in graph.consumers.get(ref, ())]
                near = [*takers, *(ref.op for ref in reversed(op.inputs))]
                summed = _summed(graph, op, owner)
                found[op.name] = summed or next((found[one] for one in near if one in found), REST)
        found = {op.name: found.get(op.name, REST) for op in backward if op.type not in HELD}
    owner.update(found)


def _summed(
    graph: Graph, op: Op, owner: dict[str, tuple[str, Box, str, tuple[str, ...]]]
) -> tuple[str, Box, str, tuple[str, ...]] | None:
    """The gradient that a sum of gradients is: that of what an op takes, found by its shape."""
    for ref in reversed(op.inputs):
        named = GRADIENT_OF.match(ref.op)
        source = graph.op_by_name.get(named[1]) if named else None
        for given in source.inputs if source is not None else ():
            there = owner.get(given.op)
            if there is not None and graph.spec(given).shape == graph.spec(ref).shape:
                return f"gradient:{there[0]}", Box.GRADIENT, there[2], ()
    return None


def _unit(graph: Graph, found: tuple[str, Box, str, tuple[str, ...]], ops: tuple[str, ...]) -> Unit:
    key, box, name, path = found
    layers = dict.fromkeys(graph.layer_of_op[op].name for op in ops if op in graph.layer_of_op)
    if box == Box.LAYER:
        kind = graph.layer_by_name[name].type
    elif box == Box.GRADIENT:
        kind = graph.op_by_name[ops[0]].type if key.startswith("op:") else "gradient"
    else:
        kind = graph.op_by_name[ops[0]].type if box == Box.OP else box.value
    return Unit(key, box, name, kind, path, ops, tuple(layers) if box != Box.GRADIENT else ())


def _passages(graph: Graph, owner: dict[str, str], units: dict[str, Unit]) -> Iterator[Passage]:
    for name, head in owner.items():
        op = graph.op_by_name[name]
        for ref in op.inputs:
            tail = owner.get(ref.op)
            if tail is not None and tail != head:
                yield Passage(tail, head, _way(units[tail], units[head]), ref)
        for other in op.control_inputs:
            tail = owner.get(other)
            if tail is not None and tail != head:
                yield Passage(tail, head, Way.CONTROL)


def _way(tail: Unit, head: Unit) -> Way:
    if tail.box == Box.GRADIENT:
        return Way.GRADIENT
    return Way.KEPT if head.box == Box.GRADIENT else Way.DATA


def _readings(graph: Graph, owner: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Each variable with the units of the forward pass that read it."""
    for one in graph.variables:
        ops = [
            *one.readers,
            *(op for h in one.handles for op in graph.consumers.get(TensorRef(h), ())),
        ]
        known = [op for op in ops if op in owner]
        forward = [op for op in known if graph.op_by_name[op].phase != Phase.BACKWARD]
        read = list(dict.fromkeys(owner[op] for op in forward))
        if read:
            yield one.name, read


def gradients_of(graph: Graph, ops: Collection[str]) -> frozenset[str]:
    """The ops of the backward pass that are named after these."""
    named = {op.name: GRADIENT_OF.match(op.name) for op in graph.ops if op.phase == Phase.BACKWARD}
    return frozenset(name for name, found in named.items() if found and found[1] in ops)


def _outputs(op: Op) -> list[TensorRef]:
    return [TensorRef(op.name, index) for index in range(len(op.outputs))]


def _common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The groups that all stand in."""
    shared: list[str] = []
    for level in zip(*paths, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return tuple(shared)
