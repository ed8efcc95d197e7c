"""Records one run, of steps that a user's program, Keras or the tutorial's loop executes.

`observe` notes the layers and gradients of a step while TensorFlow traces it. `arm` switches
recording of the next step on or off, and `findings` reads the taps after the step. An error in
this module does not stop the training; it becomes a note of the run.
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
from resnet_inspect.tracers.full_tracebacks import is_recorded
from resnet_inspect.tracers.tensorflow.failures.exceptions import at_step, describe, located_in
from resnet_inspect.tracers.tensorflow.fit.endings import PendingLineage, write_abandoned
from resnet_inspect.tracers.tensorflow.fit.first_trace import variables_made
from resnet_inspect.tracers.tensorflow.fit.inner_functions import observed_inside
from resnet_inspect.tracers.tensorflow.fit.observed_step import ObservedStep
from resnet_inspect.tracers.tensorflow.fit.replicas import Switches, all_arrived, replica
from resnet_inspect.tracers.tensorflow.fit.step_hooks import failed_text
from resnet_inspect.tracers.tensorflow.fit.traces import Trace
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.taps.sum_order import any_order, over_limit
from resnet_inspect.tracers.tensorflow.taps.weights import Values, WeightReader, reader_of

NOT_YET = Note("lineage", "origins of sizes are traced after the training, which has not ended")
STOPPED_WITH_ANOTHER = "_RequestedStop"  # the error that ends the other replicas in TensorFlow
ANY_ORDER = (
    "this step needs much memory, so TensorFlow sums its gradients in any order. Weights may "
    "differ in the last bits from run to run, with or without recording"
)
SEVERAL_INSIDE = (
    "the step calls several tf.functions that train. {first} is recorded, {other} is not. "
    "To record both, instrument each of them with a separate Recorder"
)


class Recording:
    """The recording of one run. `journal` is None after a write to it has failed.

    With `only_training`, only traces that compute gradients of variables or use an optimizer are
    tapped, and failures are written only by `write_failure`. Most functions of a program do not
    train, and the program may catch their exceptions.
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
        self.pending_lineage = PendingLineage(journal)
        self.traces: list[Trace] = []
        self._only_training = only_training
        self._pending: tuple[ObservedStep, BaseException] | None = None
        self._written: Trace | None = None  # the trace whose graph is in the journal
        self._switches = Switches()
        self._eager: Trace | None = None  # of a step that runs op by op
        self._outcome = Outcome(Graph(ops=()), 0.0)
        self._lineage = Lineage()
        self._notes: list[Note] = []
        self._begun = False
        self._step: int | None = None  # that runs
        self._reader: WeightReader | None = None
        self._before: Values | None = None  # of the weights, if the step is recorded
        self._sums_split: bool | None = None  # by TensorFlow; None without sums that can be split
        self._observing: list[ObservedStep] = []
        self._inner: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def begin(self, network: str, **planned: Any) -> None:
        """Begin or continue the run of `network`; `planned` are changes of its settings."""
        with self.guarded("lineage"):
            write_abandoned()
        self.settings = msgspec.structs.replace(self.settings, **planned)
        environment = self._environment or choose_device(tf, "auto")[1]
        if self.journal is not None:
            self.journal.begin(network, self.settings, environment)
            self._begun = True
            if self._notes and self._written is None:
                self._write()

    def loop_of(self, optimizer: str) -> Loop:
        """The subject of a run of a loop; `optimizer` is "" without a Keras optimizer."""
        target = self.settings.target or ""
        return Loop(target=target, optimizer=optimizer or "no Keras optimizer")

    def observe(
        self, make: Callable[[], ObservedStep], step: Callable[..., Any], *args: Any, **named: Any
    ) -> Any:
        """Call a step that is being traced, and observe it with the step that `make` returns."""
        trace = None
        with self.guarded("graph"):
            trace = make()
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
                variables_made() as created,
                observed_inside(self._inner, observe_inner, args, trace.parts),
            ):
                returned = trace.observe(step, *args, **named)
        except BaseException as error:
            is_written = trace.delegated and self._outcome.failure is not None
            other = not isinstance(error, Exception) or type(error).__name__ == STOPPED_WITH_ANOTHER
            if not other and not is_written:
                with self.guarded("failure"):
                    self._failed_or_pending(trace, error)
            raise
        finally:
            self._observing.remove(trace)
        if not created.any:  # else TensorFlow traces again
            with self.guarded("tensors"):
                self._tap_where_it_trains(trace, [step for step in inside if step.trains])
        return returned

    def observes_here(self) -> bool:
        """Whether the current graph, in which ops are made now, is observed."""
        return any(step.made.here() for step in self._observing)

    def _tap_where_it_trains(self, trace: ObservedStep, inside: list[ObservedStep]) -> None:
        if len(inside) > 1:
            names = {"first": inside[0].function, "other": inside[1].function}
            self.note("step", SEVERAL_INSIDE.format(**names))
        if inside and not trace.hooks.trains:
            trace.delegated = True
        if trace.delegated or (self._only_training and not trace.trains):
            return
        all_arrived()
        self._tap(trace)

    def _tap(self, trace: ObservedStep) -> None:
        place = replica()
        latest = self.traces[-1] if self.traces else None
        if latest is None or not latest.takes(trace, place.number):
            self._check_sums(trace)
            latest = Trace(len(self.traces) + 1)
            self.traces.append(latest)
        latest.steps[place.number] = trace
        switch = self._switches.of(place)
        trace.tap(switch.wanted, switch.ran, latest.number, place.device)

    def _check_sums(self, trace: ObservedStep) -> None:
        """Find out, before taps are added, whether TensorFlow splits sums of the step."""
        graph = trace.made.graph
        with trace.noting("sums"):
            if not any_order(graph):
                return
            split = bool(tf.config.list_physical_devices("GPU")) or over_limit(graph)
            self._sums_split = split or bool(self._sums_split)
            if split:
                trace.notes.append(Note("sums", ANY_ORDER))

    def in_order(self) -> bool:
        """Whether steps must run without TensorFlow's memory optimizer; see `sum_order`."""
        return self._sums_split is False

    def ran_eagerly(self, step: ObservedStep) -> None:
        """Keep the readings of a step that has run op by op, for `findings`."""
        if self._eager is None:
            self._eager = Trace(0)
        self._eager.steps[0] = step

    def arm(self, *, record: bool, weights: Iterable[Any], step: int) -> None:
        """Switch recording of the next `step` on or off; `weights` are those known so far."""
        self._before = None
        self._step = step
        self._switches.set(wanted=record)
        if record:
            self._read_before(weights)

    @property
    def armed(self) -> bool:
        """Whether the current step is recorded."""
        return self._before is not None

    def read_weights(self, weights: Iterable[Any]) -> None:
        """Read the `weights` before the step runs; they became known while it was traced."""
        if self._before is not None:
            with tf.init_scope():
                self._read_before(weights)

    def _read_before(self, weights: Iterable[Any]) -> None:
        self._reader = reader_of(weights, self._reader)
        self._before = self._reader.values()

    def findings(self, record: StepRecord) -> StepRecord:
        """The record of the last step, with summaries and weights if the step was recorded."""
        reader, before = self._reader, self._before
        if reader is None or before is None:
            return record
        ran = self._switches.take()
        trace = self.traces[ran - 1] if ran else self._eager
        self.write_graph(trace or (self.traces[-1] if self.traces else None))
        if trace is not None:
            first = trace.first
            record = reader.record(before, record, first.made, self.settings, trained=first.trains)
            record = trace.read().added_to(record)
            if first.batch is not None:
                record = replace(record, batch=first.batch.read())
            if first.normalizations is not None:
                record = replace(record, normalizations=first.normalizations.read())
        return record

    def write_graph(self, trace: Trace | None) -> None:
        """Write the graph of a trace, unless it is already written."""
        if trace is None or trace is self._written:
            return
        if self._written is not None:
            text = "TensorFlow traced the step again for batches of another shape. "
            self.note("fit", text + "The run contains the latest graph")
        self._written = trace
        self._outcome = trace.first.outcome(trace.others())
        self._notes += trace.notes()
        self._lineage = Lineage()
        self.pending_lineage.set(self._explanation(trace.first))
        self._write()

    def explain(self) -> None:
        """Write the lineage now; otherwise it is written at the end of the run."""
        self._lineage = self.pending_lineage.write() or self._lineage

    def _explanation(self, step: ObservedStep) -> Callable[[], tuple[Outcome, Lineage]]:
        """A function that computes the lineage; it does not refer to the step or its model."""
        explain, outcome, notes = step.explanation(), self._outcome, self._notes

        def compute() -> tuple[Outcome, Lineage]:
            lineage = Lineage()
            try:
                lineage = explain(outcome.graph)
            except Exception as error:
                notes.append(Note("lineage", failed_text(error)))
            return replace(outcome, graph=outcome.graph.noting(*dict.fromkeys(notes))), lineage

        return compute

    def _failed_or_pending(self, trace: ObservedStep, error: BaseException) -> None:
        if self._only_training and not self._begun:
            if self._pending is None or not _leads_to(error, self._pending[1]):
                self._pending = trace, error  # else a function inside this one raised it
        else:
            self.failed(trace, error)

    def write_failure(self, error: BaseException) -> bool:
        """Write the failure of a function that is not yet known to train, if it ended the program.

        `error` is the exception that ended the program. Returns True if a failure was written.
        """
        if self._pending is None or not _leads_to(error, self._pending[1]):
            return False
        trace, cause = self._pending
        self._pending = None
        with self.guarded("failure"):
            self.failed(trace, cause)
        return True

    def failed(self, trace: ObservedStep, error: BaseException) -> None:
        """Write the failure of a step that could not be traced or run, and end the run."""
        self.pending_lineage.cancel()
        if not self._begun:
            self.begin(trace.name)
        outcome = trace.failed(error)
        self._outcome = replace(outcome, failure=at_step(outcome.failure, self._step))
        self._notes += trace.notes
        with self.guarded("lineage"):
            self._lineage = trace.explanation()(self._outcome.graph)
        self._write()
        if self.journal is not None:
            self.journal.end(failure=self._outcome.failure)

    def fail(self, error: BaseException) -> None:
        """Write a run without a graph, for an exception that no recorded training raised."""
        self.begin("", steps=0)
        self._write()
        if self.journal is not None:
            self.journal.end(failure=describe(error))

    def keep(self, record: StepRecord | None) -> None:
        """Write one step."""
        if record is not None and self.journal is not None:
            self.journal.step(record)

    def end(
        self, error: BaseException | None = None, step: int = 0, during: str = ""
    ) -> Failure | None:
        """End the run, for now: complete, or by an `error` at `step`.

        `during` names the action that failed, if it was not running the step. Returns the failure
        that is saved.
        """
        failure, reason = None, ""
        if isinstance(error, Exception):
            if self._written is None and self.traces:  # the first recorded step has failed
                with self.guarded("graph"):
                    self.write_graph(self.traces[-1])
            failure = self._outcome.failure
            if failure is None or not is_recorded(error):
                failure = describe(error, during or f"running step {step}", step)
                failure = located_in(self._outcome.graph, failure)
        elif error is not None:
            reason = "stopped by the user"
        if self.journal is not None:
            with self.guarded("lineage"):
                self.explain()
            self.journal.end(reason, failure)
        return failure

    @property
    def failure(self) -> Failure | None:
        """The failure of tracing the step, if it failed."""
        return self._outcome.failure

    @property
    def begun(self) -> bool:
        """Whether the run has begun."""
        return self._begun

    def note(self, subject: str, text: str) -> None:
        """Add a note to the run, unless it already has it."""
        note = Note(subject, text)
        if note not in self._notes:
            self._notes.append(note)
            self._write()

    def _write(self) -> None:
        if self.journal is not None and self._begun:
            notes = [*self._notes, NOT_YET] if self.pending_lineage.is_pending else self._notes
            graph = self._outcome.graph.noting(*dict.fromkeys(notes))
            self.journal.built(replace(self._outcome, graph=graph), self._lineage)

    @contextmanager
    def guarded(self, subject: str) -> Iterator[None]:
        """Note errors of the body in the run; if that fails, end recording and print the error."""
        try:
            yield
        except Exception as error:
            try:
                self.note(subject, failed_text(error))
            except Exception as write_error:
                self.journal = None
                print(f"resnet-inspect: recording ended: {write_error}", file=sys.stderr)


def _leads_to(error: BaseException | None, cause: BaseException) -> bool:
    """Whether `cause` is `error` or in its chain of causes and contexts."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if error is cause:
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
