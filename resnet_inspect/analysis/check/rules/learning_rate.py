"""The learning rate is far too high or far too low.

Measures the relative update ‖Δw‖/‖w‖ of all kernels. For smaller kernels, ‖w‖ is the norm of
Glorot's initial weights.
Threshold: too high if the median exceeds 0.1 and the loss has not halved. Also too high if most
kernels moved by more than their norm in one step, unless the loss ends below half of chance level
(a tenth of its start if chance level is unknown). Too low if the median is below 1e-5 and the loss
fell by less than 5 %. Also too low if 30 steps or more moved the weights by less than 0.1 % in
total, the median is below 1e-5 and the loss has not halved. Warning.
Background: some published checkers reject every rate above 0.01, such as those usual for ResNets.
The same rate acts differently with SGD, Adam and normalization, so this rule judges its effect.
Not reported: below five steps, and if the loss falls as far as the threshold requires.
"""

from __future__ import annotations

import math
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
    step, peak = max(
        evidence.update_ratio_by_step.items(),
        key=lambda at: at[1],
        default=(evidence.steps[0], 0.0),
    )
    learned = HALVED * evidence.chance_loss if evidence.chance_loss else TENTH * first
    long = peak > WHOLE_NORM and not (0 <= last < learned)
    high = (ratio > HIGH_UPDATE and not (0 <= last < HALVED * first)) or long
    steps = len(evidence.steps)
    still = steps >= MANY_STEPS and ratio * steps < TOTAL_UPDATE
    low = ratio < LOW_UPDATE and last > (HALVED if still else SLIGHT_FALL) * first
    if not (high or low):
        return
    rate, name = evidence.training.learning_rate, evidence.training.optimizer or "optimizer"
    used = f" of {name}, {rate:g}," if rate is not None else ""
    measured: dict[str, Measured] = {
        "median_relative_update": ratio,
        "largest_relative_update": peak,
        "loss_first_third": first,
        "loss_last_third": last,
        "highest_loss": max(filter(math.isfinite, evidence.loss.values()), default=math.nan),
    }
    if rate is not None:
        measured["learning_rate"] = rate
    if peak > WHOLE_NORM:
        change = f"step {step} changed the kernels by {rounded(peak):g} times their norm"
    else:
        change = f"a median step changes the kernels by {100 * rounded(ratio):g} % of their norm"
    yield Finding(
        Severity.WARNING,
        f"the learning rate{used} is far too {'high' if high else 'low'}: {change}, and the loss"
        f" {_course(first, last)}",
        measured,
        "a relative update ‖Δw‖/‖w‖ of about 0.1 % per step is usual; "
        + ("larger ones overwrite what was learned" if high else "training takes far too long"),
        f"{'divide' if high else 'multiply'} the learning rate by 10 to {100 if high else '1,000'}",
        command=Command("browse", remark="key 4: pane Scalars"),
    )


def _course(first: float, last: float) -> str:
    """How the loss changes from the first to the last third of the steps."""
    if math.isclose(first, last, rel_tol=0.01):
        return f"stays near {first:.3g}"
    return f"{'rises' if last > first else 'falls only'} from {first:.3g} to {last:.3g}"
