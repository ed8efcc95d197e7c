"""ReLU channels are never active.

Measures in how many examples each channel of a ReLU is above 0.
Threshold: at least 80 % of a layer's channels are 0 in every example of all recorded steps. Fewer
dead channels are normal in a wide layer. Warning; error if all channels are dead.
Background: published checkers call a unit dead if it is active less than 1 % of the time. They
report layers with half of their units dead. Here one active example is enough, because sparse
activations are normal.
Not reported: below 64 recorded examples.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

SHARE = 0.8
EXAMPLES = 64


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per layer."""
    for layer, activity in evidence.activity.items():
        dead, channels = int(activity.dead.sum()), len(activity.dead)
        if activity.of < EXAMPLES or not channels or dead < SHARE * channels:
            continue
        all_dead = dead == channels
        yield Finding(
            Severity.ERROR if all_dead else Severity.WARNING,
            f"{dead} of {channels} channels of {layer} are dead: 0 in all {activity.of:,} recorded"
            " examples",
            {"dead": dead, "channels": channels, "examples": activity.of},
            "a dead unit gets no gradient and stays dead; a fully dead layer passes no signal",
            "lower the learning rate, initialize biases to 0, or use an activation with a slope"
            " below 0 (leaky ReLU, ELU)",
            place=evidence.place(layer),
            command=Command("hist", (layer,), ("--pair", "gradient")),
        )
