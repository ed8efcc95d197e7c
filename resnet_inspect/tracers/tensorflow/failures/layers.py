"""Records the layers of a crash: their arguments, variables and the lines that created them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras

from resnet_inspect.graph.crash import CrashLayer, Node, NodeKind, Setting, Shape, Site
from resnet_inspect.tracers.layer_creations import Creation, creations
from resnet_inspect.tracers.tensorflow.capture.source_lines import is_users, named

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
MOST_LAYERS = 400
SCOPE_NUMBER = re.compile(r"_\d+$")


class LayerRecorder:
    """Numbers the layers of a crash; `records` returns them. `files` receives their files."""

    def __init__(self, files: set[str]) -> None:
        self._files = files
        self._layers: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._paths: dict[int, str] | None = None  # by id of the handle
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

    def of_nodes(self, nodes: Sequence[Node]) -> list[int]:
        """Return for each node the number of the layer that made it, -1 if unknown.

        TensorFlow numbers equal scopes, so `dense_1` may be a second scope of layer `dense`. The
        variables that are read in a scope identify its layer; other scopes are matched by name.
        """
        paths: dict[str, Any] = {}
        names: dict[str, list[Any]] = {}
        for layer in self._known():
            names.setdefault(str(layer.name), []).append(layer)
            for variable in _variables(layer):
                paths.setdefault(str(getattr(variable, "path", "")), layer)
        of_scope: dict[str, Any] = {}
        for node in nodes:
            for number in node.inputs if node.kind is NodeKind.OP else ():
                layer = paths.get(nodes[number].name) if number >= 0 else None
                if layer is not None and nodes[number].kind is NodeKind.VARIABLE:
                    of_scope.setdefault(_scope_of(node.name, layer.name), layer)
        return [
            self.number(paths[node.name])
            if node.kind is NodeKind.VARIABLE and node.name in paths
            else self._of_node(node, of_scope, names)
            for node in nodes
        ]

    def _of_node(
        self, node: Node, of_scope: Mapping[str, Any], names: Mapping[str, list[Any]]
    ) -> int:
        scope = node.name
        while node.kind is NodeKind.OP and "/" in scope:
            scope = scope.rpartition("/")[0]
            if scope in of_scope:
                return self.number(of_scope[scope])
            part = scope.rpartition("/")[2]
            matching = names.get(part) or names.get(SCOPE_NUMBER.sub("", part)) or []
            free = [layer for layer in matching if layer not in of_scope.values()]
            if len(free) == 1:
                return self.number(free[0])
        return -1

    def path_of(self, handle: Any) -> str:
        """Return the path of the variable with a handle, such as `model/dense/kernel`, else ""."""
        if self._paths is None:
            self._paths = {}
            for layer in self._known():
                for variable in _variables(layer):
                    inner = getattr(variable, "_value", None)
                    self._paths[id(getattr(inner, "handle", None))] = str(variable.path)
        return self._paths.get(id(handle), "")

    def _known(self) -> list[Any]:
        known = {id(layer): layer for layer, _ in creations()}
        return list((known | {id(layer): layer for layer in self._layers}).values())

    def records(self) -> tuple[CrashLayer, ...]:
        """Return all layers, with those inside them."""
        records = []
        for layer in self._layers:  # grows while sublayers are numbered
            records.append(self._record(layer))
        return tuple(records)

    def _record(self, layer: Any) -> CrashLayer:
        own = not type(layer).__module__.startswith(("keras.", "tensorflow."))
        attributes = vars(layer)
        settings: dict[str, Setting] = {}
        for name in (*SETTINGS, *(attributes if own else ())):
            value = attributes.get(name, getattr(type(layer), name, None))
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
            weights=dict(_weights(layer)),
            built_for=_built_for(layer),
            output=_output(layer),
            sublayers=tuple(self.number(inner) for inner in _inside(layer)),
            own=own,
            created=tuple(self._sites(layer)),
            loss=_loss(layer),
        )

    def _sites(self, layer: Any) -> Iterable[Site]:
        for frame in self._created.get(id(layer), ()):
            if is_users(frame.file):
                self._files.add(frame.file)
                line, end_line, column, end_column = (number or 0 for number in frame.span)
                yield Site(
                    file=named(frame.file),
                    line=line or frame.line,
                    function=frame.function,
                    end_line=end_line,
                    column=column,
                    end_column=end_column,
                    values=dict(frame.values),
                )


def _integers(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, list | tuple) and value and all(type(item) is int for item in value):
        return tuple(value)
    return None


def _weights(layer: Any) -> Iterable[tuple[str, Shape]]:
    for variable in _variables(layer):
        yield str(getattr(variable, "name", "")), tuple(variable.shape)


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


def _variables(layer: Any) -> Iterator[Any]:
    """Yield the variables of a layer itself, without those of the layers inside it."""
    yield from getattr(layer, "_trainable_variables", ())
    yield from getattr(layer, "_non_trainable_variables", ())


def _scope_of(op: str, layer: str) -> str:
    """Return the scope in an op's name that is that of a layer, such as `model/dense_1`."""
    parts = op.split("/")[:-1]
    for end in range(len(parts), 0, -1):
        if layer in (parts[end - 1], SCOPE_NUMBER.sub("", parts[end - 1])):
            return "/".join(parts[:end])
    return "/".join(parts)


def _inside(layer: Any) -> list[Any]:
    """Return the layers of a model in order, with its input layers."""
    inner = getattr(layer, "_layers", None) if hasattr(layer, "layers") else None
    return list(inner or getattr(layer, "layers", None) or ())
