"""A Keras callback that records `fit` from inside its compiled graph.

Each model has its own run (`model_steps`). The same object records the step of a user's loop
(`loop_step`).
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import keras
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Failure, Note
from resnet_inspect.tracers.contract import Journal
from resnet_inspect.tracers.crash_hooks import hook_keras, hook_tensorflow
from resnet_inspect.tracers.tensorflow.fit.endings import close_all
from resnet_inspect.tracers.tensorflow.fit.inner_functions import function_name
from resnet_inspect.tracers.tensorflow.fit.loop_step import LoopStep
from resnet_inspect.tracers.tensorflow.fit.model_steps import (
    BatchSteps,
    ModelSteps,
    model_of_batches,
)
from resnet_inspect.tracers.tensorflow.fit.recording import Recording


class Runs:
    """Makes the runs of one recorder; `journal` makes the journal of each run."""

    def __init__(self, settings: Settings, journal: Callable[[], Journal]) -> None:
        self.settings = settings
        self.notes: list[Note] = []  # for the first run
        self._journal = journal

    def recording(self, *, only_training: bool = False) -> Recording:
        """A new run."""
        recording = Recording(self.settings, self._journal(), only_training=only_training)
        for note in self.notes:
            recording.note(note.subject, note.text)
        self.notes = []
        return recording

    def end_with(self, error: BaseException) -> None:
        """End the open runs with the error that ended the program."""
        close_all(error)


class KerasRecorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Records calls of `fit`, one run for each model; see `api.Recorder`."""

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        hook_tensorflow(tf)
        hook_keras(keras)
        self._runs = runs
        self._steps: ModelSteps | None = None
        self._loop: LoopStep | BatchSteps | None = None
        self._loop_name = ""
        self._batch = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> KerasRecorder:
        """A new recorder with separate run files: KerasTuner copies callbacks for each trial."""
        del memo
        return KerasRecorder(self._runs)

    def instrument(self, step: Callable[..., Any]) -> Any:
        """`step`, recorded at every Nth call; arguments and return value are unchanged.

        `step` is a function, a `tf.function` or the method `train_on_batch` of a model. Raises
        UsageError if `step` is not callable, or if this recorder already records another step.
        """
        if self._loop is not None or self._steps is not None:
            raise UsageError(
                "a Recorder records one step, and this one already records another",
                where="Recorder.instrument()",
                expected="one Recorder for each step",
                got=f"{function_name(step)} after {self._loop_name or 'a fit'}",
                fix="make a second Recorder, or instrument the function that calls both",
            )
        model = model_of_batches(step)
        if model is not None:
            self._steps = ModelSteps.of(model, self._runs, self._runs.recording)
            self._loop = BatchSteps(self._steps, step)
        else:
            self._loop = LoopStep.instrumented(step, self._runs.recording())
        self._loop_name = function_name(step)
        return self._loop

    def close(self) -> None:
        """End the loop and finish the run file. A second call has no effect."""
        self._close(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """Finish the run file, with the exception that ended the body."""
        self._close(error)

    def _close(self, error: BaseException | None) -> None:
        if isinstance(self._loop, LoopStep):
            self._loop.close(error)
        elif self._steps is not None and (self._loop is not None or error is not None):
            self._steps.close(error)

    def set_model(self, model: Any) -> None:
        """Called by Keras before it compiles the step."""
        super().set_model(model)
        self._steps = steps = ModelSteps.of(model, self._runs, self._runs.recording)
        steps.fitting = True
        with steps.run.guarded("fit"):
            steps.prepare()

    def on_train_begin(self, logs: Any = None) -> None:
        """Called by Keras after it has compiled the step."""
        del logs
        if (steps := self._steps) is not None:
            with steps.run.guarded("fit"):
                steps.compiled()
                count, epochs = self.params.get("steps"), self.params.get("epochs") or 1
                steps.plan(count * epochs if count else 0)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before one step, or before the steps of one execution."""
        del logs
        if self._steps is not None:
            self._steps.before()
        self._batch = batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after the steps up to `batch` have run."""
        if self._steps is not None:
            last = (self.params.get("steps") or batch + 1) - 1  # Keras counts executions as if full
            done = min(batch, max(last, self._batch)) - self._batch + 1
            more = self._batch + done != self.params.get("steps")
            self._steps.after(done, logs or {}, more=more)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Add the scalars of validation to the last step of the epoch."""
        del epoch
        if (steps := self._steps) is not None:
            with steps.run.guarded("validation"):
                scalars = (logs or {}).items()
                steps.add({name: value for name, value in scalars if name.startswith("val_")})

    def on_train_end(self, logs: Any = None) -> None:
        """Complete the run; a later fit continues it."""
        del logs
        if (steps := self._steps) is not None:
            with steps.run.guarded("fit"):
                steps.finish()

    def stopped(self, error: BaseException) -> Failure | None:
        """End the run with the exception that `fit` raised; Keras does not call this itself.

        Returns the failure that is saved, or None if `fit` had not begun.
        """
        return self._steps.stopped(error) if self._steps is not None else None

    def note(self, subject: str, text: str) -> None:
        """Add a note to the first run."""
        self._runs.notes.append(Note(subject, text))
