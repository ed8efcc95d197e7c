"""Records the layers of a crash: their arguments, variables and the lines that created them."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import keras

from resnet_inspect.graph.crash import CrashLayer, Setting, Shape, Site
from resnet_inspect.tracers.layer_creations import Creation, creations
from resnet_inspect.tracers.tensorflow.capture.source_lines import is_users
from resnet_inspect.tracers.tensorflow.failures.variables import (
    VariableIndex,
    own_variables,
    sites_of,
)

# Attributes of Keras layers that determine shapes, or that a repair may change.
SETTINGS = (
    "units",
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "dilation_rate",
    "pool_size",
    "axis",
    "return_sequences",
    "return_state",
    "input_dim",
    "output_dim",
    "target_shape",
    "data_format",
    "num_heads",
    "key_dim",
    "value_dim",
    "_num_heads",
    "_key_dim",
    "_value_dim",
    "dims",
    "n",
    "cropping",
    "size",
    "groups",
    "depth_multiplier",
    "rank",
    "stateful",
    "go_backwards",
    "mask_zero",
    "keepdims",
    "axes",
    "normalize",
    "noise_shape",
)
FRAMEWORKS = ("keras.", "tensorflow.")
MOST_LAYERS = 400


class LayerRecorder:
    """Numbers the layers of a crash; `records` returns them. `files` receives their files."""

    def __init__(self, variables: VariableIndex, files: set[str]) -> None:
        self._variables = variables
        self._files = files
        self._layers: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._created: dict[int, Creation] = {id(layer): frames for layer, frames in creations()}

    def number(self, layer: Any) -> int:
        """Return the number of a layer; -1 if there are too many."""
        number = self._numbers.get(id(layer))
        if number is None:
            if len(self._layers) >= MOST_LAYERS:
                return -1
            number = self._numbers[id(layer)] = len(self._layers)
            self._layers.append(layer)
        return number

    def records(self) -> tuple[CrashLayer, ...]:
        """Return all layers, with those inside them."""
        records = []
        for layer in self._layers:  # grows while sublayers are numbered
            records.append(self._record(layer))
        return tuple(records)

    def _record(self, layer: Any) -> CrashLayer:
        own = _is_users(type(layer)) or type(layer).__name__ == "Lambda"
        attributes = vars(layer)
        settings: dict[str, Setting] = {}
        for name in (*SETTINGS, *(_own_attributes(layer) if own else ())):
            value = attributes.get(name, _property(layer, name))
            simple = value if isinstance(value, bool | int | float | str) else _integers(value)
            if simple is not None:
                settings[name] = simple
        activation = getattr(layer, "activation", None)
        if activation is not None:
            settings["activation"] = str(getattr(activation, "__name__", activation))
        return CrashLayer(
            name=str(getattr(layer, "name", "")),
            type=type(layer).__name__,
            settings=settings,
            weights={_name(variable): tuple(variable.shape) for variable in own_variables(layer)},
            weights_created=dict(self._weights_created(layer)),
            built_for=_built_for(layer),
            output=_output(layer),
            sublayers=tuple(self.number(inner) for inner in _inside(layer)),
            own=own,
            created=tuple(sites_of(self._created.get(id(layer), ()), self._files)),
            loss=_loss(layer),
        )

    def _weights_created(self, layer: Any) -> Iterator[tuple[str, tuple[Site, ...]]]:
        for variable in own_variables(layer):
            sites = self._variables.sites(variable)
            if sites:
                yield _name(variable), sites


def _is_users(kind: type) -> bool:
    """Return whether a class is defined in the program."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return kind.__module__ == "__main__" or (file is not None and is_users(file))


def _own_attributes(layer: Any) -> Iterator[str]:
    """Yield the names of the attributes that the user's class sets, and not Keras."""
    known = {
        name
        for kind in type(layer).__mro__
        if kind.__module__.startswith(FRAMEWORKS)
        for name in _set_by(kind)
    }
    yield from (name for name in vars(layer) if name not in known)


@cache
def _set_by(kind: type) -> frozenset[str]:
    """Return the names of the attributes that the methods of a class set."""
    members = vars(kind).values()
    functions: list[Any] = [value for value in members if inspect.isfunction(value)]
    setters: list[Any] = [value.fset for value in members if isinstance(value, property)]
    return frozenset(
        instruction.argval
        for function in (*functions, *filter(None, setters))
        for instruction in dis.get_instructions(inspect.unwrap(function))
        if instruction.opname == "STORE_ATTR"
    )


def _name(variable: Any) -> str:
    return str(getattr(variable, "name", ""))


def _integers(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, list | tuple) and value and all(type(item) is int for item in value):
        return tuple(value)
    return None


def _inside(layer: Any) -> list[Any]:
    """Return the layers of a model in order, with its input layers."""
    inner = getattr(layer, "_layers", None) if hasattr(layer, "layers") else None
    return list(inner or getattr(layer, "layers", None) or ())


def _built_for(layer: Any) -> Shape | None:
    shapes = getattr(layer, "_build_shapes_dict", None)
    if isinstance(shapes, dict) and len(shapes) == 1:
        return _shape(next(iter(shapes.values())))
    return None


def _output(layer: Any) -> Shape | None:
    for node in reversed(getattr(layer, "_inbound_nodes", ())):
        tensors = list(node.output_tensors)
        if len(tensors) == 1:
            return _shape(tensors[0].shape)
    return None


def _shape(shape: Any) -> Shape | None:
    try:
        sizes = tuple(shape)
    except TypeError:
        return None
    known = all(size is None or isinstance(size, int) for size in sizes)
    return tuple(sizes) if known else None


def _loss(layer: Any) -> str:
    if not isinstance(layer, keras.Model):
        return ""
    loss = getattr(getattr(layer, "_compile_loss", None), "_user_loss", None)
    if loss is None:
        loss = getattr(layer, "loss", None)
    if loss is None or isinstance(loss, str):
        return loss or ""
    if isinstance(loss, list | tuple | dict):
        return ""
    return str(getattr(loss, "__name__", None) or type(loss).__name__)


def _property(layer: Any, name: str) -> Any:
    """Return an attribute that a class computes, such as `units` of a recurrent layer."""
    try:
        return getattr(layer, name, None)
    except Exception:  # a property that needs a built layer
        return None
