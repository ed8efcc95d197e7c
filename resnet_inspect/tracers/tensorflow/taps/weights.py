"""What a model's weights hold before a step, and how far the step moves them.

They are read between steps, so the step itself stays as it is: a value that is held costs no copy
until its variable changes. What is made of them is worked out on the host, which needs no trace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from resnet_inspect.config import Settings
from resnet_inspect.stats import StepRecord, Tap, Update
from resnet_inspect.stats.elements import singles
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, handles
from resnet_inspect.tracers.tensorflow.capture.keras_layers import held_by
from resnet_inspect.tracers.tensorflow.taps.points import matches
from resnet_inspect.tracers.tensorflow.taps.readings import read_arrays

MOVING = ("moving_mean", "moving_variance")
TOGETHER = 1 << 16  # numbers that are taken to float64 at a time: what a core's cache holds


def told_of(model: Any) -> list[Any]:
    """The weights of a model that are looked at: the trainable ones, and the averages of its batch
    normalizations.
    """
    moving = [one for one in model.non_trainable_weights if one.name in MOVING]
    return [*model.trainable_weights, *moving]


class Weights:
    """What weights, Keras' or TensorFlow's, are now; those without a value are left out."""

    def __init__(self, weights: Iterable[Any]) -> None:
        held = (held_by(weight) for weight in weights)
        self._variables = [one for one in held if one is not None]
        self._values = [_read(variable) for variable in self._variables]

    def after(
        self, record: StepRecord, made: Construction, settings: Settings, *, trained: bool = True
    ) -> StepRecord:
        """The record of a step with their values before it and, of a step that trains, their
        updates; they have the names that they have in `made`.
        """
        names = {id(held): name for name, one in made.variables.items() for held in handles(one)}
        owners = {name: call.name for call in reversed(made.calls) for name in call.variables}
        arrays, updates = [], {}
        for variable, value in zip(self._variables, self._values, strict=True):
            name = names.get(id(handles(variable)[0]), variable.name)
            tap = Tap(owners.get(name, name), "weight", name, output=False)
            before = _array(value)
            if matches(tap, settings.taps):
                arrays.append((tap, singles(before).reshape(before.shape)))
            if trained:
                updates[name] = _update(before, _array(_read(variable)))
        found = read_arrays(arrays, settings.sample)
        return replace(found.added_to(record), updates=updates)


def _read(variable: tf.Variable) -> tf.Tensor:
    """Its value now; of one with a part for each replica what they come to together."""
    of_replicas = handles(variable)
    if len(of_replicas) > 1:
        return variable.read_value()
    return tf.raw_ops.ReadVariableOp(resource=of_replicas[0], dtype=variable.dtype)


def _array(value: tf.Tensor) -> NDArray[Any]:
    """The numbers of a tensor, not copied where they lie in the host's memory."""
    return np.asarray(memoryview(value)) if _lies_here(value) else np.asarray(value.numpy())


def _lies_here(value: tf.Tensor) -> bool:
    return bool(value.dtype == tf.float32 and "CPU" in value.device)


def _update(before: NDArray[Any], after: NDArray[Any]) -> Update:
    """Lengths in float64: squares of 1e30, or of 1e-30, are too much for less. No product of BLAS:
    its threads wait in a loop afterwards, on the cores that the next step needs.
    """
    old, new = before.reshape(-1), after.reshape(-1)
    norm = change = 0.0
    for start in range(0, len(old), TOGETHER):
        part = old[start : start + TOGETHER].astype(np.float64)
        with np.errstate(invalid="ignore"):  # of two infinities the change is NaN
            moved = new[start : start + TOGETHER].astype(np.float64) - part
        norm += float(np.square(part).sum())
        change += float(np.square(moved).sum())
    return Update(norm**0.5, change**0.5)
