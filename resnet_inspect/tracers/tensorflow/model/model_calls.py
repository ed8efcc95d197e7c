"""Calls the user's model in the traced graph, and records its layers and variables.

Keras layers have the names of `model.summary()`, and their weights are named by their paths. Other
variables have the names given at their creation.
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
NAME_COUNTS = "object_name_uids"


class UserVariables:
    """Collects the variables that the user's code creates, with the lines that create them.

    Without `values`, a variable whose initial value is a tensor of a graph has zeros instead.
    """

    def __init__(self, *, values: bool = True) -> None:
        self._values = values
        self._variables: list[tf.Variable] = []
        self._sources: dict[int, tuple[Source, ...]] = {}
        self._find = SourceFinder()

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Collect the variables that the body creates."""

        def creator(make: Callable[..., tf.Variable], **named: Any) -> tf.Variable:
            value = named.get("initial_value")
            if not self._values and isinstance(value, tf.Tensor):
                named["initial_value"] = lambda: tf.zeros(value.shape, value.dtype)
            variable = make(**named)
            self._variables.append(variable)
            self._sources[id(variable)] = self._find(traceback.extract_stack()[:-1])
            return variable

        with tf.variable_creator_scope(creator):
            yield

    def keep(self, variables: Iterable[tf.Variable]) -> None:
        """Add variables that were created before."""
        self._variables += variables

    def register(
        self,
        construction: Construction,
        made_at: dict[str, tuple[Source, ...]],
        known: Sequence[tf.Variable] = (),
        *,
        unread: bool,
    ) -> None:
        """Add variables without a name to `construction.variables`, and all lines to `made_at`.

        `known` are further variables, because TensorFlow can create some without a hook. If a name
        is taken, a number is added. Without `unread`, variables that the graph never reads are
        left out.
        """
        read = {id(outside) for outside, _ in construction.graph.captures}
        named = {id(variable.handle) for variable in construction.variables.values()}
        for variable in (*self._variables, *known, *construction.graph.variables):
            handle = id(variable.handle)
            if handle not in named and (unread or handle in read):
                named.add(handle)
                name = _free_name(variable.name.removesuffix(":0"), construction.variables)
                construction.variables[name] = variable
        for name, variable in construction.variables.items():
            made_at[name] = self._sources.get(id(variable), ())


def call_recorded(
    model: Model,
    construction: Construction,
    inputs: Sequence[Tensor],
    variables: UserVariables,
    made_at: dict[str, tuple[Source, ...]],
) -> Any:
    """Call the model on `inputs` and record its layers and variables, also if the call raises."""
    for variable in model.variables:
        construction.graph.watch_variable(variable)
    keras = model.keras is not None
    # A model that lists its variables needs no search for those that the graph does not read.
    lists_variables = keras or bool(model.variables)
    try:
        with _noted_layers(construction, model.keras):
            returned = model.call(*inputs)
    finally:
        if keras:
            from resnet_inspect.tracers.tensorflow.capture.creations import note_creations
            from resnet_inspect.tracers.tensorflow.capture.keras_layers import note_model

            note_model(construction, model.keras)
            note_creations(construction)
        variables.register(construction, made_at, model.variables, unread=not lists_variables)
    return returned


@contextmanager
def _noted_layers(construction: Construction, model: Any) -> Iterator[None]:
    """Record Keras layer calls in the body if Keras is imported.

    A `model` that is a single layer is recorded as a layer. Keras keeps the full traceback of an
    error, because the rejected call is read from it.
    """
    if "keras" not in sys.modules:
        yield
        return
    import keras

    from resnet_inspect.tracers.tensorflow.capture.keras_layers import noted_layers

    filtering = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()
    try:
        with noted_layers(construction, model if hasattr(model, "layers") else None):
            yield
    finally:
        if filtering:
            keras.config.enable_traceback_filtering()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the random generators of Python, NumPy, TensorFlow and Keras for the body.

    The states of Python's and NumPy's generators are restored afterwards.
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


def layer_name_counts() -> Names:
    """Return how often Keras has used each layer name, which decides the next names."""
    if "keras" not in sys.modules:
        return None
    from keras.src.backend.common import global_state

    return dict(global_state.get_global_attribute(NAME_COUNTS) or {})


def restore_layer_names(names: Names) -> None:
    """Make Keras name layers as it did when `layer_name_counts` returned `names`."""
    if "keras" in sys.modules:
        from keras.src.backend.common import global_state

        global_state.set_global_attribute(NAME_COUNTS, defaultdict(int, names or {}))


def _free_name(name: str, taken: Any) -> str:
    number, candidate = 0, name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
