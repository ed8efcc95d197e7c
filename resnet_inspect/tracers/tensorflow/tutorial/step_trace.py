"""The Python function of one step that TensorFlow traces, with what was seen of it on the way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from resnet_inspect.config import Settings
from resnet_inspect.graph import Graph, Note, Objective, Phase, TensorRef, Training
from resnet_inspect.stats import Normalization, Update
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, LayerCall, Tensor
from resnet_inspect.tracers.tensorflow.capture.graph_capture import capture
from resnet_inspect.tracers.tensorflow.taps.points import Watched, choose
from resnet_inspect.tracers.tensorflow.taps.taps import Taps
from resnet_inspect.tracers.tensorflow.tutorial import recipe
from resnet_inspect.tracers.tensorflow.tutorial.layers import Layers
from resnet_inspect.tracers.tensorflow.tutorial.resnet import inference

RAW_ELEMENTS = 256  # of weights so small their values are told, from which lengths are made
AXES = {"images": ("batch", "height", "width", "channel"), "labels": ("batch",)}


class StepTrace:
    """One trace of the tutorial's step. `made` is what was built, None before it began."""

    def __init__(self, settings: Settings, variables: dict[str, tf.Variable], device: str) -> None:
        self._settings = settings
        self._device = device
        self._variables = variables
        self._started = time.perf_counter()
        self._ended = 0.0
        self._end = 0
        self._inputs: dict[str, Tensor] = {}
        self._normalized: list[LayerCall] = []
        self._updated: dict[str, int] = {}
        self.made: Construction | None = None
        self.taps = Taps((), settings.sample)

    def trace(self, images: Tensor, labels: Tensor) -> dict[str, Any]:
        """One step: `scalars` by name, `taps`, and `before`, the values of variables it read.

        Also `updates` and `averages`, a vector each; see `read_updates` and `read_averages`.
        """
        with tf.device(self._device):
            scalars, watched = self._build(images, labels)
            before = _values_read(watched.made)
            self.taps = Taps(choose(watched, self._settings.taps), self._settings.sample)
            found: dict[str, Any] = {
                "scalars": scalars,
                "taps": self.taps.tensors(),
                "before": before,
            }
            if self._settings.trains:
                found["updates"] = self._updates(watched.values)
            if self._settings.tutorial.mode == "train":
                found["averages"] = self._averages(watched.made)
            return {name: value for name, value in found.items() if value is not None}

    def forward_and_backward(self, images: Tensor, labels: Tensor) -> Construction:
        """Build the step without its updates; ops have the names they have in the whole step."""
        with tf.device(self._device):
            made, losses = self._forward(images, labels)
            if self._settings.trains:
                recipe.differentiate(losses, made, [])
        return made

    def losses(self, images: Tensor, labels: Tensor) -> recipe.Losses:
        """Build the network and what it is measured by, alone."""
        with tf.device(self._device):
            return self._forward(images, labels)[1]

    def _forward(self, images: Tensor, labels: Tensor) -> tuple[Construction, recipe.Losses]:
        settings, tutorial = self._settings, self._settings.tutorial
        made = self.made = Construction(settings.seed, self._variables)
        self._inputs = {"images": images, "labels": labels}
        net = Layers(
            made,
            training=tutorial.mode == "train",
            bn_axis=tutorial.bn_axis,
            update_ops=tutorial.update_ops and settings.steps > 0,
            batch_norm=tutorial.batch_norm,
        )
        with made.phase(Phase.FORWARD):
            logits = inference(
                images,
                net,
                n=tutorial.n,
                ver=tutorial.ver,
                filters=tutorial.filters,
                classes=tutorial.classes,
                mean_axes=tutorial.mean_axes,
                stem_bn=tutorial.stem_bn,
            )
        return made, recipe.measure(logits, labels, made, tutorial.weight_decay)

    def _build(self, images: Tensor, labels: Tensor) -> tuple[dict[str, Tensor], Watched]:
        settings = self._settings
        made, losses = self._forward(images, labels)
        scalars = {
            "loss": losses.total,
            "cross_entropy": losses.cross_entropy,
            "l2_loss": losses.l2,
            "accuracy": losses.accuracy,
        }
        gradients: dict[str, Tensor] = {}
        of_outputs: dict[str, Tensor] = {}
        if self._settings.trains:
            calls = made.calls if settings.gradients else []
            gradients, found = recipe.differentiate(losses, made, [call.output for call in calls])
            of_outputs = {call.name: one for call, one in zip(calls, found, strict=True)}
            scalars["learning_rate"] = recipe.train(gradients, made, settings.tutorial)
        self._end = made.position()
        self._ended = time.perf_counter()
        if not settings.gradients:
            gradients = {}
        read = _values_read(made)
        values = {name: read[name] for name in recipe.trainable(made) if name in read}
        parts = {"cross_entropy": losses.entropies}
        return scalars, Watched(made, self._end, parts, values, gradients, of_outputs)

    def _updates(self, values: Mapping[str, Tensor]) -> Tensor:
        """What `read_updates` reads, in one vector of float64: of small weights, which most are,
        the values before and after, so that their lengths need no ops of their own; then the
        lengths of the others.
        """
        self._updated = {name: int(value.shape.num_elements()) for name, value in values.items()}
        small: list[Tensor] = []
        lengths: list[Tensor] = []
        for name, before in values.items():
            after = self._variables[name].read_value()
            if self._updated[name] <= RAW_ELEMENTS:
                small += [tf.reshape(before, [-1]), tf.reshape(after, [-1])]
            else:  # in float64: squares of 1e30, or of 1e-30, are too much for less
                wide = tf.cast(before, tf.float64), tf.cast(after, tf.float64)
                lengths += [tf.nn.l2_loss(wide[0]), tf.nn.l2_loss(wide[1] - wide[0])]
        none = tf.zeros([0], tf.float64)
        values_of_small = tf.cast(tf.concat(small, 0), tf.float64) if small else none
        return tf.concat([values_of_small, tf.stack(lengths) if lengths else none], 0)

    def read_updates(self, vector: NDArray[np.float64]) -> dict[str, Update]:
        """What `updates` says, by variable."""
        found = dict.fromkeys(self._updated, Update(0.0, 0.0))
        for name, size in self._updated.items():
            if size <= RAW_ELEMENTS:
                before, after = vector[: 2 * size].reshape(2, size)
                vector = vector[2 * size :]
                found[name] = Update(_length(before), _length(after - before))
        large = [name for name, size in self._updated.items() if size > RAW_ELEMENTS]
        for name, (norm, change) in zip(large, np.sqrt(2 * vector).reshape(-1, 2), strict=True):
            found[name] = Update(float(norm), float(change))
        return found

    def _averages(self, made: Construction) -> Tensor | None:
        parts = []
        self._normalized = []
        for call in made.calls:
            if call.type == "FusedBatchNormV3":
                self._normalized.append(call)
                held = [name for name in call.variables if "/moving_" in name]
                seen = call.output.op.outputs[1:3]
                parts += [*seen, *(self._variables[name].read_value() for name in held)]
        return tf.concat(parts, 0) if parts else None

    def read_averages(self, vector: NDArray[np.float32]) -> dict[str, Normalization]:
        """What `averages` says, by layer."""
        found = {}
        for call in self._normalized:
            size = 4 * int(call.output.op.outputs[1].shape[0])
            found[call.name] = Normalization(*vector[:size].reshape(4, -1))
            vector = vector[size:]
        return found

    def needed(self) -> frozenset[str]:
        """The variables of the network itself, without those of the optimizer."""
        calls = self.made.calls if self.made is not None else []
        return frozenset(name for call in calls for name in call.variables)

    def capture(self, notes: tuple[Note, ...]) -> Graph:
        """The graph as far as it was built, without the taps; with `notes` beside its own."""
        if self.made is None:
            return Graph(ops=(), notes=notes)
        end = self._end or self.made.position()
        graph = capture(self.made, end, self._inputs, notes=notes, axes=AXES)
        return msgspec.structs.replace(graph, training=self._training())

    def _training(self) -> Training:
        """What the recipe trains for; without an objective where it does not come so far."""
        made, tutorial = self.made, self._settings.tutorial
        objectives: tuple[Objective, ...] = ()
        if made is not None and made.calls:
            output = made.calls[-1].output
            objectives = (
                Objective(
                    loss="sparse_categorical_crossentropy",
                    from_logits=True,
                    output=TensorRef(output.op.name, output.value_index),
                    labels="labels",
                    metrics=("accuracy",),
                ),
            )
        rate = recipe.RATES[0] if tutorial.learning_rate is None else tutorial.learning_rate
        return Training(
            objectives=objectives,
            optimizer=tutorial.optimizer if self._settings.trains else "",
            learning_rate=rate if self._settings.trains else None,
            decay=tutorial.weight_decay > 0,
        )

    def seconds(self) -> float:
        """How long TensorFlow took, up to the taps or the failure."""
        return (self._ended or time.perf_counter()) - self._started


def _length(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(values).sum()))


def _values_read(made: Construction) -> dict[str, Tensor]:
    """The value of each variable that the step reads, as it first reads it: before any update."""
    names = {id(variable.handle): name for name, variable in made.variables.items()}
    found: dict[str, Tensor] = {}
    for outside, inside in made.graph.captures:
        name = names.get(id(outside))
        reads = [op for op in inside.consumers() if op.type == "ReadVariableOp"]
        if name is not None and reads and made.variables[name].dtype.is_floating:
            found[name] = reads[0].outputs[0]
    return found
