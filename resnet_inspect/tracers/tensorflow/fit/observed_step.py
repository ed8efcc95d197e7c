"""One trace of somebody else's training step, with what is seen of it on the way.

`observe` calls the step as it is, `tap` adds taps behind it. Whatever fails in here is noted, and
the step goes on without it.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import MEANINGS
from resnet_inspect.graph import Graph, Note, Training
from resnet_inspect.graph.lineage import Lineage, Mismatch
from resnet_inspect.tracers.contract import Outcome
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
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
from resnet_inspect.tracers.tensorflow.fit.step_hooks import StepHooks
from resnet_inspect.tracers.tensorflow.sizes.lineage import lineage_with_formulas
from resnet_inspect.tracers.tensorflow.taps.batch import BatchTaps
from resnet_inspect.tracers.tensorflow.taps.in_branch import BranchTaps
from resnet_inspect.tracers.tensorflow.taps.normalizations import NormalizationTaps
from resnet_inspect.tracers.tensorflow.taps.points import Watched, choose

MOST_EXPLAINED = 3000  # ops; more would keep a training script waiting


Parts = Callable[..., Iterator[BatchPart]]
Explain = Callable[[Graph], tuple[Lineage, tuple[Note, ...]]]


class ObservedStep:
    """What is known of one trace of a step; `notes` say what was not observed.

    `model` is the one that is trained; without it the models are those whose calls are seen, and
    `name` is that of the function. `parts` names the tensors in what the step is given; `traced`
    is called once the step is traced, before it runs. `delegated` is set where the step only calls
    others that are observed instead: replicas, or a tf.function inside it. `fused` says whether it
    is to come to the same bits as where nobody looks.
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
        self.seen = StepHooks(self.made, settings.gradients, self.notes)

    @property
    def name(self) -> str:
        """What the run is called: the one model if its author named it, else the function."""
        models = [one for one in self._models if hasattr(one, "layers")]
        named = author_named(models[0]) if len(models) == 1 else ""
        return named or self._name

    def observe(self, step: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Call `step` while its parts are noted."""
        with self.noting("inputs"):
            self._batch = list(self.parts(*args, **named))
        with self.observing():
            return step(*args, **named)

    @contextmanager
    def observing(self) -> Iterator[None]:
        """What runs in the body is the step; its parts are noted."""
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
        """Keras' layers, tapes and optimizers are watched in the body."""
        with (
            noted_layers(self.made, self._model, self.notes) as called,
            self.seen.hooked(),
        ):
            try:
                yield
            finally:
                if self._model is None:
                    self._models = called
                    self._forget_the_only_model()

    def _forget_the_only_model(self) -> None:
        """Its name need not stand before all its layers."""
        firsts = {call.path[:1] for call in self.made.calls}
        models = {(one.name,) for one in self._models if hasattr(one, "layers")}
        if len(firsts) == 1 and firsts <= models:
            for call in self.made.calls:
                call.path = call.path[1:]

    @property
    def function(self) -> str:
        """The name of the function that is traced."""
        return self._name or "train_step"

    @property
    def trains(self) -> bool:
        """Whether the step, or one that it calls, changes variables by gradients."""
        return self.seen.trains or self.delegated

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
            watched = Watched(
                self.made,
                self._end,
                gradients=self._gradients_told(device),
                output_gradients=self.seen.output_gradients,
                parts=self.loss_parts,
            )
            points = choose(watched, self._settings.taps)
            taps = BranchTaps(points, self._settings.sample, self.seen.losses, device)
            beside: list[BatchTaps | NormalizationTaps] = []
            if not device:
                self.batch = BatchTaps(self._inputs)
                self.normalizations = NormalizationTaps(self.made)
                beside += [self.batch, self.normalizations]
            assigns = [one.assign for one in beside]
            taps.write(wanted, ran, number, beside=assigns, fused=self.fused)
            self.taps = taps
        if not self.made.calls:
            text = (
                "no call of a Keras layer was seen in the step: it may be a tf.function of its own"
            )
            self.notes.append(Note("layers", text))

    def _gradients_told(self, device: str) -> dict[str, Tensor]:
        """Of those that are the same in all replicas the first one tells."""
        others = bool(device) and replica().number > 0
        held = self.seen.gradients.items()
        return {name: one for name, one in held if not (others and name in self.seen.summed)}

    @contextmanager
    def noting(self, subject: str) -> Iterator[None]:
        """What fails in the body is not observed, and nothing else happens."""
        try:
            yield
        except Exception as error:
            told = str(error).strip().splitlines() or [""]
            text = f"not observed, because of {type(error).__name__}: {told[0][:200]}"
            self.notes.append(Note(subject, text))

    def outcome(self, replicas: Mapping[str, Construction] = MappingProxyType({})) -> Outcome:
        """The graph without the taps; `replicas` tell the phases of ops whose names begin so."""
        return Outcome(self._graph(replicas), self._seconds)

    def failed(self, error: BaseException) -> Outcome:
        """The graph as far as it was made, and why it went no further."""
        self._seconds = time.perf_counter() - self._started
        self._end = self.made.position()
        with self.noting("variables"):
            self._note_variables()
        graph = self._graph()
        notes: tuple[Note, ...] = ()
        for one in _inside(error):
            self._mismatch, notes = examined(one, graph, self.made.variables)
            if self._mismatch is not None:
                break
        return Outcome(graph.noting(*notes), self._seconds, describe(error, self._during))

    def explanation(self) -> Explain:
        """What finds links and formulas of what was traced, unless that takes long; it does not
        hold on to the step.
        """
        traced, mismatch = self.made.graph, self._mismatch

        def explain(graph: Graph) -> tuple[Lineage, tuple[Note, ...]]:
            if len(graph.ops) > MOST_EXPLAINED and mismatch is None:
                text = f"where sizes come from was not asked: {len(graph.ops):,} ops take long"
                return Lineage(), (Note("lineage", text),)
            return lineage_with_formulas(traced, graph, mismatch, {}), ()

        return explain

    @property
    def _during(self) -> str:
        what = "the step of fit" if self._model is not None else f"the step {self._name}"
        return f"tracing {what}"

    def _graph(self, replicas: Mapping[str, Construction] = MappingProxyType({})) -> Graph:
        axes = {name: _axes(tensor.shape.rank) for name, tensor in self._inputs.items()}
        graph = capture(self.made, self._end, self._inputs, axes=axes, replicas=replicas)
        with self.noting("training"):
            return msgspec.structs.replace(graph, training=self._training())
        return graph

    def _training(self) -> Training:
        """What the step trains for, and how."""
        labels = [part.name for part in self._batch if part.role is Role.LABEL]
        inputs = tuple(part.name for part in self._batch if part.role is Role.INPUT)
        gone = [name for name in self.seen.no_gradient if name not in self.seen.gradients]
        found = training_of(self._model, self.made, labels, gone, self.seen.optimizers)
        return msgspec.structs.replace(found, inputs=inputs)

    def _note_variables(self) -> None:
        for model in self._models:
            note_model(self.made, model)
        for optimizer in self.seen.optimizers:
            self._note_states(optimizer.variables)
        for model in self._models:
            self._note_states(getattr(model, "metrics_variables", ()))
        if self._model is None:  # those of a loop of one's own may lie in no model
            note_variables(self.made, self._read())

    def _note_states(self, variables: Iterable[Any]) -> None:
        """Note what no model has for a weight, but changes with it: slots, counts, means."""
        self.made.states.update(note_variables(self.made, variables))

    def _read(self) -> Iterator[tf.Variable]:
        """Variables that were read so far; the graph tells them only once all is traced."""
        yield from sorted(self.made.graph._watched_variables, key=lambda one: str(one.name))


def _inside(error: BaseException) -> list[BaseException]:
    """The error and those it was raised for, innermost first: Keras raises another than TensorFlow
    did, without TensorFlow's frames.
    """
    found = [error]
    while found[0].__context__ is not None:
        found.insert(0, found[0].__context__)
    return found


def _axes(rank: int | None) -> tuple[str, ...]:
    """What the axes of a part of the batch mean: the first one is that of the examples."""
    return MEANINGS.get(rank or 0, ("batch", *[""] * (rank - 1)) if rank else ())
