"""What a model's weights hold before a step, and how far the step moves them.

They are read between steps, so the step itself stays as it is: a value that is held costs no copy
until its variable changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.stats import StepRecord, Tap, Update
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, handles
from resnet_inspect.tracers.tensorflow.capture.keras_layers import held_by
from resnet_inspect.tracers.tensorflow.taps.in_branch import keep, summary
from resnet_inspect.tracers.tensorflow.taps.points import matches
from resnet_inspect.tracers.tensorflow.taps.readings import Readings

MOVING = ("moving_mean", "moving_variance")


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
        self._values = [variable.read_value() for variable in self._variables]

    def after(self, record: StepRecord, made: Construction, settings: Settings) -> StepRecord:
        """The record of a step with what they held before it and with their updates; they have
        the names that they have in `made`.
        """
        names = {id(held): name for name, one in made.variables.items() for held in handles(one)}
        owners = {name: call.name for call in reversed(made.calls) for name in call.variables}
        found, updates = Readings(), {}
        if not self._variables:
            return record
        now = [variable.read_value() for variable in self._variables]
        rows = (one.numpy() for one in _examined(self._values, now, settings.sample))
        for variable, numbers, counts, lengths in zip(self._variables, *rows, strict=True):
            name = names.get(id(handles(variable)[0]), variable.name)
            tap = Tap(owners.get(name, name), "weight", name, output=False)
            if matches(tap, settings.taps):
                keep(found, tap, numbers, counts)
            updates[name] = Update(*map(float, lengths))
        return replace(
            record,
            summaries=found.summaries,
            sizes=found.sizes,
            not_finite=found.not_finite,
            updates=updates,
        )


@tf.function(autograph=False)  # type: ignore[untyped-decorator]
def _examined(before: list[Any], after: list[Any], sample: int) -> tuple[Any, Any, Any]:
    """For all weights NUMBERS, counts by code, and ‖w‖₂ and ‖Δw‖₂: one call, as each has its price.

    Lengths are of float64: squares of 1e30, or of 1e-30, are too much for less.
    """
    lengths = []
    for old, new in zip(before, after, strict=True):
        wide = tf.cast(old, tf.float64), tf.cast(new, tf.float64)
        lengths.append(tf.stack([tf.norm(wide[0]), tf.norm(wide[1] - wide[0])]))
    rows = [summary(one, sample) for one in before]
    numbers, counts = zip(*rows, strict=True)
    return tf.stack(numbers), tf.stack(counts), tf.stack(lengths)
