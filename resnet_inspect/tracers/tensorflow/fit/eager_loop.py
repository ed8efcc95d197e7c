"""Records a training loop that runs op by op, without changing the program.

Every such loop enters a tape, computes gradients with it, and applies them with an optimizer. A
step begins when a line enters a tape for the second time. Tapes of other lines of the same
function, for example for another model, belong to the same step. Layers are noted while a tape is
open.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import CodeType, FrameType
from typing import Any

from resnet_inspect.config import Settings
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.tensorflow.fit.author_names import is_called_from, name_of, own_frame
from resnet_inspect.tracers.tensorflow.fit.batch_parts import BatchPart, Role
from resnet_inspect.tracers.tensorflow.fit.eager_step import EagerStep
from resnet_inspect.tracers.tensorflow.fit.endings import end_with
from resnet_inspect.tracers.tensorflow.fit.loop_places import LoopPlaces
from resnet_inspect.tracers.tensorflow.fit.recording import Recording

MODULE = "<module>"


class OpenStep:
    """The running step: the lines that entered tapes, its losses, and its recording if any."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lines: set[int] = set()
        self.applied = False
        self.losses: list[tuple[str, Any]] = []  # with their names in the loop
        self.started = time.perf_counter()
        self.recorded: EagerStep | None = None  # None if the step is not recorded
        self.observing: AbstractContextManager[Any] | None = None


class EagerLoop:
    """A loop and its run. The loop is identified by the function that enters its tapes."""

    def __init__(self, name: str, run: Recording) -> None:
        self.name = name
        self.run = run
        self._settings: Settings = run.settings
        self._trained: list[Any] = []
        self._step: OpenStep | None = None
        self._next = 0
        self._tapes = 0
        self._places = LoopPlaces()
        end_with(self, EagerLoop.ended, run.pending_lineage)

    def entered(self, line: int) -> None:
        """Handle a tape entered at a line of the loop."""
        self._places.note()
        step = self._step
        if step is not None and line in step.lines:  # a step without an optimizer is dropped
            self.finish()
        if self._step is None:
            self._begin()
        if (step := self._step) is not None:
            step.lines.add(line)
        self._tapes += 1
        self._note_layers()

    def left(self) -> None:
        """Handle the exit of a tape: later layer calls are not part of the step."""
        self._tapes = max(0, self._tapes - 1)
        self._note_layers()

    def differentiates(self, target: Any) -> None:
        """Handle a call of `GradientTape.gradient` for `target`."""
        step = self._step
        if step is not None and getattr(target, "shape", None) == ():
            step.losses.append((name_of(target), target))

    def applies(self) -> None:
        """Read the weights, as an optimizer is about to change them."""
        step = self._step
        if step is None or step.applied:
            return
        step.applied = True
        if step.recorded is not None:
            with self.run.guarded("weights"):
                self.run.read_weights(step.recorded.hooks.trained)
                step.recorded.name_inputs(_inputs_of(step.recorded))

    def finish(self) -> None:
        """End the step and keep its record."""
        step, self._step = self._step, None
        if step is None:
            return
        self._close(step)
        if not step.applied:
            return
        with self.run.guarded("steps"):
            self._keep(step)
        self._next = step.number + 1

    def ended(self, error: BaseException | None) -> None:
        """End the run at the end of the program, with the error that ended the program.

        The run is complete if the error was raised outside the loop.
        """
        unfinished = self._step is not None and not self._step.applied
        outside = isinstance(error, Exception) and not unfinished
        if outside and error is not None and not self._places.contain(error):
            error = None
        self.finish()
        if self.run.begun:
            with self.run.guarded("loop"):
                self.run.end(error, self._next)

    def _begin(self) -> None:
        self._step = step = OpenStep(self._next)
        if self.run.journal is None or not self._settings.records(step.number):
            self.run.arm(record=False, weights=(), step=step.number)
            return
        with self.run.guarded("steps"):
            self.run.arm(record=True, weights=self._trained, step=step.number)
            step.recorded = EagerStep(self._settings, name=self.name, parts=lambda: iter(()))
            step.observing = step.recorded.observing()
            step.observing.__enter__()

    def _note_layers(self) -> None:
        if self._step is not None and self._step.recorded is not None:
            self._step.recorded.note_layers(self._tapes > 0)

    def _close(self, step: OpenStep) -> None:
        if step.observing is not None:
            with self.run.guarded("tensors"):
                step.observing.__exit__(None, None, None)
        if step.recorded is not None and step.applied:
            with self.run.guarded("tensors"):
                step.recorded.summarize()
                self._trained = step.recorded.hooks.trained
                self.run.ran_eagerly(step.recorded)

    def _keep(self, step: OpenStep) -> None:
        recorded = step.recorded
        if not self.run.begun:
            optimizer = recorded.hooks.optimizer if recorded is not None else ""
            name = recorded.name if recorded is not None else self.name
            self.run.begin(name, steps=0, subject=self.run.loop_of(optimizer))
        scalars = {name or "loss": float(loss) for name, loss in step.losses}
        if len(step.losses) == 1:
            scalars = {"loss": float(step.losses[0][1])}
        record = StepRecord(step.number, time.perf_counter() - step.started, scalars)
        self.run.keep(self.run.findings(record))


def _inputs_of(step: EagerStep) -> list[BatchPart]:
    """The inputs of layers that are not outputs of layers, with their names in the loop."""
    outputs = {id(call.output) for call in step.made.calls}
    parts: dict[int, BatchPart] = {}
    for call in step.made.calls:
        for tensor in call.inputs:
            name = name_of(tensor) if id(tensor) not in outputs | parts.keys() else ""
            if name:
                parts[id(tensor)] = BatchPart(name, tensor, Role.ARGUMENT)
    return list(parts.values())


class EagerLoops:
    """The loops of one thread, by the functions that enter tapes; `new_run` makes a run."""

    def __init__(self, new_run: Callable[[], Recording]) -> None:
        self._new_run = new_run
        self._loops: dict[CodeType, EagerLoop] = {}
        self._current: EagerLoop | None = None  # the loop whose tape was entered last

    def entered(self) -> bool:
        """Handle a tape entered by the running code.

        Returns False if a Recorder of the program already records that code.
        """
        frame = own_frame()
        if frame is None or is_called_from("loop_step.py"):
            self._current = None
            return frame is None
        code = frame.f_code
        if code not in self._loops:
            self._loops[code] = EagerLoop(_name(frame), self._new_run())
        self._current = self._loops[code]
        self._current.entered(frame.f_lineno)
        return True

    def left(self) -> None:
        """Handle the exit of a tape."""
        if self._current is not None:
            self._current.left()

    def differentiates(self, target: Any) -> None:
        """Handle a call of `GradientTape.gradient` for `target`."""
        if self._current is not None:
            self._current.differentiates(target)

    def applies(self) -> bool:
        """Handle an optimizer that is about to change variables.

        Returns True if a recorded step contains the call.
        """
        if self._current is None:
            return False
        self._current.applies()
        return True


def _name(frame: FrameType) -> str:
    """The name of the function; "" for code of a module."""
    name = frame.f_code.co_name
    return "" if name == MODULE else name
