"""A softmax or sigmoid that is missing before the loss, or there twice.

Source: `from_logits`, which says nothing when it is wrong.
Threshold: the loss takes probabilities, and the output's recorded values leave 0…1; the loss takes
logits and the output is a softmax or sigmoid; or one follows another, also that of TensorFlow's own
cross entropies. Keras itself mends a doubled one where it sees it, but the code still says two
things.
Silent: for losses that are no cross entropy.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import BINARY_LOSSES, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Objective, Phase

SLACK = 1e-3
OF_SIGMOID = "logistic_loss"  # the scope of tf.nn.sigmoid_cross_entropy_with_logits
OF_SIGN = ("GreaterEqual", "Neg", "Abs")  # what it asks of logits, and not of labels
OF_LOGITS = ("SparseSoftmaxCrossEntropyWithLogits", "SoftmaxCrossEntropyWithLogits")
WHY = (
    "a softmax of probabilities is nearly even: gradients are small, and the loss cannot come near"
    " 0"
)
FIX = (
    "either no activation on the last layer and from_logits=True, or softmax (sigmoid for yes and"
    " no) and from_logits=False"
)


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output, and one for a cross entropy of TensorFlow's own."""
    yield from _inside_of_loss(seen)
    for objective in seen.objectives:
        softmax = objective.loss in SOFTMAX_LOSSES
        if not softmax and objective.loss not in BINARY_LOSSES:
            continue
        maker = seen.maker(objective.output) if objective.output is not None else None
        if maker is None:
            continue
        layer = seen.name_of(objective.output)
        if maker.type in ("Softmax", "Sigmoid"):
            again = maker.inputs and (before := seen.maker(maker.inputs[0])) is not None and (
                before.type in ("Softmax", "Sigmoid")
            )  # fmt: skip
            if objective.from_logits or again:
                what = "a second one behind it" if again else "another inside of the loss"
                yield Finding(
                    Severity.ERROR if again else Severity.WARNING,
                    f"{layer} is a {maker.type.lower()}, and there is {what}",
                    {"from_logits": bool(objective.from_logits)},
                    WHY,
                    FIX,
                    place=seen.place(layer),
                )
        elif not objective.from_logits and (evidence := _outside(seen, objective)):
            yield Finding(
                Severity.ERROR,
                f"{objective.loss} expects probabilities, but {layer} gives"
                f" {evidence['low']:.3g} … {evidence['high']:.3g}",
                evidence,
                "the loss cuts and divides what it takes for probabilities: gradients are wrong or"
                " 0",
                FIX,
                place=seen.place(layer),
                command=Command("hist", (layer,)),
            )


def _inside_of_loss(seen: Evidence) -> Iterator[Finding]:
    """The first op of a cross entropy that takes logits and is given probabilities."""
    for op in seen.graph.ops:
        if op.type in OF_LOGITS:
            given = [(ref, "Softmax") for ref in op.inputs[:1]]
        elif OF_SIGMOID in op.name and op.phase is Phase.OTHER:
            given = [(ref, "Sigmoid") for ref in op.inputs[:1] if op.type in OF_SIGN]
        else:
            continue
        for ref, kind in given:
            before = seen.maker(ref)
            if before is not None and before.type == kind:
                yield Finding(
                    Severity.ERROR,
                    f"{op.name} takes logits, and is given the {kind.lower()} {before.name}",
                    {"op": op.name, "given": before.name},
                    WHY,
                    FIX,
                    place=seen.place(seen.name_of(ref)),
                )
                return


def _outside(seen: Evidence, objective: Objective) -> dict[str, Measured]:
    """The range of an output that leaves 0…1, else empty."""
    if objective.output is None:
        return {}
    held = [one for one in seen.held(objective.output).values() if one.min is not None]
    low = min((one.min for one in held if one.min is not None), default=0.0)
    high = max((one.max for one in held if one.max is not None), default=0.0)
    return {"low": low, "high": high} if low < -SLACK or high > 1 + SLACK else {}
