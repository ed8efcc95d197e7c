"""Resolves the names in `--scope` and `--path` to ops."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches

from resnet_inspect.analysis.diagram.outline import Outline
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.commands import Command
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Graph


def in_scope(graph: Graph, name: str, network: Outline) -> frozenset[str]:
    """Return the ops of a stage, block, layer or name scope.

    Groups and layers of the code come first, then the blocks of the diagram.

    Raises:
        UsageError: the name does not exist. The error lists the nearest names.
    """
    wanted = name.strip("/")
    ops = {
        op
        for layer in graph.layers
        if wanted in (layer.name, *layer.path) or _begins("/".join(layer.path), wanted)
        for op in layer.ops
    }
    ops = ops or set(network.named.get(wanted, ()))
    ops = ops or {op.name for op in graph.ops if _begins(op.name, wanted)}
    if wanted and ops:
        return frozenset(ops)
    known = list(
        dict.fromkeys(
            [part for layer in graph.layers for part in (*layer.path, layer.name)]
            + list(network.named)
            + [op.scope for op in graph.ops if op.scope]
        )
    )
    near = get_close_matches(name, known, n=3) or known[:3]
    raise UsageError(
        f"there is no stage, block, layer or name scope '{name}'",
        where="--scope",
        expected="a name that `resnet-inspect shapes --depth block` or `--depth layer` lists",
        got=name,
        fix=f"did you mean {' or '.join(near)}?" if near else "trace a network first",
    )


def named_ops(graph: Graph, name: str, network: Outline) -> frozenset[str]:
    """Return the ops at an end of a path.

    For an op, layer or variable they are the ops that produce its values. For a stage, block or
    name scope they are all its ops.

    Raises:
        UsageError: the name does not exist. The error lists the nearest names.
    """
    known = (graph.layer_by_name, graph.op_by_name, graph.variable_by_name)
    if not any(name in names for names in known):
        with suppress(UsageError):
            return in_scope(graph, name, network)
    try:
        target, _ = find(graph, name)
    except UsageError as error:
        error.where = "--path"
        error.expected = "two names of stages, blocks, layers, ops or variables of the run"
        raise
    variable = graph.variable_by_name.get(target.name)
    return frozenset([target.op] if variable is None else variable.readers)


def _begins(path: str, wanted: str) -> bool:
    return path == wanted or path.startswith(wanted + "/")


def between(
    pairs: Iterable[tuple[str, str]], starts: set[str], ends: set[str], names: tuple[str, str]
) -> set[str]:
    """Return all boxes on paths from `starts` to `ends`.

    Raises:
        UsageError: there is no path.
    """
    after: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    for tail, head in pairs:
        after.setdefault(tail, []).append(head)
        before.setdefault(head, []).append(tail)
    boxes = _reached(after, starts) & _reached(before, ends)
    if boxes:
        return boxes
    back = _reached(after, ends) & _reached(before, starts)
    raise UsageError(
        f"no path leads from '{names[0]}' to '{names[1]}'",
        where="--path",
        expected="two names, the first before the second",
        got=" ".join(names),
        fix=f"swap the names: --path {names[1]} {names[0]}"
        if back
        else ("use two connected layers from `", Command("shapes"), "`"),
    )


def _reached(links: dict[str, list[str]], starts: set[str]) -> set[str]:
    reached, waiting = set(starts), list(starts)
    while waiting:
        for other in links.get(waiting.pop(), ()):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached
