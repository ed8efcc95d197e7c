"""Notes Keras' layer calls while a function is traced, under the names of `model.summary()`.

    made = Construction(0, {})
    with noted_layers(made, model):
        outputs = model(inputs, training=True)

Afterwards `made.calls` holds a `LayerCall` for each call that made ops, `made.variables` the
weights of those layers by their Keras path, and ops made in layers belong to Phase.FORWARD.

A *layer* is what a user would call one: a layer of Keras' own, with all that is inside it (an LSTM
with its cell), or a layer of the user's that calls no other. Models, and the user's layers that
call others, are containers: they show as the `path` of what they hold. Names are unique: a second
call is `name (call 2)`; another layer of the same name is `name_1`, or the next number that is no
layer's of the model. Only the graph of `made` is watched, and nothing
is added to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from resnet_inspect.graph import Note, Phase
from resnet_inspect.tracers.tensorflow.capture.construction import (
    Construction,
    LayerCall,
    Tensor,
    handles,
)
from resnet_inspect.tracers.tensorflow.capture.keras_training import settings_of
from resnet_inspect.tracers.tensorflow.capture.method_hooks import replaced

SEED = "seed_generator_state"  # what random numbers are drawn from


@contextmanager
def noted_layers(
    made: Construction, model: Any = None, notes: list[Note] | None = None
) -> Iterator[list[Any]]:
    """Layer calls in the body are noted in `made`; `model` is the one whose name need not be told.
    Gives the models and layers that no other has called, as they are called.

    Keras itself is as before once the body has ended, also by an exception. A call that cannot be
    noted goes on all the same, and is told of in `notes`.
    """
    noting = _Noting(made, model, notes if notes is not None else [])
    with replaced(keras.Layer, "__call__", noting.call):
        yield noting.outermost


def note_variables(made: Construction, variables: Iterable[Any]) -> list[str]:
    """Note variables, Keras' by their paths and TensorFlow's by their names, and return the names
    they have in `made`: two of one path get a number. Those without a value yet are left out.
    """
    known = {id(handle): name for name, one in made.variables.items() for handle in handles(one)}
    names = []
    for variable in variables:
        held = held_by(variable)
        if held is None:
            continue
        of_replicas = handles(held)
        if id(of_replicas[0]) not in known:
            path = getattr(variable, "path", None) or variable.name.removesuffix(":0")
            name = unique(path, made.variables)
            made.variables[name] = held
            known.update((id(handle), name) for handle in of_replicas)
        names.append(known[id(of_replicas[0])])
        if SEED in names[-1]:
            made.states.add(names[-1])
        if not variable.trainable:
            made.frozen.add(names[-1])
    return names


def held_by(variable: Any) -> tf.Variable | None:
    """TensorFlow's variable in one of Keras' or in itself, whole if it has a part for each replica;
    None where there is none yet.
    """
    # Keras' `value` casts it where precision is mixed: ops that the user's step does not have.
    held = variable if isinstance(variable, tf.Variable) else getattr(variable, "_value", None)
    if not isinstance(held, tf.Variable):
        return None
    of_replicas = handles(held)
    whole = getattr(of_replicas[0], "_distributed_container", None)
    return held if whole is None or len(of_replicas) > 1 else whole()


def note_model(made: Construction, model: Any) -> None:
    """Note all variables of a model; those that are none of its weights are states, such as the
    seeds of a dropout.
    """
    note_variables(made, model.weights)
    weights = {id(one) for one in model.weights}
    rest = (one for one in model.variables if id(one) not in weights)
    made.states.update(note_variables(made, rest))


class _Noting:
    """The calls that are open, in one trace."""

    def __init__(self, made: Construction, model: Any, notes: list[Note]) -> None:
        self._made = made
        self._model = model
        self._notes = notes
        self._path: list[str] = []
        self._in_layer = False
        self._names: set[str] = set()
        self._called: dict[int, tuple[Any, str, int]] = {}  # layer, its name here, calls; by id
        self._depth = 0
        self.outermost: list[Any] = []
        known = model._flatten_layers() if isinstance(model, keras.Layer) else ()
        self._reserved = {layer.name for layer in known}

    def call(self, original: Any, layer: Any, *args: Any, **named: Any) -> Any:
        """Call the layer, and note it if it is one."""
        made = self._made
        if self._in_layer or not made.notes_layers():
            return original(layer, *args, **named)
        if not self._depth and not any(layer is one for one in self.outermost):
            self.outermost.append(layer)
        before, start = len(made.calls), made.position()
        path = tuple(self._path)
        with made.phase(Phase.FORWARD), self._inside(layer):
            returned = original(layer, *args, **named)
        if layer is self._model and not made.outputs:
            made.outputs += _tensors(returned, made)
        if made.position() > start and len(made.calls) == before and layer is not self._model:
            try:
                self._note(layer, path, start, (args, named), returned)
            except Exception as error:  # what cannot be told must not stop the model
                text = f"this layer is not told of, because of {type(error).__name__}: {error}"
                self._notes.append(Note(layer.name, text))
        return returned

    def _note(
        self, layer: Any, path: tuple[str, ...], start: int, given: Any, returned: Any
    ) -> None:
        made = self._made
        outputs = list(_tensors(returned, made))
        floats = (tensor for tensor in outputs if tensor.dtype.is_floating)
        output = next(floats, outputs[0] if outputs else None)
        if output is None:
            return
        name = self._name(layer)
        call = LayerCall(
            name=name,
            type=type(layer).__name__,
            path=path,
            start=start,
            inputs=tuple(_tensors(given, made)),
            end=made.position(),
            output=output,
            variables=note_variables(made, layer.weights),
            settings=settings_of(layer),
        )
        made.calls.append(call)

    def _name(self, layer: Any) -> str:
        """A name of its own for a call: the layer's, with the number of a later call."""
        if id(layer) in self._called:
            _, first, calls = self._called[id(layer)]
            self._called[id(layer)] = layer, first, calls + 1
            name = f"{first} (call {calls + 1})"
        else:
            name = str(layer.name)
            if name in self._names:
                name = unique(name, self._names | self._reserved)
            self._called[id(layer)] = layer, name, 1
        self._names.add(name)
        return name

    @contextmanager
    def _inside(self, layer: Any) -> Iterator[None]:
        before, container = len(self._path), _may_hold_layers(layer)
        if container and layer is not self._model:
            self._path.append(layer.name)
        self._in_layer = not container
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            self._in_layer = False
            del self._path[before:]


def _may_hold_layers(layer: Any) -> bool:
    """Whether the layers that it calls are told apart: models and the user's own layers."""
    own = not type(layer).__module__.startswith(("keras.", "tensorflow."))
    return own or isinstance(layer, keras.Model)


def _tensors(nested: Any, made: Construction) -> Iterator[Tensor]:
    """The tensors of the graph in what a layer was given or returned."""
    for one in tf.nest.flatten(nested, expand_composites=True):
        if made.holds(one):
            yield one


def unique(name: str, taken: Any) -> str:
    """`name`, or with the first number behind it that makes it a new one."""
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
