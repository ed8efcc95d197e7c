"""A loop of a program that trains op by op, recorded without a change of the program.

Its steps are found by what every such loop does: it enters a tape, asks it for gradients, and
applies them by an optimizer. A step begins where a tape is entered after gradients were applied,
unless other lines of the same function do the same for another model; layers are noted while a
tape is open.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import CodeType, FrameType
from typing import Any

from resnet_inspect.config import Settings
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.tensorflow.fit.author_names import is_called_from, name_of, own_frame
from resnet_inspect.tracers.tensorflow.fit.batch_parts import BatchPart, Role
from resnet_inspect.tracers.tensorflow.fit.eager_step import EagerStep
from resnet_inspect.tracers.tensorflow.fit.endings import end_with
from resnet_inspect.tracers.tensorflow.fit.recording import Recording

MODULE = "<module>"


class OpenStep:
    """A step that is being run: the lines that entered tapes, and what is seen of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lines: set[int] = set()
        self.applied = False
        self.losses: list[tuple[str, Any]] = []  # with the names that the loop has for them
        self.started = time.perf_counter()
        self.seen: EagerStep | None = None  # where it is recorded
        self.observing: AbstractContextManager[Any] | None = None


class EagerLoop:
    """One loop, known by the function in which it enters its tapes; one run."""

    def __init__(self, name: str, run: Recording) -> None:
        self.name = name
        self.run = run
        self._settings: Settings = run.settings
        self._trained: list[Any] = []
        self._step: OpenStep | None = None
        self._next = 0
        self._tapes = 0
        end_with(self, EagerLoop.close, run.unexplained)

    def entered(self, line: int) -> None:
        """A tape was entered in a line of the loop."""
        step = self._step
        if step is not None and line in step.lines:  # without an optimizer nothing is kept
            self.finish()
        if self._step is None:
            self._begin()
        if (step := self._step) is not None:
            step.lines.add(line)
        self._tapes += 1
        self._note_layers()

    def left(self) -> None:
        """A tape was left: what layers compute now is no part of the step."""
        self._tapes = max(0, self._tapes - 1)
        self._note_layers()

    def differentiates(self, target: Any) -> None:
        """A tape is asked for gradients of `target`."""
        step = self._step
        if step is not None and getattr(target, "shape", None) == ():
            step.losses.append((name_of(target), target))

    def applies(self) -> None:
        """An optimizer is about to change variables: the last moment to look at them."""
        step = self._step
        if step is None or step.applied:
            return
        step.applied = True
        if step.seen is not None:
            with self.run.guarded("weights"):
                self.run.look_at(step.seen.seen.trained)
                step.seen.name_inputs(_inputs_of(step.seen))

    def finish(self) -> None:
        """The step is over: keep what it left behind."""
        step, self._step = self._step, None
        if step is None:
            return
        self._close(step)
        if not step.applied:
            return
        with self.run.guarded("steps"):
            self._keep(step)
        self._next = step.number + 1

    def close(self, error: BaseException | None = None) -> None:
        """The program ends."""
        self.finish()
        if self.run.begun:
            with self.run.guarded("loop"):
                self.run.end(error, self._next)

    def _begin(self) -> None:
        self._step = step = OpenStep(self._next)
        if self.run.journal is None or not self._settings.records(step.number):
            self.run.arm(record=False, weights=())
            return
        with self.run.guarded("steps"):
            self.run.arm(record=True, weights=self._trained)
            step.seen = EagerStep(self._settings, name=self.name, parts=lambda: iter(()))
            step.observing = step.seen.observing()
            step.observing.__enter__()

    def _note_layers(self) -> None:
        if self._step is not None and self._step.seen is not None:
            self._step.seen.notes_layers(self._tapes > 0)

    def _close(self, step: OpenStep) -> None:
        if step.observing is not None:
            with self.run.guarded("tensors"):
                step.observing.__exit__(None, None, None)
        if step.seen is not None and step.applied:
            with self.run.guarded("tensors"):
                step.seen.summarize()
                self._trained = step.seen.seen.trained
                self.run.took(step.seen)

    def _keep(self, step: OpenStep) -> None:
        seen = step.seen.seen if step.seen is not None else None
        if not self.run.begun:
            optimizer = seen.optimizer if seen is not None else ""
            name = step.seen.name if step.seen is not None else self.name
            self.run.begin(name, steps=0, subject=self.run.loop_of(optimizer))
        scalars = {name or "loss": float(loss) for name, loss in step.losses}
        if len(step.losses) == 1:
            scalars = {"loss": float(step.losses[0][1])}
        record = StepRecord(step.number, time.perf_counter() - step.started, scalars)
        self.run.keep(self.run.findings(record))


def _inputs_of(step: EagerStep) -> list[BatchPart]:
    """What layers were given that no layer made, by the names that the loop has for it."""
    made = {id(call.output) for call in step.made.calls}
    found: dict[int, BatchPart] = {}
    for call in step.made.calls:
        for tensor in call.inputs:
            name = name_of(tensor) if id(tensor) not in made | found.keys() else ""
            if name:
                found[id(tensor)] = BatchPart(name, tensor, Role.ARGUMENT)
    return list(found.values())


class EagerLoops:
    """The loops of one thread, by the functions that enter tapes."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self._loops: dict[CodeType, EagerLoop] = {}
        self._inner: EagerLoop | None = None  # the loop whose tape was entered last

    def entered(self) -> bool:
        """A tape is entered by the code that runs; False if a recorder of its own has that."""
        frame = own_frame()
        if frame is None or is_called_from("loop_step.py"):
            self._inner = None
            return frame is None
        code = frame.f_code
        if code not in self._loops:
            self._loops[code] = EagerLoop(_name(frame), self._made())
        self._inner = self._loops[code]
        self._inner.entered(frame.f_lineno)
        return True

    def left(self) -> None:
        """A tape is left."""
        if self._inner is not None:
            self._inner.left()

    def differentiates(self, target: Any) -> None:
        """A tape is asked for gradients."""
        if self._inner is not None:
            self._inner.differentiates(target)

    def applies(self) -> bool:
        """An optimizer is about to change variables; whether that belongs to a step."""
        if self._inner is None:
            return False
        self._inner.applies()
        return True


def _name(frame: FrameType) -> str:
    """The name of the function; of a module's own code none."""
    name = frame.f_code.co_name
    return "" if name == MODULE else name
