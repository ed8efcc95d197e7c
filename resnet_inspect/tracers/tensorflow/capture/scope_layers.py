"""Layers of a model in which no Keras layer was called: groups of ops by their name scopes.

A scope is a layer if ops read variables of that name in it (`conv/kernel` within `…/conv_1/…`),
with all that is inside it; any other scope that ops lie directly in is one too. Of scopes that
TensorFlow's own functions open (`moments`) only the outermost counts, where the model's lead to it.
Beside layers, an op in no scope is one of its own, so that none is missing.

    with opened_scopes() as scopes:
        returned = model(x)
    note_scopes(made, end, returned, scopes)
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
GIVEN = frozenset(("Placeholder", "Const", "ReadVariableOp", "NoOp"))
# Files of TensorFlow open scopes of their own, except where a module is called.
MODULE = inspect.getfile(tf.Module)
TENSORFLOW = f"{Path(tf.__file__).parent}/"
PASSES_ON = frozenset((*GIVEN, "Identity", "IdentityN"))


@contextmanager
def opened_scopes() -> Iterator[set[Scope]]:
    """The name scopes that are opened in the body by `tf.name_scope` or a `tf.Module`."""
    found: set[Scope] = set()
    kinds = tf.name_scope, tf.compat.v1.name_scope
    originals = [kind.__enter__ for kind in kinds]

    def entering(original: Any) -> Any:
        @functools.wraps(original)
        def enter(scope: Any) -> Any:
            name = original(scope)
            file = sys._getframe(1).f_code.co_filename
            if name and (file == MODULE or not file.startswith(TENSORFLOW)):
                found.add(tuple(name.rstrip("/").split("/")))
            return name

        return enter

    for kind, original in zip(kinds, originals, strict=True):
        kind.__enter__ = entering(original)
    try:
        yield found
    finally:
        for kind, original in zip(kinds, originals, strict=True):
            kind.__enter__ = original


def note_scopes(
    made: Construction,
    end: int,
    returned: Iterable[Tensor] = (),
    opened: Collection[Scope] | None = None,
) -> None:
    """Add a call to `made` for each scope among the first `end` ops that is a layer.

    `returned` are the tensors that the model hands on, `opened` the scopes that it opened itself:
    with none there are no layers. None is a graph that was imported: any scope may be its own.
    """
    ops = made.graph.get_operations()[:end]
    scopes = _scopes(ops)
    if opened is not None:
        if not any(scope in opened for scope in scopes):
            return
        scopes = [_own(scope, opened) for scope in scopes]
    elif not any(scopes):
        return
    read = _variables(made, ops)
    marked = {_owner(scopes[at], name) for at, names in read.items() for name in names}
    grouped: dict[Scope, list[int]] = {}
    for at, scope in enumerate(scopes):
        layer = _layer_of(scope, marked) if scope else (ops[at].name,)
        if scope or made.phase_at(at) is Phase.FORWARD:
            grouped.setdefault(layer, []).append(at)
    members = {scope: held for scope, held in grouped.items() if _computes(ops, held)}
    whole = _shared([scope for scope in members if any(scopes[at] for at in members[scope])])
    wanted = {one.name for one in returned if getattr(one, "graph", None) is made.graph}
    calls = [
        call
        for scope, positions in members.items()
        if (call := _call(ops, scope, positions, read, wanted)) is not None
    ]
    taken: set[str] = set()
    order = {op.name: at for at, op in enumerate(ops)}
    for call in sorted(calls, key=lambda one: order[one.output.op.name]):
        *path, name = call.path[whole:] or call.path[-1:]
        call.path = tuple(path)
        call.name = _free([name, "/".join((*path, name))], taken)
        taken.add(call.name)
        made.calls.append(call)


def _own(scope: Scope, opened: Collection[Scope]) -> Scope:
    """The innermost scope around this one that the model opened, else the outermost of all."""
    around = (scope[:depth] for depth in range(len(scope), 0, -1))
    return next((one for one in around if one in opened), scope[:1])


def _scopes(ops: list[Any]) -> list[Scope]:
    """The scope of each op. `conv/Conv2D` is none where an op has that name: TensorFlow puts what
    reads a variable for an op behind the op's name.
    """
    names = {op.name for op in ops}
    found = []
    for op in ops:
        scope = op.name.rpartition("/")[0]
        while scope in names:
            scope = scope.rpartition("/")[0]
        found.append(tuple(scope.split("/")) if scope else ())
    return found


def _variables(made: Construction, ops: list[Any]) -> dict[int, list[str]]:
    """The names of the variables that each op reads, by the op's number."""
    names = {id(variable.handle): name for name, variable in made.variables.items()}
    held = {
        inside.name: names[id(outside)]
        for outside, inside in made.graph.captures
        if id(outside) in names
    }
    found = {}
    for at, op in enumerate(ops):
        read = [held[tensor.name] for tensor in op.inputs if tensor.name in held]
        if read:
            found[at] = read
    return found


def _owner(scope: Scope, variable: str) -> Scope:
    """The scope that a variable belongs to, seen from one in which it is read: TensorFlow adds a
    number to one that is opened again.
    """
    *_, parent, _ = ("", *variable.split("/"))
    again = re.compile(re.escape(parent) + r"_\d+")
    depths = range(len(scope), 0, -1)
    exact = (depth for depth in depths if scope[depth - 1] == parent)
    alike = (depth for depth in depths if parent and again.fullmatch(scope[depth - 1]))
    return scope[: next(exact, next(alike, len(scope)))]


def _layer_of(scope: Scope, marked: Collection[Scope]) -> Scope:
    """The outermost marked scope around this one, which may be itself; else itself."""
    around = (scope[:depth] for depth in range(1, len(scope) + 1))
    return next((one for one in around if one in marked), scope)


def _shared(scopes: Collection[Scope]) -> int:
    """How many outer scopes all layers lie in."""
    depth = 0
    for parts in zip(*(scope[:-1] for scope in scopes), strict=False):
        if len(set(parts)) > 1:
            break
        depth += 1
    return depth


def _computes(ops: list[Any], positions: list[int]) -> bool:
    """Whether there is more in a scope than what is handed through it."""
    return any(ops[at].type not in PASSES_ON for at in positions)


def _call(
    ops: list[Any],
    scope: Scope,
    positions: list[int],
    read: dict[int, list[str]],
    wanted: Collection[str],
) -> LayerCall | None:
    """The call of a layer, with its whole scope as path; None if it hands nothing on."""
    own = [ops[at] for at in positions]
    inside = {op.name for op in own}
    inputs: dict[str, Tensor] = {}
    handed: list[Tensor] = []
    for op in own:
        for tensor in op.inputs:
            given = tensor.op.type in GIVEN and tensor.dtype.name == "resource"
            if tensor.op.name not in inside and not given and tensor.op.type != "Const":
                inputs.setdefault(tensor.name, tensor)
        if op.type not in GIVEN:
            handed += [
                tensor
                for tensor in op.outputs
                if tensor.name in wanted
                or any(one.name not in inside for one in tensor.consumers())
            ]
    floats = [tensor for tensor in handed if tensor.dtype.is_floating]
    if not handed:
        return None
    computing = next((op.type for op in own if op.type in COMPUTES), None)
    output = (floats or handed)[-1]
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


def _free(names: list[str], taken: Collection[str]) -> str:
    number, found = 0, next((name for name in names if name not in taken), names[-1])
    while found in taken:
        number += 1
        found = f"{names[-1]}_{number}"
    return found
