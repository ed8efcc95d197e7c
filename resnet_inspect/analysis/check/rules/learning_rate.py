"""A learning rate that is far off, judged by what it does to the weights.

Source: some published checkers condemn every rate above 0.01, and with it every ResNet on CIFAR.
The same number means different things to SGD and Adam, with and without normalization. So what is
measured is ‖Δw‖/‖w‖ of all kernels, ‖w‖ being at least what Glorot's initial weights have.
Threshold: a median above 0.1 at the recorded steps, where the loss has not fallen by half; or below
1e-5 while the loss has not fallen by 5 % (by half, if all of at least 30 steps together cannot have
moved the weights by a thousandth); or a recorded step that moved most kernels by more than
their whole length.
Silent: where the loss falls, whatever the rate; if a step was as long as that, to half of that of
an answer without any input, or to a tenth.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command

HIGH, LOW, WHOLE = 0.1, 1e-5, 1.0
FALLS, MOVES, STEPS, MOVED, LEARNED = 0.5, 0.95, 30, 1e-3, 0.1


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    ratio = seen.ratio
    if ratio is None or ratio == 0 or len(seen.steps) < 5:
        return
    first, last = thirds(seen.loss)
    peak = max(seen.ratio_of_step.values(), default=0.0)
    learned = FALLS * seen.idle_loss if seen.idle_loss else LEARNED * first
    long = peak > WHOLE and not (0 <= last < learned)
    high = (ratio > HIGH and not (0 <= last < FALLS * first)) or long
    steps = len(seen.steps)
    still = steps >= STEPS and ratio * steps < MOVED
    low = ratio < LOW and last > (FALLS if still else MOVES) * first
    if not (high or low):
        return
    rate, name = seen.training.learning_rate, seen.training.optimizer or "the optimizer"
    told = f" (learning rate {rate:g} of {name})" if rate is not None else ""
    evidence: dict[str, Measured] = {
        "update_ratio": ratio,
        "largest": peak,
        "loss_first": first,
        "loss_last": last,
    }
    if rate is not None:
        evidence["learning_rate"] = rate
    yield Finding(
        Severity.WARNING,
        f"a step changes the weights by {ratio if peak <= WHOLE else peak:.1g} of their length"
        f"{told}: " + ("far too much" if high else "next to nothing"),
        evidence,
        "about a thousandth is usual; "
        + ("what was learned is overwritten" if high else "this takes thousands of times as long"),
        "a learning rate " + ("10 to 100 times smaller" if high else "10 to 1,000 times larger"),
        command=Command("browse"),
    )
