"""Records the training steps of one Keras model, of every `fit` and batch, as one run.

Keras compiles `train_step` once. The step is observed while TensorFlow traces it, and the original
method is restored when Keras has compiled it. A step that runs op by op is observed each time.
"""

from __future__ import annotations

import functools
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import msgspec
import tensorflow as tf

from resnet_inspect.graph import Failure
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.tensorflow.fit.author_names import author_named
from resnet_inspect.tracers.tensorflow.fit.batch_parts import parts_of_fit
from resnet_inspect.tracers.tensorflow.fit.eager_step import EagerStep
from resnet_inspect.tracers.tensorflow.fit.endings import end_with
from resnet_inspect.tracers.tensorflow.fit.loop_places import LoopPlaces
from resnet_inspect.tracers.tensorflow.fit.observed_step import ObservedStep
from resnet_inspect.tracers.tensorflow.fit.recording import Recording
from resnet_inspect.tracers.tensorflow.taps.sum_order import InOrder
from resnet_inspect.tracers.tensorflow.taps.weights import recorded_weights

# The attribute of a model with its steps by recorder: they must live as long as the model.
STEPS = "_resnet_inspect_steps"


class ModelSteps:
    """The steps of one model, recorded by one recorder; made by `of`."""

    @classmethod
    def of(cls, model: Any, owner: object, new_run: Callable[[], Recording]) -> ModelSteps:
        """The steps of a model that `owner` records; `new_run` makes their run."""
        by_owner: list[tuple[object, ModelSteps]] = vars(model).setdefault(STEPS, [])
        for other, steps in by_owner:
            if other is owner:
                return steps
        recording = new_run()
        steps = cls(model, recording)
        by_owner.append((owner, steps))
        end_with(steps, ModelSteps.ended, recording.pending_lineage)
        return steps

    @staticmethod
    def is_recorded_elsewhere(model: Any, owner: object) -> bool:
        """Whether a recorder other than `owner` also records the model."""
        return any(other is not owner for other, _ in vars(model).get(STEPS, ()))

    def __init__(self, model: Any, run: Recording) -> None:
        self.run = run
        self._model = weakref.ref(model)
        self._function: Any = None  # the train_function of Keras whose trace is observed
        self._own_step: Any = None
        self._optimizers = ""
        self._step = 0
        self._before = 0  # steps of earlier fits
        self._started = 0.0
        self._last: StepRecord | None = None
        self.places = LoopPlaces()
        self.fitting = False

    @property
    def model(self) -> Any:
        """The Keras model."""
        return self._model()

    @property
    def done(self) -> int:
        """How many steps have run."""
        return self._step

    def prepare(self) -> None:
        """Replace `train_step` before Keras compiles it."""
        model = self.model
        strategy = model.distribute_strategy
        replicas = strategy.num_replicas_in_sync
        if replicas > 1 and not isinstance(strategy, tf.distribute.MirroredStrategy):
            kind = type(strategy).__name__
            text = f"not recorded for {replicas} replicas of {kind}. Use MirroredStrategy"
            self.run.note("tensors", text + " to record them")
            return
        if model.train_function is not None and model.train_function is self._function:
            return  # this function is already observed
        watched = functools.partial(self._train_step, model.train_step)
        self._own_step = vars(model).get("train_step")
        vars(model)["train_step"] = functools.wraps(model.train_step)(watched)
        model.train_function = None

    def _train_step(self, step: Any, data: Any) -> Any:
        if not tf.executing_eagerly():
            return self.run.observe(self._observed, step, data)
        return self._run_eagerly(step, data) if self.run.armed else step(data)

    def _observed(self) -> ObservedStep:
        return ObservedStep(self.run.settings, self.model, traced=self._traced)

    def _traced(self, step: ObservedStep) -> None:
        """Read the optimizers and weights of a step that is traced and about to run.

        The trace may have built the model, so they are known only now.
        """
        if step.hooks.optimizer and step.hooks.optimizer != self._optimizers:
            self._optimizers = step.hooks.optimizer
            self._begin()
        self.run.read_weights(recorded_weights(self.model))

    def _run_eagerly(self, step: Any, data: Any) -> Any:
        """Run and record a step op by op."""
        parts = functools.partial(parts_of_fit, self.model)
        observed = EagerStep(self.run.settings, self.model, name="train_step", parts=parts)
        try:
            returned = observed.observe(step, data)
        except BaseException as error:
            with self.run.guarded("failure"):
                self.run.failed(observed, error)
            raise
        with self.run.guarded("tensors"):
            self._traced(observed)
            self.run.ran_eagerly(observed)
        return returned

    def compiled(self) -> None:
        """Restore `train_step` after Keras has compiled it."""
        model = self.model
        if self._function is None or self._function is not model.train_function:
            if not model.run_eagerly:
                model.train_function = InOrder(model.train_function, self.run.in_order)
            self._function = model.train_function
            model.__dict__.pop("train_step", None)
            if self._own_step is not None:
                model.__dict__["train_step"] = self._own_step

    def plan(self, steps: int) -> None:
        """Begin or continue the run with `steps` more steps; 0 if the number is not known."""
        self._begin(steps=self._before + steps if steps else 0)

    def _begin(self, **planned: Any) -> None:
        optimizer = getattr(self.model, "optimizer", None)
        kind = self._optimizers or type(optimizer).__name__
        subject = msgspec.structs.replace(self.run.settings.subject, optimizer=kind)
        self.run.begin(author_named(self.model), subject=subject, **planned)

    def before(self) -> None:
        """Switch recording on or off before an execution of one or more steps."""
        with self.run.guarded("steps"):
            count = int(getattr(self.model, "steps_per_execution", 1) or 1)
            numbers = range(self._step, self._step + count)
            record = self.run.journal is not None and any(map(self.run.settings.records, numbers))
            weights = recorded_weights(self.model) if record else ()
            self.run.arm(record=record, weights=weights, step=self._step)
        self._started = time.perf_counter()

    def after(self, count: int, scalars: Mapping[str, Any], *, more: bool) -> None:
        """Keep the record of the last of `count` steps.

        Without `more` steps to come in this epoch, the record is written later, by `add` or
        `flush`, as the scalars of validation are still to be added.
        """
        seconds = time.perf_counter() - self._started
        with self.run.guarded("steps"):
            number = self._step + count - 1
            values = {name: float(value) for name, value in scalars.items()}
            record = StepRecord(number, seconds / count, values)
            if self.run.armed and count > 1 and number == count - 1:
                text = f"{count} steps run in one execution; only the last of them is recorded. "
                self.run.note("steps", text + "To record each step, set steps_per_execution=1")
            record = self.run.findings(record)
            self.flush()
            self._last = record
            if more:
                self.flush()
        self._step += count

    def add(self, scalars: Mapping[str, Any]) -> None:
        """Add scalars, such as those of validation, to the last step, and write it."""
        if self._last is not None:
            values = {name: float(value) for name, value in scalars.items()}
            self._last = replace(self._last, scalars=self._last.scalars | values)
        self.flush()

    def flush(self) -> None:
        """Write the last step, if it is not written yet."""
        self.run.keep(self._last)
        self._last = None

    def finish(self) -> None:
        """End the run; a later training continues it."""
        self.fitting = False
        self._before = self._step
        self.flush()
        if not self._step:
            self.run.note("steps", "no step was run. Check that fit gets batches and epochs > 0")
        self.run.end()

    def stopped(self, error: BaseException) -> Failure | None:
        """End the run with an exception of the training; returns the saved failure, if any."""
        self.fitting = False
        with self.run.guarded("fit"):
            self.flush()
            if self.run.begun:
                return self.run.end(error, self._step)
        return None

    def ended(self, error: BaseException | None) -> None:
        """End the run at the end of the program, with the error that ended the program.

        The run is complete if the error was raised outside fit and the loop over batches.
        """
        within = self.fitting or not isinstance(error, Exception) or self.places.contain(error)
        self.close(error if within else None)

    def close(self, error: BaseException | None = None) -> None:
        """End the run at the end of the program: a loop over batches has no other end."""
        if self.run.begun:
            with self.run.guarded("end"):
                self.flush()
                self.run.end(error, self._step)


