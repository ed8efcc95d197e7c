"""Finds the layers of a model without Keras layers: it groups ops by their name scopes.

A scope is a layer if its ops read variables of that name, such as `conv/kernel` within
`…/conv_1/…`. Inner scopes are part of this layer. Any other scope with ops directly in it is also
a layer. Of the scopes that TensorFlow's own functions open (`moments`), only the outermost one
inside the model's scopes counts. If there are layers, an op outside all scopes is its own layer, so
that no op is missing.

    with opened_scopes() as scopes:
        returned = model(x)
    add_scope_layers(construction, end, returned, scopes)
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from resnet_inspect.graph import Phase
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, LayerCall, Tensor
from resnet_inspect.tracers.tensorflow.capture.graph_capture import COMPUTES

Scope = tuple[str, ...]
SOURCE_OPS = frozenset(("Placeholder", "Const", "ReadVariableOp", "NoOp"))
# Scopes that TensorFlow's files open are ignored, except those of a module's call.
MODULE = inspect.getfile(tf.Module)
TENSORFLOW = f"{Path(tf.__file__).parent}/"
NOT_COMPUTING = frozenset((*SOURCE_OPS, "Identity", "IdentityN"))


@contextmanager
def opened_scopes() -> Iterator[set[Scope]]:
    """Yield a set that collects the scopes `tf.name_scope` and `tf.Module` open in the body."""
    opened: set[Scope] = set()
    kinds = tf.name_scope, tf.compat.v1.name_scope
    originals = [kind.__enter__ for kind in kinds]

    def entering(original: Any) -> Any:
        @functools.wraps(original)
        def enter(scope: Any) -> Any:
            name = original(scope)
            file = sys._getframe(1).f_code.co_filename
            if name and (file == MODULE or not file.startswith(TENSORFLOW)):
                opened.add(tuple(name.rstrip("/").split("/")))
            return name

        return enter

    for kind, original in zip(kinds, originals, strict=True):
        kind.__enter__ = entering(original)
    try:
        yield opened
    finally:
        for kind, original in zip(kinds, originals, strict=True):
            kind.__enter__ = original


def add_scope_layers(
    construction: Construction,
    end: int,
    returned: Iterable[Tensor] = (),
    opened: Collection[Scope] | None = None,
) -> None:
    """Add a call to `construction` for each scope among the first `end` ops that is a layer.

    `returned` are the tensors that the model returns. `opened` are the scopes that the model
    opened. If it is empty, there are no layers. It is None for an imported graph, where every
    scope may be the model's.
    """
    ops = construction.graph.get_operations()[:end]
    scopes = _scopes(ops)
    if opened is not None:
        if not any(scope in opened for scope in scopes):
            return
        scopes = [_opened_scope(scope, opened) for scope in scopes]
    elif not any(scopes):
        return
    read = _variables(construction, ops)
    marked = {_owner(scopes[at], name) for at, names in read.items() for name in names}
    grouped: dict[Scope, list[int]] = {}
    for at, scope in enumerate(scopes):
        layer = _layer_of(scope, marked) if scope else (ops[at].name,)
        if scope or construction.phase_at(at) is Phase.FORWARD:
            grouped.setdefault(layer, []).append(at)
    members = {
        scope: positions for scope, positions in grouped.items() if _computes(ops, positions)
    }
    shared = _shared_depth([scope for scope in members if any(scopes[at] for at in members[scope])])
    outputs = {
        tensor.name for tensor in returned if getattr(tensor, "graph", None) is construction.graph
    }
    calls = [
        call
        for scope, positions in members.items()
        if (call := _call(ops, scope, positions, read, outputs)) is not None
    ]
    taken: set[str] = set()
    order = {op.name: at for at, op in enumerate(ops)}
    for call in sorted(calls, key=lambda call: order[call.output.op.name]):
        *path, name = call.path[shared:] or call.path[-1:]
        call.path = tuple(path)
        call.name = _free_name([name, "/".join((*path, name))], taken)
        taken.add(call.name)
        construction.calls.append(call)


def _opened_scope(scope: Scope, opened: Collection[Scope]) -> Scope:
    """Return the innermost scope around `scope` that the model opened, else the outermost one."""
    prefixes = (scope[:depth] for depth in range(len(scope), 0, -1))
    return next((prefix for prefix in prefixes if prefix in opened), scope[:1])


def _scopes(ops: list[Any]) -> list[Scope]:
    """Return the scope of each op.

    The name of another op is not a scope: TensorFlow names the op that reads a variable for
    `conv/Conv2D` as if it were inside `conv/Conv2D`.
    """
    names = {op.name for op in ops}
    scopes = []
    for op in ops:
        scope = op.name.rpartition("/")[0]
        while scope in names:
            scope = scope.rpartition("/")[0]
        scopes.append(tuple(scope.split("/")) if scope else ())
    return scopes


def _variables(construction: Construction, ops: list[Any]) -> dict[int, list[str]]:
    """Return the names of the variables that each op reads, by the op's number."""
    names = {id(variable.handle): name for name, variable in construction.variables.items()}
    captured = {
        inside.name: names[id(outside)]
        for outside, inside in construction.graph.captures
        if id(outside) in names
    }
    read_by_op = {}
    for at, op in enumerate(ops):
        read = [captured[tensor.name] for tensor in op.inputs if tensor.name in captured]
        if read:
            read_by_op[at] = read
    return read_by_op


