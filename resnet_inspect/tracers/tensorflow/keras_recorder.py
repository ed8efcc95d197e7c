"""A Keras callback that records what `fit` does from inside its compiled graph.

Keras hands the model over before it compiles the step: its `train_step` is watched while it is
traced (`observed_step`) and is itself again once Keras has made its function. Nothing that fails
in here stops the training; it is noted in the run.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import keras
import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.graph import Graph, Note
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.contract import Journal, Outcome
from resnet_inspect.tracers.tensorflow.failures import describe, located_in
from resnet_inspect.tracers.tensorflow.observed_step import ObservedStep
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.weights import Weights


class KerasRecorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the `fit` of one model, or several in a row as one run; see `api.Recorder`."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        super().__init__()
        self._settings = settings
        self._journal: Journal | None = journal
        self._wanted: Any = None  # variables are made late: devices may still be set up
        self._ran: Any = None
        self._recorded: Any = None  # the model
        self._active = self._begun = False
        self._function: Any = None
        self._traces: list[ObservedStep] = []
        self._told: ObservedStep | None = None
        self._outcome = Outcome(Graph(ops=()), 0.0)
        self._lineage = Lineage()
        self._notes: list[Note] = []
        self._own_step: Any = None
        self._batch = 0
        self._before = 0  # steps of earlier fits
        self._step = 0
        self._started = 0.0
        self._weights: Weights | None = None
        self._last: StepRecord | None = None

    def set_model(self, model: Any) -> None:
        """Keras' own call, before it makes the function of the step."""
        super().set_model(model)
        if self._recorded is None:
            self._recorded = model
        self._active = self._recorded is model
        if not self._active:
            self._note("fit", f"another model, {model.name}, was not recorded by the same recorder")
            return
        with self._guarded("fit"):
            self._begin(model)

    def _begin(self, model: Any) -> None:
        replicas = model.distribute_strategy.num_replicas_in_sync
        for hinders, text in (
            (model.run_eagerly, "run_eagerly: there is no graph of the step"),
            (replicas > 1, f"{replicas} replicas: tensors are summarized for one device only"),
        ):
            if hinders:
                self._note("tensors", f"not summarized; {text}")
                return
        if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
            self._note("gradients", "of the scaled loss: LossScaleOptimizer scales them back later")
        if model.train_function is not None and model.train_function is self._function:
            return  # compiled with us in an earlier fit
        if self._wanted is None:
            self._wanted = tf.Variable(False, trainable=False)
            self._ran = tf.Variable(0, trainable=False)
        watched = functools.partial(self._observe, model.train_step)
        self._own_step = vars(model).get("train_step")
        vars(model)["train_step"] = functools.wraps(model.train_step)(watched)
        model.train_function = None

    def _observe(self, step: Callable[[Any], Any], data: Any) -> Any:
        """Call the model's own step, watched where that can be done."""
        trace = None
        with self._guarded("graph"):
            trace = ObservedStep(self.model, self._settings)
        if trace is None:
            return step(data)
        try:
            returned = trace.observe(step, data)
        except BaseException as error:
            with self._guarded("failure"):
                self._fail(trace, error)
            raise
        with self._guarded("tensors"):
            self._traces.append(trace)
            trace.tap(self._wanted, self._ran, len(self._traces))
        return returned

    def on_train_begin(self, logs: Any = None) -> None:
        """Keras has its function: the model's step is what it was."""
        del logs
        with self._guarded("fit"):
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
        self._settings = msgspec.structs.replace(
            self._settings,
            steps=self._before + steps * epochs if steps else 0,
            optimizer=type(optimizer).__name__,
        )
        _, environment = choose_device(tf, "auto")
        if self._journal is not None:
            self._journal.begin(self.model.name, self._settings, environment)
            self._begun = True
            if self._notes and self._told is None:
                self._write()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Say whether the step is to be recorded."""
        del logs
        if not self._active:
            return
        with self._guarded("steps"):
            several = int(getattr(self.model, "steps_per_execution", 1) or 1)
            coming = range(self._step, self._step + several)
            record = self._journal is not None and any(map(self._settings.records, coming))
            if record and self._wanted is not None:
                self._ran.assign(0)
                self._wanted.assign(True)
            self._weights = Weights(self.model) if record else None
        self._batch = batch
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Hand on what the step left behind."""
        if not self._active:
            return
        seconds = time.perf_counter() - self._started
        done = batch - self._batch + 1
        with self._guarded("steps"):
            self._keep(done, seconds, logs or {})
        self._step += done

    def _keep(self, done: int, seconds: float, logs: dict[str, Any]) -> None:
        number = self._step + done - 1
        record = StepRecord(number, seconds / done, {name: float(v) for name, v in logs.items()})
        if self._weights is not None:
            ran = 0
            if self._wanted is not None:
                self._wanted.assign(False)
                ran = int(self._ran.numpy())
            trace = self._traces[ran - 1] if ran else None
            self._tell(trace or (self._traces[-1] if self._traces else None))
            if done > 1 and number == done - 1:
                text = f"of each {done} steps that run together the last is recorded"
                self._note("steps", text)
            if trace is not None:
                record = self._weights.after(record, trace.made, self._settings)
            if trace is not None and trace.taps is not None:
                found, scalars = trace.taps.read()
                record = replace(
                    record,
                    scalars=record.scalars | scalars,
                    summaries=found.summaries | record.summaries,
                    sizes=found.sizes | record.sizes,
                    not_finite=found.not_finite | record.not_finite,
                    channels=found.channels,
                    batch=trace.batch.read() if trace.batch is not None else {},
                )
        self._flush()
        self._last = record
        if (self._batch + done) != self.params.get("steps"):
            self._flush()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The epoch's last step also tells what validation said."""
        del epoch
        with self._guarded("validation"):
            if self._last is not None:
                said = {n: float(v) for n, v in (logs or {}).items() if n.startswith("val_")}
                self._last = replace(self._last, scalars=self._last.scalars | said)
            self._flush()

    def on_train_end(self, logs: Any = None) -> None:
        """The run is complete, until the next fit."""
        del logs
        with self._guarded("fit"):
            self._before = self._step
            self._flush()
            if self._journal is not None and self._active:
                self._journal.end()

    def stopped(self, error: BaseException) -> None:
        """`fit` was left by an exception: whoever called it says so, Keras does not."""
        with self._guarded("fit"):
            self._flush()
            if self._journal is None or not self._active:
                return
            if isinstance(error, Exception):
                failure = describe(error, f"running step {self._step}")
                failure = located_in(self._outcome.graph, failure)
                self._journal.end(failure=self._outcome.failure or failure)
            else:
                self._journal.end("stopped by the user")

    def _flush(self) -> None:
        if self._last is not None and self._journal is not None:
            self._journal.step(self._last)
        self._last = None

    def _tell(self, trace: ObservedStep | None) -> None:
        """Write the graph of what ran, once for each trace."""
        if trace is None or trace is self._told:
            return
        if self._told is not None:
            self._note("fit", "traced again for batches of another shape: this is the latest graph")
        self._told = trace
        self._outcome = trace.outcome()
        self._notes += trace.notes
        with self._guarded("lineage"):
            self._lineage, notes = trace.explain(self._outcome.graph)
            self._notes += notes
        self._write()

    def _fail(self, trace: ObservedStep, error: BaseException) -> None:
        self._plan()
        self._outcome = trace.failed(error)
        self._notes += trace.notes
        with self._guarded("lineage"):
            self._lineage, _ = trace.explain(self._outcome.graph)
        self._write()
        if self._journal is not None:
            self._journal.end(failure=self._outcome.failure)

    def _note(self, subject: str, text: str) -> None:
        note = Note(subject, text)
        if note not in self._notes:
            self._notes.append(note)
            self._write()

    def _write(self) -> None:
        if self._journal is not None and self._begun:
            graph = self._outcome.graph.noting(*dict.fromkeys(self._notes))
            self._journal.built(replace(self._outcome, graph=graph), self._lineage)

    @contextmanager
    def _guarded(self, subject: str) -> Iterator[None]:
        """What fails in the body is noted in the run; where that fails too, on stderr, once."""
        try:
            yield
        except Exception as error:
            told = (str(error).strip().splitlines() or [""])[0][:200]
            text = f"not observed, because of {type(error).__name__}: {told}"
            try:
                self._note(subject, text)
            except Exception as again:
                self._journal = None
                print(f"resnet-inspect: recording ended: {again}", file=sys.stderr)
