"""A softmax or sigmoid is missing before the loss, or is applied twice.

Compares `from_logits` of the loss with the activation and the recorded values of the output.
Threshold: the loss expects probabilities and the output leaves 0…1 (error). The loss expects logits
and the output is a softmax or sigmoid (warning). A softmax or sigmoid follows another one, also
inside TensorFlow's own cross entropies (error).
Background: a wrong `from_logits` raises no error. Keras corrects a doubled activation where it can,
but the code still contradicts itself.
Not reported: for losses other than cross entropies.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import BINARY_LOSSES, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Objective, Phase

SLACK = 1e-3
SIGMOID_SCOPE = "logistic_loss"  # the scope of tf.nn.sigmoid_cross_entropy_with_logits
SIGMOID_OPS = ("GreaterEqual", "Neg", "Abs")  # they take logits there, and never labels
SOFTMAX_OPS = ("SparseSoftmaxCrossEntropyWithLogits", "SoftmaxCrossEntropyWithLogits")
WHY = (
    "a softmax of probabilities is nearly uniform: gradients stay small, and the loss cannot"
    " approach 0"
)
FIX = (
    "use no activation on the last layer with from_logits=True, or softmax (sigmoid for binary"
    " labels) with from_logits=False"
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output, and one for TensorFlow's own cross entropies."""
    yield from _inside_loss(evidence)
    for objective in evidence.objectives:
        softmax = objective.loss in SOFTMAX_LOSSES
        if not softmax and objective.loss not in BINARY_LOSSES:
            continue
        producer = evidence.producer(objective.output) if objective.output is not None else None
        if producer is None:
            continue
        layer = evidence.name_of(objective.output)
        if producer.type in ("Softmax", "Sigmoid"):
            before = evidence.producer(producer.inputs[0]) if producer.inputs else None
            again = before is not None and before.type in ("Softmax", "Sigmoid")
            if objective.from_logits or again:
                other = "it follows another one" if again else "the loss expects logits"
                yield Finding(
                    Severity.ERROR if again else Severity.WARNING,
                    f"{layer} is a {producer.type.lower()}, and {other}",
                    {"from_logits": bool(objective.from_logits)},
                    WHY,
                    FIX,
                    place=evidence.place(layer),
                )
        elif not objective.from_logits and (measured := _range_outside(evidence, objective)):
            yield Finding(
                Severity.ERROR,
                f"{objective.loss} expects probabilities in 0…1; {layer} returns"
                f" {measured['lowest']:.3g} … {measured['highest']:.3g}",
                measured,
                "the loss clips or rescales values that are no probabilities, so gradients are"
                " wrong or 0",
                FIX,
                place=evidence.place(layer),
                command=Command("hist", (layer,)),
            )


def _inside_loss(evidence: Evidence) -> Iterator[Finding]:
    """Yield the first cross entropy op that expects logits and receives probabilities."""
    for op in evidence.graph.ops:
        if op.type in SOFTMAX_OPS:
            given = [(ref, "Softmax") for ref in op.inputs[:1]]
        elif SIGMOID_SCOPE in op.name and op.phase is Phase.OTHER:
            given = [(ref, "Sigmoid") for ref in op.inputs[:1] if op.type in SIGMOID_OPS]
        else:
            continue
        for ref, kind in given:
            before = evidence.producer(ref)
            if before is not None and before.type == kind:
                yield Finding(
                    Severity.ERROR,
                    f"{op.name} expects logits but receives the {kind.lower()} {before.name}",
                    {"op": op.name, "input": before.name},
                    WHY,
                    FIX,
                    place=evidence.place(evidence.name_of(ref)),
                )
                return


def _range_outside(evidence: Evidence, objective: Objective) -> dict[str, Measured]:
    """Return the range of an output that leaves 0…1, else an empty dictionary."""
    if objective.output is None:
        return {}
    summaries = evidence.summaries(objective.output).values()
    low = min((summary.min for summary in summaries if summary.min is not None), default=0.0)
    high = max((summary.max for summary in summaries if summary.max is not None), default=0.0)
    return {"lowest": low, "highest": high} if low < -SLACK or high > 1 + SLACK else {}
