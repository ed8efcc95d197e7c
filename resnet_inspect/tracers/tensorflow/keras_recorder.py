"""A Keras callback that records what `fit` does from inside its compiled graph.

Keras hands the model over before it compiles the step: its `train_step` is watched while it is
traced (`observed_step`) and is itself again once Keras has made its function. A loop of one's own
is recorded by `loop_step` instead.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import keras
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.graph import Failure
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.contract import Journal
from resnet_inspect.tracers.tensorflow.loop_step import LoopStep
from resnet_inspect.tracers.tensorflow.observed_step import ObservedStep
from resnet_inspect.tracers.tensorflow.recording import Recording
from resnet_inspect.tracers.tensorflow.weights import told_of


class KerasRecorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the `fit` of one model, or several in a row as one run; see `api.Recorder`."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        super().__init__()
        self._run = Recording(settings, journal)
        self._loop: LoopStep | None = None
        self._recorded: Any = None  # the model
        self._active = False
        self._function: Any = None
        self._own_step: Any = None
        self._batch = 0
        self._before = 0  # steps of earlier fits
        self._step = 0
        self._started = 0.0
        self._last: StepRecord | None = None

    def instrument(self, step: Callable[..., Any]) -> Any:
        """`step`, a function or a `tf.function`, as it was, recorded at every Nth call.

        Raises UsageError for what cannot be called, and where this recorder has another already.
        """
        held = self._recorded.name if self._recorded is not None else None
        held = self._loop.name if self._loop is not None else held
        self._loop = LoopStep.of(step, self._run, held)
        return self._loop

    def close(self) -> None:
        """The loop is over: the run file is finished. Closed again nothing happens."""
        if self._loop is not None:
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """The same; what the body was left by is kept."""
        if self._loop is not None:
            self._loop.close(error)

    def set_model(self, model: Any) -> None:
        """Keras' own call, before it makes the function of the step."""
        super().set_model(model)
        if self._recorded is None and self._loop is None:
            self._recorded = model
        self._active = self._recorded is model
        if not self._active:
            text = f"another model, {model.name}, was not recorded by the same recorder"
            self._run.note("fit", text)
            return
        with self._run.guarded("fit"):
            self._begin(model)

    def _begin(self, model: Any) -> None:
        strategy = model.distribute_strategy
        replicas = strategy.num_replicas_in_sync
        other = replicas > 1 and not isinstance(strategy, tf.distribute.MirroredStrategy)
        kind = type(strategy).__name__
        for hinders, text in (
            (model.run_eagerly, "run_eagerly: there is no graph of the step"),
            (other, f"{replicas} replicas of {kind}: only those of MirroredStrategy are"),
        ):
            if hinders:
                self._run.note("tensors", f"not summarized; {text}")
                return
        if model.train_function is not None and model.train_function is self._function:
            return  # compiled with us in an earlier fit
        watched = functools.partial(self._run.observe, self._observed, model.train_step)
        self._own_step = vars(model).get("train_step")
        vars(model)["train_step"] = functools.wraps(model.train_step)(watched)
        model.train_function = None

    def _observed(self) -> ObservedStep:
        def traced(_: ObservedStep) -> None:  # a model may be built by its first step
            self._run.look_at(told_of(self._recorded))

        return ObservedStep(self._run.settings, self._recorded, traced=traced)

    def on_train_begin(self, logs: Any = None) -> None:
        """Keras has its function: the model's step is what it was."""
        del logs
        with self._run.guarded("fit"):
            if self._active:
                self._restore()
                self._plan()

    def _restore(self) -> None:
        if self._function is None or self._function is not self.model.train_function:
            self._function = self.model.train_function
            self.model.__dict__.pop("train_step", None)
            if self._own_step is not None:
                self.model.__dict__["train_step"] = self._own_step

    def _plan(self) -> None:
        """Tell the journal what there will be, as far as Keras knows."""
        steps, epochs = self.params.get("steps"), self.params.get("epochs") or 1
        optimizer = getattr(self.model, "optimizer", None)
        self._run.begin(
            self.model.name,
            steps=self._before + steps * epochs if steps else 0,
            optimizer=type(optimizer).__name__,
        )

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Say whether the step is to be recorded."""
        del logs
        if not self._active:
            return
        with self._run.guarded("steps"):
            several = int(getattr(self.model, "steps_per_execution", 1) or 1)
            coming = range(self._step, self._step + several)
            record = self._run.journal is not None and any(map(self._run.settings.records, coming))
            self._run.arm(record=record, weights=told_of(self.model))
        self._batch = batch
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Hand on what the step left behind."""
        if not self._active:
            return
        seconds = time.perf_counter() - self._started
        last = (self.params.get("steps") or batch + 1) - 1  # Keras counts executions as if full
        done = min(batch, max(last, self._batch)) - self._batch + 1
        with self._run.guarded("steps"):
            self._keep(done, seconds, logs or {})
        self._step += done

    def _keep(self, done: int, seconds: float, logs: dict[str, Any]) -> None:
        number = self._step + done - 1
        record = StepRecord(number, seconds / done, {name: float(v) for name, v in logs.items()})
        if self._run.armed and done > 1 and number == done - 1:
            text = f"of each {done} steps that run together the last is recorded"
            self._run.note("steps", text)
        record = self._run.findings(record)
        self._flush()
        self._last = record
        if (self._batch + done) != self.params.get("steps"):
            self._flush()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The epoch's last step also tells what validation said."""
        del epoch
        with self._run.guarded("validation"):
            if self._last is not None:
                said = {n: float(v) for n, v in (logs or {}).items() if n.startswith("val_")}
                self._last = replace(self._last, scalars=self._last.scalars | said)
            self._flush()

    def on_train_end(self, logs: Any = None) -> None:
        """The run is complete, until the next fit."""
        del logs
        with self._run.guarded("fit"):
            self._before = self._step
            self._flush()
            if self._active and not self._step:
                self._run.note("steps", "none was run: there was no batch, or no epoch")
            if self._active:
                self._run.end()

    def stopped(self, error: BaseException) -> Failure | None:
        """`fit` was left by an exception: whoever called it says so, Keras does not. What is saved
        of it; None if nothing is, as `fit` had not begun.
        """
        with self._run.guarded("fit"):
            self._flush()
            if self._active and self._run.begun:
                return self._run.end(error, self._step)
        return None

    def note(self, subject: str, text: str) -> None:
        """Say something of the run."""
        self._run.note(subject, text)

    def _flush(self) -> None:
        self._run.keep(self._last)
        self._last = None
