"""Traces a function written for TensorFlow 1, from a file that nobody changed: `--tf1`."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

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
from resnet_inspect.tracers.tensorflow.capture.graph_capture import capture
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe, located_in
from resnet_inspect.tracers.tensorflow.failures.postmortem import examined
from resnet_inspect.tracers.tensorflow.model.input_specs import flat_specs, unknown_inputs
from resnet_inspect.tracers.tensorflow.model.model_calls import seeded
from resnet_inspect.tracers.tensorflow.model.model_retrace import Retraced
from resnet_inspect.tracers.tensorflow.model.models import Model, check_arguments
from resnet_inspect.tracers.tensorflow.model.once import record_once
from resnet_inspect.tracers.tensorflow.model.targets import Function, find_function
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.sizes.lineage import lineage_with_formulas
from resnet_inspect.tracers.tensorflow.taps.points import Watched, choose
from resnet_inspect.tracers.tensorflow.taps.readings import read
from resnet_inspect.tracers.tensorflow.taps.taps import Taps
from resnet_inspect.tracers.tensorflow.tf1.graph_retrace import graph_variations
from resnet_inspect.tracers.tensorflow.tf1.graph_run import run_once
from resnet_inspect.tracers.tensorflow.tf1.graph_trace import (
    GraphTrace,
    left_out_updates,
    trace_graph,
)
from resnet_inspect.tracers.tensorflow.tf1.old_api import forget_flags, lost, old_api


class GraphCodeSource:
    """One run of a TensorFlow 1 function; see `contract.Source`.

    It is given its inputs in their order, or makes placeholders itself. What it returns is run
    once.
    """

    def __init__(self, settings: Settings, inputs: RandomInputs | None) -> None:
        self.settings = self._settings = settings
        self._device, self.environment = choose_device(tf, settings.device)
        if not isinstance(settings.subject, GraphCode):
            raise TypeError(f"not a function for TensorFlow 1: {settings.subject}")
        self._subject = settings.subject
        self._target = self._subject.target
        self._file = str(Path(self._target.rpartition(":")[0]).resolve())
        self._around = tf.Graph()
        self._around.seed = settings.seed
        with seeded(settings.seed):
            self._function = self._found()
        self._described = inputs.specs if inputs is not None else ()
        self._given = self._positional()
        self._inputs = RandomInputs(self._given, settings.seed)
        self._trace: GraphTrace | None = None
        self._taps = Taps((), settings.sample)
        self._fetched: dict[str, Any] = {}
        self._graph = Graph(ops=())
        self._mismatch: Mismatch | None = None
        self._varied = Retraced()

    def record(self, journal: Journal) -> None:
        """Build the graph and run it once."""
        record_once(self, journal)

    def build(self) -> Outcome:
        """Trace the function, as far as it goes; raises UsageError for what TensorFlow lost."""
        return self._build(self._given, "tracing it")

    def explain(self) -> Lineage:
        """Links and formulas for what was traced last, and what settings move."""
        if self._trace is None:
            return Lineage()
        found = lineage_with_formulas(
            self._trace.made.graph, self._graph, self._mismatch, self._function.integers
        )
        varied = self._varied
        return msgspec.structs.replace(found, variations=varied.variations, traced=varied.traced)

    def run(self) -> StepRecord:
        """Run once; what it trains, it trains by one step. Sizes that are refused only now are
        traced again as they are, so that the refusal can be explained; raises TrainingFailed.
        """
        if self._trace is None:
            raise RuntimeError("a session is built, with success, before it is run")
        feeds = list(zip(self._trace.inputs.values(), self._inputs.batch(0), strict=True))
        start = time.perf_counter()
        try:
            arrays, scalars = run_once(self._trace, feeds, self._fetched)
        except Exception as error:
            raise self._failed(error) from error
        seconds = time.perf_counter() - start
        return read(self._taps, arrays).added_to(StepRecord(0, seconds, scalars))

    def _found(self) -> Function:
        """The function, its file imported in the graph that will lie around its own."""
        try:
            forget_flags(Path(self._file).stem)
            with old_api(self._file), self._around.as_default():
                return find_function(self._subject)
        except UsageError as error:
            gone = lost(error.__cause__, self._target) if error.__cause__ else None
            raise gone or error from error.__cause__

    def _positional(self) -> tuple[InputSpec, ...]:
        """Those of the described inputs that the function is called with; the others are about
        placeholders that it makes.
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
                call, given, self._file, self._around, device=self._device
            )
        seconds, used = time.perf_counter() - start, time.process_time() - used
        error = trace.error
        if error is not None and (gone := lost(error, self._target)):
            raise gone from error
        made, end = trace.made, trace.made.position()
        specs = self._specs(trace, given)
        self._inputs = RandomInputs(specs, self._settings.seed)
        given_inputs = spell_inputs(specs) if specs else None
        self.settings = msgspec.structs.replace(
            self._settings, subject=msgspec.structs.replace(self._subject, input=given_inputs)
        )
        if error is None:
            self._add_taps(trace, end)
            self._varied = graph_variations(self._function, given, self._file, trace, used)
        axes = {spec.name: spec.axes for spec in specs}
        notes: tuple[Note, ...] = tuple(self._notes(trace))
        self._graph = capture(made, end, trace.inputs, notes=notes, axes=axes)
        failure = None
        if error is not None:
            failure = describe(error, during)
            self._mismatch, notes = examined(error, self._graph, made.variables)
            self._graph = self._graph.noting(*notes)
        return Outcome(self._graph, seconds, failure)

    def _specs(self, trace: GraphTrace, given: tuple[InputSpec, ...]) -> tuple[InputSpec, ...]:
        """What is fed: the inputs that were given, then placeholders, as they were described."""
        own = list(trace.inputs.values())[len(given) :]
        names = list(trace.inputs)[len(given) :]
        found = flat_specs([tf.TensorSpec(one.shape, one.dtype) for one in own], names)
        described = {spec.name: spec for spec in self._described if spec not in given}
        unknown = described.keys() - {spec.name for spec in found}
        if unknown and trace.error is None and not given:
            raise UsageError(
                f"the function makes no placeholder '{sorted(unknown)[0]}'",
                where=f"target {self._target}, setting 'input'",
                expected="a name of " + (", ".join(names) or "what it takes: it makes none"),
                got=", ".join(described),
                fix="describe only placeholders that the function makes itself",
            )
        return given + tuple(described.get(spec.name, spec) for spec in found)

    def _add_taps(self, trace: GraphTrace, end: int) -> None:
        wanted = self._settings.taps
        if wanted == "layers" and not trace.made.calls:
            wanted = "ops"
        with trace.around.as_default(), trace.made.graph.as_default(), tf.device(self._device):
            self._taps = Taps(choose(Watched(trace.made, end), wanted), self._settings.sample)
            self._fetched = self._taps.tensors()

    def _failed(self, error: Exception) -> TrainingFailed:
        """What to tell of a run that failed; traced again if sizes were unknown."""
        failure = located_in(self._graph, describe(error, "running it"))
        if all(None not in spec.sizes for spec in self._given):
            return TrainingFailed(failure)
        again = self._build(self._inputs.fed[: len(self._given)], "running it")
        return TrainingFailed(again.failure or failure, again)

    def _notes(self, trace: GraphTrace) -> Iterator[Note]:
        yield Note("inputs", "random numbers by shape: no data was given")
        chosen = self._inputs.chosen()
        if chosen:
            yield Note("inputs", f"sizes given as ?, chosen by the program: {', '.join(chosen)}")
        if trace.asked:
            named = ", ".join(one.name for one in trace.asked)
            yield Note("training", f"one step, of what the function returned: {named}")
            left = left_out_updates(trace)
            if left:
                yield Note("update ops", f"{left}: moving averages keep their first values")
        varied = {one.setting for one in self._varied.variations}
        left = ", ".join(one for one in self._function.integers if one not in varied)
        if self._varied.refused:
            yield Note(
                "settings", f"{self._varied.refused}: what moves sizes is not known of {left}"
            )
        elif trace.error is None and left:
            yield Note("settings", f"not traced again, for the time it takes: {left}")
        if trace.error is None and not len(self._taps):
            yield Note("summaries", "none: no op that was asked for makes numbers")
