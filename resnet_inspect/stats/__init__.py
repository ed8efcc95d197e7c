"""Statistics of tensors: summaries, mergeable histograms, their distances, activity of channels.

NumPy only; no framework, no files.
"""

from resnet_inspect.stats.batch import BatchPart
from resnet_inspect.stats.channels import ChannelActivity
from resnet_inspect.stats.distance import distances, drift, wasserstein
from resnet_inspect.stats.record import (
    Normalization,
    NotFinite,
    Origin,
    StepRecord,
    Tap,
    Update,
    relative_updates,
)
from resnet_inspect.stats.sampling import Sampling
from resnet_inspect.stats.scales import linear_borders
from resnet_inspect.stats.sketch import Sketch
from resnet_inspect.stats.summary import TensorSummary

__all__ = [
    "BatchPart",
    "ChannelActivity",
    "Normalization",
    "NotFinite",
    "Origin",
    "Sampling",
    "Sketch",
    "StepRecord",
    "Tap",
    "TensorSummary",
    "Update",
    "distances",
    "drift",
    "linear_borders",
    "relative_updates",
    "wasserstein",
]
