"""Channels of a ReLU that are never active.

Source: published checkers call a unit dead that is active under 1 % of the time, and a layer where
that holds for half of its units. Here a channel is dead only if it was 0 in *every* example
of all recorded steps: counting zeros instead would condemn ordinary sparsity.
Threshold: 80 % of a layer's channels: a layer that is wider than it has to be can do without many
on a few hundred examples. An error where all are.
Silent: below 64 examples, where never means little.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

SHARE = 0.8
EXAMPLES = 64


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each layer."""
    for layer, activity in seen.activity.items():
        dead, channels = int(activity.dead.sum()), len(activity.dead)
        if activity.of < EXAMPLES or not channels or dead < SHARE * channels:
            continue
        all_dead = dead == channels
        yield Finding(
            Severity.ERROR if all_dead else Severity.WARNING,
            f"{dead} of {channels} channels of {layer} were 0 in every one of {activity.of:,}"
            " examples",
            {"dead": dead, "channels": channels, "examples": activity.of},
            "a dead unit gets no gradient, so it stays dead; nothing passes a layer of them",
            "a smaller learning rate, a bias that begins at 0, or an activation with a slope below"
            " 0 (leaky ReLU, ELU)",
            place=seen.place(layer),
            command=Command("hist", (layer,), ("--pair", "gradient")),
        )
