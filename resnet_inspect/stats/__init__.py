"""What a tensor holds: summaries and mergeable histograms. NumPy only; no framework, no files."""

from resnet_inspect.stats.distance import drift, kolmogorov_smirnov, wasserstein
from resnet_inspect.stats.record import StepRecord, Tap
from resnet_inspect.stats.scales import linear_borders, symlog, symlog_borders, symlog_inverse
from resnet_inspect.stats.sketch import Sketch
from resnet_inspect.stats.summary import TensorSummary

__all__ = [
    "Sketch",
    "StepRecord",
    "Tap",
    "TensorSummary",
    "drift",
    "kolmogorov_smirnov",
    "linear_borders",
    "symlog",
    "symlog_borders",
    "symlog_inverse",
    "wasserstein",
]
