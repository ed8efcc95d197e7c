"""Counts the calls and training steps of a program, to know when it is past a failure.

A call is one of Keras' `fit`, `predict`, `evaluate` …, of a tf.function or of a TensorFlow 1
session that the program makes itself. This module knows no framework.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident

import msgspec

PLACE = "_resnet_inspect_place"  # attribute of an exception
FIT = "fit"


class CallPlace(msgspec.Struct, frozen=True):
    """A call in the course of a program.

    Attributes:
        kind: such as `fit`, `predict`, `function`, `session`; empty outside of calls.
        number: the number of the call among those of its kind, from 1.
        steps: for `fit`, the training steps that it has completed.
    """

    kind: str = ""
    number: int = 0
    steps: int = 0


class Counts(msgspec.Struct):
    """What a program has done so far.

    Attributes:
        passed: whether it is past the failure.
        beyond: training steps, and calls like the one that failed, since it is past the failure.
        steps: training steps.
        first_loss, last_loss: of these steps; None if unknown or not finite.
        finite: whether no loss was NaN or infinite.
        keeps_batch: whether axis 0 of predictions equals that of the examples; None if unknown.
    """

    passed: bool = False
    beyond: int = 0
    steps: int = 0
    first_loss: float | None = None
    last_loss: float | None = None
    finite: bool = True
    keeps_batch: bool | None = None


class Progress:
    """The course of a program.

    `failure` is the call in which the program failed before, None in its first run. `enough` is
    called when the program is `steps` steps or calls past the failure, `changed` after each.
    """

    def __init__(
        self,
        failure: CallPlace | None,
        steps: int,
        *,
        changed: Callable[[], None] = lambda: None,
        enough: Callable[[], None] = lambda: None,
    ) -> None:
        self.counts = Counts()
        self._failure = failure
        self._steps = steps
        self._changed = changed
        self._enough = enough
        self._started: Counter[str] = Counter()
        self._active: CallPlace | None = None
        self._thread = get_ident()

    @property
    def active(self) -> bool:
        """Whether a call is active, or another thread asks: its calls are not counted."""
        return self._active is not None or get_ident() != self._thread

    @contextmanager
    def call(self, kind: str) -> Iterator[None]:
        """Count the body as a call. The exception that ends it is marked with its place."""
        self._started[kind] += 1
        self._active = CallPlace(kind, self._started[kind])
        try:
            yield
        except BaseException as error:
            vars(error).setdefault(PLACE, self._active)
            self._active = None
            raise
        place, self._active = self._active, None
        self._completed(place)

    def step(self, loss: float | None = None) -> None:
        """Count a training step, inside or outside of a call."""
        counts = self.counts
        counts.steps += 1
        if loss is not None:
            finite = math.isfinite(loss)
            counts.finite = counts.finite and finite
            counts.last_loss = loss if finite else None
            counts.first_loss = counts.last_loss if counts.steps == 1 else counts.first_loss
        if self._active is not None:
            self._active = msgspec.structs.replace(self._active, steps=self._active.steps + 1)
            self._pass(self._active)
        if counts.passed:
            self._advance()
        self._changed()

    def landmark(self) -> None:
        """Note that the statement that failed before was completed."""
        if self._failure is not None and not self._failure.kind:
            self.counts.passed = True
            self._changed()

    def _completed(self, place: CallPlace) -> None:
        failure = self._failure
        self._pass(place, ended=True)
        like = failure is not None and place.kind == failure.kind
        if like and self.counts.passed and not place.steps:
            self._advance()
        self._changed()

    def _pass(self, place: CallPlace, *, ended: bool = False) -> None:
        failure = self._failure
        if failure is None or place.kind != failure.kind:
            return
        later = place.number > failure.number
        same = place.number == failure.number and (ended or place.steps > failure.steps)
        self.counts.passed = self.counts.passed or later or same

    def _advance(self) -> None:
        self.counts.beyond += 1
        if self.counts.beyond >= self._steps:
            self._enough()


def place_of(error: BaseException) -> CallPlace:
    """The call that an exception ended; a place without a kind if it was raised outside."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        place = vars(current).get(PLACE)
        if isinstance(place, CallPlace):
            return place
        current = current.__cause__ or current.__context__
    return CallPlace()
