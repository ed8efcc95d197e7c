"""The source for the user's model: trains it with `fit`, or traces it and runs it forward once."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

import keras
import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import spell_inputs
from resnet_inspect.config.own_model import check_forward
from resnet_inspect.config.settings import TracedModel
from resnet_inspect.data import RandomInputs
from resnet_inspect.errors import InspectError
from resnet_inspect.graph import Graph, Note, Phase, Source
from resnet_inspect.graph.lineage import Lineage, Mismatch
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.contract import Journal, Outcome, TrainingFailed
from resnet_inspect.tracers.crash_hooks import hook_keras, hook_tensorflow
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.capture.graph_capture import capture
from resnet_inspect.tracers.tensorflow.capture.scope_layers import add_scope_layers, opened_scopes
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe, located_in
from resnet_inspect.tracers.tensorflow.failures.postmortem import examined
from resnet_inspect.tracers.tensorflow.model.fitting import (
    ModelTraining,
    check_trainable,
    recipe_of,
)
from resnet_inspect.tracers.tensorflow.model.input_specs import (
    batched,
    default_size_notes,
    unknown_inputs,
)
from resnet_inspect.tracers.tensorflow.model.model_calls import (
    UserVariables,
    call_recorded,
    layer_name_counts,
    seeded,
)
from resnet_inspect.tracers.tensorflow.model.model_retrace import (
    RetraceResult,
    model_variations,
    settings_to_retrace,
)
from resnet_inspect.tracers.tensorflow.model.models import check_arguments, signature_of
from resnet_inspect.tracers.tensorflow.model.once import NO_SUMMARIES, parts_of, record_once
from resnet_inspect.tracers.tensorflow.model.targets import find_target
from resnet_inspect.tracers.tensorflow.runtime import choose_device
from resnet_inspect.tracers.tensorflow.sizes.lineage import lineage_with_formulas
from resnet_inspect.tracers.tensorflow.taps.points import TapContext, choose
from resnet_inspect.tracers.tensorflow.taps.readings import read
from resnet_inspect.tracers.tensorflow.taps.taps import Taps


class ModelSource:
    """Records the model that the target's callable returns; see `contract.Source`.

    `variables` are the variables created during the trace, by name.
    """

    def __init__(self, settings: Settings, inputs: RandomInputs | None) -> None:
        self._settings = settings
        if not isinstance(settings.subject, TracedModel):
            raise TypeError(f"expected a traced model, got {settings.subject}")
        self._subject = settings.subject
        hook_tensorflow(tf)
        hook_keras(keras)
        self._device, self.environment = choose_device(tf, settings.device)
        self._construction: Construction | None = None
        self._graph = Graph(ops=())
        self._call: Callable[..., Any] | None = None
        self._opened: Collection[tuple[str, ...]] | None = ()
        self._taps = Taps((), settings.sample)
        self._mismatch: Mismatch | None = None
        self._retraces = RetraceResult()
        self.variables: dict[str, tf.Variable] = {}
        self._made_at: dict[str, tuple[Source, ...]] = {}
        self._user_variables = UserVariables()
        with self._user_variables.collected(), tf.device(self._device), seeded(settings.seed):
            self._target = find_target(self._subject)
            self._names = layer_name_counts()
            start = time.process_time()  # does not count the time of other programs
            self._model = self._target.make()
        self._build_seconds = time.process_time() - start
        if inputs is None:
            if self._model.inputs is None:
                raise unknown_inputs(self._subject.target, signature_of(self._model))
            inputs = RandomInputs(self._model.inputs, settings.seed)
        if self._subject.batch_size is not None:
            specs = batched(inputs.specs, self._subject.batch_size, self._subject.target)
            inputs = RandomInputs(specs, settings.seed)
        self._inputs = inputs
        self._subject = msgspec.structs.replace(self._subject, input=spell_inputs(inputs.specs))
        self.settings = msgspec.structs.replace(settings, subject=self._subject)
        check_arguments(self._model, self._subject.target, [spec.name for spec in inputs.specs])
        self._fit = self._training()

    def record(self, journal: Journal) -> None:
        """Train the model if the callable returned a loss and an optimizer, else run it once."""
        if self._fit is not None:
            self._fit.train(journal)
        else:
            record_once(self, journal)

    def _training(self) -> ModelTraining | None:
        """Return the prepared fit; None if the model is only run forward.

        A model whose call raises is run forward, which records the failure. Raises ConfigError for
        training settings without a training.
        """
        recipe = self._recipe()
        if recipe is None or not self._settings.steps:
            check_forward(self._settings)
            return None
        check_trainable(recipe, self._subject.target)
        try:
            with tf.device(self._device), seeded(self._settings.seed):
                training = ModelTraining(
                    recipe, self._inputs.specs, self.settings, self.environment
                )
        except InspectError:
            raise
        except Exception as error:
            text = f"not trained, because calling the model raised {type(error).__name__}"
            self._model = replace(self._model, notes=(Note("training", text),))
            return None
        return training

    def _recipe(self) -> Any:
        if self._model.keras is None or not isinstance(self._model.returned, tuple):
            return None
        return recipe_of(self._model.returned)

    def build(self) -> Outcome:
        """Trace the model, until an error."""
        return self._trace([spec.sizes for spec in self._inputs.specs], "tracing the model")

    def explain(self) -> Lineage:
        """Return the origins of sizes in the last trace."""
        if self._construction is None:
            return Lineage()
        lineage = lineage_with_formulas(
            self._graph, self._mismatch, self._target.integers, self._construction.creations
        )
        return msgspec.structs.replace(
            lineage, variations=self._retraces.variations, traced=self._retraces.traced
        )

    def run(self) -> StepRecord:
        """Run the model forward once.

        Raises TrainingFailed. If sizes were unknown in the trace, it includes a second trace with
        the actual sizes, so that the failure can be explained.
        """
        if self._call is None:
            raise RuntimeError("the model must be built without errors before it is run")
        try:
            arrays = self._inputs.batch(0)
            fed = [
                tf.cast(array, spec.dtype)
                for array, spec in zip(arrays, self._inputs.specs, strict=True)
            ]
        except Exception as error:
            raise TrainingFailed(describe(error, "generating the inputs")) from error
        start = time.perf_counter()
        try:
            taps = self._call(*fed)["taps"]
        except Exception as error:
            raise self._failed(error) from error
        seconds = time.perf_counter() - start
        fetched = {name: value.numpy() for name, value in taps.items()}
        record = StepRecord(0, seconds, {}, batch=parts_of(self._inputs.specs, arrays))
        return read(self._taps, fetched).added_to(record)

    def _failed(self, error: Exception) -> TrainingFailed:
        """Return the exception for a failed run, with a second trace if sizes were unknown."""
        failure = located_in(self._graph, describe(error, "running the model"))
        if all(None not in spec.sizes for spec in self._inputs.specs):
            return TrainingFailed(failure)
        again = self._trace([spec.sizes for spec in self._inputs.fed], "running the model")
        return TrainingFailed(again.failure or failure, again)

    def _trace(self, sizes: list[tuple[int | None, ...]], during: str) -> Outcome:
        specs = [
            tf.TensorSpec(size, spec.dtype, spec.name)
            for size, spec in zip(sizes, self._inputs.specs, strict=True)
        ]
        tensors: dict[str, Tensor] = {}
        end = 0

        def body(*arguments: Tensor) -> Any:
            nonlocal end
            construction = self._construction = Construction(0, self.variables, self._made_at)
            tensors.update(zip((spec.name for spec in specs), arguments, strict=True))
            with construction.phase(Phase.FORWARD), opened_scopes() as opened:
                self._opened = None if self._model.imported else opened
                returned = call_recorded(
                    self._model, construction, arguments, self._user_variables, self._made_at
                )
            end = construction.position()
            layers = bool(construction.calls)
            if not layers:
                add_scope_layers(construction, end, _tensors(returned), self._opened)
            taps = self._settings.taps
            wanted = "ops" if taps == "layers" and not layers else taps
            self._taps = Taps(choose(TapContext(construction, end), wanted), self._settings.sample)
            # Returned as well, because TensorFlow would otherwise remove unused ops that may fail.
            return {"taps": self._taps.tensors(), "returned": _tensors(returned)}

        start, used = time.perf_counter(), time.process_time()
        error: BaseException | None = None
        try:
            with self._user_variables.collected(), tf.device(self._device):
                self._call = tf.function(body, autograph=False).get_concrete_function(*specs)
        except (Exception, SystemExit) as raised:
            error = raised
        seconds, used = time.perf_counter() - start, time.process_time() - used
        failure = describe(error, during) if error is not None else None
        if self._construction is not None:
            axes = {spec.name: spec.axes for spec in self._inputs.specs}
            if not end:
                end = self._construction.position()
                if not self._construction.calls:
                    add_scope_layers(self._construction, end, opened=self._opened)
            cost = self._build_seconds + used
            wanted = settings_to_retrace(self._target.integers, cost) if error is None else ()
            self._retraces = model_variations(self._target, self._inputs.specs, wanted, self._names)
            notes: tuple[Note, ...] = tuple(self._notes(error))
            self._graph = capture(self._construction, end, tensors, notes=notes, axes=axes)
            if error is not None:
                self._mismatch, notes = examined(error, self._graph, self.variables)
                self._graph = self._graph.noting(*notes)
        return Outcome(self._graph, seconds, failure)

    def _notes(self, error: BaseException | None) -> Iterator[Note]:
        yield from self._model.notes
        yield Note("inputs", "random numbers of the input shapes, not real data")
        yield from default_size_notes(self._inputs)
        yield from self._retraces.notes(self._target.integers, complete=error is None)
        if error is None and not len(self._taps):
            yield Note("summaries", NO_SUMMARIES)


def _tensors(returned: Any) -> list[Tensor]:
    """Return the tensors in a function's result, with ragged and sparse tensors split in parts."""
    flat = tf.nest.flatten(returned, expand_composites=True)
    tensors = (value for value in flat if isinstance(value, tf.Tensor))
    return [tensor for tensor in tensors if tensor.dtype not in (tf.resource, tf.variant)]
