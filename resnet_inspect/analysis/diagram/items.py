"""The smallest parts of a diagram: layers, and ops outside of layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from resnet_inspect.analysis.diagram.size_ops import size_ops
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef

CONSTANTS = ("Const", "NoOp")
# Ops of one call at most.
CALL = 24


class Item(msgspec.Struct, frozen=True):
    """A layer, or an op outside of layers, or such ops that one call created.

    Attributes:
        key: key of its unit, such as `layer:conv1`.
        path: the groups that contain it.
        inputs: the tensors of other items and of the network's inputs that it reads.
        layer: its layer, None for ops outside of layers.
        type: the type of its layer or of its last op.
        output: its output.
    """

    key: str
    name: str
    path: tuple[str, ...]
    ops: tuple[str, ...]
    inputs: tuple[TensorRef, ...] = ()
    variables: tuple[str, ...] = ()
    layer: Layer | None = None
    type: str = ""
    output: TensorRef = TensorRef("")


def items(graph: Graph, scope: frozenset[str] = frozenset()) -> tuple[Item, ...]:
    """Return the items of the forward pass, and of the ops in `scope`, in graph order.

    Constants, handles of variables and ops that only compute sizes are in no item, unless they
    belong to a layer. Constants that several layers read are in no item.
    """
    entries = {ref.op for ref in graph.entries.values()}
    handles = {handle for variable in graph.variables for handle in variable.handles}
    hidden = entries | handles | _shared_constants(graph)
    sizes = size_ops(graph)
    members: dict[str, list[Op]] = {}
    for op in graph.ops:
        layer = graph.layer_of_op.get(op.name)
        if op.name in hidden or is_resource(op):
            continue
        if layer is not None:
            members.setdefault(f"layer:{layer.name}", []).append(op)
        elif op.type not in CONSTANTS and (
            op.name in scope or (op.phase == Phase.FORWARD and op.name not in sizes)
        ):
            members[f"op:{op.name}"] = [op]
    calls = _calls(graph, members)
    merged: dict[str, list[Op]] = {}
    for key, ops in members.items():
        merged.setdefault(calls.get(key, key), []).extend(ops)
    known = {op.name for ops in merged.values() for op in ops} | entries
    users: dict[str, list[str]] = {}
    for variable in graph.variables:
        for name in dict.fromkeys((*variable.readers, *variable.handles)):
            users.setdefault(name, []).append(variable.name)
    result = [_item(graph, key, ops, known, users) for key, ops in merged.items()]
    order = {op.name: at for at, op in enumerate(graph.ops)}
    return _branch_by_branch(sorted(result, key=lambda item: order[item.output.op]))


def _shared_constants(graph: Graph) -> set[str]:
    """Return the constants that several layers read. The first of them did not compute them."""
    shared = set()
    for op in graph.ops:
        if op.type in CONSTANTS and op.name in graph.layer_of_op:
            readers = graph.consumers.get(TensorRef(op.name), ())
            layers = {graph.layer_of_op[user].name for user in readers if user in graph.layer_of_op}
            if len(layers) > 1:
                shared.add(op.name)
    return shared


def _branch_by_branch(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return items with inputs before their readers, and the layers of a branch side by side.

    Of the branches that meet in an item the longest comes first. The order of execution may mix
    branches: the first layers of a decoder with the last ones of its encoder.
    """
    owner = {name: item for item in items for name in item.ops}
    sources = {
        item.key: list(dict.fromkeys(owner[ref.op].key for ref in item.inputs if ref.op in owner))
        for item in items
    }
    by_key = {item.key: item for item in items}
    depth: dict[str, int] = {}
    for item in items:
        depth[item.key] = 1 + max((depth.get(key, 0) for key in sources[item.key]), default=0)
    read = {key for keys in sources.values() for key in keys}
    done: dict[str, None] = {}
    entered: set[str] = set()
    waiting = [item.key for item in reversed(items) if item.key not in read]
    waiting = [item.key for item in reversed(items)] + waiting
    while waiting:
        key = waiting.pop()
        if key in entered:
            done.setdefault(key)
            continue
        entered.add(key)
        waiting.append(key)
        waiting += sorted(
            (other for other in reversed(sources[key]) if other not in entered),
            key=lambda other: depth[other],
        )
    return tuple(by_key[key] for key in done)


def is_resource(op: Op) -> bool:
    """Whether an op only gives handles of variables."""
    return bool(op.outputs) and all(spec.dtype == "resource" for spec in op.outputs)


def _calls(graph: Graph, members: dict[str, list[Op]]) -> dict[str, str]:
    """Return for each op that a call such as `random_normal` created the key of all its ops.

    The ops of a call follow each other. Their name scope has no layers and at most CALL ops.
    The key is that of the last op.
    """
    if not graph.layers:
        return {}
    used = {scope for name in graph.layer_of_op for scope in scopes(name)}
    loose = [ops[0].name for key, ops in members.items() if key.startswith("op:")]
    sizes = Counter(scope for name in loose for scope in scopes(name))
    calls = {}
    for call, run in groupby(members, key=lambda key: _call(key, used, sizes)):
        keys = list(run)
        paths = {path_of(graph, members[key][0]) for key in keys}
        if call and len(keys) > 1 and len(paths) == 1:
            calls.update(dict.fromkeys(keys, keys[-1]))
    return calls


def _call(key: str, used: set[str], sizes: Counter[str]) -> str:
    """Return the name scope of the call that created an op; empty for a layer."""
    kind, _, name = key.partition(":")
    if kind == "layer":
        return ""
    wanted = (scope for scope in scopes(name) if scope not in used and sizes[scope] <= CALL)
    return next(wanted, name)


def scopes(name: str) -> Iterator[str]:
    """Yield the name scopes of an op, outermost first."""
    parts = name.split("/")[:-1]
    return ("/".join(parts[: at + 1]) for at in range(len(parts)))


def path_of(graph: Graph, op: Op) -> tuple[str, ...]:
    """Return the groups that contain an op.

    In a network with layers, a name scope is a group only if it contains layers.
    """
    layer = graph.layer_of_op.get(op.name)
    if layer is not None:
        return layer.path
    group = graph.group_of_op.get(op.name)
    if group is not None:
        return group.path
    scope = tuple(op.scope.split("/"))[:2] if op.scope else ()
    return scope if not graph.layers or scope[:1] in graph.outermost_groups else ()


def _item(
    graph: Graph, key: str, ops: list[Op], known: set[str], users: dict[str, list[str]]
) -> Item:
    own = {op.name for op in ops}
    inputs = [ref for op in ops for ref in op.inputs if ref.op in known and ref.op not in own]
    layer = graph.layer_of_op.get(ops[0].name)
    variables = [name for op in ops for name in users.get(op.name, ())]
    variables += [name for op in ops for ref in op.inputs for name in users.get(ref.op, ())]
    name = layer.name if layer else ops[-1].name
    return Item(
        key,
        name,
        path_of(graph, ops[0]),
        tuple(op.name for op in ops),
        tuple(dict.fromkeys(inputs)),
        layer.variables if layer else tuple(dict.fromkeys(variables)),
        layer,
        layer.type if layer else ops[-1].type,
        layer.output if layer and layer.output.op in own else TensorRef(ops[-1].name),
    )
