"""Evaluates the tutorial's network during its training, without an effect on the training.

The network is traced twice more on the trained variables, without update ops: in evaluation mode,
where batch normalization uses its moving averages, and with the statistics of each batch. Both use
the same images, so the difference between them is the effect of the moving averages.
"""

from __future__ import annotations

from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches
from resnet_inspect.tracers.tensorflow.capture.construction import Tensor
from resnet_inspect.tracers.tensorflow.tutorial.step import TutorialStep

PICTURES = 256  # evaluated images, or one batch if that is more; limits the time of evaluation
BY_AVERAGES = ("eval_cross_entropy", "eval_accuracy")
BY_BATCH = ("eval_cross_entropy_by_batch", "eval_accuracy_by_batch")


class Evaluation:
    """Evaluates the network on the first whole batches of `held_out`, up to PICTURES images.

    `variables` are the network's variables by name. The network must already be built on them.
    """

    def __init__(
        self, settings: Settings, variables: dict[str, tf.Variable], device: str, held_out: Batches
    ) -> None:
        self._settings = settings
        self._variables = variables
        self._device = device
        self._count = max(1, min(PICTURES, len(held_out.data)) // held_out.size)
        self._held_out = held_out
        self._function: Any = None

    def scalars(self) -> dict[str, float]:
        """Means over the images, by name of the scalar, with the current weights.

        Raises a TensorFlow error if the network rejects the images.
        """
        if self._function is None:
            batch = self._held_out.batch(0)
            specs = [tf.TensorSpec(part.shape, part.dtype) for part in batch]
            traced = tf.function(self._both, autograph=False)
            self._function = traced.get_concrete_function(*specs)
        total: dict[str, float] = {}
        for number in range(self._count):
            tensors = [tf.constant(part) for part in self._held_out.batch(number)]
            for name, value in self._function(*tensors).items():
                total[name] = total.get(name, 0.0) + float(value) / self._count
        return total

    def _both(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        scalars: dict[str, Tensor] = {}
        for mode, names in (("eval", BY_AVERAGES), ("train", BY_BATCH)):
            tutorial = msgspec.structs.replace(self._settings.tutorial, mode=mode, update_ops=False)
            settings = msgspec.structs.replace(self._settings, subject=tutorial)
            step = TutorialStep(settings, self._variables, self._device)
            losses = step.losses(images, labels)
            scalars |= dict(zip(names, (losses.cross_entropy, losses.accuracy), strict=True))
        return scalars
