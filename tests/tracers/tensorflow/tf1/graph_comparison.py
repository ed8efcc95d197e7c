"""Compares two captured graphs op by op. ReLUs and additions are matched by structure, not name.

An optimizer of TensorFlow 1 gates gradients (`…/tuple/control_dependency`). An op that reads a
gated gradient counts as reading the gradient itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from resnet_inspect.graph import Graph, Op, Phase, TensorRef

GATE = re.compile(r"/tuple/(control_dependency(_\d+)?|group_deps)$")
UNNAMED = ("Relu", "AddV2")
FIELDS = ("type", "phase", "device", "attrs", "inputs", "control_inputs", "outputs")


class Difference(NamedTuple):
    """A field that differs, or an op of one graph only (`field` is "only here", "only there")."""

    name: str
    field: str
    here: Any = None
    there: Any = None


def same_names(here: Graph, there: Graph) -> dict[str, str]:
    """Map each ReLU and addition of `there`'s forward pass to its name in `here`.

    Two ops match if they have the same type and the same inputs.
    """
    known = {op.name: op.name for op in there.ops if op.name in here.op_by_name}
    places = {_place(op): op.name for op in _forward(here) if op.type in UNNAMED}
    renamed: dict[str, str] = {}
    for op in _forward(there):
        if op.type in UNNAMED and op.name not in here.op_by_name:
            inputs = tuple((known[ref.op], ref.index) for ref in op.inputs)
            renamed[op.name] = known[op.name] = places[op.type, inputs]
    return renamed


def differences(here: Graph, there: Graph, phases: tuple[Phase, ...]) -> Iterator[Difference]:
    """Yield all differences in ops of these phases.

    ReLUs and additions of `there` are named as in `here`.
    """
    renamed = same_names(here, there)
    longest = sorted(renamed, key=len, reverse=True)
    pattern = re.compile(
        r"(?P<before>^|^gradients/|\^)(?P<name>" + "|".join(map(re.escape, longest)) + r")"
        r"(?P<after>$|_grad/|/)"
    )

    def name(text: str) -> str:
        if not renamed:
            return text
        return pattern.sub(lambda m: m["before"] + renamed[m["name"]] + m["after"], text)

    gates = {op.name: op.inputs[0] for op in there.ops if GATE.search(op.name) and op.inputs}

    def behind(ref: TensorRef) -> tuple[str, int]:
        while ref.op in gates:
            ref = gates[ref.op]
        return name(ref.op), ref.index

    ours = {op.name: op for op in here.ops if op.phase in phases}
    theirs = {name(op.name): op for op in there.ops if op.phase in phases}
    for key in ours.keys() - theirs.keys():
        yield Difference(key, "only here", ours[key])
    for key in theirs.keys() - ours.keys():
        yield Difference(key, "only there", theirs[key])
    for key in ours.keys() & theirs.keys():
        left = _fields(ours[key], str, lambda ref: (ref.op, ref.index))
        right = _fields(theirs[key], name, behind)
        for field in FIELDS:
            if left[field] != right[field]:
                yield Difference(key, field, left[field], right[field])


def _fields(op: Op, name: Any, taken: Any) -> dict[str, Any]:
    return {
        "type": op.type,
        "phase": op.phase,
        "device": op.device,
        "attrs": op.attrs,
        "inputs": [taken(ref) for ref in op.inputs],
        "control_inputs": sorted(map(name, op.control_inputs)),
        "outputs": op.outputs,
    }


def _forward(graph: Graph) -> list[Op]:
    return [op for op in graph.ops if op.phase is Phase.FORWARD]


def _place(op: Op) -> tuple[str, tuple[tuple[str, int], ...]]:
    return op.type, tuple((ref.op, ref.index) for ref in op.inputs)
