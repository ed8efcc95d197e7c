"""What a trace hands on for each training step."""

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

    `kind` is activation (any tensor of the forward pass), gradient (of the loss, with respect to
    `tensor`) or weight; `layer` the layer it belongs to and `tensor` its name in the graph, such
    as `conv1/BiasAdd:0`, or a variable's. `output` says that it is what the layer hands on.
    """

    layer: str
    kind: str
    tensor: str
    output: bool = True


@dataclass(frozen=True, slots=True)
class NotFinite:
    """Elements of a whole tensor that are not finite."""

    nan: int
    posinf: int
    neginf: int


@dataclass(frozen=True, slots=True)
class Update:
    """What a step did to a variable: ‖w‖₂ before it and ‖Δw‖₂."""

    norm: float
    change: float

    @classmethod
    def joined(cls, updates: Iterable[Update]) -> Update:
        """The update of several variables taken as one vector."""
        parts = list(updates)
        norm, change = sum(one.norm**2 for one in parts), sum(one.change**2 for one in parts)
        return cls(norm**0.5, change**0.5)

    def relative(self, least: float = 0.0) -> float | None:
        """The relative update ‖Δw‖/‖w‖, with ‖w‖ at least `least`; None where that is 0."""
        norm = max(self.norm, least)
        return self.change / norm if norm else None


def relative_updates(updates: Iterable[Update], least: float = 0.0) -> list[float]:
    """The relative update of each, those without one left out."""
    every = (one.relative(least) for one in updates)
    return [one for one in every if one is not None]


@dataclass(frozen=True, slots=True, eq=False)
class Normalization:
    """What batch normalization saw in a batch, beside its moving averages after it: [channels].

    The variances of the batch are unbiased, as TensorFlow's moving averages take them.
    """

    batch_mean: NDArray[np.float32]
    batch_variance: NDArray[np.float32]
    moving_mean: NDArray[np.float32]
    moving_variance: NDArray[np.float32]

    @property
    def parts(self) -> tuple[NDArray[np.float32], ...]:
        """All four, in that order."""
        return self.batch_mean, self.batch_variance, self.moving_mean, self.moving_variance


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the first NaN or infinity of a run came from.

    `kind` is op (all that `name` takes was finite, what it gives is not), input, variable (it was
    not finite before the step) or update (of the variable `name`).
    """

    step: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step: its number (0 is the first), its wall time, its scalars, and what tensors held.

    All but the scalars is empty on steps that were not recorded in full. `summaries` are of a
    sample of each tensor (see `sampling`); `not_finite` counts in the whole of it, and has only
    tensors with such elements. `channels` are of outputs of ReLUs, `updates` by variable,
    `normalizations` by layer, `batch` by the names of its parts. `origin` is told on the first step
    at which something was not finite. `seconds` is the time the step itself took, without reading
    data or writing the run.
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
