"""Calls a model of the user's own in the graph that is traced, and notes what it is made of.

Layers of Keras go by the names of the model's summary, their weights by their paths; other
variables by the names they were made with.
"""

from __future__ import annotations

import random
import sys
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from resnet_inspect.graph import Source
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder
from resnet_inspect.tracers.tensorflow.model.models import Model

Names = dict[str, int] | None
NAMES_GIVEN = "object_name_uids"


class OwnVariables:
    """Variables that the user's code makes, with the lines that made them, to be named later.

    Without `values` one that is made in the body of a function, of a tensor, has its shape alone.
    """

    def __init__(self, *, values: bool = True) -> None:
        self._values = values
        self._made: list[tf.Variable] = []
        self._sources: dict[int, tuple[Source, ...]] = {}
        self._find = SourceFinder()

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Variables made in the body are kept."""

        def creator(make: Callable[..., tf.Variable], **named: Any) -> tf.Variable:
            value = named.get("initial_value")
            if not self._values and isinstance(value, tf.Tensor):
                named["initial_value"] = lambda: tf.zeros(value.shape, value.dtype)
            variable = make(**named)
            self._made.append(variable)
            self._sources[id(variable)] = self._find(traceback.extract_stack()[:-1])
            return variable

        with tf.variable_creator_scope(creator):
            yield

    def keep(self, variables: Iterable[tf.Variable]) -> None:
        """Keep variables that were made before."""
        self._made += variables

    def name_rest(
        self,
        made: Construction,
        made_at: dict[str, tuple[Source, ...]],
        known: Sequence[tf.Variable] = (),
        *,
        unread: bool,
    ) -> None:
        """Name those that have no name yet, and `known` ones, which TensorFlow may make unnoticed;
        equal names get a number; without `unread` only those that the graph reads. `made_at` is
        told of the lines.
        """
        read = {id(outside) for outside, _ in made.graph.captures}
        named = {id(variable.handle) for variable in made.variables.values()}
        for variable in (*self._made, *known, *made.graph.variables):
            handle = id(variable.handle)
            if handle not in named and (unread or handle in read):
                named.add(handle)
                made.variables[_free(variable.name.removesuffix(":0"), made.variables)] = variable
        for name, variable in made.variables.items():
            made_at[name] = self._sources.get(id(variable), ())


def call_noted(
    model: Model,
    made: Construction,
    given: Sequence[Tensor],
    variables: OwnVariables,
    made_at: dict[str, tuple[Source, ...]],
) -> Any:
    """What the model returns for these tensors; also what it raises, with notes taken so far."""
    for variable in model.variables:
        made.graph.watch_variable(variable)
    keras = model.keras is not None
    # What a model holds but does not read here is told only of models that do not say it.
    told = keras or bool(model.variables)
    try:
        with _noted_layers(made, model.keras):
            returned = model.call(*given)
    finally:
        if keras:
            from resnet_inspect.tracers.tensorflow.capture.keras_layers import note_model

            note_model(made, model.keras)
        variables.name_rest(made, made_at, model.variables, unread=not told)
    return returned


@contextmanager
def _noted_layers(made: Construction, model: Any) -> Iterator[None]:
    """Keras' layer calls are noted, if Keras is there; a layer alone is one of them.

    Of an error Keras leaves the whole traceback, from which the refused call is read.
    """
    if "keras" not in sys.modules:
        yield
        return
    import keras

    from resnet_inspect.tracers.tensorflow.capture.keras_layers import noted_layers

    filtering = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()
    try:
        with noted_layers(made, model if hasattr(model, "layers") else None):
            yield
    finally:
        if filtering:
            keras.config.enable_traceback_filtering()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Whatever the user's code draws in the body, by Python, NumPy, TensorFlow or Keras, follows
    from the seed; Python's and NumPy's own states are put back.
    """
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    tf.random.set_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def names_given() -> Names:
    """How often Keras gave which name so far: what it calls the next layers."""
    if "keras" not in sys.modules:
        return None
    from keras.src.backend.common import global_state

    return dict(global_state.get_global_attribute(NAMES_GIVEN) or {})


def give_names_from(names: Names) -> None:
    """Have Keras name layers as it did when `names_given` returned this."""
    if "keras" in sys.modules:
        from keras.src.backend.common import global_state

        global_state.set_global_attribute(NAMES_GIVEN, defaultdict(int, names or {}))


def _free(name: str, taken: Any) -> str:
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
