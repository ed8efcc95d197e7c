"""Records the weights before a step, and their change in the step.

Weights are read between steps, so the graph of the step is not changed. Small weights are copied to
the host as one vector by one call. A large weight is read alone: TensorFlow copies its value only
when an update changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
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

Array = NDArray[Any]
MOVING = ("moving_mean", "moving_variance")
SMALL = 1 << 14  # elements of a weight that is copied together with others
TOGETHER = 1 << 16  # elements that are converted to float64 at a time, which fit a core's cache


def recorded_weights(model: Any) -> list[Any]:
    """The trainable weights of a model and the moving averages of its batch normalizations."""
    moving = [weight for weight in model.non_trainable_weights if weight.name in MOVING]
    return [*model.trainable_weights, *moving]


@dataclass(frozen=True)
class Values:
    """The values of all weights: a vector of the small ones, and a tensor for each large one."""

    vector: Array
    large: list[tf.Tensor]


class WeightReader:
    """Reads weights of Keras or TensorFlow; weights without a value are skipped.

    Use one reader for all steps with the same weights, as it traces the copy of small weights once.
    """

    def __init__(self, weights: Sequence[Any]) -> None:
        self._given = list(weights)
        variables = [variable for weight in weights if (variable := held_by(weight)) is not None]
        self._small = list(filter(_is_small, variables))
        self._large = [variable for variable in variables if not _is_small(variable)]
        self._ends = np.cumsum([weight.shape.num_elements() for weight in self._small]).tolist()
        order = sorted(range(len(variables)), key=lambda n: not _is_small(variables[n]))
        # The place of each weight in a list of the small weights, then the large ones.
        self._places = np.argsort(order).tolist()
        self._copy: Callable[[], tf.Tensor] | None = None
        self._taps: tuple[Construction, list[Tap]] | None = None

    def reads(self, weights: Sequence[Any]) -> bool:
        """Whether the reader reads exactly these weights."""
        pairs = zip(self._given, weights, strict=False)
        return len(weights) == len(self._given) and all(a is b for a, b in pairs)

    def values(self) -> Values:
        """The current values."""
        return Values(self._vector(), [_read(variable) for variable in self._large])

    def record(
        self,
        before: Values,
        record: StepRecord,
        made: Construction,
        settings: Settings,
        *,
        trained: bool = True,
    ) -> StepRecord:
        """The record of a step with the weights `before` it and, if `trained`, their updates.

        Weights have their names in `made`.
        """
        taps = self._taps_in(made)
        arrays = self._arrays(before)
        chosen = [
            (taps[n], singles(arrays[n]).reshape(arrays[n].shape))
            for n in self._places
            if matches(taps[n], settings.taps)
        ]
        updates = {}
        if trained:
            after = self.values()
            moved = _updates_of_parts(before.vector, after.vector, self._ends)
            pairs = zip(arrays[len(self._small) :], after.large, strict=True)
            moved += [_update(array, _array(value)) for array, value in pairs]
            updates = {taps[n].tensor: moved[n] for n in self._places}
        return replace(read_arrays(chosen, settings.sample).added_to(record), updates=updates)

    def _vector(self) -> Array:
        if not self._small:
            return np.zeros(0, np.float32)
        if self._copy is None:
            self._copy = _copier(self._small)
        return np.asarray(self._copy().numpy())

    def _arrays(self, values: Values) -> list[Array]:
        """The values of each weight, small weights first."""
        starts = [0, *self._ends]
        small = [
            values.vector[start:end].reshape(variable.shape)
            for variable, start, end in zip(self._small, starts, self._ends, strict=False)
        ]
        return [*small, *map(_array, values.large)]

    def _taps_in(self, made: Construction) -> list[Tap]:
        """The tap of each weight in a trace, small weights first."""
        if self._taps is None or self._taps[0] is not made:
            names = {
                id(handle): name
                for name, variable in made.variables.items()
                for handle in handles(variable)
            }
            owners = {name: call.name for call in reversed(made.calls) for name in call.variables}
            taps = []
            for variable in (*self._small, *self._large):
                name = names.get(id(handles(variable)[0]), variable.name)
                taps.append(Tap(owners.get(name, name), "weight", name, output=False))
            self._taps = made, taps
        return self._taps[1]


def reader_of(weights: Iterable[Any], known: WeightReader | None) -> WeightReader:
    """A reader of the weights: the `known` reader, if it reads the same weights."""
    listed = list(weights)
    return known if known is not None and known.reads(listed) else WeightReader(listed)


def _is_small(variable: tf.Variable) -> bool:
    """Whether a weight is copied together with others: float32, not replicated, few elements."""
    elements = variable.shape.num_elements()
    return (
        variable.dtype == tf.float32
        and len(handles(variable)) == 1
        and elements is not None
        and elements <= SMALL
    )


def _copier(variables: list[tf.Variable]) -> Callable[[], tf.Tensor]:
    """A compiled function that returns the values of variables, flattened, in one vector."""
    sources = [handles(variable)[0] for variable in variables]

    def values() -> tf.Tensor:
        parts = [tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32) for handle in sources]
        return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)

    with tf.init_scope():
        copy: Callable[[], tf.Tensor] = tf.function(values, autograph=False).get_concrete_function()
        return copy


def _read(variable: tf.Variable) -> tf.Tensor:
    """The current value of a variable, aggregated over replicas."""
    of_replicas = handles(variable)
    if len(of_replicas) > 1:
        return variable.read_value()
    return tf.raw_ops.ReadVariableOp(resource=of_replicas[0], dtype=variable.dtype)


def _array(value: tf.Tensor) -> Array:
    """The values of a tensor, without a copy if they are in host memory."""
    return np.asarray(memoryview(value)) if _is_on_host(value) else np.asarray(value.numpy())


def _is_on_host(value: tf.Tensor) -> bool:
    return bool(value.dtype == tf.float32 and "CPU" in value.device)


def _updates_of_parts(before: Array, after: Array, ends: list[int]) -> list[Update]:
    """The updates of weights in vectors of all values; `ends` are the ends of their parts."""
    if not ends:
        return []
    old = before.astype(np.float64)
    with np.errstate(invalid="ignore"):  # the difference of two infinities is NaN
        moved = after.astype(np.float64) - old
    starts = np.array([0, *ends[:-1]])
    full = np.flatnonzero(np.diff([0, *ends]))  # `reduceat` needs parts with elements
    sums = np.zeros((2, len(ends)))
    for row, values in zip(sums, (old, moved), strict=True):
        row[full] = np.add.reduceat(np.square(values), starts[full])
    return [Update(norm, change) for norm, change in np.sqrt(sums).T.tolist()]


def _update(before: Array, after: Array) -> Update:
    """The norms of a weight and of its change, in float64: squares of 1e30 overflow float32.

    BLAS is not used: its threads would keep the cores busy that the next step needs.
    """
    old, new = before.reshape(-1), after.reshape(-1)
    norm = change = 0.0
    for start in range(0, len(old), TOGETHER):
        part = old[start : start + TOGETHER].astype(np.float64)
        with np.errstate(invalid="ignore"):  # the difference of two infinities is NaN
            moved = new[start : start + TOGETHER].astype(np.float64) - part
        norm += float(np.square(part).sum())
        change += float(np.square(moved).sum())
    return Update(norm**0.5, change**0.5)
