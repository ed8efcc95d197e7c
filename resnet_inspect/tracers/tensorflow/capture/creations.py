"""Assigns the variables of a construction to the creation of the Keras layers that own them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from resnet_inspect.tracers.layer_creations import Creation, Creations, creations
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, handles
from resnet_inspect.tracers.tensorflow.capture.keras_layers import held_by, is_built_in
from resnet_inspect.tracers.tensorflow.capture.source_lines import is_own


def note_creations(construction: Construction) -> None:
    """Set `construction.creations`: where the layers that own variables were created.

    A layer of Keras may create layers inside, such as the projections of an attention. The
    creation of the outer layer then comes first. Only the frame that creates a layer is kept,
    because the arguments of outer calls may be equal by chance. The layers of recorded calls are
    included, by the name of the call.
    """
    names = {
        id(handle): name
        for name, variable in construction.variables.items()
        for handle in handles(variable)
    }
    frames: dict[str, Creation] = {}
    built_in = {call.name for call in construction.calls if call.built_in}
    made = {layer: _own(creation) for layer, creation in creations()}
    layers: dict[tuple[str, str], list[Creation]] = {}
    for layer, creation in made.items():
        layers.setdefault((str(layer.name), type(layer).__name__), []).append(creation)
    for call in construction.calls:
        candidates = layers.get((call.name.partition(" (call ")[0], call.type), [])
        if len(candidates) == 1:
            frames[call.name] = candidates[0]
    made = {layer: creation for layer, creation in made.items() if isinstance(layer, keras.Layer)}
    closed = {id(layer) for layer in made if _is_closed(layer)}
    inner = {id(part) for layer in made if id(layer) in closed for part in _parts(layer)}
    for layer, creation in made.items():
        parts = _parts(layer) if id(layer) in closed else ()
        if id(layer) not in inner:
            for owner in (layer, *parts):
                more = () if owner is layer else made.get(owner, ())
                for variable in (*owner._trainable_variables, *owner._non_trainable_variables):
                    value = held_by(variable)
                    name = None if value is None else names.get(id(handles(value)[0]))
                    if name is not None:
                        frames[name] = (*creation, *more)
                        built_in.update({name} if id(layer) in closed else ())
    construction.creations = Creations(frames, built_in)


def _own(creation: Creation) -> Creation:
    """Return the user's frame that creates a layer, after those of keras.applications it calls."""
    frames = [frame for frame in creation if frame.library or is_own(frame.file)]
    end = next((place for place, frame in enumerate(frames) if not frame.library), -1)
    return tuple(frames[: end + 1])


def _is_closed(layer: Any) -> bool:
    """Return whether a layer belongs to Keras and is not a model."""
    return is_built_in(layer) and not isinstance(layer, keras.Model)


def _parts(layer: Any) -> Iterator[Any]:
    return iter(layer._flatten_layers(include_self=False))
