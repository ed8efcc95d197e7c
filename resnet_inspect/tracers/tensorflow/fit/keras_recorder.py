"""A Keras callback that records what `fit` does from inside its compiled graph.

Each model has a run of its own (`model_steps`). The step of a loop of one's own is recorded by
`loop_step` instead, through the same object.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import keras

from resnet_inspect.config import Settings
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Failure, Note
from resnet_inspect.tracers.contract import Journal
from resnet_inspect.tracers.tensorflow.fit.inner_functions import function_name
from resnet_inspect.tracers.tensorflow.fit.loop_step import LoopStep
from resnet_inspect.tracers.tensorflow.fit.model_steps import (
    BatchSteps,
    ModelSteps,
    model_of_batches,
)
from resnet_inspect.tracers.tensorflow.fit.recording import Recording


class Runs:
    """Makes the runs of one recorder: `journal` gives a place for each."""

    def __init__(self, settings: Settings, journal: Callable[[], Journal]) -> None:
        self.settings = settings
        self.notes: list[Note] = []  # of the first run
        self._journal = journal

    def recording(self, *, only_training: bool = False) -> Recording:
        """A new run."""
        made = Recording(self.settings, self._journal(), only_training=only_training)
        for note in self.notes:
            made.note(note.subject, note.text)
        self.notes = []
        return made


class KerasRecorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the `fit`s of models, each model as one run; see `api.Recorder`."""

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        self._runs = runs
        self._steps: ModelSteps | None = None
        self._loop: LoopStep | BatchSteps | None = None
        self._loop_name = ""
        self._batch = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> KerasRecorder:
        """As KerasTuner copies callbacks for each trial: another recorder, whose runs have other
        files.
        """
        del memo
        return KerasRecorder(self._runs)

    def instrument(self, step: Callable[..., Any]) -> Any:
        """`step`, a function, a `tf.function` or a model's `train_on_batch`, recorded at every Nth
        call; it takes and returns what it did.

        Raises UsageError for what cannot be called, and where this recorder has another already.
        """
        if self._loop is not None or self._steps is not None:
            raise UsageError(
                "a recorder records one step, and this one has another already",
                where="Recorder.instrument()",
                expected="a recorder for each function that is called by itself",
                got=f"{function_name(step)} after {self._loop_name or 'a fit'}",
                fix="make another recorder, or instrument the function that calls both",
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
        """The loop is over: the run file is finished. Closed again nothing happens."""
        self._close(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """The same; what the body was left by is kept."""
        self._close(error)

    def _close(self, error: BaseException | None) -> None:
        if isinstance(self._loop, LoopStep):
            self._loop.close(error)
        elif self._steps is not None and (self._loop is not None or error is not None):
            self._steps.close(error)

    def set_model(self, model: Any) -> None:
        """Keras' own call, before it makes the function of the step."""
        super().set_model(model)
        self._steps = steps = ModelSteps.of(model, self._runs, self._runs.recording)
        with steps.run.guarded("fit"):
            steps.prepare()

    def on_train_begin(self, logs: Any = None) -> None:
        """Keras has its function."""
        del logs
        if (steps := self._steps) is not None:
            with steps.run.guarded("fit"):
                steps.compiled()
                count, epochs = self.params.get("steps"), self.params.get("epochs") or 1
                steps.plan(count * epochs if count else 0)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """One or several steps come."""
        del logs
        if self._steps is not None:
            self._steps.before()
        self._batch = batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """They have run, up to `batch`."""
        if self._steps is not None:
            last = (self.params.get("steps") or batch + 1) - 1  # Keras counts executions as if full
            done = min(batch, max(last, self._batch)) - self._batch + 1
            more = self._batch + done != self.params.get("steps")
            self._steps.after(done, logs or {}, more=more)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The epoch's last step also has the scalars of validation."""
        del epoch
        if (steps := self._steps) is not None:
            with steps.run.guarded("validation"):
                said = (logs or {}).items()
                steps.also({name: value for name, value in said if name.startswith("val_")})

    def on_train_end(self, logs: Any = None) -> None:
        """The run is complete, until the next fit."""
        del logs
        if (steps := self._steps) is not None:
            with steps.run.guarded("fit"):
                steps.finish()

    def stopped(self, error: BaseException) -> Failure | None:
        """`fit` was left by an exception: whoever called it says so, Keras does not. What is saved
        of it; None if nothing is, as `fit` had not begun.
        """
        return self._steps.stopped(error) if self._steps is not None else None

    def note(self, subject: str, text: str) -> None:
        """Say something of the run that comes first."""
        self._runs.notes.append(Note(subject, text))
