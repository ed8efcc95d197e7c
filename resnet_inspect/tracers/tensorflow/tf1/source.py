"""The source for `--tf1`: traces a TensorFlow 1 function of an unchanged file."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import InputSpec, spell_inputs
from resnet_inspect.config.settings import GraphCode
from resnet_inspect.data import RandomInputs
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Graph, Note
from resnet_inspect.graph.lineage import Lineage, Mismatch
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.contract import Journal, Outcome, TrainingFailed
from resnet_inspect.tracers.crash_hooks import hook_keras, hook_tensorflow
from resnet_inspect.tracers.tensorflow.capture.graph_capture import capture
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe, located_in
from resnet_inspect.tracers.tensorflow.failures.postmortem import examined
from resnet_inspect.tracers.tensorflow.model.input_specs import (
    default_size_notes,
    flat_specs,
    unknown_inputs,
)
from resnet_inspect.tracers.tensorflow.model.model_calls import seeded
from resnet_inspect.tracers.tensorflow.model.model_retrace import RetraceResult
from resnet_inspect.tracers.tensorflow.model.models import Model, check_arguments
from resnet_inspect.tracers.tensorflow.model.once import NO_SUMMARIES, parts_of, record_once
from resnet_inspect.tracers.tensorflow.model.targets import Function, find_function
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.sizes.lineage import lineage_with_formulas
from resnet_inspect.tracers.tensorflow.taps.points import TapContext, choose
from resnet_inspect.tracers.tensorflow.taps.readings import read
from resnet_inspect.tracers.tensorflow.taps.taps import Taps
from resnet_inspect.tracers.tensorflow.tf1.graph_retrace import graph_variations
from resnet_inspect.tracers.tensorflow.tf1.graph_run import run_once
from resnet_inspect.tracers.tensorflow.tf1.graph_trace import (
    GraphTrace,
    skipped_updates,
    trace_graph,
)
from resnet_inspect.tracers.tensorflow.tf1.old_api import forget_flags, old_api, removed_api_error

UPDATES_FIX = (
    "Moving averages keep their initial values. To update them, make the train op depend on "
    "tf.GraphKeys.UPDATE_OPS"
)


class GraphCodeSource:
    """Records one run of a TensorFlow 1 function; see `contract.Source`.

    The function takes the inputs as positional arguments, or creates placeholders itself. The
    tensors and operations that it returns are run once.
    """

    def __init__(self, settings: Settings, inputs: RandomInputs | None) -> None:
        self.settings = self._settings = settings
        self._device, self.environment = choose_device(tf, settings.device)
        hook_tensorflow(tf)
        hook_keras(keras)
        if not isinstance(settings.subject, GraphCode):
            raise TypeError(f"expected a TensorFlow 1 function, got {settings.subject}")
        self._subject = settings.subject
        self._target = self._subject.target
        self._file = str(Path(self._target.rpartition(":")[0]).resolve())
        self._outer = tf.Graph()
        self._outer.seed = settings.seed
        with seeded(settings.seed):
            self._function = self._find_function()
        self._described = inputs.specs if inputs is not None else ()
        self._given = self._positional()
        self._inputs = RandomInputs(self._given, settings.seed)
        self._trace: GraphTrace | None = None
        self._taps = Taps((), settings.sample)
        self._fetched: dict[str, Any] = {}
        self._graph = Graph(ops=())
        self._mismatch: Mismatch | None = None
        self._retraces = RetraceResult()

    def record(self, journal: Journal) -> None:
        """Build the graph and run it once."""
        record_once(self, journal)

    def build(self) -> Outcome:
        """Trace the function, until an error.

        Raises UsageError if the function uses a removed part of TensorFlow 1.
        """
        return self._build(self._given, "tracing the function")

    def explain(self) -> Lineage:
        """Return the origins of sizes in the last trace."""
        if self._trace is None:
            return Lineage()
        lineage = lineage_with_formulas(self._graph, self._mismatch, self._function.integers)
        return msgspec.structs.replace(
            lineage, variations=self._retraces.variations, traced=self._retraces.traced
        )

    def run(self) -> StepRecord:
        """Run the graph once, with one training step if the function returned a train op.

        Raises TrainingFailed. If sizes were unknown in the trace, it includes a second trace with
        the actual sizes, so that the failure can be explained.
        """
        if self._trace is None:
            raise RuntimeError("the function must be built without errors before it is run")
        batch = self._inputs.batch(0)
        feeds = list(zip(self._trace.inputs.values(), batch, strict=True))
        start = time.perf_counter()
        try:
            arrays, scalars = run_once(self._trace, feeds, self._fetched)
        except Exception as error:
            raise self._failed(error) from error
        seconds = time.perf_counter() - start
        record = StepRecord(0, seconds, scalars, batch=parts_of(self._inputs.specs, batch))
        return read(self._taps, arrays).added_to(record)

    def _find_function(self) -> Function:
        """Import the file in the outer graph and return the function."""
        try:
            forget_flags(Path(self._file).stem)
            with old_api(self._file), self._outer.as_default():
                return find_function(self._subject)
        except UsageError as error:
            cause = error.__cause__
            removed = removed_api_error(cause, self._target) if cause else None
            raise removed or error from cause

    def _positional(self) -> tuple[InputSpec, ...]:
        """Return the described inputs that are arguments of the function.

        The other descriptions are for placeholders that the function creates.
        """
        function, specs = self._function, self._described
        taken = inspect.signature(function.call)
        if function.complete:
            names = list(taken.parameters)[: len(specs)]
            return specs if specs and names == [spec.name for spec in specs] else ()
        if not specs:
            raise unknown_inputs(self._target, str(taken))
        called = Model(partial(function.call, **function.keywords))
        check_arguments(called, self._target, [spec.name for spec in specs])
        return specs

    def _build(self, given: tuple[InputSpec, ...], during: str) -> Outcome:
        start, used = time.perf_counter(), time.process_time()
        call = partial(self._function.call, **self._function.keywords)
        with seeded(self._settings.seed):
            trace = self._trace = trace_graph(
                call,
                given,
                self._file,
                self._outer,
                device=self._device,
                described={spec.name: spec.sizes for spec in self._described},
            )
        seconds, used = time.perf_counter() - start, time.process_time() - used
        error = trace.error
        if error is not None and (removed := removed_api_error(error, self._target)):
            raise removed from error
        construction, end = trace.construction, trace.construction.position()
        specs = self._specs(trace, given)
        self._inputs = RandomInputs(specs, self._settings.seed)
        given_inputs = spell_inputs(specs) if specs else None
        self.settings = msgspec.structs.replace(
            self._settings, subject=msgspec.structs.replace(self._subject, input=given_inputs)
        )
        if error is None:
            self._add_taps(trace, end)
            self._retraces = graph_variations(self._function, given, self._file, trace, used)
        axes = {spec.name: spec.axes for spec in specs}
        notes: tuple[Note, ...] = tuple(self._notes(trace))
        self._graph = capture(construction, end, trace.inputs, notes=notes, axes=axes)
        failure = None
        if error is not None:
            failure = describe(error, during)
            self._mismatch, notes = examined(error, self._graph, construction.variables)
            self._graph = self._graph.noting(*notes)
        return Outcome(self._graph, seconds, failure)

    def _specs(self, trace: GraphTrace, given: tuple[InputSpec, ...]) -> tuple[InputSpec, ...]:
        """Return the arguments, then the function's placeholders with the described sizes."""
        placeholders = list(trace.inputs.values())[len(given) :]
        names = list(trace.inputs)[len(given) :]
        specs = flat_specs([tf.TensorSpec(p.shape, p.dtype) for p in placeholders], names)
        described = {spec.name: spec for spec in self._described if spec not in given}
        unknown = described.keys() - {spec.name for spec in specs}
        if unknown and trace.error is None and not given:
            raise UsageError(
                f"the function creates no placeholder '{sorted(unknown)[0]}'",
                where=f"target {self._target}, setting 'input'",
                expected=f"one of {', '.join(names)}" if names else "the function's arguments",
                got=", ".join(described),
                fix="describe only placeholders that the function creates",
            )
        return given + tuple(described.get(spec.name, spec) for spec in specs)

    def _add_taps(self, trace: GraphTrace, end: int) -> None:
        wanted = self._settings.taps
        if wanted == "layers" and not trace.construction.calls:
            wanted = "ops"
        with (
            trace.outer.as_default(),
            trace.construction.graph.as_default(),
            tf.device(self._device),
        ):
            self._taps = Taps(
                choose(TapContext(trace.construction, end), wanted), self._settings.sample
            )
            self._fetched = self._taps.tensors()

    def _failed(self, error: Exception) -> TrainingFailed:
        """Return the exception for a failed run, with a second trace if sizes were unknown."""
        failure = located_in(self._graph, describe(error, "running the function"))
        if all(None not in spec.sizes for spec in self._given):
            return TrainingFailed(failure)
        again = self._build(self._inputs.fed[: len(self._given)], "running the function")
        return TrainingFailed(again.failure or failure, again)

    def _notes(self, trace: GraphTrace) -> Iterator[Note]:
        yield Note("inputs", "random numbers of the input shapes, not real data")
        yield from default_size_notes(self._inputs)
        if trace.operations:
            names = ", ".join(op.name for op in trace.operations)
            yield Note("training", f"one step: the run executed the returned operations {names}")
            skipped = skipped_updates(trace)
            if skipped:
                yield Note("update ops", f"{skipped}. {UPDATES_FIX}")
        yield from self._retraces.notes(self._function.integers, complete=trace.error is None)
        if trace.error is None and not len(self._taps):
            yield Note("summaries", NO_SUMMARIES)
