"""Traces the tutorial's network: builds it, captures its graph, trains it under taps."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches
from resnet_inspect.graph import Failure, Graph, Note, Phase
from resnet_inspect.stats import StepRecord, Tap
from resnet_inspect.tracers.contract import Sink, TraceFailed
from resnet_inspect.tracers.tensorflow import recipe, taps
from resnet_inspect.tracers.tensorflow.capture import capture
from resnet_inspect.tracers.tensorflow.checkpoint import restore
from resnet_inspect.tracers.tensorflow.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.layers import Layers
from resnet_inspect.tracers.tensorflow.resnet import inference
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.sources import SourceFinder

REFUSALS = (ValueError, TypeError, tf.errors.OpError)
NODE = re.compile(r"\{\{node ([^}]+)\}\}")


@dataclass(frozen=True)
class Built:
    """A traced step: `call(images, labels, record)` gives scalars by name, counts and moments.

    `seconds` is the time TensorFlow took to trace the step, without taps and capture.
    """

    call: Callable[[Tensor, Tensor, Tensor], Any]
    graph: Graph
    taps: tuple[Tap, ...]
    variables: dict[str, tf.Variable]
    seconds: float


class TutorialSession:
    """One run of the tutorial's network; see `contract.Session`."""

    def __init__(self, settings: Settings, batches: Batches) -> None:
        self._settings = settings
        self._batches = batches
        self._device, self.environment = choose_device(tf, settings.device)

    def run(self, sink: Sink) -> None:
        """Build, then train for the steps that the settings say; raises TraceFailed."""
        built = self.build(sink)
        for step in range(max(self._settings.steps, 1)):
            sink.step(self._step(built, step))

    def build(self, sink: Sink) -> Built:
        """Trace the step and hand its graph to `sink`, also where that fails half-way."""
        settings = self._settings
        variables: dict[str, tf.Variable] = {}
        tracing = _Tracing(settings, variables, self._device)
        images = tf.TensorSpec([settings.batch_size, *self._batches.image_shape], name="images")
        labels = tf.TensorSpec([settings.batch_size], tf.int64, name="labels")
        step = tf.function(tracing.trace, autograph=False)
        try:
            with tf.device(self._device):
                record = tf.TensorSpec([], tf.bool, "record")
                call = step.get_concrete_function(images, labels, record)
        except REFUSALS as error:
            sink.graph(tracing.capture(), tracing.seconds())
            raise TraceFailed(explain(error, "building the network")) from error
        graph = tracing.capture()
        notes = graph.notes
        if settings.checkpoint is not None:
            notes += _restore(settings.checkpoint, graph, variables)
        graph = Graph(**{**_fields(graph), "notes": notes})
        sink.graph(graph, tracing.seconds())
        return Built(call, graph, tuple(tracing.taps), variables, tracing.seconds())

    def _step(self, built: Built, step: int) -> StepRecord:
        settings = self._settings
        images, labels = self._batches.batch(step)
        record = step % settings.every == 0 or step == settings.steps - 1
        start = time.perf_counter()
        try:
            scalars, counts, moments = built.call(
                tf.constant(images), tf.constant(labels), tf.constant(record)
            )
            values = {name: float(value) for name, value in scalars.items()}
        except tf.errors.OpError as error:
            raise TraceFailed(explain(error, f"running step {step}")) from error
        seconds = time.perf_counter() - start
        summaries = taps.read(counts.numpy(), moments.numpy()) if record else []
        return StepRecord(step, seconds, values, dict(zip(built.taps, summaries, strict=record)))


class _Tracing:
    """The Python function that TensorFlow traces, with what was seen of it on the way."""

    def __init__(self, settings: Settings, variables: dict[str, tf.Variable], device: str) -> None:
        self._settings = settings
        self._device = device
        self._variables = variables
        self._started = time.perf_counter()
        self._ended = 0.0
        self._end = 0
        self._made: Construction | None = None
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
        made = self._made = Construction(settings.seed, self._variables)
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

    def capture(self) -> Graph:
        """The graph as far as it was built, without the taps."""
        if self._made is None:
            return Graph(ops=())
        end = self._end or self._made.position()
        return capture(self._made, end, self._inputs, frozenset({"record"}))

    def seconds(self) -> float:
        """How long TensorFlow took, up to the taps or the failure."""
        return (self._ended or time.perf_counter()) - self._started


def explain(error: Exception, during: str) -> Failure:
    """The failure that an exception of TensorFlow tells of."""
    message = getattr(error, "message", None) or str(error)
    node = NODE.search(message)
    source = SourceFinder()(traceback.extract_tb(error.__traceback__))
    return Failure(
        kind=type(error).__name__,
        message=message.strip().splitlines()[0] if message.strip() else "no message",
        during=during,
        op=node[1] if node else "",
        source=source,
    )


def _restore(path: str, graph: Graph, variables: dict[str, tf.Variable]) -> tuple[Note, ...]:
    required = frozenset(name for layer in graph.layers for name in layer.variables)
    missing = restore(path, variables, required)
    if not missing:
        return ()
    listed = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
    return (Note(path, f"{len(missing)} variables keep their initial value: {listed}"),)


def _fields(graph: Graph) -> dict[str, Any]:
    return {name: getattr(graph, name) for name in graph.__struct_fields__}
