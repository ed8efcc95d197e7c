"""A recorded run as a study reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from resnet_inspect.config import Settings
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import ChannelActivity, Normalization, Tap, TensorSummary, Update


@dataclass(frozen=True)
class VariantRun:
    """One run of a variant.

    Three functions read values at all recorded steps: `course` the summaries of a tap, `channels`
    how often the channels of a ReLU were active, `normalizations` the statistics of a layer.
    """

    settings: Settings
    graph: Graph
    file: Path = Path("RUN")
    lineage: Lineage = field(default_factory=Lineage)
    failure: Failure | None = None
    scalars: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    recorded: Sequence[int] = ()
    taps: Sequence[Tap] = ()
    updates: Mapping[int, Mapping[str, Update]] = field(default_factory=dict)
    course: Callable[[Tap], Mapping[int, TensorSummary]] = lambda _: {}
    channels: Callable[[Tap], Mapping[int, ChannelActivity]] = lambda _: {}
    normalizations: Callable[[str], Mapping[int, Normalization]] = lambda _: {}

    @cached_property
    def outputs(self) -> dict[str, Tap]:
        """The tap of each layer's output."""
        return {tap.layer: tap for tap in self.taps if tap.output and tap.kind == "activation"}

    def output(self, layer: str) -> Mapping[int, TensorSummary]:
        """Summaries of a layer's output at the recorded steps; empty if it was not recorded."""
        tap = self.outputs.get(layer)
        return {} if tap is None else self.course(tap)

    def ending(self, name: str, steps: int = 5) -> float:
        """The mean of a scalar over the last steps; NaN without values, or if a value is NaN."""
        values = [value for _, value in sorted(self.scalars.get(name, {}).items())][-steps:]
        return sum(values) / len(values) if values else math.nan

    @property
    def last_step(self) -> int:
        """The number of the last step, -1 without steps."""
        return max(self.scalars.get("loss", {}), default=-1)


VariantRuns = Mapping[str, Sequence[VariantRun]]
"""The runs of each variant, by its name; one for each seed, in the same order of seeds."""
