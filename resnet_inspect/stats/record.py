"""What a trace hands on for each training step."""

from __future__ import annotations

from dataclasses import dataclass, field

from resnet_inspect.stats.summary import TensorSummary


@dataclass(frozen=True, slots=True)
class Tap:
    """A tensor that is summarized on recorded steps.

    `kind` is activation, gradient or weight; `layer` the layer it belongs to and `tensor` its
    name in the graph, such as `conv1/BiasAdd:0`.
    """

    layer: str
    kind: str
    tensor: str


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step: its number (0 is the first), its wall time, its scalars, its summaries.

    `summaries` is empty on steps that were not recorded in full. `seconds` is the time the step
    itself took, without reading data or writing the run.
    """

    step: int
    seconds: float
    scalars: dict[str, float]
    summaries: dict[Tap, TensorSummary] = field(default_factory=dict)
