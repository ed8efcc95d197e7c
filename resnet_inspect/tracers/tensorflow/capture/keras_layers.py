"""Records Keras layer calls while a function is traced, under the names of `model.summary()`.

    construction = Construction(0, {})
    with noted_layers(construction, model):
        outputs = model(inputs, training=True)

Afterwards `construction.calls` contains a `LayerCall` for each call that created ops, and
`construction.variables` maps Keras paths to the weights of those layers. Ops created in layers
have `Phase.FORWARD`.

A *layer* is a built-in Keras layer with everything inside it (an LSTM with its cell), a user's
layer that calls no other layer, or an operation of a functional model, such as the `add` of
`x + y`. Models and the user's layers that call other layers are *groups*, which form the `path` of
the layers inside them. Names are unique: a second call is `name (call 2)`. Another layer with the
same name is `name_1`, or has the next number that no layer of the model uses. Names of groups are
unique within the group around them. Only calls in the graph of `construction` are recorded, and no
ops are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from resnet_inspect.graph import Note, Phase
from resnet_inspect.tracers.tensorflow.capture.construction import (
    Construction,
    GroupCall,
    LayerCall,
    Tensor,
    handles,
)
from resnet_inspect.tracers.tensorflow.capture.keras_training import settings_of
from resnet_inspect.tracers.tensorflow.capture.method_hooks import replaced

SEED = "seed_generator_state"  # part of the path of a random generator's state


@contextmanager
def noted_layers(
    construction: Construction, model: Any = None, notes: list[Note] | None = None
) -> Iterator[list[Any]]:
    """Record layer calls of the body in `construction`.

    Yields the list of models and layers that no other layer called, which grows with the calls.
    `model` is left out of the paths. Keras is restored after the body, also after an exception.
    A call that cannot be recorded still runs, and `notes` receives a note.
    """
    recorder = _CallRecorder(construction, model, notes if notes is not None else [])
    with (
        replaced(keras.Layer, "__call__", recorder.call),
        replaced(keras.Operation, "__call__", recorder.call_operation),
    ):
        yield recorder.outermost


def note_variables(construction: Construction, variables: Iterable[Any]) -> list[str]:
    """Add variables to `construction` and return their names there.

    A Keras variable is named by its path, a TensorFlow variable by its name. If the name is taken,
    a number is added. Variables without a value yet are left out.
    """
    known = {
        id(handle): name
        for name, variable in construction.variables.items()
        for handle in handles(variable)
    }
    names = []
    for variable in variables:
        tf_variable = held_by(variable)
        if tf_variable is None:
            continue
        replica_handles = handles(tf_variable)
        if id(replica_handles[0]) not in known:
            path = getattr(variable, "path", None) or variable.name.removesuffix(":0")
            name = unique(path, construction.variables)
            construction.variables[name] = tf_variable
            known.update((id(handle), name) for handle in replica_handles)
        names.append(known[id(replica_handles[0])])
        if SEED in names[-1]:
            construction.states.add(names[-1])
        if not variable.trainable:
            construction.frozen.add(names[-1])
    return names


def held_by(variable: Any) -> tf.Variable | None:
    """Return the TensorFlow variable behind a Keras or TensorFlow variable; None before it exists.

    For the part of one replica, return the distributed variable with all parts.
    """
    # In mixed precision, Keras' public `value` would add cast ops that the user's step lacks.
    inner = variable if isinstance(variable, tf.Variable) else getattr(variable, "_value", None)
    if not isinstance(inner, tf.Variable):
        return None
    replica_handles = handles(inner)
    container = getattr(replica_handles[0], "_distributed_container", None)
    return inner if container is None or len(replica_handles) > 1 else container()


def note_model(construction: Construction, model: Any) -> None:
    """Add all variables of a model to `construction`.

    Variables that are not weights, such as the seed of a dropout, are also added to its `states`.
    """
    note_variables(construction, model.weights)
    weights = {id(weight) for weight in model.weights}
    states = (variable for variable in model.variables if id(variable) not in weights)
    construction.states.update(note_variables(construction, states))


class _CallRecorder:
    """Records the layer calls of one trace."""

    def __init__(self, construction: Construction, model: Any, notes: list[Note]) -> None:
        self._construction = construction
        self._model = model
        self._notes = notes
        self._path: list[str] = []
        self._in_layer = False
        self._layers = _Names()
        self._groups: dict[tuple[str, ...], _Names] = {}  # by the path of the group around them
        self._callers: list[Any] = []  # the layers that are being called, outermost first
        self.outermost: list[Any] = []
        known = model._flatten_layers() if isinstance(model, keras.Layer) else ()
        self._reserved = {
            member.name for layer in known for member in (layer, *getattr(layer, "operations", ()))
        }

    def call(self, original: Any, layer: Any, *args: Any, **named: Any) -> Any:
        """Call the layer, and record the call unless `layer` is a group."""
        construction = self._construction
        if self._in_layer or not construction.notes_layers():
            return original(layer, *args, **named)
        if not self._callers and not any(layer is outer for outer in self.outermost):
            self.outermost.append(layer)
        before, start = len(construction.calls), construction.position()
        path = tuple(self._path)
        with construction.phase(Phase.FORWARD), self._inside(layer) as inner:
            returned = original(layer, *args, **named)
        if layer is self._model and not construction.outputs:
            construction.outputs += _tensors(returned, construction)
        if len(construction.calls) > before and layer is not self._model:
            self._note_group(layer, inner, start, (args, named), returned)
        if (
            construction.position() > start
            and len(construction.calls) == before
            and layer is not self._model
        ):
            try:
                self._note(layer, path, start, (args, named), returned)
            except Exception as error:  # a failure to record must not stop the model
                text = f"layer not recorded, because of {type(error).__name__}: {error}"
                self._notes.append(Note(layer.name, text))
        return returned

    def call_operation(self, original: Any, operation: Any, *args: Any, **named: Any) -> Any:
        """Call an operation, and record the call unless it is part of a layer's call.

        A Sequential model has operations only for masks, which its summary does not list.
        """
        listed = self._callers and not isinstance(self._callers[-1], keras.Sequential)
        if isinstance(operation, keras.Layer) or not listed:
            return original(operation, *args, **named)
        return self.call(original, operation, *args, **named)

    def _note(
        self, layer: Any, path: tuple[str, ...], start: int, given: Any, returned: Any
    ) -> None:
        construction = self._construction
        output = _output(returned, construction)
        if output is None:
            return
        call = LayerCall(
            name=self._layers.of(layer, self._reserved),
            type=type(layer).__name__,
            path=path,
            start=start,
            inputs=tuple(_tensors(given, construction)),
            end=construction.position(),
            output=output,
            variables=note_variables(construction, getattr(layer, "weights", ())),
            settings=settings_of(layer),
            built_in=is_built_in(layer),
        )
        construction.calls.append(call)

    def _note_group(
        self, layer: Any, path: tuple[str, ...], start: int, given: Any, returned: Any
    ) -> None:
        construction = self._construction
        output = _output(returned, construction)
        if output is None:
            return
        call = GroupCall(
            path=path,
            last=construction.calls[-1].name,
            output=output,
            type=type(layer).__name__,
            start=start,
            end=construction.position(),
            inputs=tuple(_tensors(given, construction)),
        )
        construction.groups.append(call)

    @contextmanager
    def _inside(self, layer: Any) -> Iterator[tuple[str, ...]]:
        """Yield the path of the layers that `layer` calls."""
        before, group = len(self._path), _is_group(layer)
        if group and layer is not self._model:
            names = self._groups.setdefault(tuple(self._path), _Names())
            self._path.append(names.of(layer))
        self._in_layer = not group
        self._callers.append(layer)
        try:
            yield tuple(self._path)
        finally:
            self._callers.pop()
            self._in_layer = False
            del self._path[before:]


class _Names:
    """Gives each call of a layer a name of its own: that of the layer, with a number if needed."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._called: dict[int, tuple[Any, str, int]] = {}  # layer, its name here, calls; by id

    def of(self, layer: Any, reserved: Set[str] = frozenset()) -> str:
        """Return the name of the next call. Numbers avoid the `reserved` names of other layers."""
        if id(layer) in self._called:
            _, first, calls = self._called[id(layer)]
            self._called[id(layer)] = layer, first, calls + 1
            name = f"{first} (call {calls + 1})"
        else:
            name = str(layer.name)
            if name in self._taken:
                name = unique(name, self._taken | reserved)
            self._called[id(layer)] = layer, name, 1
        self._taken.add(name)
        return name


def _is_group(layer: Any) -> bool:
    """Return whether layers inside `layer` are recorded: it is a model or a user's layer."""
    return isinstance(layer, keras.Model) or not is_built_in(layer)


def is_built_in(layer: Any) -> bool:
    """Return whether Keras defines the class of a layer or operation."""
    return type(layer).__module__.startswith(("keras.", "tensorflow."))


def _output(returned: Any, construction: Construction) -> Tensor | None:
    """Return the first floating-point tensor of a result, else the first tensor."""
    outputs = list(_tensors(returned, construction))
    floats = (tensor for tensor in outputs if tensor.dtype.is_floating)
    return next(floats, outputs[0] if outputs else None)


def _tensors(nested: Any, construction: Construction) -> Iterator[Tensor]:
    """Yield the tensors of the graph among a layer's arguments or results."""
    for value in tf.nest.flatten(nested, expand_composites=True):
        if construction.holds(value):
            yield value


def unique(name: str, taken: Any) -> str:
    """Return `name`, with the first free number appended if `name` is taken."""
    number, candidate = 0, name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
