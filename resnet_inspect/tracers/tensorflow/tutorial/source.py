"""The tutorial's training: a loop over one step, recorded like any other loop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches
from resnet_inspect.graph import Note
from resnet_inspect.stats import StepRecord, Tap
from resnet_inspect.tracers.contract import Journal, TrainingFailed
from resnet_inspect.tracers.crash_hooks import hook_keras, hook_tensorflow
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
    """See `contract.Source`. `prepare` traces the step, `step` runs one.

    After `prepare`, `variables` contains the network's variables by name.
    """

    def __init__(self, settings: Settings, batches: Batches) -> None:
        self.settings = settings
        self.variables: dict[str, tf.Variable] = {}
        self._batches = batches
        self._device, self.environment = choose_device(tf, settings.device)
        hook_tensorflow(tf)
        hook_keras(keras)
        self._run: Recording | None = None
        self._call: Any = None
        self._weights: list[tf.Variable] = []
        self._read: list[str] = []  # names of the variables that a step reads
        self._origin_searched = False
        self._evaluation: Evaluation | None = None
        others = batches.evaluation
        if others is not None:
            self._evaluation = Evaluation(settings, self.variables, self._device, others)

    def record(self, journal: Journal) -> None:
        """Run and record the planned steps, at least one."""
        run = self.prepare(journal)
        run.explain()
        for number in range(self.settings.planned):
            run.keep(self.step(number))
        run.end()

    def prepare(self, journal: Journal) -> Recording:
        """Trace the step and begin the run.

        Raises CheckpointError if the checkpoint does not fit the network, and TrainingFailed if
        the network cannot be built.
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
        self._weights = step.hooks.trained
        self._read = _variables_read(step.made)
        step.notes += [*self._restored(step.needed()), *self._unrecorded(step)]
        run.begin(self.settings.network)
        run.write_graph(run.traces[-1])
        return run

    def step(self, number: int) -> StepRecord:
        """Run one step on its batch; raises TrainingFailed."""
        run = self._run
        if run is None:
            raise RuntimeError("step() was called before prepare()")
        batch = self._batches.batch(number)
        record = self.settings.records(number)
        run.arm(record=record, weights=self._weights, step=number)
        watched = self._read if record and not self._origin_searched else []
        before = {name: _value(self.variables[name]) for name in watched}
        start = time.perf_counter()
        try:
            returned = self._call(*map(tf.constant, batch))
            scalars = {name: float(value) for name, value in returned.items()}
        except REFUSALS as error:
            raise self._failed(error, number, "running") from error
        seconds = time.perf_counter() - start
        done = run.findings(StepRecord(number, seconds, scalars))
        if record and not self._origin_searched and _odd(done):
            self._origin_searched = True
            origin = find_origin(number, self._forward_and_backward, batch, self.variables, before)
            done = replace(done, origin=origin)
        return self._evaluated(done)

    def _forward_and_backward(self, images: Tensor, labels: Tensor) -> Construction:
        made = TutorialStep(self.settings, self.variables, self._device)
        return made.forward_and_backward(images, labels)

    def _evaluated(self, record: StepRecord) -> StepRecord:
        """The record with the scalars of evaluation, if this step is evaluated."""
        if self._evaluation is None or not self.settings.evaluates(record.step):
            return record
        try:
            scalars = self._evaluation.scalars()
        except REFUSALS as error:
            raise self._failed(error, record.step, "evaluating after") from error
        return replace(record, scalars=record.scalars | scalars)

    def _failed(self, error: BaseException, number: int, action: str) -> BaseException:
        """Write the failure of a step; returns the exception to raise."""
        run = self._run
        failure = run.end(error, number, f"{action} step {number}") if run is not None else None
        return error if failure is None else TrainingFailed(failure)

    def _unrecorded(self, step: TutorialStep) -> Iterator[Note]:
        """Notes on settings that record nothing, which is probably a mistake."""
        settings = self.settings
        if step.taps is not None and not len(step.taps) and not self._records_weights(step):
            text = f"no tensor is recorded: none matches '{settings.taps}'. Change --taps"
            yield Note("taps", text)
        if not any(settings.records(step) for step in range(settings.planned)):
            text = f"no tensor is recorded: no step is in {settings.record}. Change --record"
            yield Note("record", text)
        if settings.tutorial.evaluate and not settings.evaluates(settings.steps - 1):
            text = "the network is not evaluated: no step is trained. Train at least one step"
            yield Note("evaluate", text)
        held_out = self._batches.evaluation
        if held_out is not None and np.array_equal(held_out.data.images, self._batches.data.images):
            text = "the data has no held-out images: evaluation uses the training images"
            yield Note("evaluate", text)

    def _records_weights(self, step: TutorialStep) -> bool:
        """Whether the setting `taps` includes a weight."""
        owners = {name: call.name for call in step.made.calls for name in call.variables}
        taps = (
            Tap(owners.get(name, name), "weight", name, output=False)
            for name in recipe.trainable(step.made)
        )
        return any(matches(tap, self.settings.taps) for tap in taps)

    def _restored(self, needed: frozenset[str]) -> tuple[Note, ...]:
        """Load the checkpoint, if there is one, and note the variables that it does not contain."""
        path = self.settings.tutorial.checkpoint
        missing = restore(path, self.variables, needed) if path is not None else []
        if not missing:
            return ()
        listed = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        text = f"{len(missing)} variables are not in the checkpoint and keep their initial value"
        return (Note(str(path), f"{text}: {listed}"),)


def _variables_read(made: Construction) -> list[str]:
    """The names of the floating-point variables that the step reads."""
    names = {id(variable.handle): name for name, variable in made.variables.items()}
    return [
        names[id(outside)]
        for outside, inside in made.graph.captures
        if id(outside) in names
        and made.variables[names[id(outside)]].dtype.is_floating
        and any(op.type == "ReadVariableOp" for op in inside.consumers())
    ]


def _value(variable: tf.Variable) -> Tensor:
    """The current value of a variable; TensorFlow copies it only when the variable changes."""
    return tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)


def _odd(step: StepRecord) -> bool:
    """Whether the record of a step contains a number that is not finite."""
    norms = [update.change for update in step.updates.values()]
    parts = [part for values in step.normalizations.values() for part in values.parts]
    numbers = np.concatenate([[*step.scalars.values(), *norms], *parts])
    return bool(step.not_finite) or not bool(np.isfinite(numbers).all())
