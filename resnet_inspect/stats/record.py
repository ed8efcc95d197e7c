"""The record of a training step: scalars, and statistics of tensors, variables and the batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_inspect.stats.batch import BatchPart
from resnet_inspect.stats.channels import ChannelActivity
from resnet_inspect.stats.summary import TensorSummary


class Tap(msgspec.Struct, frozen=True, gc=False):
    """A tensor that is summarized on recorded steps.

    Attributes:
        layer: the layer that it belongs to.
        kind: activation (any tensor of the forward pass), gradient (of the loss with respect to
            `tensor`) or weight.
        tensor: its name in the graph, such as `conv1/BiasAdd:0`, or the name of a variable.
        output: whether the tensor is the output of the layer.
    """

    layer: str
    kind: str
    tensor: str
    output: bool = True


@dataclass(frozen=True, slots=True)
class NotFinite:
    """Numbers of NaN and infinities in a whole tensor."""

    nan: int
    posinf: int
    neginf: int


@dataclass(frozen=True, slots=True)
class Update:
    """The update of a variable in a step: `norm` ‖w‖₂ before it and `change` ‖Δw‖₂."""

    norm: float
    change: float

    @classmethod
    def joined(cls, updates: Iterable[Update]) -> Update:
        """The update of several variables, treated as one vector."""
        parts = list(updates)
        norm, change = sum(part.norm**2 for part in parts), sum(part.change**2 for part in parts)
        return cls(norm**0.5, change**0.5)

    def relative(self, least: float = 0.0) -> float | None:
        """The relative update ‖Δw‖/‖w‖, with ‖w‖ at least `least`; None if that is 0."""
        norm = max(self.norm, least)
        return self.change / norm if norm else None


def relative_updates(updates: Iterable[Update], least: float = 0.0) -> list[float]:
    """The relative updates of all variables that have one."""
    ratios = (update.relative(least) for update in updates)
    return [ratio for ratio in ratios if ratio is not None]


@dataclass(frozen=True, slots=True, eq=False)
class Normalization:
    """Statistics of a batch in batch normalization, and the moving averages after it: [channels].

    The batch variances are unbiased, like those in TensorFlow's moving averages.
    """

    batch_mean: NDArray[np.float32]
    batch_variance: NDArray[np.float32]
    moving_mean: NDArray[np.float32]
    moving_variance: NDArray[np.float32]

    @property
    def parts(self) -> tuple[NDArray[np.float32], ...]:
        """All four arrays, in the order of the fields."""
        return self.batch_mean, self.batch_variance, self.moving_mean, self.moving_variance


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of the first NaN or infinity of a run.

    `kind` is op (the inputs of `name` were finite, its output is not), input, variable (`name` was
    not finite before the step) or update (of the variable `name`).
    """

    step: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class StepRecord:
    """The record of a step. All fields after `scalars` are empty if tensors were not recorded.

    Attributes:
        step: its number; 0 is the first.
        seconds: duration of the step, without reading data and writing the run.
        scalars: scalars by name.
        summaries: summaries of a sample of each tensor (see `sampling`).
        sizes: number of elements of each whole tensor.
        not_finite: counts in whole tensors, only for tensors with NaN or infinities.
        channels: activity of the outputs of ReLUs.
        updates: updates by variable.
        normalizations: statistics of batch normalization by layer.
        batch: statistics of the batch by name of its part.
        origin: source of the first NaN or infinity, only in the first step that has any.
    """

    step: int
    seconds: float
    scalars: dict[str, float]
    summaries: dict[Tap, TensorSummary] = field(default_factory=dict)
    sizes: dict[Tap, int] = field(default_factory=dict)
    not_finite: dict[Tap, NotFinite] = field(default_factory=dict)
    channels: dict[Tap, ChannelActivity] = field(default_factory=dict)
    updates: dict[str, Update] = field(default_factory=dict)
    normalizations: dict[str, Normalization] = field(default_factory=dict)
    batch: dict[str, BatchPart] = field(default_factory=dict)
    origin: Origin | None = None
