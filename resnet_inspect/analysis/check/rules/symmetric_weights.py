"""All weights of a kernel start with the same value.

Checks the first recorded values of each kernel.
Threshold: all values of a kernel are equal and not 0. Or all are 0 in two kernels or more, of which
one feeds another. Error.
Background: constant initialization: units that start equal stay equal.
Not reported: for kernels of zeros whose product is merged with another branch or feeds no other
such kernel, as in adapters and last layers; for scales, tokens and other variables outside matrix
products; for one unit; if neither of the first two steps was recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from resnet_inspect.analysis.check.evidence import KERNEL_OPS, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Layer, Op

LOOPS = frozenset(("While", "StatelessWhile", "PartitionedCall", "StatefulPartitionedCall", "Scan"))


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for all affected kernels."""
    constant: dict[str, tuple[str, float]] = {}
    from_start = bool(evidence.recorded) and evidence.recorded[0] < 2
    for layer, variable in evidence.kernels:
        values = evidence.weight(variable.name)
        shape = variable.spec.shape or (1,)
        first = values.get(evidence.recorded[0]) if from_start else None
        if first is None or first.min is None or shape[-1] == 1:
            continue
        if not _multiplies(evidence, layer):
            continue
        if first.min == first.max:
            constant[variable.name] = layer.name, first.min
    same = {name: start for name, start in constant.items() if start[1] != 0}
    if not same and not _feeds(evidence, list(constant)):
        return
    name, (layer_name, value) = next(iter((same or constant).items()))
    yield Finding(
        Severity.ERROR,
        f"all weights of {name} start at {value:g}"
        + (f" ({len(constant) - 1} more constant kernels)" if len(constant) > 1 else ""),
        {"kernels": len(constant), "value": value},
        "units that start equal get equal gradients and stay equal: the layer acts as one unit",
        "use random initial weights: glorot_uniform or he_normal",
        place=evidence.place(layer_name),
        step=evidence.recorded[0],
        command=Command("hist", (name,)),
    )


def _multiplies(evidence: Evidence, layer: Layer) -> bool:
    """Whether a layer multiplies by matrices, directly or in the body of its loop."""
    types = {evidence.graph.op_by_name[name].type for name in layer.ops}
    return not types.isdisjoint(KERNEL_OPS | LOOPS)


def _feeds(evidence: Evidence, names: Sequence[str]) -> bool:
    """Whether one of these kernels of zeros receives only the product of another one."""
    looped = Counter(layer.name for layer, variable in evidence.kernels if variable.name in names
                     and not evidence.kernel_ops[variable.name])  # fmt: skip
    if any(count > 1 for count in looped.values()):
        return True
    every = {op.name: op for name in names for op in evidence.kernel_ops[name]}
    return any(_feeds_unmerged(evidence, op, every) for op in every.values())


def _feeds_unmerged(evidence: Evidence, start: Op, targets: Collection[str]) -> bool:
    dependent = evidence.downstream([start.name])
    reached, waiting = {start.name}, [start]
    while waiting:
        for user in evidence.forward_consumers(waiting.pop()):
            joined = any(
                ref.op in evidence.input_dependent_ops and ref.op not in dependent
                for ref in user.inputs
            )
            if joined or user.name in reached:
                continue
            if user.name in targets:
                return True
            reached.add(user.name)
            if user.type not in KERNEL_OPS:
                waiting.append(user)
    return False
