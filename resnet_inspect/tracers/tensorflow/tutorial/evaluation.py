"""The tutorial's network in evaluation, beside its training and without an effect on it.

The network is traced again on the variables that are trained: as it is evaluated, with batch
normalization by its moving averages, and once more by each batch's own statistics, without update
ops. On the same pictures, the difference between both is what those averages do.
"""

from __future__ import annotations

from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches
from resnet_inspect.tracers.tensorflow.capture.construction import Tensor
from resnet_inspect.tracers.tensorflow.tutorial.step import TutorialStep

PICTURES = 256  # or one batch, where that is more: what a mean over them costs stays small
BY_AVERAGES = ("eval_cross_entropy", "eval_accuracy")
BY_BATCH = ("eval_cross_entropy_by_batch", "eval_accuracy_by_batch")


class Evaluation:
    """Evaluates on the first whole batches of `held`, always the same, that hold PICTURES.

    `variables` are those of the network by name; it must have been built on them before.
    """

    def __init__(
        self, settings: Settings, variables: dict[str, tf.Variable], device: str, held: Batches
    ) -> None:
        self._settings = settings
        self._variables = variables
        self._device = device
        self._count = max(1, min(PICTURES, len(held.data)) // held.size)
        self._held = held
        self._function: Any = None

    def scalars(self) -> dict[str, float]:
        """The scalars by name, float: means over the pictures, with the weights of this moment.

        Raises an error of TensorFlow's if the network refuses the pictures.
        """
        if self._function is None:
            batch = self._held.batch(0)
            specs = [tf.TensorSpec(part.shape, part.dtype) for part in batch]
            traced = tf.function(self._both, autograph=False)
            self._function = traced.get_concrete_function(*specs)
        total: dict[str, float] = {}
        for number in range(self._count):
            fed = [tf.constant(part) for part in self._held.batch(number)]
            for name, value in self._function(*fed).items():
                total[name] = total.get(name, 0.0) + float(value) / self._count
        return total

    def _both(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for mode, names in (("eval", BY_AVERAGES), ("train", BY_BATCH)):
            tutorial = msgspec.structs.replace(self._settings.tutorial, mode=mode, update_ops=False)
            settings = msgspec.structs.replace(self._settings, subject=tutorial)
            step = TutorialStep(settings, self._variables, self._device)
            losses = step.losses(images, labels)
            found |= dict(zip(names, (losses.cross_entropy, losses.accuracy), strict=True))
        return found
