"""Finds the variable, its layer and the lines that created it for a handle in a graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from resnet_inspect.graph.crash import Site
from resnet_inspect.tracers.layer_creations import Creation, creations
from resnet_inspect.tracers.tensorflow.capture.construction import handles
from resnet_inspect.tracers.tensorflow.capture.keras_layers import held_by
from resnet_inspect.tracers.tensorflow.capture.source_lines import is_users, named
from resnet_inspect.tracers.variable_creations import variable_creations


class KnownVariable(NamedTuple):
    """A variable and its Keras layer, if it has one."""

    variable: Any
    layer: Any = None


class VariableIndex:
    """The variables of the program. `files` receives the files of the lines that created them."""

    def __init__(self, files: set[str]) -> None:
        self._files = files
        self._created: dict[int, Creation] = {}
        self._by_handle: dict[int, KnownVariable] = {}
        for variable, creation in variable_creations():
            self._created[id(variable)] = creation
            self._add(variable, KnownVariable(variable))
        for layer, _ in creations():
            for variable in own_variables(layer):
                self._add(_inner(variable), KnownVariable(variable, layer))

    def _add(self, variable: Any, known: KnownVariable) -> None:
        for handle in _handles(variable):
            self._by_handle[id(handle)] = known

    def of_handle(self, handle: Any) -> KnownVariable | None:
        """Return the variable of a handle."""
        return self._by_handle.get(id(handle))

    def of(self, variable: Any) -> KnownVariable:
        """Return a Keras or TensorFlow variable with its layer."""
        known = (self.of_handle(handle) for handle in _handles(_inner(variable)))
        return next(filter(None, known), KnownVariable(variable))

    def sites(self, variable: Any) -> tuple[Site, ...]:
        """Return the user's lines that created a variable, innermost first."""
        creation = self._created.get(id(variable)) or self._created.get(id(_inner(variable))) or ()
        return tuple(sites_of(creation, self._files))


def _inner(variable: Any) -> Any:
    """Return the TensorFlow variable behind a variable; None before it exists."""
    return variable if _of_graph(variable) is not None else held_by(variable)


def _of_graph(variable: Any) -> Any:
    """Return the reference of a variable of TensorFlow 1 that has no handle; None for others."""
    return getattr(variable, "_variable", None) if isinstance(variable, tf.Variable) else None


def _handles(variable: Any) -> list[Any]:
    """Return the tensors of a variable in graphs, one for each replica."""
    if not isinstance(variable, tf.Variable):
        return []
    of_graph = _of_graph(variable)
    return [of_graph] if of_graph is not None else handles(variable)


def own_variables(layer: Any) -> Iterator[Any]:
    """Yield the variables of a layer itself, without those of the layers inside it."""
    yield from getattr(layer, "_trainable_variables", ())
    yield from getattr(layer, "_non_trainable_variables", ())


def sites_of(creation: Creation, files: set[str]) -> Iterator[Site]:
    """Yield the user's lines of a creation. `files` receives their files."""
    for frame in creation:
        if is_users(frame.file):
            files.add(frame.file)
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
