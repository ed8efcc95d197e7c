"""Reference activations: the network's forward function, traced without the recorder."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from resnet_inspect.tracers.tensorflow.capture.construction import Construction
from resnet_inspect.tracers.tensorflow.tutorial.layers import Layers
from resnet_inspect.tracers.tensorflow.tutorial.resnet import inference

Arrays = dict[str, NDArray[Any]]


def weights_of(variables: dict[str, tf.Variable]) -> Arrays:
    """The current values of variables."""
    return {name: variable.numpy() for name, variable in variables.items()}


class Forward:
    """The forward function without taps, loss or training; returns every layer's whole output."""

    def __init__(self, ver: int, *, training: bool = True) -> None:
        self.variables: dict[str, tf.Variable] = {}
        self._ver = ver
        self._training = training
        self._names: list[str] = []
        self._call = tf.function(self._trace, autograph=False)

    def __call__(self, weights: Arrays, images: NDArray[np.float32]) -> Arrays:
        """Every layer's output for these weights."""
        if not self.variables:
            self._call.get_concrete_function(tf.TensorSpec(images.shape))
        for name, variable in self.variables.items():
            variable.assign(weights[name])
        outputs = self._call(tf.constant(images))
        return {name: out.numpy() for name, out in zip(self._names, outputs, strict=True)}

    def _trace(self, images: Any) -> list[Any]:
        made = Construction(0, self.variables)
        net = Layers(made, training=self._training, bn_axis=-1, update_ops=False)
        inference(images, net, n=1, ver=self._ver, filters=16, classes=10, mean_axes=(1, 2))
        self._names = [call.name for call in made.calls]
        return [call.output for call in made.calls]
