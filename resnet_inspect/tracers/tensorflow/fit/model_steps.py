"""The training steps of one Keras model, of all its `fit`s and batches, as one run.

Keras compiles `train_step` once: the step is observed while TensorFlow traces it, and the model's
own method is back as soon as Keras has its function. What runs op by op is observed each time.
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
from resnet_inspect.tracers.tensorflow.fit.observed_step import ObservedStep
from resnet_inspect.tracers.tensorflow.fit.recording import Recording
from resnet_inspect.tracers.tensorflow.taps.sum_order import InOrder
from resnet_inspect.tracers.tensorflow.taps.weights import recorded_weights

# Where a model keeps its steps, by recorder: they must live as long as the model, and no longer.
KEPT = "_resnet_inspect_steps"


class ModelSteps:
    """See the module; `of` gives the one of a model and a recorder."""

    @classmethod
    def of(cls, model: Any, owner: object, made: Callable[[], Recording]) -> ModelSteps:
        """The steps of a model that `owner` records; `made` gives a new run for them."""
        kept: list[tuple[object, ModelSteps]] = vars(model).setdefault(KEPT, [])
        for known, steps in kept:
            if known is owner:
                return steps
        recording = made()
        steps = cls(model, recording)
        kept.append((owner, steps))
        end_with(steps, ModelSteps.close, recording.unexplained)
        return steps

    @staticmethod
    def is_recorded_elsewhere(model: Any, owner: object) -> bool:
        """Whether another than `owner` records a model, too."""
        return any(known is not owner for known, _ in vars(model).get(KEPT, ()))

    def __init__(self, model: Any, run: Recording) -> None:
        self.run = run
        self._model = weakref.ref(model)
        self._function: Any = None  # Keras' own, whose trace is observed
        self._own_step: Any = None
        self._optimizers = ""
        self._first = 0  # of the execution that runs
        self._step = 0
        self._before = 0  # steps of earlier fits
        self._started = 0.0
        self._last: StepRecord | None = None

    @property
    def model(self) -> Any:
        """The Keras model."""
        return self._model()

    @property
    def done(self) -> int:
        """How many steps have run."""
        return self._step

    def prepare(self) -> None:
        """Before Keras makes the function of the step."""
        model = self.model
        strategy = model.distribute_strategy
        replicas = strategy.num_replicas_in_sync
        if replicas > 1 and not isinstance(strategy, tf.distribute.MirroredStrategy):
            kind = type(strategy).__name__
            text = f"not summarized; {replicas} replicas of {kind}: only those of MirroredStrategy"
            self.run.note("tensors", text + " are")
            return
        if model.train_function is not None and model.train_function is self._function:
            return  # compiled with us before
        watched = functools.partial(self._train_step, model.train_step)
        self._own_step = vars(model).get("train_step")
        vars(model)["train_step"] = functools.wraps(model.train_step)(watched)
        model.train_function = None

    def _train_step(self, step: Any, data: Any) -> Any:
        if not tf.executing_eagerly():
            return self.run.observe(self._observed, step, data)
        return self._at_once(step, data) if self.run.armed else step(data)

    def _observed(self) -> ObservedStep:
        return ObservedStep(self.run.settings, self.model, traced=self._traced)

    def _traced(self, step: ObservedStep) -> None:
        """The step is traced and about to run: a model may be built by it, and only now its
        optimizers are known.
        """
        if step.seen.optimizer and step.seen.optimizer != self._optimizers:
            self._optimizers = step.seen.optimizer
            self._begin()
        self.run.look_at(recorded_weights(self.model))

    def _at_once(self, step: Any, data: Any) -> Any:
        """A step that runs op by op."""
        parts = functools.partial(parts_of_fit, self.model)
        seen = EagerStep(self.run.settings, self.model, name="train_step", parts=parts)
        try:
            returned = seen.observe(step, data)
        except BaseException as error:
            with self.run.guarded("failure"):
                self.run.failed(seen, error)
            raise
        with self.run.guarded("tensors"):
            self._traced(seen)
            self.run.took(seen)
        return returned

    def compiled(self) -> None:
        """Keras has its function: the model's step is what it was."""
        model = self.model
        if self._function is None or self._function is not model.train_function:
            if not model.run_eagerly:
                model.train_function = InOrder(model.train_function, self.run.in_order)
            self._function = model.train_function
            model.__dict__.pop("train_step", None)
            if self._own_step is not None:
                model.__dict__["train_step"] = self._own_step

    def plan(self, steps: int) -> None:
        """There is, or goes on, a run, in which `steps` more will come; 0 if nobody knows."""
        self._begin(steps=self._before + steps if steps else 0)

    def _begin(self, **planned: Any) -> None:
        optimizer = getattr(self.model, "optimizer", None)
        kind = self._optimizers or type(optimizer).__name__
        subject = msgspec.structs.replace(self.run.settings.subject, optimizer=kind)
        self.run.begin(author_named(self.model), subject=subject, **planned)

    def before(self) -> None:
        """An execution of one or several steps comes: say whether it is to be recorded."""
        with self.run.guarded("steps"):
            several = int(getattr(self.model, "steps_per_execution", 1) or 1)
            coming = range(self._step, self._step + several)
            record = self.run.journal is not None and any(map(self.run.settings.records, coming))
            self.run.arm(record=record, weights=recorded_weights(self.model) if record else ())
        self._started = time.perf_counter()

    def after(self, count: int, scalars: Mapping[str, Any], *, more: bool) -> None:
        """Keep what `count` steps left behind; without `more` to come the last one waits for what
        is still said of it.
        """
        seconds = time.perf_counter() - self._started
        with self.run.guarded("steps"):
            number = self._step + count - 1
            found = {name: float(value) for name, value in scalars.items()}
            record = StepRecord(number, seconds / count, found)
            if self.run.armed and count > 1 and number == count - 1:
                text = f"of each {count} steps that run together the last is recorded"
                self.run.note("steps", text)
            record = self.run.findings(record)
            self.flush()
            self._last = record
            if more:
                self.flush()
        self._step += count

    def also(self, scalars: Mapping[str, Any]) -> None:
        """Add scalars to the last step, such as those of validation."""
        if self._last is not None:
            found = {name: float(value) for name, value in scalars.items()}
            self._last = replace(self._last, scalars=self._last.scalars | found)
        self.flush()

    def flush(self) -> None:
        """Write the step that waits."""
        self.run.keep(self._last)
        self._last = None

    def finish(self) -> None:
        """The training is over, until the next one."""
        self._before = self._step
        self.flush()
        if not self._step:
            self.run.note("steps", "none was run: there was no batch, or no epoch")
        self.run.end()

    def stopped(self, error: BaseException) -> Failure | None:
        """Training was left by an exception; what is saved of it, None without a run."""
        with self.run.guarded("fit"):
            self.flush()
            if self.run.begun:
                return self.run.end(error, self._step)
        return None

    def close(self, error: BaseException | None = None) -> None:
        """The program ends: a loop over batches has no other end."""
        if self.run.begun:
            with self.run.guarded("end"):
                self.flush()
                self.run.end(error, self._step)


class BatchSteps:
    """`model.train_on_batch`, recorded: called and returning as the method of `model` is."""

    def __init__(self, steps: ModelSteps, original: Callable[..., Any]) -> None:
        self._steps = steps
        self._original = original
        functools.update_wrapper(self, original)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """One step."""
        steps = self._steps
        with steps.run.guarded("fit"):
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
        """Keras returns numbers in the order of its metrics, or by their names."""
        if isinstance(returned, dict):
            return returned
        values = list(returned) if isinstance(returned, list | tuple) else [returned]
        names = [*self._steps.model.metrics_names, *(f"metric_{k}" for k in range(len(values)))]
        return dict(zip(names, values, strict=False))


def model_of_batches(function: Any) -> Any:
    """The model whose bound method `train_on_batch` a function is; None for other functions."""
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "")
    return owner if isinstance(owner, keras.Model) and name == "train_on_batch" else None
