"""The tutorial's training: a loop over one step, recorded as any other loop is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches
from resnet_inspect.graph import Note
from resnet_inspect.stats import StepRecord, Tap
from resnet_inspect.tracers.contract import Journal, TrainingFailed
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.failures.exceptions import REFUSALS
from resnet_inspect.tracers.tensorflow.fit.recording import Recording
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.taps.origin import find_origin
from resnet_inspect.tracers.tensorflow.taps.points import matches
from resnet_inspect.tracers.tensorflow.taps.sum_order import InOrder
from resnet_inspect.tracers.tensorflow.tutorial import recipe
from resnet_inspect.tracers.tensorflow.tutorial.checkpoint import restore
from resnet_inspect.tracers.tensorflow.tutorial.evaluation import Evaluation
from resnet_inspect.tracers.tensorflow.tutorial.step import TutorialStep


class TutorialSource:
    """See `contract.Source`. `prepare` traces the step, `step` runs one; after `prepare`,
    `variables` holds the network's variables by name.
    """

    def __init__(self, settings: Settings, batches: Batches) -> None:
        self.settings = settings
        self.variables: dict[str, tf.Variable] = {}
        self._batches = batches
        self._device, self.environment = choose_device(tf, settings.device)
        self._run: Recording | None = None
        self._call: Any = None
        self._weights: list[tf.Variable] = []
        self._read: list[str] = []  # the variables whose values a step reads
        self._origin_told = False
        self._evaluation: Evaluation | None = None
        others = batches.evaluation
        if others is not None:
            self._evaluation = Evaluation(settings, self.variables, self._device, others)

    def record(self, journal: Journal) -> None:
        """Train as the settings say, one step at least."""
        run = self.prepare(journal)
        run.explain()
        for number in range(self.settings.planned):
            run.keep(self.step(number))
        run.end()

    def prepare(self, journal: Journal) -> Recording:
        """Trace the step and begin the run; a checkpoint that does not fit raises CheckpointError,
        a network that cannot be built TrainingFailed.
        """
        run = self._run = Recording(self.settings, journal, environment=self.environment)

        def traced(images: Tensor, labels: Tensor) -> Any:
            step = TutorialStep(self.settings, self.variables, self._device)
            return run.observe(lambda: step, step.build, images, labels)

        call = tf.function(traced, autograph=False)
        size = self.settings.tutorial.batch_size
        images = tf.TensorSpec([size, *self._batches.image_shape], name="images")
        labels = tf.TensorSpec([size], tf.int64, name="labels")
        try:
            call.get_concrete_function(images, labels)
        except REFUSALS as error:
            if run.failure is None:
                raise
            raise TrainingFailed(run.failure) from error
        self._call = InOrder(call, run.in_order)
        step = run.traces[-1].first
        if not isinstance(step, TutorialStep):
            raise TypeError(f"not the tutorial's step: {step}")
        self._weights = step.seen.trained
        self._read = _variables_read(step.made)
        step.notes += [*self._restored(step.needed()), *self._unrecorded(step)]
        run.begin(self.settings.network)
        run.tell(run.traces[-1])
        return run

    def step(self, number: int) -> StepRecord:
        """Run one step on its batch; raises TrainingFailed."""
        run = self._run
        if run is None:
            raise RuntimeError("a training is prepared before a step of it is run")
        batch = self._batches.batch(number)
        record = self.settings.records(number)
        run.arm(record=record, weights=self._weights)
        watched = self._read if record and not self._origin_told else []
        before = {name: _value(self.variables[name]) for name in watched}
        start = time.perf_counter()
        try:
            found = self._call(*map(tf.constant, batch))
            scalars = {name: float(value) for name, value in found.items()}
        except REFUSALS as error:
            raise self._failed(error, number, "running") from error
        seconds = time.perf_counter() - start
        done = run.findings(StepRecord(number, seconds, scalars))
        if record and not self._origin_told and _odd(done):
            self._origin_told = True
            origin = find_origin(number, self._again, batch, self.variables, before)
            done = replace(done, origin=origin)
        return self._evaluated(done)

    def _again(self, images: Tensor, labels: Tensor) -> Construction:
        made = TutorialStep(self.settings, self.variables, self._device)
        return made.forward_and_backward(images, labels)

    def _evaluated(self, record: StepRecord) -> StepRecord:
        """With what evaluation behind this step says, where the settings ask for it."""
        if self._evaluation is None or not self.settings.evaluates(record.step):
            return record
        try:
            found = self._evaluation.scalars()
        except REFUSALS as error:
            raise self._failed(error, record.step, "evaluating behind") from error
        return replace(record, scalars=record.scalars | found)

    def _failed(self, error: BaseException, number: int, what: str) -> BaseException:
        """The failure of a step, once it is written."""
        run = self._run
        failure = run.end(error, number, f"{what} step {number}") if run is not None else None
        return error if failure is None else TrainingFailed(failure)

    def _unrecorded(self, step: TutorialStep) -> Iterator[Note]:
        """What the settings leave out altogether, which is hardly meant."""
        settings = self.settings
        if step.taps is not None and not len(step.taps) and not self._weighs(step):
            yield Note("taps", f"no tensor matches '{settings.taps}': none is recorded")
        if not any(settings.records(step) for step in range(settings.planned)):
            yield Note("record", f"no step lies in {settings.record}: no tensor is recorded")
        if settings.tutorial.evaluate and not settings.evaluates(settings.steps - 1):
            yield Note("evaluate", "no step is trained, behind which it could be evaluated")
        held = self._batches.evaluation
        if held is not None and np.array_equal(held.data.images, self._batches.data.images):
            yield Note("evaluate", "the data has no others: pictures of the training are taken")

    def _weighs(self, step: TutorialStep) -> bool:
        """Whether the settings ask for a weight."""
        owners = {name: call.name for call in step.made.calls for name in call.variables}
        taps = (
            Tap(owners.get(name, name), "weight", name, output=False)
            for name in recipe.trainable(step.made)
        )
        return any(matches(tap, self.settings.taps) for tap in taps)

    def _restored(self, needed: frozenset[str]) -> tuple[Note, ...]:
        """Load the checkpoint, if there is one, and note what it had no values for."""
        path = self.settings.tutorial.checkpoint
        missing = restore(path, self.variables, needed) if path is not None else []
        if not missing:
            return ()
        listed = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        return (Note(str(path), f"{len(missing)} variables keep their initial value: {listed}"),)


def _variables_read(made: Construction) -> list[str]:
    """The variables of floats whose values the step reads, by name."""
    names = {id(variable.handle): name for name, variable in made.variables.items()}
    return [
        names[id(outside)]
        for outside, inside in made.graph.captures
        if id(outside) in names
        and made.variables[names[id(outside)]].dtype.is_floating
        and any(op.type == "ReadVariableOp" for op in inside.consumers())
    ]


def _value(variable: tf.Variable) -> Tensor:
    """The value of a variable now; not copied until the variable changes."""
    return tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)


def _odd(step: StepRecord) -> bool:
    """Whether anything of a step was not finite, in what was recorded of it."""
    lengths = [update.change for update in step.updates.values()]
    parts = [part for one in step.normalizations.values() for part in one.parts]
    numbers = np.concatenate([[*step.scalars.values(), *lengths], *parts])
    return bool(step.not_finite) or not bool(np.isfinite(numbers).all())
