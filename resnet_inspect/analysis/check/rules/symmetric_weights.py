"""Kernels whose weights all begin with the same value.

Source: constant initialization; all units of such a layer stay equal.
Threshold: the first recorded values of a kernel are all equal: to something other than 0, or to 0
in two kernels or more of which one feeds the other.
Silent: for zeros whose product is joined with something else, or taken by no other such kernel:
branches, adapters and last layers begin so on purpose; for scales, tokens and other variables that
nothing is multiplied by as by a matrix; for one unit; and where nothing of the first two steps was
recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from resnet_inspect.analysis.check.evidence import KERNEL_OPS, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Layer, Op

LOOPS = frozenset(("While", "StatelessWhile", "PartitionedCall", "StatefulPartitionedCall", "Scan"))


def find(seen: Evidence) -> Iterator[Finding]:
    """One for all of them."""
    constant: dict[str, tuple[str, float]] = {}
    for layer, variable in seen.kernels:
        held = seen.weight(variable.name)
        shape = variable.spec.shape or (1,)
        first = held.get(seen.recorded[0]) if seen.recorded and seen.recorded[0] < 2 else None
        if first is None or first.min is None or shape[-1] == 1 or not _multiplies(seen, layer):
            continue
        if first.min == first.max:
            constant[variable.name] = layer.name, first.min
    same = {name: one for name, one in constant.items() if one[1] != 0}
    if not same and not _feeds(seen, list(constant)):
        return
    name, (layer_name, value) = next(iter((same or constant).items()))
    yield Finding(
        Severity.ERROR,
        f"all weights of {name} begin at {value:g}"
        + (f", and so do those of {len(constant) - 1} more" if len(constant) > 1 else ""),
        {"kernels": len(constant), "value": value},
        "units that begin equal get equal gradients and stay equal: a layer of them is one unit",
        "random initial weights: glorot_uniform, he_normal",
        place=seen.place(layer_name),
        step=seen.recorded[0],
        command=Command("hist", (name,)),
    )


def _multiplies(seen: Evidence, layer: Layer) -> bool:
    """Whether a layer multiplies by matrices, itself or in the body of its loop."""
    types = {seen.graph.op_by_name[name].type for name in layer.ops}
    return not types.isdisjoint(KERNEL_OPS | LOOPS)


def _feeds(seen: Evidence, names: Sequence[str]) -> bool:
    """Whether one of some kernels of zeros takes what comes of another one alone."""
    looped = Counter(layer.name for layer, one in seen.kernels if one.name in names
                     and not seen.kernel_ops[one.name])  # fmt: skip
    if any(count > 1 for count in looped.values()):
        return True
    every = {op.name: op for name in names for op in seen.kernel_ops[name]}
    return any(_alone(seen, op, every) for op in every.values())


def _alone(seen: Evidence, start: Op, wanted: Collection[str]) -> bool:
    ways = seen.behind([start.name])
    reached, waiting = {start.name}, [start]
    while waiting:
        for user in seen.after(waiting.pop()):
            joined = any(ref.op in seen.fed and ref.op not in ways for ref in user.inputs)
            if joined or user.name in reached:
                continue
            if user.name in wanted:
                return True
            reached.add(user.name)
            if user.type not in KERNEL_OPS:
                waiting.append(user)
    return False
