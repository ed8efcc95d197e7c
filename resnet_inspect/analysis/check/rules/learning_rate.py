"""The learning rate is far too high or far too low.

Measures the relative update ‖Δw‖/‖w‖ of all kernels. ‖w‖ is at least the norm of Glorot's initial
weights.
Threshold: too high if the median exceeds 0.1 and the loss has not halved. Also too high if most
kernels moved by more than their norm in one step, unless the loss ends below half of chance level
(a tenth of its start if chance level is unknown). Too low if the median is below 1e-5 and the loss
fell by less than 5 %. Also too low if 30 steps or more moved the weights by less than 0.1 % in
total, the median is below 1e-5 and the loss has not halved. Warning.
Source: some published checkers reject every rate above 0.01, and thus every ResNet on CIFAR. The
same rate acts differently with SGD, Adam and normalization, so this rule judges its effect.
Silent: if the loss falls, whatever the rate, and below five steps.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity, rounded
from resnet_inspect.commands import Command

HIGH_UPDATE, LOW_UPDATE, WHOLE_NORM = 0.1, 1e-5, 1.0
HALVED, SLIGHT_FALL, MANY_STEPS, TOTAL_UPDATE, TENTH = 0.5, 0.95, 30, 1e-3, 0.1


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    ratio = evidence.median_update_ratio
    if ratio is None or ratio == 0 or len(evidence.steps) < 5:
        return
    first, last = thirds(evidence.loss)
    peak = max(evidence.update_ratio_by_step.values(), default=0.0)
    learned = HALVED * evidence.chance_loss if evidence.chance_loss else TENTH * first
    long = peak > WHOLE_NORM and not (0 <= last < learned)
    high = (ratio > HIGH_UPDATE and not (0 <= last < HALVED * first)) or long
    steps = len(evidence.steps)
    still = steps >= MANY_STEPS and ratio * steps < TOTAL_UPDATE
    low = ratio < LOW_UPDATE and last > (HALVED if still else SLIGHT_FALL) * first
    if not (high or low):
        return
    rate, name = evidence.training.learning_rate, evidence.training.optimizer or "optimizer"
    used = f" ({name}, learning rate {rate:g})" if rate is not None else ""
    measured: dict[str, Measured] = {
        "update_ratio": ratio,
        "largest": peak,
        "loss_first": first,
        "loss_last": last,
    }
    if rate is not None:
        measured["learning_rate"] = rate
    yield Finding(
        Severity.WARNING,
        f"the learning rate is far too {'high' if high else 'low'}: relative update"
        f" ‖Δw‖/‖w‖ {rounded(ratio if peak <= WHOLE_NORM else peak):g} per step{used}",
        measured,
        "a relative update of about 0.001 is usual; "
        + ("larger ones overwrite what was learned" if high else "training takes far too long"),
        f"{'divide' if high else 'multiply'} the learning rate by 10 to {100 if high else '1,000'}",
        command=Command("browse"),
    )