def _owner(scope: Scope, variable: str) -> Scope:
    """Return the scope around `scope` that the variable belongs to, else `scope`.

    TensorFlow adds a number to the name of a scope that is opened again.
    """
    *_, parent, _ = ("", *variable.split("/"))
    again = re.compile(re.escape(parent) + r"_\d+")
    depths = range(len(scope), 0, -1)
    exact = (depth for depth in depths if scope[depth - 1] == parent)
    numbered = (depth for depth in depths if parent and again.fullmatch(scope[depth - 1]))
    return scope[: next(exact, next(numbered, len(scope)))]


def _layer_of(scope: Scope, marked: Collection[Scope]) -> Scope:
    """Return the outermost marked scope that contains `scope` or equals it, else `scope`."""
    prefixes = (scope[:depth] for depth in range(1, len(scope) + 1))
    return next((prefix for prefix in prefixes if prefix in marked), scope)


def _shared_depth(scopes: Collection[Scope]) -> int:
    """Return the number of outer scopes that contain all layers."""
    depth = 0
    for parts in zip(*(scope[:-1] for scope in scopes), strict=False):
        if len(set(parts)) > 1:
            break
        depth += 1
    return depth


def _computes(ops: list[Any], positions: list[int]) -> bool:
    """Return whether a scope has ops that do more than forward a tensor."""
    return any(ops[at].type not in NOT_COMPUTING for at in positions)


def _call(
    ops: list[Any],
    scope: Scope,
    positions: list[int],
    read: dict[int, list[str]],
    model_outputs: Collection[str],
) -> LayerCall | None:
    """Return the call of a layer, with its whole scope as path; None if it has no output."""
    layer_ops = [ops[at] for at in positions]
    inside = {op.name for op in layer_ops}
    inputs: dict[str, Tensor] = {}
    outputs: list[Tensor] = []
    for op in layer_ops:
        for tensor in op.inputs:
            handle = tensor.op.type in SOURCE_OPS and tensor.dtype.name == "resource"
            if tensor.op.name not in inside and not handle and tensor.op.type != "Const":
                inputs.setdefault(tensor.name, tensor)
        if op.type not in SOURCE_OPS:
            outputs += [
                tensor
                for tensor in op.outputs
                if tensor.name in model_outputs
                or any(consumer.name not in inside for consumer in tensor.consumers())
            ]
    floats = [tensor for tensor in outputs if tensor.dtype.is_floating]
    if not outputs:
        return None
    computing = next((op.type for op in layer_ops if op.type in COMPUTES), None)
    output = (floats or outputs)[-1]
    return LayerCall(
        name="",
        type=computing or output.op.type,
        path=scope,
        start=positions[0],
        inputs=tuple(inputs.values()),
        end=positions[-1] + 1,
        output=output,
        variables=list(dict.fromkeys(name for at in positions for name in read.get(at, ()))),
        positions=frozenset(positions),
    )


def _free_name(names: list[str], taken: Collection[str]) -> str:
    number, candidate = 0, next((name for name in names if name not in taken), names[-1])
    while candidate in taken:
        number += 1
        candidate = f"{names[-1]}_{number}"
    return candidate
