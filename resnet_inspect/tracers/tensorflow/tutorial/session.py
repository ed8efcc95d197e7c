"""Traces the tutorial's network: builds it, captures its graph, trains it under taps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches
from resnet_inspect.graph import Graph, Note
from resnet_inspect.graph.lineage import Lineage, Mismatch
from resnet_inspect.stats import BatchPart, Origin, StepRecord
from resnet_inspect.tracers.contract import Outcome, Sink, TrainingFailed
from resnet_inspect.tracers.tensorflow.failures.exceptions import REFUSALS, describe
from resnet_inspect.tracers.tensorflow.failures.postmortem import examined
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.taps.origin import Values, find_origin
from resnet_inspect.tracers.tensorflow.taps.readings import read
from resnet_inspect.tracers.tensorflow.tutorial.checkpoint import restore
from resnet_inspect.tracers.tensorflow.tutorial.evaluation import Evaluation
from resnet_inspect.tracers.tensorflow.tutorial.retrace import explain as explain_sizes
from resnet_inspect.tracers.tensorflow.tutorial.step_trace import StepTrace

PARTS = ("images", "labels")


class TutorialSession:
    """One run of the tutorial's network; see `contract.Session`.

    After `build`, `variables` holds the network's variables by name and `step` runs one step.
    """

    training = None

    def __init__(self, settings: Settings, batches: Batches) -> None:
        self.settings = self._settings = settings
        self._batches = batches
        self._device, self.environment = choose_device(tf, settings.device)
        self._recorded: Any = None
        self._plain: Any = None
        self._tracing: StepTrace | None = None
        self._graph = Graph(ops=())
        self._mismatch: Mismatch | None = None
        self._origin_told = False
        self.variables: dict[str, tf.Variable] = {}
        self._evaluation: Evaluation | None = None
        if batches.held is not None:
            self._evaluation = Evaluation(settings, self.variables, self._device, batches.held)

    def build(self) -> Outcome:
        """Trace the step; a checkpoint that does not fit raises CheckpointError."""
        tracing = self._tracing = StepTrace(self._settings, self.variables, self._device)
        step = tf.function(tracing.trace, autograph=False)
        try:
            with tf.device(self._device):
                self._recorded = step.get_concrete_function(*self._inputs())
        except REFUSALS as error:
            failure = describe(error, "building the network")
            self._graph = tracing.capture(())
            self._mismatch, notes = examined(error, self._graph, self.variables)
            self._graph = self._graph.noting(*notes)
            return Outcome(self._graph, tracing.seconds(), failure)
        # The same step: what nobody asks for, TensorFlow takes out of a function it puts in place.
        recorded = self._recorded
        plain = tf.function(lambda *batch: recorded(*batch)["scalars"], autograph=False)
        self._plain = plain.get_concrete_function(*self._inputs())
        notes = (*self._restored(tracing.needed()), *self._unrecorded())
        self._graph = tracing.capture(notes)
        return Outcome(self._graph, tracing.seconds())

    def _inputs(self) -> tuple[tf.TensorSpec, tf.TensorSpec]:
        size = self._settings.tutorial.batch_size
        images = tf.TensorSpec([size, *self._batches.image_shape], name="images")
        return images, tf.TensorSpec([size], tf.int64, name="labels")

    def explain(self) -> Lineage:
        """Links, formulas and re-traces for what `build` made."""
        if self._tracing is None or self._tracing.made is None:
            return Lineage()
        graph = self._tracing.made.graph
        image = self._batches.image_shape
        return explain_sizes(graph, self._graph, self._settings.tutorial, image, self._mismatch)

    def run(self, sink: Sink) -> None:
        """Run the steps that the settings say, at least one; raises TrainingFailed."""
        for number in range(max(self._settings.steps, 1)):
            sink(self._evaluated(self.step(number)))

    def _evaluated(self, record: StepRecord) -> StepRecord:
        """With what evaluation behind this step says, where the settings ask for it."""
        if self._evaluation is None or not self._settings.evaluates(record.step):
            return record
        try:
            said = self._evaluation.scalars()
        except REFUSALS as error:
            raise TrainingFailed(
                describe(error, f"evaluating behind step {record.step}")
            ) from error
        return replace(record, scalars=record.scalars | said)

    def step(self, number: int) -> StepRecord:
        """Run one step on its batch."""
        if self._recorded is None or self._tracing is None:
            raise RuntimeError("a session is built, with success, before it is run")
        batch = self._batches.batch(number)
        record = self._settings.records(number)
        start = time.perf_counter()
        try:
            fed = [tf.constant(one) for one in batch]
            found = self._recorded(*fed) if record else {"scalars": self._plain(*fed)}
            scalars = {name: float(value) for name, value in found["scalars"].items()}
        except tf.errors.OpError as error:
            raise TrainingFailed(describe(error, f"running step {number}")) from error
        seconds = time.perf_counter() - start
        if not record:
            return StepRecord(number, seconds, scalars)
        arrays = {name: value.numpy() for name, value in found["taps"].items()}
        tracing, updates, averages = self._tracing, found.get("updates"), found.get("averages")
        done = StepRecord(
            number,
            seconds,
            scalars,
            updates={} if updates is None else tracing.read_updates(updates.numpy()),
            normalizations={} if averages is None else tracing.read_averages(averages.numpy()),
            batch={
                name: BatchPart.of(np.asarray(part))
                for name, part in zip(PARTS, batch, strict=True)
            },
        )
        done = read(tracing.taps, arrays).added_to(done)
        if self._origin_told or not _odd(done):
            return done
        self._origin_told = True
        return replace(done, origin=self._origin(number, batch, found["before"]))

    def _origin(
        self, number: int, batch: tuple[NDArray[Any], ...], before: Values
    ) -> Origin | None:
        """Where the first NaN or infinity of the run came from."""
        again = StepTrace(self._settings, self.variables, self._device)
        return find_origin(number, again.forward_and_backward, batch, self.variables, before)

    def _unrecorded(self) -> Iterator[Note]:
        """What the settings leave out altogether, which is hardly meant."""
        settings = self._settings
        if self._tracing is not None and not len(self._tracing.taps):
            yield Note("taps", f"no tensor matches '{settings.taps}': none is recorded")
        if not any(settings.records(step) for step in range(max(settings.steps, 1))):
            yield Note("record", f"no step lies in {settings.record}: no tensor is recorded")
        if settings.tutorial.evaluate and not settings.evaluates(settings.steps - 1):
            yield Note("evaluate", "no step is trained, behind which it could be evaluated")
        held = self._batches.held
        if held is not None and np.array_equal(held.data.images, self._batches.data.images):
            yield Note("evaluate", "the data has no others: pictures of the training are taken")

    def _restored(self, needed: frozenset[str]) -> tuple[Note, ...]:
        """Load the checkpoint, if there is one, and note what it had no values for."""
        path = self._settings.tutorial.checkpoint
        missing = restore(path, self.variables, needed) if path is not None else []
        if not missing:
            return ()
        listed = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        return (Note(str(path), f"{len(missing)} variables keep their initial value: {listed}"),)


def _odd(step: StepRecord) -> bool:
    """Whether anything of a step was not finite, in what was recorded of it."""
    lengths = [update.change for update in step.updates.values()]
    parts = [part for one in step.normalizations.values() for part in one.parts]
    numbers = np.concatenate([[*step.scalars.values(), *lengths], *parts])
    return bool(step.not_finite) or not bool(np.isfinite(numbers).all())
