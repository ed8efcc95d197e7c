"""Traces the tutorial's network: builds it, captures its graph, trains it under taps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches
from resnet_inspect.graph import Graph, Note, Phase
from resnet_inspect.graph.lineage import Lineage, Mismatch
from resnet_inspect.stats import StepRecord, Tap
from resnet_inspect.tracers.contract import Outcome, Sink, TrainingFailed
from resnet_inspect.tracers.tensorflow import recipe, taps
from resnet_inspect.tracers.tensorflow.capture import capture
from resnet_inspect.tracers.tensorflow.checkpoint import restore
from resnet_inspect.tracers.tensorflow.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.explain import explain as explain_sizes
from resnet_inspect.tracers.tensorflow.failures import REFUSALS, describe
from resnet_inspect.tracers.tensorflow.layers import Layers
from resnet_inspect.tracers.tensorflow.postmortem import examine
from resnet_inspect.tracers.tensorflow.resnet import inference
from resnet_inspect.tracers.tensorflow.runtime import choose_device

AXES = {"images": ("batch", "height", "width", "channel"), "labels": ("batch",)}


class TutorialSession:
    """One run of the tutorial's network; see `contract.Session`.

    After `build`, `variables` holds the network's variables by name and `step` runs one step.
    """

    def __init__(self, settings: Settings, batches: Batches) -> None:
        self._settings = settings
        self._batches = batches
        self._device, self.environment = choose_device(tf, settings.device)
        self._call: Callable[[Tensor, Tensor, Tensor], Any] | None = None
        self._taps: list[Tap] = []
        self._tracing: _Tracing | None = None
        self._graph = Graph(ops=())
        self._mismatch: Mismatch | None = None
        self.variables: dict[str, tf.Variable] = {}

    def build(self) -> Outcome:
        """Trace the step; a checkpoint that does not fit raises CheckpointError."""
        settings = self._settings
        tracing = _Tracing(settings, self.variables, self._device)
        images = tf.TensorSpec([settings.batch_size, *self._batches.image_shape], name="images")
        labels = tf.TensorSpec([settings.batch_size], tf.int64, name="labels")
        record = tf.TensorSpec([], tf.bool, name="record")
        step = tf.function(tracing.trace, autograph=False)
        self._tracing = tracing
        try:
            with tf.device(self._device):
                self._call = step.get_concrete_function(images, labels, record)
        except REFUSALS as error:
            failure = describe(error, "building the network")
            self._graph = tracing.capture(())
            self._mismatch = examine(error, self._graph, self.variables)
            return Outcome(self._graph, tracing.seconds(), failure)
        self._taps = tracing.taps
        self._graph = tracing.capture(self._restored(tracing.needed()))
        return Outcome(self._graph, tracing.seconds())

    def explain(self) -> Lineage:
        """Links, formulas and re-traces for what `build` made."""
        if self._tracing is None or self._tracing.made is None:
            return Lineage()
        graph = self._tracing.made.graph
        image = self._batches.image_shape
        return explain_sizes(graph, self._graph, self._settings, image, self._mismatch)

    def run(self, sink: Sink) -> None:
        """Run the steps that the settings say, at least one; raises TrainingFailed."""
        for number in range(max(self._settings.steps, 1)):
            sink(self.step(number))

    def step(self, number: int) -> StepRecord:
        """Run one step on its batch."""
        if self._call is None:
            raise RuntimeError("a session is built, with success, before it is run")
        settings = self._settings
        images, labels = self._batches.batch(number)
        record = number % settings.every == 0 or number == settings.steps - 1
        start = time.perf_counter()
        try:
            scalars, counts, moments = self._call(
                tf.constant(images), tf.constant(labels), tf.constant(record)
            )
            values = {name: float(value) for name, value in scalars.items()}
        except tf.errors.OpError as error:
            raise TrainingFailed(describe(error, f"running step {number}")) from error
        seconds = time.perf_counter() - start
        summaries = taps.read(counts.numpy(), moments.numpy())
        kept = dict(zip(self._taps, summaries, strict=True)) if record else {}
        return StepRecord(number, seconds, values, kept)

    def _restored(self, needed: frozenset[str]) -> tuple[Note, ...]:
        """Load the checkpoint, if there is one, and note what it had no values for."""
        path = self._settings.checkpoint
        missing = restore(path, self.variables, needed) if path is not None else []
        if not missing:
            return ()
        listed = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        return (Note(str(path), f"{len(missing)} variables keep their initial value: {listed}"),)


class _Tracing:
    """The Python function that TensorFlow traces, with what was seen of it on the way."""

    def __init__(self, settings: Settings, variables: dict[str, tf.Variable], device: str) -> None:
        self._settings = settings
        self._device = device
        self._variables = variables
        self._started = time.perf_counter()
        self._ended = 0.0
        self._end = 0
        self.made: Construction | None = None
        self._inputs: dict[str, Tensor] = {}
        self.taps: list[Tap] = []

    def trace(self, images: Tensor, labels: Tensor, record: Tensor) -> Any:
        """One step: scalars by name, and the taps' counts and moments."""
        with tf.device(self._device):
            scalars, outputs = self._network_and_recipe(images, labels)
            return scalars, *taps.summarize(outputs, record)

    def _network_and_recipe(
        self, images: Tensor, labels: Tensor
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        settings = self._settings
        made = self.made = Construction(settings.seed, self._variables)
        self._inputs = {"images": images, "labels": labels}
        training = settings.mode == "train"
        net = Layers(
            made,
            training=training,
            bn_axis=settings.bn_axis,
            update_ops=settings.update_ops and settings.steps > 0,
        )
        with made.phase(Phase.FORWARD):
            logits = inference(
                images,
                net,
                n=settings.n,
                ver=settings.ver,
                filters=settings.filters,
                classes=settings.classes,
                mean_axes=settings.mean_axes,
            )
        losses = recipe.measure(logits, labels, made, settings.weight_decay)
        scalars = {
            "loss": losses.total,
            "cross_entropy": losses.cross_entropy,
            "l2_loss": losses.l2,
            "accuracy": losses.accuracy,
        }
        if training and settings.steps > 0:
            scalars["learning_rate"] = recipe.train(losses, made, settings)
        self._end = made.position()
        self._ended = time.perf_counter()
        self.taps = [Tap(call.name, "activation", call.output.name) for call in made.calls]
        return scalars, [call.output for call in made.calls]

    def needed(self) -> frozenset[str]:
        """The variables of the network itself, without those of the optimizer."""
        calls = self.made.calls if self.made is not None else []
        return frozenset(name for call in calls for name in call.variables)

    def capture(self, notes: tuple[Note, ...]) -> Graph:
        """The graph as far as it was built, without the taps; with `notes` beside its own."""
        if self.made is None:
            return Graph(ops=(), notes=notes)
        end = self._end or self.made.position()
        return capture(
            self.made, end, self._inputs, hidden=frozenset({"record"}), notes=notes, axes=AXES
        )

    def seconds(self) -> float:
        """How long TensorFlow took, up to the taps or the failure."""
        return (self._ended or time.perf_counter()) - self._started