class BatchSteps:
    """A recorded `model.train_on_batch`, with the same arguments and return value."""

    def __init__(self, steps: ModelSteps, original: Callable[..., Any]) -> None:
        self._steps = steps
        self._original = original
        functools.update_wrapper(self, original)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Run and record one step."""
        steps = self._steps
        with steps.run.guarded("fit"):
            steps.places.note()
            steps.prepare()
            if not steps.run.begun:
                steps.plan(0)
        steps.before()
        try:
            returned = self._original(*args, **named)
        except BaseException as error:
            steps.stopped(error)
            raise
        finally:
            with steps.run.guarded("fit"):
                steps.compiled()
        steps.after(1, self._scalars(returned), more=True)
        return returned

    def _scalars(self, returned: Any) -> dict[str, Any]:
        """The values that Keras returned, by the names of its metrics."""
        if isinstance(returned, dict):
            return returned
        values = list(returned) if isinstance(returned, list | tuple) else [returned]
        names = [*self._steps.model.metrics_names, *(f"metric_{k}" for k in range(len(values)))]
        return dict(zip(names, values, strict=False))


def model_of_batches(function: Any) -> Any:
    """The model of a bound method `train_on_batch`; None for other functions."""
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "")
    return owner if isinstance(owner, keras.Model) and name == "train_on_batch" else None
