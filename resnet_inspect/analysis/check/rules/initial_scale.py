"""Initial weights that are far too large or too small for their layer.

Source: Glorot 2010, He 2015, LeCun 1998: a standard deviation between sqrt(1/fan in) and
sqrt(2/fan in), or sqrt(2/(fan in + fan out)). Published checkers compare variances closely and so
condemn most other initializers. Tables that are looked up begin at 0.03 (Keras) or 1 (PyTorch).
Threshold: three times He's, or a twentieth of Glorot's; ten for tables; or a first loss of four
times that of an even answer, which is where a classifier that knows nothing should begin.
Silent: where a normalization follows, which makes the scale no matter; for frozen layers, last
layers that begin small, first losses with an added one such as L2, and runs that do not begin at
step 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import PASSING, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Layer, TensorRef, Variable

LARGE, SMALL, LOSS = 3.0, 20.0, 4.0
TABLE = 10.0


def find(seen: Evidence) -> Iterator[Finding]:
    """One for the kernel that is farthest off."""
    worst: tuple[float, str, str, float, float] | None = None
    count = 0
    for layer, variable in seen.kernels:
        shape = variable.spec.shape or ()
        held = seen.weight(variable.name)
        first = held.get(seen.recorded[0]) if seen.recorded and seen.recorded[0] == 0 else None
        usual = "kernel" in variable.name.rpartition("/")[2]
        if first is None or not first.std or not usual or None in shape or _normalized(seen, layer):
            continue
        field = math.prod(size or 1 for size in shape[:-2])
        fan_in, fan_out = field * (shape[-2] or 1), field * (shape[-1] or 1)
        if any("Depthwise" in op.type for op in seen.kernel_ops[variable.name]):
            fan_in = fan_out = field
        he, glorot = math.sqrt(2 / fan_in), math.sqrt(2 / (fan_in + fan_out))
        off = first.std / (LARGE * he) if first.std > he else glorot / (SMALL * first.std)
        if first.std < glorot and _is_last(seen, variable):
            continue
        if off > 1:
            count += 1
            if worst is None or off > worst[0]:
                worst = off, layer.name, variable.name, first.std, glorot
    if worst is None:
        yield from _tables(seen)
        yield from _unsure(seen)
        return
    _, name, kernel, std, glorot = worst
    large = std > glorot
    yield Finding(
        Severity.WARNING,
        f"{kernel} begins with a standard deviation of {std:.2g}, Glorot's is {glorot:.2g}"
        + (f"; {count - 1} more kernels are as far off" if count > 1 else ""),
        {"std": std, "glorot": glorot, "kernels": count},
        "each layer multiplies what it takes: numbers "
        + ("explode, activations saturate" if large else "vanish, and gradients with them"),
        "the layer's default (glorot_uniform), or he_normal before ReLUs",
        place=seen.place(name),
        step=0,
        command=Command("hist", (kernel,), ("--step", "0")),
    )


def _is_last(seen: Evidence, variable: Variable) -> bool:
    """Whether nothing with weights comes behind: small first answers make nothing vanish."""
    ops = seen.kernel_ops[variable.name]
    return bool(ops) and not any(seen.reaches_kernels(op) for op in ops)


def _tables(seen: Evidence) -> Iterator[Finding]:
    """A table of embeddings whose numbers are so large that training cannot move them."""
    for layer, variable in seen.kernels:
        first = seen.weight(variable.name).get(0)
        frozen = layer.settings.get("trainable") is False
        if first is None or frozen or not seen.looked_up(variable) or (first.std or 0) <= TABLE:
            continue
        yield Finding(
            Severity.WARNING,
            f"{variable.name} begins with a standard deviation of {first.std:.3g}; tables that are"
            " looked up usually begin with 0.03 to 1",
            {"std": first.std or 0.0},
            "a step of training moves it by next to nothing of its size: it stays random",
            "the layer's default, or a standard deviation of 1 at most",
            place=seen.place(layer.name),
            step=0,
            command=Command("hist", (variable.name,), ("--step", "0")),
        )
        return


def _unsure(seen: Evidence) -> Iterator[Finding]:
    """A classifier whose first answers are sure, and wrong."""
    if len(seen.objectives) != 1 or 0 not in seen.loss or seen.training.decay:
        return
    (objective,) = seen.objectives
    chance, units = seen.idle_loss, seen.units(objective)
    if objective.loss not in SOFTMAX_LOSSES or not chance or not units or units < 2:
        return
    chance = max(chance, math.log(units))  # where it begins if it knows nothing, not even shares
    if seen.loss[0] > LOSS * chance:
        yield Finding(
            Severity.WARNING,
            f"the first loss is {seen.loss[0]:.3g}, that of an answer without any input"
            f" {chance:.3g}",
            {"loss": seen.loss[0], "chance": chance},
            "the network begins with answers that are sure and wrong: its numbers grow from layer"
            " to layer",
            "smaller initial weights, normalization between layers, inputs of about one",
            step=0,
            command=Command("hist", options=("--step", "0")),
        )


def _normalized(seen: Evidence, layer: Layer) -> bool:
    """Whether a normalization takes what a layer hands on, or it is frozen."""
    if layer.settings.get("trainable") is False:
        return True
    norms = {ref for one in seen.graph.layers if "Norm" in one.type for ref in one.inputs}
    waiting: list[TensorRef] = [layer.output]
    while waiting:
        ref = waiting.pop()
        if ref in norms:
            return True
        for user in seen.graph.consumers.get(ref, ()):
            op = seen.graph.op_by_name[user]
            if op.type in PASSING and op.phase == "forward":
                waiting.append(TensorRef(op.name))
    return False
