"""Initial weights are far too large or too small, or the initial loss is far above chance level.

Measures the standard deviation of each kernel at step 0, and the loss at step 0.
Threshold: more than 3 times He's scale or less than 1/20 of Glorot's; more than 10 for lookup
tables; or a loss above 4 times that of uniform predictions. Warning.
Background: Glorot 2010, He 2015 and LeCun 1998: a standard deviation between sqrt(1/fan_in) and
sqrt(2/fan_in), or sqrt(2/(fan_in + fan_out)). Published checkers compare variances closely and
reject most other initializers. Lookup tables start at 0.03 (Keras) or 1 (PyTorch).
Not reported: before a normalization, which removes the scale; for frozen layers; for last layers
that start small; for losses with an added term such as L2; for runs that do not start at step 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import PASS_THROUGH_OPS, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Layer, TensorRef, Variable

LARGE, SMALL, LOSS = 3.0, 20.0, 4.0
TABLE = 10.0


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding, for the kernel farthest out of range."""
    worst: tuple[float, str, str, float, float] | None = None
    count = 0
    from_start = bool(evidence.recorded) and evidence.recorded[0] == 0
    for layer, variable in evidence.kernels:
        shape = variable.spec.shape or ()
        first = evidence.weight(variable.name).get(0) if from_start else None
        is_kernel = "kernel" in variable.name.rpartition("/")[2]
        if first is None or not first.std or not is_kernel or None in shape:
            continue
        if _normalized(evidence, layer):
            continue
        field = math.prod(size or 1 for size in shape[:-2])
        fan_in, fan_out = field * (shape[-2] or 1), field * (shape[-1] or 1)
        if any("Depthwise" in op.type for op in evidence.kernel_ops[variable.name]):
            fan_in = fan_out = field
        he, glorot = math.sqrt(2 / fan_in), math.sqrt(2 / (fan_in + fan_out))
        off = first.std / (LARGE * he) if first.std > he else glorot / (SMALL * first.std)
        if first.std < glorot and _is_last(evidence, variable):
            continue
        if off > 1:
            count += 1
            if worst is None or off > worst[0]:
                worst = off, layer.name, variable.name, first.std, glorot
    if worst is None:
        yield from _tables(evidence)
        yield from _initial_loss(evidence)
        return
    _, name, kernel, std, glorot = worst
    large = std > glorot
    yield Finding(
        Severity.WARNING,
        f"{kernel} starts with a standard deviation of {std:.2g}; Glorot's is {glorot:.2g}"
        + (f" ({count - 1} more kernels out of range)" if count > 1 else ""),
        {"std": std, "std_glorot": glorot, "kernels": count},
        "each layer rescales its inputs: activations "
        + ("explode or saturate" if large else "vanish, and gradients with them"),
        "use the layer's default initializer (glorot_uniform), or he_normal before ReLUs",
        place=evidence.place(name),
        step=0,
        command=Command("hist", (kernel,), ("--step", "0")),
    )


def _is_last(evidence: Evidence, variable: Variable) -> bool:
    """Whether no other weights follow: small initial predictions make no gradient vanish."""
    ops = evidence.kernel_ops[variable.name]
    return bool(ops) and not any(evidence.reaches_kernels(op) for op in ops)


def _tables(evidence: Evidence) -> Iterator[Finding]:
    """Yield the first embedding table whose values are too large for training to change."""
    for layer, variable in evidence.kernels:
        first = evidence.weight(variable.name).get(0)
        frozen = layer.settings.get("trainable") is False
        if (
            first is None
            or frozen
            or not evidence.is_lookup_table(variable)
            or (first.std or 0) <= TABLE
        ):
            continue
        yield Finding(
            Severity.WARNING,
            f"{variable.name} starts with a standard deviation of {first.std:.3g}; lookup tables"
            " usually start with 0.03 to 1",
            {"std": first.std or 0.0},
            "training steps are tiny compared with these values, so the table stays random",
            "use the layer's default initializer, or a standard deviation of at most 1",
            place=evidence.place(layer.name),
            step=0,
            command=Command("hist", (variable.name,), ("--step", "0")),
        )
        return


def _initial_loss(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for a classifier whose initial predictions are confidently wrong."""
    if len(evidence.objectives) != 1 or 0 not in evidence.loss or evidence.training.decay:
        return
    (objective,) = evidence.objectives
    chance, units = evidence.chance_loss, evidence.units(objective)
    if objective.loss not in SOFTMAX_LOSSES or not chance or not units or units < 2:
        return
    chance = max(chance, math.log(units))  # the loss of uniform predictions
    if evidence.loss[0] > LOSS * chance:
        yield Finding(
            Severity.WARNING,
            f"initial loss {evidence.loss[0]:.3g}; chance level is {chance:.2f}",
            {"loss": evidence.loss[0], "chance": chance},
            "initial predictions are confidently wrong: activations grow from layer to layer",
            "initialize smaller weights, normalize between layers, or scale the inputs to about 1",
            step=0,
            command=Command("hist", options=("--step", "0")),
        )


def _normalized(evidence: Evidence, layer: Layer) -> bool:
    """Whether a layer is frozen, or a normalization follows it."""
    if layer.settings.get("trainable") is False:
        return True
    norms = {ref for layer in evidence.graph.layers if "Norm" in layer.type for ref in layer.inputs}
    waiting: list[TensorRef] = [layer.output]
    while waiting:
        ref = waiting.pop()
        if ref in norms:
            return True
        for user in evidence.graph.consumers.get(ref, ()):
            op = evidence.graph.op_by_name[user]
            if op.type in PASS_THROUGH_OPS and op.phase == "forward":
                waiting.append(TensorRef(op.name))
    return False
