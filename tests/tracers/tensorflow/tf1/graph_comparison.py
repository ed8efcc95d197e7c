"""Compares two captured graphs op by op: the names of ReLUs and additions apart, by structure.

Where an optimizer of TensorFlow 1 gates gradients (`…/tuple/control_dependency`), what takes a
gated gradient counts as taking the gradient itself.
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
    """An op that only one graph has (`field` is "only here" or "only there"), or a field."""

    name: str
    field: str
    here: Any = None
    there: Any = None


def same_names(here: Graph, there: Graph) -> dict[str, str]:
    """For each ReLU and addition of `there`'s forward pass the name that `here` has for it: the
    op of the same type that takes the same.
    """
    known = {op.name: op.name for op in there.ops if op.name in here.op_by_name}
    places = {_place(op): op.name for op in _forward(here) if op.type in UNNAMED}
    renamed: dict[str, str] = {}
    for op in _forward(there):
        if op.type in UNNAMED and op.name not in here.op_by_name:
            inputs = tuple((known[one.op], one.index) for one in op.inputs)
            renamed[op.name] = known[op.name] = places[op.type, inputs]
    return renamed


def differences(here: Graph, there: Graph, phases: tuple[Phase, ...]) -> Iterator[Difference]:
    """All that differs in ops of these phases, `there`'s names of ReLUs and additions told as
    those of `here`.
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
    for one in ours.keys() - theirs.keys():
        yield Difference(one, "only here", ours[one])
    for one in theirs.keys() - ours.keys():
        yield Difference(one, "only there", theirs[one])
    for one in ours.keys() & theirs.keys():
        left = _fields(ours[one], str, lambda ref: (ref.op, ref.index))
        right = _fields(theirs[one], name, behind)
        for field in FIELDS:
            if left[field] != right[field]:
                yield Difference(one, field, left[field], right[field])


def _fields(op: Op, name: Any, taken: Any) -> dict[str, Any]:
    return {
        "type": op.type,
        "phase": op.phase,
        "device": op.device,
        "attrs": op.attrs,
        "inputs": [taken(one) for one in op.inputs],
        "control_inputs": sorted(map(name, op.control_inputs)),
        "outputs": op.outputs,
    }


def _forward(graph: Graph) -> list[Op]:
    return [op for op in graph.ops if op.phase is Phase.FORWARD]


def _place(op: Op) -> tuple[str, tuple[tuple[str, int], ...]]:
    return op.type, tuple((one.op, one.index) for one in op.inputs)
