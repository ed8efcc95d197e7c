"""One trace of somebody else's training step, with what is seen of it on the way.

`observe` calls the step as it is, `tap` adds taps behind it. Whatever fails in here is noted, and
the step goes on without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import MEANINGS
from resnet_inspect.graph import Graph, Note
from resnet_inspect.graph.lineage import Lineage, Mismatch
from resnet_inspect.tracers.contract import Outcome
from resnet_inspect.tracers.tensorflow.capture import capture
from resnet_inspect.tracers.tensorflow.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.explain import lineage_with_formulas
from resnet_inspect.tracers.tensorflow.failures import describe
from resnet_inspect.tracers.tensorflow.fixed_taps import FixedTaps
from resnet_inspect.tracers.tensorflow.keras_layers import (
    note_model,
    note_variables,
    noted_layers,
)
from resnet_inspect.tracers.tensorflow.postmortem import examined
from resnet_inspect.tracers.tensorflow.step_hooks import StepHooks
from resnet_inspect.tracers.tensorflow.tap_points import Watched, choose

MOST_EXPLAINED = 3000  # ops; more would keep a training script waiting


class ObservedStep:
    """What is known of one trace of a step of `model`; `notes` say what was not observed."""

    def __init__(self, model: Any, settings: Settings) -> None:
        self._model = model
        self._settings = settings
        self._inputs: dict[str, Tensor] = {}
        self._end = 0
        self._started = time.perf_counter()
        self._seconds = 0.0
        self._mismatch: Mismatch | None = None
        self.made = Construction(0, {})
        self.taps: FixedTaps | None = None
        self.notes: list[Note] = []
        self._seen = StepHooks(self.made, settings.gradients, self.notes)

    def observe(self, step: Callable[[Any], Any], data: Any) -> Any:
        """Call `step` on `data` while its parts are noted."""
        with self.noting("inputs"):
            self._inputs = dict(_named(data))
        with noted_layers(self.made, self._model, self.notes), self._seen.hooked():
            returned = step(data)
        self._seconds = time.perf_counter() - self._started
        self._end = self.made.position()
        with self.noting("variables"):
            self._note_variables()
        return returned

    def tap(self, wanted: tf.Variable, ran: tf.Variable, number: int) -> None:
        """Add the taps behind the step; see `FixedTaps.write`."""
        with self.noting("taps"):
            watched = Watched(
                self.made,
                self._end,
                gradients=self._seen.gradients,
                output_gradients=self._seen.output_gradients,
            )
            points = choose(watched, self._settings.taps)
            taps = FixedTaps(points, self._settings.sample, self._seen.losses)
            taps.write(wanted, ran, number)
            self.taps = taps
        if not self.made.calls:
            text = (
                "no call of a Keras layer was seen in the step: it may be a tf.function of its own"
            )
            self.notes.append(Note("layers", text))

    @contextmanager
    def noting(self, subject: str) -> Iterator[None]:
        """What fails in the body is not observed, and nothing else happens."""
        try:
            yield
        except Exception as error:
            told = str(error).strip().splitlines() or [""]
            text = f"not observed, because of {type(error).__name__}: {told[0][:200]}"
            self.notes.append(Note(subject, text))

    def outcome(self) -> Outcome:
        """The graph without the taps."""
        return Outcome(self._graph(), self._seconds)

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
        return Outcome(
            graph.noting(*notes), self._seconds, describe(error, "tracing the step of fit")
        )

    def explain(self, graph: Graph) -> tuple[Lineage, tuple[Note, ...]]:
        """Links and formulas of what was traced, unless that takes long."""
        if len(graph.ops) > MOST_EXPLAINED and self._mismatch is None:
            text = f"where sizes come from was not asked: {len(graph.ops):,} ops take long"
            return Lineage(), (Note("lineage", text),)
        return lineage_with_formulas(self.made.graph, graph, self._mismatch, {}), ()

    def _graph(self) -> Graph:
        axes = {
            name: MEANINGS[tensor.shape.rank]
            for name, tensor in self._inputs.items()
            if tensor.shape.rank in MEANINGS
        }
        return capture(self.made, self._end, self._inputs, axes=axes)

    def _note_variables(self) -> None:
        note_model(self.made, self._model)
        for optimizer in self._seen.optimizers:
            note_variables(self.made, optimizer.variables)
        note_variables(self.made, self._model.metrics_variables)


def _inside(error: BaseException) -> list[BaseException]:
    """The error and those it was raised for, innermost first: Keras raises another than TensorFlow
    did, without TensorFlow's frames.
    """
    found = [error]
    while found[0].__context__ is not None:
        found.insert(0, found[0].__context__)
    return found


def _named(data: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a batch, named as `fit` names its arguments."""
    parts = data if isinstance(data, tuple) else (data,)
    names = ("x", "y", "sample_weight")
    for name, part in zip(names, parts, strict=False):
        for path, tensor in keras.tree.flatten_with_path(part):
            if isinstance(tensor, tf.Tensor):
                yield "/".join(map(str, (name, *path))), tensor
