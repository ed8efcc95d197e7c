"""Groups ops into the units that become boxes, at each level, and links these units."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resnet_inspect.analysis.diagram.diagram import Box, EdgeKind, Level
from resnet_inspect.analysis.diagram.gradients import Sources, backward_ops, outputs
from resnet_inspect.analysis.diagram.items import CONSTANTS, is_resource, path_of
from resnet_inspect.analysis.diagram.outline import Outline
from resnet_inspect.analysis.diagram.size_ops import size_ops
from resnet_inspect.graph import Graph, Op, Phase, TensorRef

# A unit's key, kind, name and groups.
UnitPlace = tuple[str, Box, str, tuple[str, ...]]
# Ops that TensorFlow adds between gradients: sums, also of rows, and zeros for unused outputs.
BETWEEN = ("AddN", "Fill", "UnsortedSegmentSum", "ZerosLike")
REST = ("gradient:", Box.GRADIENT, "loss", ())


class Unit(msgspec.Struct, frozen=True):
    """The content of one box. `path` are the groups that contain the box."""

    key: str
    box: Box
    name: str
    type: str
    path: tuple[str, ...]
    ops: tuple[str, ...]
    layers: tuple[str, ...] = ()


class UnitLink(msgspec.Struct, frozen=True):
    """A link between two units: a tensor, a variable, or only an order of execution."""

    tail: str
    head: str
    way: EdgeKind
    ref: TensorRef | None = None
    variable: str = ""


class Parts(msgspec.Struct, frozen=True):
    """All units by key in graph order, the unit of each op, and the links."""

    units: dict[str, Unit]
    owner: dict[str, str]
    links: tuple[UnitLink, ...]


def parts(
    graph: Graph,
    level: Level,
    network: Outline,
    *,
    variables: bool = False,
    backward: bool = False,
    wanted: frozenset[str] = frozenset(),
    scope: frozenset[str] = frozenset(),
) -> Parts:
    """Divide a graph into units at a level.

    Args:
        graph: the network.
        level: what a unit represents at most.
        network: its blocks.
        variables: whether variables are units.
        backward: whether gradients are units.
        wanted: variables and inputs to include in any case.
        scope: ops to include in any phase.
    """
    owner: dict[str, UnitPlace] = {}
    entries = {ref.op: name for name, ref in graph.entries.items()}
    handles = {handle: owned.name for owned in graph.variables for handle in owned.handles}
    for op in graph.ops:
        if op.name in entries:
            owner[op.name] = (f"input:{entries[op.name]}", Box.INPUT, entries[op.name], ())
        elif level != Level.OP:
            if op.name in network.items:
                owner[op.name] = _place(network, op, level)
        elif op.name in handles or is_resource(op):
            continue
        elif op.phase == Phase.FORWARD or op.name in graph.layer_of_op or op.name in scope:
            owner[op.name] = _place_of_op(graph, network, op)
    if backward:
        _own_gradients(graph, level, owner)
    members: dict[str, list[str]] = {}
    first: dict[str, UnitPlace] = {}
    for name, place in owner.items():
        first.setdefault(place[0], place)
        members.setdefault(place[0], []).append(name)
    units = {key: _unit(graph, place, tuple(members[key])) for key, place in first.items()}
    owners = {name: place[0] for name, place in owner.items()}
    links = list(dict.fromkeys(_links(graph, owners, units)))
    for name, read in _readings(graph, owners):
        if variables or name in wanted:
            key = f"variable:{name}"
            path = _common([units[reader].path for reader in read])
            units[key] = Unit(key, Box.VARIABLE, name, "", path, ())
            links += [UnitLink(key, reader, EdgeKind.VARIABLE, variable=name) for reader in read]
    used = {key for link in links for key in (link.tail, link.head)}
    used |= {f"input:{name}" for name in wanted}
    if any(unit.box != Box.INPUT for unit in units.values()):
        units = {key: unit for key, unit in units.items() if unit.box != Box.INPUT or key in used}
    return Parts(units, owners, tuple(links))


def _place_of_op(graph: Graph, network: Outline, op: Op) -> UnitPlace:
    """Return the place of an op that is a unit. A layer of several ops is a group."""
    item = network.items.get(op.name)
    path = network.places[item.key].shown if item else path_of(graph, op)
    if item and item.layer and len(item.layer.ops) > 1:
        path = (*path, item.layer.name)
    return f"op:{op.name}", Box.OP, op.name, path


def _place(network: Outline, op: Op, level: Level) -> UnitPlace:
    """Return the place of the unit of an op: a group, a layer, or the op itself."""
    item = network.items[op.name]
    place = network.places[item.key]
    if level == Level.STAGE and place.stage:
        return f"stage:{'/'.join(place.stage)}", Box.STAGE, place.stage[-1], place.stage[:-1]
    if level == Level.BLOCK and place.block:
        return f"block:{'/'.join(place.block)}", Box.BLOCK, place.block[-1], place.around
    box = Box.LAYER if item.layer else Box.OP
    return item.key, box, item.name, place.shown


def _own_gradients(graph: Graph, level: Level, owner: dict[str, UnitPlace]) -> None:
    """Add gradient ops to `owner`: to the gradient of the unit whose op their name contains.

    A sum of gradients has no such name. It belongs to the tensor whose gradients it sums, else to
    the unit that uses it, else to the unit of its last input.
    """
    sources = Sources(graph, owner)
    computing = [op for op in backward_ops(graph) if op.type not in CONSTANTS]
    if level == Level.OP:
        owner.update((op.name, (f"op:{op.name}", Box.GRADIENT, op.name, ())) for op in computing)
        return
    sizes = size_ops(graph)
    computing = [op for op in computing if op.name not in sizes]
    places: dict[str, UnitPlace] = {}
    around: dict[str, set[UnitPlace]] = {}
    for op in computing:
        named = sources.named.get(op.name, "")
        if named not in around:
            around[named] = {owner[name] for name in sources.inside(named)}
        single = next(iter(around[named])) if len(around[named]) == 1 else None
        source = owner.get(sources.of.get(op.name, ""), single)
        if source is not None:
            places[op.name] = (f"gradient:{source[0]}", Box.GRADIENT, source[2], ())
        elif named and not around[named]:
            top = named.partition("/")[0]
            places[op.name] = (f"gradient:scope:{top}", Box.GRADIENT, top, ())
    for op in reversed(computing):
        if op.name not in places and (op.type in BETWEEN or op.name in sources.named):
            users = [user for ref in outputs(op) for user in graph.consumers.get(ref, ())]
            near = [*users, *(ref.op for ref in reversed(op.inputs))]
            summed = _summed(graph, op, owner, sources)
            places[op.name] = summed or next((places[o] for o in near if o in places), REST)
    owner.update({op.name: places.get(op.name, REST) for op in computing})


def _summed(
    graph: Graph, op: Op, owner: dict[str, UnitPlace], sources: Sources
) -> UnitPlace | None:
    """Return the unit of the tensor whose gradients an op sums, matched by shape, or None."""
    for ref in reversed(op.inputs) if op.type == "AddN" else ():
        source = graph.op_by_name.get(sources.of.get(ref.op, ""))
        for tensor in source.inputs if source is not None else ():
            place = owner.get(tensor.op)
            if place is not None and graph.spec(tensor).shape == graph.spec(ref).shape:
                return f"gradient:{place[0]}", Box.GRADIENT, place[2], ()
    return None


def _unit(graph: Graph, place: UnitPlace, ops: tuple[str, ...]) -> Unit:
    key, box, name, path = place
    layers = dict.fromkeys(graph.layer_of_op[op].name for op in ops if op in graph.layer_of_op)
    if box == Box.LAYER:
        kind = graph.layer_by_name[name].type
    elif box == Box.GRADIENT:
        kind = graph.op_by_name[ops[0]].type if key.startswith("op:") else "gradient"
    elif box == Box.OP:
        kind = graph.op_by_name[ops[0]].type if len(ops) == 1 else f"{len(ops)} ops"
    else:
        kind = box.value
    return Unit(key, box, name, kind, path, ops, tuple(layers) if box != Box.GRADIENT else ())


def _links(graph: Graph, owner: dict[str, str], units: dict[str, Unit]) -> Iterator[UnitLink]:
    for name, head in owner.items():
        op = graph.op_by_name[name]
        for ref in op.inputs:
            tail = owner.get(ref.op)
            if tail is not None and tail != head:
                yield UnitLink(tail, head, _way(units[tail], units[head]), ref)
        for other in op.control_inputs:
            tail = owner.get(other)
            if tail is not None and tail != head:
                yield UnitLink(tail, head, EdgeKind.CONTROL)


def _way(tail: Unit, head: Unit) -> EdgeKind:
    if tail.box == Box.GRADIENT:
        return EdgeKind.GRADIENT
    return EdgeKind.KEPT if head.box == Box.GRADIENT else EdgeKind.DATA


def _readings(graph: Graph, owner: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each variable with the units outside the backward pass that read it."""
    for variable in graph.variables:
        ops = [
            *variable.readers,
            *(op for h in variable.handles for op in graph.consumers.get(TensorRef(h), ())),
        ]
        known = [op for op in ops if op in owner]
        forward = [op for op in known if graph.op_by_name[op].phase != Phase.BACKWARD]
        read = list(dict.fromkeys(owner[op] for op in forward))
        if read:
            yield variable.name, read


def _common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the groups that contain all paths."""
    shared: list[str] = []
    for level in zip(*paths, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return tuple(shared)
