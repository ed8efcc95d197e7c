"""Observes one trace of a training step: its layers, gradients, optimizers and inputs.

`observe` calls the unchanged step, `tap` adds taps behind it. An error in this module becomes a
note, and the step continues.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import usual_axes
from resnet_inspect.graph import Graph, Note, Training
from resnet_inspect.graph.lineage import Lineage, Mismatch
from resnet_inspect.tracers.contract import Outcome
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.capture.creations import note_creations
from resnet_inspect.tracers.tensorflow.capture.graph_capture import capture
from resnet_inspect.tracers.tensorflow.capture.keras_layers import (
    note_model,
    note_variables,
    noted_layers,
)
from resnet_inspect.tracers.tensorflow.capture.keras_training import training_of
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe
from resnet_inspect.tracers.tensorflow.failures.postmortem import examined
from resnet_inspect.tracers.tensorflow.fit.author_names import author_named
from resnet_inspect.tracers.tensorflow.fit.batch_parts import BatchPart, Role, parts_of_fit
from resnet_inspect.tracers.tensorflow.fit.replicas import replica
from resnet_inspect.tracers.tensorflow.fit.step_hooks import StepHooks, failed_text
from resnet_inspect.tracers.tensorflow.sizes.lineage import lineage_with_formulas
from resnet_inspect.tracers.tensorflow.taps.batch import BatchTaps
from resnet_inspect.tracers.tensorflow.taps.in_branch import BranchTaps
from resnet_inspect.tracers.tensorflow.taps.normalizations import NormalizationTaps
from resnet_inspect.tracers.tensorflow.taps.points import TapContext, choose

Parts = Callable[..., Iterator[BatchPart]]
Explain = Callable[[Graph], Lineage]


class ObservedStep:
    """One observed trace of a step; `notes` name the parts that are not recorded.

    `model` is the trained model. Without it, the models are those that the step calls, and `name`
    is the name of the function. `parts` names the tensors among the arguments of the step. `traced`
    is called after the trace, before the step runs. `delegated` is set if other steps are observed
    instead: replicas, or a tf.function that the step calls. `fused`: TensorFlow may fuse ops of the
    step, so the taps must recompute tensors to keep the results bit for bit.
    """

    fused = True

    def __init__(
        self,
        settings: Settings,
        model: Any = None,
        *,
        name: str = "",
        parts: Parts | None = None,
        traced: Callable[[ObservedStep], None] = lambda _: None,
        made: Construction | None = None,
    ) -> None:
        self._model = model
        self._name = name
        self.parts = parts or functools.partial(parts_of_fit, model)
        self._traced = traced
        self._models: list[Any] = [] if model is None else [model]
        self._settings = settings
        self._batch: list[BatchPart] = []
        self._end = 0
        self._started = time.perf_counter()
        self._seconds = 0.0
        self._mismatch: Mismatch | None = None
        self.made = made or Construction(0, {})
        self.delegated = False
        self.taps: BranchTaps | None = None
        self.batch: BatchTaps | None = None
        self.normalizations: NormalizationTaps | None = None
        self.loss_parts: dict[str, Tensor] = {}  # by name; [batch] or a scalar
        self.notes: list[Note] = []
        self.hooks = StepHooks(self.made, settings.gradients, self.notes)

    @property
    def name(self) -> str:
        """The name of the run: the author's name of the only model, else the function's name."""
        models = [model for model in self._models if hasattr(model, "layers")]
        named = author_named(models[0]) if len(models) == 1 else ""
        return named or self._name

    def observe(self, step: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Call `step` and note its layers and gradients."""
        with self.noting("inputs"):
            self._batch = list(self.parts(*args, **named))
        with self.observing():
            return step(*args, **named)

    @contextmanager
    def observing(self) -> Iterator[None]:
        """Note the layers and gradients of the step, which is the body."""
        with self._hooked():
            yield
        self._seconds = time.perf_counter() - self._started
        self._end = self.made.position()
        with self.noting("variables"):
            self._note_variables()
        with self.noting("weights"):
            self._traced(self)

    @contextmanager
    def _hooked(self) -> Iterator[None]:
        """Hook Keras layers, tapes and optimizers in the body."""
        with (
            noted_layers(self.made, self._model, self.notes) as called,
            self.hooks.hooked(),
        ):
            try:
                yield
            finally:
                if self._model is None:
                    self._models = called
                    self._drop_only_model_from_paths()

    def _drop_only_model_from_paths(self) -> None:
        """Remove the name of the only model from the paths of its layers and groups."""
        firsts = {call.path[:1] for call in self.made.calls}
        models = {(model.name,) for model in self._models if hasattr(model, "layers")}
        if len(firsts) == 1 and firsts <= models:
            for call in self.made.calls:
                call.path = call.path[1:]
            self.made.groups = [
                replace(group, path=group.path[1:])
                for group in self.made.groups
                if len(group.path) > 1
            ]

    @property
    def function(self) -> str:
        """The name of the function that is traced."""
        return self._name or "train_step"

    @property
    def trains(self) -> bool:
        """Whether the step, or a step that it calls, changes variables by gradients."""
        return self.hooks.trains or self.delegated

    @property
    def _inputs(self) -> dict[str, Tensor]:
        return {part.name: part.tensor for part in self._batch}

    def inside(self, name: str, parts: Parts) -> ObservedStep:
        """An observer for a tf.function that this step calls; `parts` names its arguments."""
        return ObservedStep(
            self._settings, self._model, name=name, parts=parts, traced=self._traced
        )

    def tap(self, wanted: tf.Variable, ran: tf.Variable, number: int, device: str = "") -> None:
        """Add the taps behind the step; see `BranchTaps.write`."""
        with self.noting("taps"):
            watched = TapContext(
                self.made,
                self._end,
                gradients=self._recorded_gradients(device),
                output_gradients=self.hooks.output_gradients,
                parts=self.loss_parts,
            )
            points = choose(watched, self._settings.taps)
            taps = BranchTaps(points, self._settings.sample, self.hooks.losses, device)
            extra: list[BatchTaps | NormalizationTaps] = []
            if not device:
                self.batch = BatchTaps(self._inputs)
                self.normalizations = NormalizationTaps(self.made)
                extra += [self.batch, self.normalizations]
            assigns = [part.assign for part in extra]
            taps.write(wanted, ran, number, extra=assigns, fused=self.fused)
            self.taps = taps
        if not self.made.calls:
            text = "no layer is recorded: the step calls no Keras layer, or calls layers only in "
            self.notes.append(Note("layers", text + "nested functions, such as while loops"))

    def _recorded_gradients(self, device: str) -> dict[str, Tensor]:
        """The gradients to record: summed ones, equal in all replicas, only in the first one."""
        is_other = bool(device) and replica().number > 0
        gradients = self.hooks.gradients.items()
        return {name: g for name, g in gradients if not (is_other and name in self.hooks.summed)}

    @contextmanager
    def noting(self, subject: str) -> Iterator[None]:
        """Turn an error of the body into a note."""
        try:
            yield
        except Exception as error:
            self.notes.append(Note(subject, failed_text(error)))

    def outcome(self, replicas: Mapping[str, Construction] = MappingProxyType({})) -> Outcome:
        """The graph without the taps; `replicas` give the phases of ops in their scopes."""
        return Outcome(self._graph(replicas), self._seconds)

    def failed(self, error: BaseException) -> Outcome:
        """The graph up to the failure, and the failure."""
        self._seconds = time.perf_counter() - self._started
        self._end = self.made.position()
        with self.noting("variables"):
            self._note_variables()
        graph = self._graph()
        notes: tuple[Note, ...] = ()
        for cause in _causes(error):
            self._mismatch, notes = examined(cause, graph, self.made.variables)
            if self._mismatch is not None:
                break
        return Outcome(graph.noting(*notes), self._seconds, describe(error, self._during))

    def explanation(self) -> Explain:
        """A function that computes the lineage of a graph; it does not refer to the step."""
        mismatch, creations = self._mismatch, self.made.creations
        return lambda graph: lineage_with_formulas(graph, mismatch, {}, creations)

    @property
    def _during(self) -> str:
        what = "the step of fit" if self._model is not None else f"the step {self._name}"
        return f"tracing {what}"

    def _graph(self, replicas: Mapping[str, Construction] = MappingProxyType({})) -> Graph:
        axes = {name: _axes(tensor) for name, tensor in self._inputs.items()}
        graph = capture(self.made, self._end, self._inputs, axes=axes, replicas=replicas)
        with self.noting("training"):
            return msgspec.structs.replace(graph, training=self._training())
        return graph

    def _training(self) -> Training:
        """The objectives and optimizers of the step."""
        hooks = self.hooks
        labels = [part.name for part in self._batch if part.role is Role.LABEL]
        inputs = tuple(part.name for part in self._batch if part.role is Role.INPUT)
        no_gradient = [name for name in hooks.no_gradient if name not in hooks.gradients]
        training = training_of(self._model, self.made, labels, no_gradient, hooks.optimizers)
        return msgspec.structs.replace(training, inputs=inputs)

    def _note_variables(self) -> None:
        for model in self._models:
            note_model(self.made, model)
        for optimizer in self.hooks.optimizers:
            self._note_states(optimizer.variables)
        for model in self._models:
            self._note_states(getattr(model, "metrics_variables", ()))
        if self._model is None:  # variables of a loop may not belong to a model
            note_variables(self.made, self._read())
        note_creations(self.made)

    def _note_states(self, variables: Iterable[Any]) -> None:
        """Note variables that are not weights: slots of optimizers, counters, metrics."""
        self.made.states.update(note_variables(self.made, variables))

    def _read(self) -> Iterator[tf.Variable]:
        """The variables that were read so far; the public list is complete only after the trace."""
        yield from sorted(self.made.graph._watched_variables, key=lambda read: str(read.name))


def _causes(error: BaseException) -> list[BaseException]:
    """The error and its chain of contexts, innermost first.

    Keras replaces an error of TensorFlow by another one without TensorFlow's frames.
    """
    errors = [error]
    while errors[0].__context__ is not None:
        errors.insert(0, errors[0].__context__)
    return errors


def _axes(tensor: Tensor) -> tuple[str, ...]:
    """The meanings of the axes of a part of the batch; the first axis is the batch."""
    rank = tensor.shape.rank
    return usual_axes(rank, tensor.dtype.name) or (("batch", *[""] * (rank - 1)) if rank else ())
