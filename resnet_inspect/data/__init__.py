"""Training images: generated, from CIFAR-10 files or from npz files, and their distortions."""

from resnet_inspect.data.batches import Batches
from resnet_inspect.data.images import LabelledImages
from resnet_inspect.data.random_inputs import RandomInputs
from resnet_inspect.data.sources import load

__all__ = ["Batches", "LabelledImages", "RandomInputs", "load"]
