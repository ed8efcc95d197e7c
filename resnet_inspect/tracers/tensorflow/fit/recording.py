"""One run of steps that somebody else runs: what `fit`, batches and loops of one's own share.

A step is observed while TensorFlow traces it (`observe`); before each step the host says whether it
is to be recorded (`arm`), and after it reads what the step left behind (`findings`). Nothing that
fails in here stops the training; it is noted in the run.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.settings import Loop
from resnet_inspect.graph import Failure, Graph, Note
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.contract import Environment, Journal, Outcome
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe, located_in
from resnet_inspect.tracers.tensorflow.fit.endings import Unexplained, tell_what_is_left
from resnet_inspect.tracers.tensorflow.fit.first_trace import variables_made
from resnet_inspect.tracers.tensorflow.fit.inner_functions import observed_inside
from resnet_inspect.tracers.tensorflow.fit.observed_step import ObservedStep
from resnet_inspect.tracers.tensorflow.fit.replicas import Switches, all_arrived, replica
from resnet_inspect.tracers.tensorflow.fit.traces import Trace
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.taps.sum_order import any_order, over_limit
from resnet_inspect.tracers.tensorflow.taps.weights import Values, WeightReader, reader_of

NOT_OBSERVED = "not observed, because of {}: {}"
NOT_YET = Note("lineage", "it is found once the training is over, and this one was not")
STOPPED_WITH_ANOTHER = "_RequestedStop"  # what TensorFlow ends other replicas with
ANY_ORDER = (
    "TensorFlow adds up gradients of this step in the order in which they are ready, because it "
    "expects the step to need much memory: weights may differ in the last bits from run to run, "
    "recorded or not"
)
SEVERAL_INSIDE = (
    "the step calls several tf.functions that train; only {first} is recorded, {other} is not: "
    "instrument each of them with a Recorder of its own"
)


class Recording:
    """See the module. `journal` is None once nothing more can be written.

    With `only_training` a trace without a gradient of variables and without an optimizer is left
    as it is, and a failure is written only by `write_failure`: most functions of a program do not
    train, and a program may catch what they raise.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        *,
        only_training: bool = False,
        environment: Environment | None = None,
    ) -> None:
        self.settings = settings
        self._environment = environment
        self.journal: Journal | None = journal
        self.unexplained = Unexplained(journal)
        self.traces: list[Trace] = []
        self._only_training = only_training
        self._pending: tuple[ObservedStep, BaseException] | None = None
        self._told: Trace | None = None
        self._switches = Switches()
        self._at_once: Trace | None = None  # of a step that runs op by op
        self._outcome = Outcome(Graph(ops=()), 0.0)
        self._lineage = Lineage()
        self._notes: list[Note] = []
        self._begun = False
        self._reader: WeightReader | None = None
        self._before: Values | None = None  # of the weights, if the step is recorded
        self._sums_taken_apart: bool | None = None  # by TensorFlow itself; None without such sums
        self._observing: list[ObservedStep] = []
        self._inner: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def begin(self, network: str, **planned: Any) -> None:
        """There is, or goes on, a run of `network`; `planned` are settings that are known now."""
        with self.guarded("lineage"):
            tell_what_is_left()
        self.settings = msgspec.structs.replace(self.settings, **planned)
        environment = self._environment or choose_device(tf, "auto")[1]
        if self.journal is not None:
            self.journal.begin(network, self.settings, environment)
            self._begun = True
            if self._notes and self._told is None:
                self._write()

    def loop_of(self, optimizer: str) -> Loop:
        """The subject of a run that records a loop; `optimizer` is empty if it is not known."""
        target = self.settings.target or ""
        return Loop(target=target, optimizer=optimizer or "none of Keras'")

    def observe(
        self, made: Callable[[], ObservedStep], step: Callable[..., Any], *args: Any, **named: Any
    ) -> Any:
        """Call a step that is being traced, observed where that can be done."""
        trace = None
        with self.guarded("graph"):
            trace = made()
        if trace is None:
            return step(*args, **named)
        inside: list[ObservedStep] = []

        def observe_inner(
            name: str, call: Callable[..., Any], parts: Any, *a: Any, **n: Any
        ) -> Any:
            def inner() -> ObservedStep:
                inside.append(trace.inside(name, parts))
                return inside[-1]

            return self.observe(inner, call, *a, **n)

        self._observing.append(trace)
        try:
            with (
                variables_made() as made_here,
                observed_inside(self._inner, observe_inner, args, trace.parts),
            ):
                returned = trace.observe(step, *args, **named)
        except BaseException as error:
            told = trace.delegated and self._outcome.failure is not None
            other = not isinstance(error, Exception) or type(error).__name__ == STOPPED_WITH_ANOTHER
            if not other and not told:
                with self.guarded("failure"):
                    self._failed_or_pending(trace, error)
            raise
        finally:
            self._observing.remove(trace)
        if not made_here.any:  # else TensorFlow traces again
            with self.guarded("tensors"):
                self._tap_where_it_trains(trace, [one for one in inside if one.trains])
        return returned

    def observes_here(self) -> bool:
        """Whether ops that are made now are made in a graph that is observed."""
        return any(one.made.here() for one in self._observing)

    def _tap_where_it_trains(self, trace: ObservedStep, inside: list[ObservedStep]) -> None:
        if len(inside) > 1:
            names = {"first": inside[0].function, "other": inside[1].function}
            self.note("step", SEVERAL_INSIDE.format(**names))
        if inside and not trace.seen.trains:
            trace.delegated = True
        if trace.delegated or (self._only_training and not trace.trains):
            return
        all_arrived()
        self._tap(trace)

    def _tap(self, trace: ObservedStep) -> None:
        place = replica()
        latest = self.traces[-1] if self.traces else None
        if latest is None or not latest.takes(trace, place.number):
            self._look_at_sums(trace)
            latest = Trace(len(self.traces) + 1)
            self.traces.append(latest)
        latest.steps[place.number] = trace
        switch = self._switches.of(place)
        trace.tap(switch.wanted, switch.ran, latest.number, place.device)

    def _look_at_sums(self, trace: ObservedStep) -> None:
        """Before taps are added to it: whether TensorFlow leaves its sums in order."""
        graph = trace.made.graph
        with trace.noting("sums"):
            if not any_order(graph):
                return
            apart = bool(tf.config.list_physical_devices("GPU")) or over_limit(graph)
            self._sums_taken_apart = apart or bool(self._sums_taken_apart)
            if apart:
                trace.notes.append(Note("sums", ANY_ORDER))

    def in_order(self) -> bool:
        """Whether a step is to be run without TensorFlow's memory optimizer; see `sum_order`."""
        return self._sums_taken_apart is False

    def took(self, step: ObservedStep) -> None:
        """A step has run op by op; each has findings of its own."""
        if self._at_once is None:
            self._at_once = Trace(0)
        self._at_once.steps[0] = step

    def arm(self, *, record: bool, weights: Iterable[Any]) -> None:
        """A step comes; `weights` are those that are recorded, as far as they are known."""
        self._before = None
        self._switches.set(wanted=record)
        if record:
            self._read_before(weights)

    @property
    def armed(self) -> bool:
        """Whether the step that runs is one that is recorded."""
        return self._before is not None

    def look_at(self, weights: Iterable[Any]) -> None:
        """These are the weights of the step that is about to run, found while it was traced."""
        if self._before is not None:
            with tf.init_scope():
                self._read_before(weights)

    def _read_before(self, weights: Iterable[Any]) -> None:
        self._reader = reader_of(weights, self._reader)
        self._before = self._reader.values()

    def findings(self, record: StepRecord) -> StepRecord:
        """The record of the step that has run, with what it left behind if it was recorded."""
        reader, before = self._reader, self._before
        if reader is None or before is None:
            return record
        ran = self._switches.take()
        trace = self.traces[ran - 1] if ran else self._at_once
        self.tell(trace or (self.traces[-1] if self.traces else None))
        if trace is not None:
            first = trace.first
            record = reader.record(before, record, first.made, self.settings, trained=first.trains)
            record = trace.read().added_to(record)
            if first.batch is not None:
                record = replace(record, batch=first.batch.read())
            if first.normalizations is not None:
                record = replace(record, normalizations=first.normalizations.read())
        return record

    def tell(self, trace: Trace | None) -> None:
        """Write the graph of what ran, once for each trace."""
        if trace is None or trace is self._told:
            return
        if self._told is not None:
            self.note("fit", "traced again for batches of another shape: this is the latest graph")
        self._told = trace
        self._outcome = trace.first.outcome(trace.others())
        self._notes += trace.notes()
        self._lineage = Lineage()
        self.unexplained.wait(self._explanation(trace.first))
        self._write()

    def explain(self) -> None:
        """Write now where sizes come from, which otherwise waits for the end."""
        self._lineage = self.unexplained.tell() or self._lineage

    def _explanation(self, step: ObservedStep) -> Callable[[], tuple[Outcome, Lineage]]:
        """What tells where sizes come from, without holding on to the step or its model."""
        explain, outcome, notes = step.explanation(), self._outcome, self._notes

        def ask() -> tuple[Outcome, Lineage]:
            lineage = Lineage()
            try:
                lineage, more = explain(outcome.graph)
            except Exception as error:
                more = (Note("lineage", NOT_OBSERVED.format(*_told(error))),)
            notes.extend(one for one in more if one not in notes)
            return replace(outcome, graph=outcome.graph.noting(*dict.fromkeys(notes))), lineage

        return ask

    def _failed_or_pending(self, trace: ObservedStep, error: BaseException) -> None:
        if self._only_training and not self._begun:
            if self._pending is None or not _leads_to(error, self._pending[1]):
                self._pending = trace, error  # else it comes from a function inside this one
        else:
            self.failed(trace, error)

    def write_failure(self, error: BaseException) -> bool:
        """Write the failure of a function that did not come to train, if that ended the program
        with `error`; whether it did.
        """
        if self._pending is None or not _leads_to(error, self._pending[1]):
            return False
        trace, cause = self._pending
        self._pending = None
        with self.guarded("failure"):
            self.failed(trace, cause)
        return True

    def failed(self, trace: ObservedStep, error: BaseException) -> None:
        """The step could not be traced to its end, or run."""
        self.unexplained.forget()
        if not self._begun:
            self.begin(trace.name)
        self._outcome = trace.failed(error)
        self._notes += trace.notes
        with self.guarded("lineage"):
            self._lineage, _ = trace.explanation()(self._outcome.graph)
        self._write()
        if self.journal is not None:
            self.journal.end(failure=self._outcome.failure)

    def keep(self, record: StepRecord | None) -> None:
        """Write one step."""
        if record is not None and self.journal is not None:
            self.journal.step(record)

    def end(
        self, error: BaseException | None = None, step: int = 0, during: str = ""
    ) -> Failure | None:
        """It is over, for now: as it should be, or by an exception at `step`, `during` something
        else than running it; what is saved of that.
        """
        failure, reason = None, ""
        if isinstance(error, Exception):
            failure = describe(error, during or f"running step {step}")
            failure = self._outcome.failure or located_in(self._outcome.graph, failure)
        elif error is not None:
            reason = "stopped by the user"
        if self.journal is not None:
            with self.guarded("lineage"):
                self.explain()
            self.journal.end(reason, failure)
        return failure

    @property
    def failure(self) -> Failure | None:
        """Why the step could not be traced, if it could not."""
        return self._outcome.failure

    @property
    def begun(self) -> bool:
        """Whether there is a run."""
        return self._begun

    def note(self, subject: str, text: str) -> None:
        """Say something of the run, once."""
        note = Note(subject, text)
        if note not in self._notes:
            self._notes.append(note)
            self._write()

    def _write(self) -> None:
        if self.journal is not None and self._begun:
            notes = [*self._notes, NOT_YET] if self.unexplained.waits else self._notes
            graph = self._outcome.graph.noting(*dict.fromkeys(notes))
            self.journal.built(replace(self._outcome, graph=graph), self._lineage)

    @contextmanager
    def guarded(self, subject: str) -> Iterator[None]:
        """What fails in the body is noted in the run; where that fails too, on stderr, once."""
        try:
            yield
        except Exception as error:
            try:
                self.note(subject, NOT_OBSERVED.format(*_told(error)))
            except Exception as again:
                self.journal = None
                print(f"resnet-inspect: recording ended: {again}", file=sys.stderr)


def _told(error: Exception) -> tuple[str, str]:
    """The kind of an error and its first line."""
    return type(error).__name__, (str(error).strip().splitlines() or [""])[0][:200]


def _leads_to(error: BaseException | None, cause: BaseException) -> bool:
    """Whether `cause` is `error` or one that it was raised for."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if error is cause:
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
